#include "plugins/common/relational/sql_sums.h"

#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

TEST(sql_sums, are_the_same_modulo_2_64_whether_a_database_sums_signed_numbers_or_not) {
  EXPECT_EQ(modulo_64("18446744073709551615").value(), modulo_64("-1").value());
  EXPECT_EQ(modulo_64("-18446744073709551615").value(), 1u);
  EXPECT_EQ(modulo_64("18446744073709551616000000000000000000001").value(), 1u);
  EXPECT_EQ(modulo_64("0").value(), 0u);
  EXPECT_FALSE(modulo_64("1.5"));
  EXPECT_FALSE(modulo_64("-"));
  EXPECT_FALSE(modulo_64(""));
}

TEST(sql_sums, of_a_table_without_records_are_null_and_zero) {
  const auto sums = sums_of({"0", "0", std::nullopt, std::nullopt}, "db");
  ASSERT_TRUE(sums);
  EXPECT_EQ(sums->records, 0u);
  EXPECT_EQ(sums->sum, row_sum{});
}

TEST(sql_sums, have_the_first_half_of_the_hashes_above_the_second) {
  EXPECT_EQ(to_string(sums_of({"2", "2", "-1", "258"}, "db")->sum), "ffffffffffffffff0000000000000102");
}

TEST(sql_sums, of_a_record_without_a_hash_tell_nothing) {
  const auto sums = sums_of({"3", "2", "1", "1"}, "db1:5432/shop");
  ASSERT_FALSE(sums);
  EXPECT_EQ(sums.error().kind, error_kind::not_supported);
  EXPECT_NE(sums.error().message.find("1 of 3 records"), std::string::npos);
}

const std::vector<key_range> ranges{{{}, 10}, {10, 20}, {30, {}}, {.null = true}};

TEST(sql_sums, of_ranges_are_of_the_range_by_the_bounds_that_are_not_greater) {
  EXPECT_EQ(bounds_text(bounds_of(ranges)), "10, 20, 30");
  // NULL is told as NULL, or as -1; of what was not found there is nothing.
  for (const std::optional<std::string>& of_null :
       {std::optional<std::string>(), std::optional<std::string>("-1")}) {
    const auto sums = sums_of_ranges({{"2", "2", "0", "5", "3", "30", "18446744073709551615"},
                                      {"1", "1", "0", "7", "0", "-9223372036854775808", "-5.75"},
                                      {"4", "4", "0", "9", of_null, std::nullopt, std::nullopt}},
                                     ranges, "db");
    ASSERT_TRUE(sums) << sums.error().message;
    ASSERT_EQ(sums->size(), 4u);
    EXPECT_EQ((*sums)[0].sums.records, 1u);
    EXPECT_EQ((*sums)[0].span.least, -(int128{1} << 63));
    EXPECT_EQ((*sums)[0].span.greatest, int128{-5});
    EXPECT_EQ((*sums)[1].sums.records, 0u);
    EXPECT_FALSE((*sums)[1].span.least);
    EXPECT_EQ((*sums)[2].sums.sum, row_sum{5});
    EXPECT_EQ((*sums)[2].span.greatest, (int128{1} << 64) - 1);
    EXPECT_EQ((*sums)[3].sums.records, 4u);
  }
}

TEST(sql_sums, of_a_range_that_was_not_asked_for_are_no_sums) {
  // From 20 below 30: a condition that does not hold would be noticed.
  const auto sums = sums_of_ranges({{"2", "2", "0", "5", "2", "20", "29"}}, ranges, "db");
  ASSERT_FALSE(sums);
  EXPECT_EQ(sums.error().kind, error_kind::internal);
}

TEST(sql_sums, of_ranges_tell_nothing_where_a_record_has_no_sum) {
  const auto sums = sums_of_ranges(
      {{"2", "1", "0", "5", "1", "10", "11"}, {"5", "5", "0", "5", "3", "30", "35"}}, ranges, "db");
  ASSERT_FALSE(sums);
  EXPECT_EQ(sums.error().kind, error_kind::not_supported);
  EXPECT_NE(sums.error().message.find("1 of 7 records"), std::string::npos) << sums.error().message;
}

TEST(sql_sums, have_bounds_of_64_bits_and_no_others) {
  EXPECT_EQ(span_of("12", "12.999").greatest, int128{12});
  EXPECT_FALSE(span_of("NaN", "18446744073709551616").least);
  EXPECT_FALSE(span_of("NaN", "18446744073709551616").greatest);
  EXPECT_FALSE(span_of("", "1e5").least);
  EXPECT_FALSE(span_of("-", "1e5").greatest);
}

TEST(sql_sums, are_asked_by_a_condition_of_the_ranges_that_touch_as_one) {
  EXPECT_EQ(condition_sql("id", ranges), "id < 20 OR id >= 30 OR id IS NULL");
  EXPECT_EQ(condition_sql("id", {{20, 30}, {-5, 5}, {30, 31}}),
            "(id >= -5 AND id < 5) OR (id >= 20 AND id < 31)");
  EXPECT_EQ(condition_sql("id", {{.null = true}}), "id IS NULL");
  EXPECT_EQ(condition_sql("id", {{}}), "id IS NOT NULL");
  EXPECT_EQ(condition_sql("id", {{{}, 5}, {.null = true}, {5, {}}}), "");
}

}  // namespace
}  // namespace sluice::relational
