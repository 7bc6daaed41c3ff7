#include "actors/supervise/beginnings.h"

#include <gtest/gtest.h>

#include "actors/plan/column_pairs.h"

namespace sluice {
namespace {

speed_limit asking_for(std::uint32_t pipelines) {
  speed_limit speed;
  speed.concurrent = pipelines;
  speed.concurrent_reason = "asked";
  return speed;
}

TEST(beginnings, as_many_pipelines_as_asked_for_where_nothing_is_less) {
  const auto choice = choose_concurrency(asking_for(4), 0, 10);
  EXPECT_EQ(choice.pipelines, 4U);
  EXPECT_EQ(choice.reason, "asked");
}

TEST(beginnings, the_destination_and_the_splits_limit_the_pipelines) {
  EXPECT_EQ(choose_concurrency(asking_for(4), 1, 10).reason,
            "1 of 4 asked for: the destination takes 1 writer");
  EXPECT_EQ(choose_concurrency(asking_for(4), 3, 2).reason, "2 of 4 asked for: there are 2 splits to read");
  EXPECT_EQ(choose_concurrency(asking_for(4), 0, 0).pipelines, 1U);
}

TEST(beginnings, only_one_locked_file_at_both_ends_is_refused) {
  job what;
  what.writer.place = "a.json:3:5 steps[1]";
  source_description from;
  target_description to;
  EXPECT_FALSE(same_file_failure(what, from, to));
  from.locked_file = to.locked_file = "/data/shop.db";
  const auto failure = same_file_failure(what, from, to);
  ASSERT_TRUE(failure);
  EXPECT_TRUE(failure->message.starts_with("a.json:3:5 steps[1]: ")) << failure->message;
  to.locked_file = "/data/other.db";
  EXPECT_FALSE(same_file_failure(what, from, to));
}

TEST(column_pairs, say_what_makes_a_record_dirty) {
  const schema from = {{.name = "id", .type = type_of(type_id::int64), .nullable = false},
                       {.name = "name", .type = type_of(type_id::utf8)},
                       {.name = "n", .type = type_of(type_id::utf8)}};
  const schema to = {{.name = "id", .type = type_of(type_id::int64), .nullable = false},
                     {.name = "name", .type = type_of(type_id::utf8), .nullable = false},
                     {.name = "n", .type = type_of(type_id::int64)}};
  const auto pairs = describe_column_pairs(from, to, {}, compat_mode::exact);
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(plan_word(pairs[0]), "exact");
  EXPECT_EQ(plan_word(pairs[1]), "checked");
  EXPECT_EQ(pairs[1].dirty_where, "NULL");
  EXPECT_EQ(plan_word(pairs[2]), "checked");
  EXPECT_EQ(pairs[2].dirty_where, "a value that does not fit");
}

TEST(column_pairs, name_what_the_mode_datax_changes) {
  const schema from = {{.name = "a", .type = type_of(type_id::decimal_text)}};
  const schema to = {{.name = "a", .type = type_of(type_id::int64)}};
  EXPECT_EQ(describe_column_pairs(from, to, {}, compat_mode::exact)[0].changes, "");
  EXPECT_EQ(describe_column_pairs(from, to, {}, compat_mode::datax)[0].changes, "fraction_cut");
}

TEST(column_pairs, all_refused_pairs_are_named) {
  const schema from = {{.name = "a", .type = type_of(type_id::boolean)},
                       {.name = "b", .type = type_of(type_id::boolean)}};
  const schema to = {{.name = "a", .type = type_of(type_id::date)},
                     {.name = "b", .type = type_of(type_id::date)}};
  for (const column_pair& pair : describe_column_pairs(from, to, {}, compat_mode::exact)) {
    EXPECT_EQ(plan_word(pair), "refused");
    EXPECT_FALSE(pair.problem.empty());
  }
}

}  // namespace
}  // namespace sluice
