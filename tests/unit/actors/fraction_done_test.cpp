#include "actors/supervise/fraction_done.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(fraction_done, counts_done_splits_whole_and_others_by_what_those_show) {
  // Record bytes are 80 of 100 here.
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 80, true}, {100, 80, true}, {100, 40, false}, {100, 0, false}}),
                   0.625);
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 80, true}, {100, 80, true}}), 1.0) << "the end is the end";
}

TEST(fraction_done, before_the_first_split_is_done_both_measures_are_taken_for_the_same) {
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 50, false}, {100, 0, false}}), 0.25);
}

TEST(fraction_done, a_split_that_is_not_done_never_counts_for_more_than_it_is) {
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 500, false}, {100, 0, false}}), 0.5);
}

TEST(fraction_done, is_not_known_without_the_size_of_every_split) {
  EXPECT_FALSE(fraction_done({}));
  EXPECT_FALSE(fraction_done({{100, 50, true}, {std::nullopt, 0, false}}));
  EXPECT_FALSE(fraction_done({{0, 0, false}}));
}

}  // namespace
}  // namespace sluice
