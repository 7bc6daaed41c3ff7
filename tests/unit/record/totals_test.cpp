#include "transport/record/totals.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace sluice {
namespace {

run_totals sample() {
  run_totals t;
  t.counts = {~std::uint64_t{0}, 5, 1, 3, 2, 700, 70, 7};
  t.changes = {{{0, change_rule::fraction_cut}, 12}, {{65535, change_rule::other_digits}, ~std::uint64_t{0}}};
  t.parts = {1, 2, 0, ~std::uint64_t{0} - 9};
  t.sums.read = *row_sum_from("0123456789abcdef0123456789abcdef");
  t.sums.changed = true;
  t.splits = 7;
  t.dirty_by_code = {{"not_a_number", 2}, {"other", 1}};
  t.dirty_missing = 1;
  return t;
}

TEST(totals, come_back_from_their_text_as_they_were) {
  const auto list = scalars_from_json(to_json(to_scalars(sample())));
  ASSERT_TRUE(list) << list.error().message;
  const auto back = totals_from(*list);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, sample());
}

TEST(totals, what_is_missing_is_0_and_what_a_newer_program_added_is_left_out) {
  const auto back = totals_from({{"read", {std::uint64_t{9}}}, {"mood", {std::string("good")}}});
  ASSERT_TRUE(back) << back.error().message;
  run_totals only_read;
  only_read.counts.read = 9;
  EXPECT_EQ(*back, only_read);
}

TEST(totals, a_value_of_another_type_is_refused_by_name) {
  for (const char* name : {"read", "read_sum", "changed", "changes", "code:x"}) {
    const auto back = totals_from({{name, {1.5}}});
    ASSERT_FALSE(back) << name;
    EXPECT_NE(back.error().message.find(name), std::string::npos) << back.error().message;
  }
}

TEST(totals, changes_of_more_columns_than_the_text_has_room_for_are_left_out) {
  run_totals t;
  t.counts.read = 5;
  for (std::uint32_t column = 0; column < 3000; ++column) {
    t.changes[{column, change_rule::second_fraction_cut}] = 1;
  }
  const auto list = scalars_from_json(to_json(to_scalars(t)));
  ASSERT_TRUE(list) << list.error().message;
  const auto back = totals_from(*list);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->counts, t.counts);
  EXPECT_TRUE(back->changes.empty());
}

TEST(change_counts, are_kept_as_a_text_that_people_can_read) {
  const change_counts counts = {{{0, change_rule::fraction_cut}, 12}, {{3, change_rule::rounded}, 4}};
  EXPECT_EQ(to_text(counts), "0:fraction_cut=12,3:rounded=4");
  EXPECT_EQ(*change_counts_from(to_text(counts)), counts);
  EXPECT_EQ(to_text(change_counts()), "");
  EXPECT_TRUE(change_counts_from("")->empty());
  for (const char* wrong : {"x", "0", "0:", "0:fraction_cut", "0:fraction_cut=", "0:mood=1", "0:rounded=1;",
                            "-1:rounded=1", "0:rounded=-1", "0:rounded=1,", ":rounded=1",
                            "0:rounded=18446744073709551616", "0:rounded=1 1:rounded=1"}) {
    EXPECT_FALSE(change_counts_from(wrong)) << wrong;
  }
}

TEST(totals, of_very_many_codes_the_rarest_become_other_and_the_text_stays_readable) {
  run_totals t;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    t.dirty_by_code[fmt::format("{:090}", i)] = i + 1;
  }
  const auto list = scalars_from_json(to_json(to_scalars(t)));
  ASSERT_TRUE(list) << list.error().message;
  const auto back = totals_from(*list);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dirty_by_code.size(), 201u);
  EXPECT_EQ(back->dirty_by_code.at(fmt::format("{:090}", 4999)), 5000u);
  std::uint64_t all = 0;
  for (const auto& [code, records] : back->dirty_by_code) {
    all += records;
  }
  EXPECT_EQ(all, 5000u * 5001 / 2) << "none is lost from the sum";
}

TEST(written_parts, are_kept_as_a_text_that_people_can_read) {
  const written_parts parts = {12, 3, 0, ~std::uint64_t{0}};
  EXPECT_EQ(to_text(parts), "inserted=12,updated=3,unchanged=18446744073709551615");
  EXPECT_EQ(*written_parts_from(to_text(parts)), parts);
  EXPECT_EQ(to_text(written_parts()), "");
  EXPECT_EQ(*written_parts_from(""), written_parts());
  for (const char* wrong : {"x", "inserted", "inserted=", "inserted=1,", "inserted=1;updated=2", "mood=1",
                            "inserted=-1", ",inserted=1", "inserted=18446744073709551616"}) {
    EXPECT_FALSE(written_parts_from(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace sluice
