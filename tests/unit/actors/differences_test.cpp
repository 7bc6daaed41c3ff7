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

}  // namespace
}  // namespace sluice
