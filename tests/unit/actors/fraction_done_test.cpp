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

TEST(fraction_done, of_a_split_being_read_its_reader_tells_how_the_measures_differ) {
  // A file whose values are a fifth of its bytes: 6 of 20 record bytes are 30 of 100 of the file.
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 6, false, 50, 10}}), 0.3);
  // A packed one: the records are ten times its bytes.
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 420, false, 50, 500}}), 0.42);
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 5, true}, {100, 6, false, 50, 10}}), 0.65)
      << "its own reader knows better than the done ones";
}

TEST(fraction_done, is_not_known_while_nothing_tells_how_the_measures_differ) {
  EXPECT_FALSE(fraction_done({{100, 50, false}, {100, 0, false}}));
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 0, false}, {100, 0, false}}), 0) << "nothing is nothing";
}

TEST(fraction_done, a_split_that_is_not_done_never_counts_for_more_than_it_is) {
  EXPECT_DOUBLE_EQ(*fraction_done({{100, 500, false, 10, 10}, {100, 0, false}}), 0.5);
}

TEST(fraction_done, is_not_known_without_the_size_of_every_split) {
  EXPECT_FALSE(fraction_done({}));
  EXPECT_FALSE(fraction_done({{100, 50, true}, {std::nullopt, 0, false}}));
  EXPECT_FALSE(fraction_done({{0, 0, false}}));
}

}  // namespace
}  // namespace sluice
