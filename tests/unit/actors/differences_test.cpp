#include "actors/verify/differences.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using standing = read_back::standing;
using rows_by_key = gather_reading::rows_by_key;

row_sum of(unsigned number) {
  return {number};
}

/// `missing extra` of each key, in order.
std::vector<std::vector<std::uint64_t>> found(const rows_by_key& source, const rows_by_key& destination,
                                              standing stands) {
  std::vector<std::vector<std::uint64_t>> out;
  for (const key_difference& d : differences_between(source, destination, stands)) {
    out.push_back({static_cast<std::uint64_t>(d.key.value), d.missing(), d.extra()});
  }
  return out;
}

using list = std::vector<std::vector<std::uint64_t>>;

TEST(differences, every_record_must_stand_as_often_as_it_was_read) {
  const rows_by_key source = {{of(1), {{of(10), 3}}}, {of(2), {{of(20), 1}}}, {of(3), {{of(30), 1}}}};
  const rows_by_key destination = {{of(1), {{of(10), 1}}}, {of(2), {{of(21), 1}}}, {of(4), {{of(40), 2}}}};
  EXPECT_EQ(found(source, destination, standing::every_record),
            (list{{1, 2, 0}, {2, 1, 1}, {3, 1, 0}, {4, 0, 2}}));
  EXPECT_EQ(found(source, source, standing::every_record), list{});
}

TEST(differences, of_records_that_share_a_key_one_stands_with_its_values) {
  const rows_by_key source = {{of(1), {{of(10), 1}, {of(11), 5}}}, {of(2), {{of(20), 1}}}};
  EXPECT_EQ(found(source, {{of(1), {{of(10), 1}}}, {of(2), {{of(20), 1}}}}, standing::last_a_key), list{});
  EXPECT_EQ(found(source, {{of(1), {{of(12), 1}}}, {of(2), {{of(20), 1}}}}, standing::last_a_key),
            (list{{1, 1, 1}}));
  EXPECT_EQ(found(source, {{of(1), {{of(11), 1}}}}, standing::last_a_key), (list{{2, 1, 0}}));
  EXPECT_EQ(found({}, {{of(3), {{of(30), 1}}}}, standing::last_a_key), (list{{3, 0, 1}}));
}

TEST(differences, of_records_that_are_left_out_where_their_key_stands_the_key_alone_counts) {
  const rows_by_key source = {{of(1), {{of(10), 1}}}, {of(2), {{of(20), 1}}}};
  EXPECT_EQ(found(source, {{of(1), {{of(99), 1}}}}, standing::any_a_key), (list{{2, 1, 0}}));
}

row_sum high(unsigned number) {
  return {static_cast<uint128>(number) << 64};
}

/// What is left of the differences by what the run has written, and what was taken out.
std::pair<list, std::uint64_t> left(const rows_by_key& source, const rows_by_key& destination,
                                    const written_rows& run, standing stands) {
  list out;
  std::uint64_t taken = 0;
  for (key_difference& d : differences_between(source, destination, stands)) {
    taken += take_changed_since(d, source, destination, run, stands);
    out.push_back({static_cast<std::uint64_t>(d.key.value), d.missing(), d.extra()});
  }
  return {out, taken};
}

TEST(differences, what_the_destination_has_as_it_was_written_is_only_the_sources_change) {
  written_rows run;
  run.known = {10, 20, 20, 30};
  const auto every = standing::every_record;
  // Changed, come, gone at the source: the destination has what was written.
  EXPECT_EQ(left({{of(1), {{high(11), 1}}}}, {{of(1), {{high(10), 1}}}}, run, every),
            (std::pair(list{{1, 0, 0}}, std::uint64_t{1})));
  EXPECT_EQ(left({{of(4), {{high(40), 2}}}}, {}, run, every), (std::pair(list{{4, 0, 0}}, std::uint64_t{2})));
  EXPECT_EQ(left({}, {{of(3), {{high(30), 1}}}}, run, every), (std::pair(list{{3, 0, 0}}, std::uint64_t{1})));
  // Two were written and one stands; two and three do; another stands; written and not there.
  EXPECT_EQ(left({{of(2), {{high(20), 3}}}}, {{of(2), {{high(20), 1}}}}, run, every),
            (std::pair(list{{2, 1, 0}}, std::uint64_t{1})));
  EXPECT_EQ(left({}, {{of(2), {{high(20), 3}}}}, run, every), (std::pair(list{{2, 0, 1}}, std::uint64_t{2})));
  EXPECT_EQ(left({{of(1), {{high(11), 1}}}}, {{of(1), {{high(12), 1}}}}, run, every),
            (std::pair(list{{1, 1, 1}}, std::uint64_t{0})));
  EXPECT_EQ(left({{of(1), {{high(10), 1}}}}, {}, run, every), (std::pair(list{{1, 1, 0}}, std::uint64_t{0})));
}

TEST(differences, of_records_that_share_a_key_the_row_that_stands_is_one_that_was_written) {
  written_rows run;
  run.known = {10, 11};
  const auto last = standing::last_a_key;
  EXPECT_EQ(left({{of(1), {{high(12), 1}}}}, {{of(1), {{high(11), 1}}}}, run, last),
            (std::pair(list{{1, 0, 0}}, std::uint64_t{1})));
  EXPECT_EQ(left({{of(1), {{high(12), 1}}}}, {{of(1), {{high(13), 1}}}}, run, last),
            (std::pair(list{{1, 1, 1}}, std::uint64_t{0})));
  EXPECT_EQ(left({{of(1), {{high(10), 1}, {high(12), 1}}}}, {}, run, last),
            (std::pair(list{{1, 1, 0}}, std::uint64_t{0})));
  EXPECT_EQ(left({{of(2), {{high(20), 1}}}}, {}, run, standing::any_a_key),
            (std::pair(list{{2, 0, 0}}, std::uint64_t{1})));
}

}  // namespace
}  // namespace sluice
