#include "tools/cli/run_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::size_t> taken(run_queue& queue) {
  std::vector<std::size_t> indexes;
  while (const auto index = queue.take()) {
    indexes.push_back(*index);
  }
  return indexes;
}

TEST(run_queue, lets_runs_begin_in_their_order_so_many_at_once) {
  run_queue queue({{0}, {1}, {2}, {3}}, 2, 1);
  EXPECT_THAT(taken(queue), ElementsAre(0, 1));
  queue.ended(1);
  EXPECT_EQ(queue.at_work(), 1U);
  EXPECT_THAT(taken(queue), ElementsAre(2));
  queue.ended(0);
  queue.ended(2);
  EXPECT_FALSE(queue.over());
  EXPECT_THAT(taken(queue), ElementsAre(3));
  EXPECT_FALSE(queue.over());
  queue.ended(3);
  EXPECT_TRUE(queue.over());
}

TEST(run_queue, holds_a_run_back_whose_claim_is_taken_and_lets_others_pass) {
  run_queue queue({{0, "a"}, {1, "a"}, {2, "b"}, {3, "a"}}, 3, 1);
  EXPECT_THAT(taken(queue), ElementsAre(0, 2));
  queue.ended(2);
  EXPECT_THAT(taken(queue), IsEmpty());
  queue.ended(0);
  EXPECT_THAT(taken(queue), ElementsAre(1));
  queue.ended(1);
  EXPECT_THAT(taken(queue), ElementsAre(3));
}

TEST(run_queue, runs_of_one_job_begin_one_after_the_other_unless_more_are_allowed) {
  // Two jobs on three days, a day after the other.
  const std::vector<run_queue::entry> entries = {{0}, {1}, {0}, {1}, {0}, {1}};
  run_queue one(entries, 1, 1);
  EXPECT_THAT(taken(one), ElementsAre(0));
  run_queue both(entries, 2, 1);
  EXPECT_THAT(taken(both), ElementsAre(0, 1));
  both.ended(1);
  EXPECT_THAT(taken(both), ElementsAre(3));
  run_queue days(entries, 1, 2);
  EXPECT_THAT(taken(days), ElementsAre(0, 2));
  run_queue all(entries, 2, 2);
  EXPECT_THAT(taken(all), ElementsAre(0, 1, 2, 3));
}

TEST(run_queue, begins_nothing_once_told_so_and_is_over_when_what_is_at_work_ends) {
  run_queue queue({{0}, {1}, {2}}, 2, 1);
  EXPECT_THAT(taken(queue), ElementsAre(0, 1));
  queue.begin_no_more();
  queue.ended(0);
  EXPECT_THAT(taken(queue), IsEmpty());
  EXPECT_FALSE(queue.over());
  queue.ended(1);
  EXPECT_TRUE(queue.over());
}

TEST(run_queue, without_runs_is_over) {
  run_queue queue({}, 1, 1);
  EXPECT_TRUE(queue.over());
  EXPECT_EQ(queue.most_at_work(), 0U);
}

TEST(run_queue, knows_the_most_that_can_be_at_work_at_once) {
  EXPECT_EQ(run_queue({{0}, {1}, {2}}, 8, 1).most_at_work(), 3U);
  EXPECT_EQ(run_queue({{0}, {1}, {2}}, 2, 1).most_at_work(), 2U);
  EXPECT_EQ(run_queue({{0}, {0}, {0}}, 4, 2).most_at_work(), 2U);
  EXPECT_EQ(run_queue({{0}, {1}, {0}, {1}}, 2, 2).most_at_work(), 4U);
  EXPECT_EQ(run_queue({{0, "a"}, {0, "a"}, {0, "a"}}, 1, 3).most_at_work(), 1U);
  EXPECT_EQ(run_queue({{0, "a"}, {1, "a"}, {2, "a"}, {3}}, 4, 1).most_at_work(), 2U);
  EXPECT_EQ(run_queue({{0, "a"}, {0, "a"}, {1}, {1}}, 1, 2).most_at_work(), 2U);
}

}  // namespace
}  // namespace sluice
