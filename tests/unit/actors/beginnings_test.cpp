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
  for (const std::uint32_t asked : {1U, 4U}) {
    const auto choice = choose_concurrency(asking_for(asked), 0, 0);
    EXPECT_EQ(choice.pipelines, 1U);
    EXPECT_EQ(choice.reason, "all splits are done, nothing is left to read");
  }
  EXPECT_EQ(choose_concurrency(asking_for(4), 0, 0).pipelines, 1U);
}

job job_with_places() {
  job what;
  what.reader.place = "a.json:2:5 steps[0]";
  what.writer.place = "a.json:3:5 steps[1]";
  return what;
}

file_use use(std::uint64_t inode, file_use::kind as = file_use::kind::plain, std::string change = {}) {
  return {"/data/shop", 1, inode, as, std::move(change)};
}

TEST(beginnings, a_database_that_is_locked_at_both_ends_is_refused) {
  const job what = job_with_places();
  source_description from;
  target_description to;
  EXPECT_FALSE(same_file_failure(what, from, to));
  from.files_read = {use(5, file_use::kind::locked_database)};
  to.files_changed = {use(5, file_use::kind::locked_database, "written to")};
  const auto failure = same_file_failure(what, from, to);
  ASSERT_TRUE(failure);
  EXPECT_TRUE(failure->message.starts_with("a.json:3:5 steps[1]: ")) << failure->message;
  EXPECT_NE(failure->message.find("WAL"), std::string::npos) << failure->message;
  to.files_changed[0].inode = 6;
  EXPECT_FALSE(same_file_failure(what, from, to));
  from.files_read = {use(6, file_use::kind::shared_database)};
  to.files_changed[0].as = file_use::kind::shared_database;
  EXPECT_FALSE(same_file_failure(what, from, to)) << "in WAL mode both may be at work";
}

TEST(beginnings, a_job_does_not_change_the_files_it_reads) {
  const job what = job_with_places();
  source_description from;
  target_description to;
  from.files_read = {use(4), use(5)};
  to.files_changed = {use(6, file_use::kind::plain, "removed"), use(5, file_use::kind::plain, "removed")};
  to.files_changed[1].path = "/data/link";
  const auto failure = same_file_failure(what, from, to);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, error_kind::bad_option);
  EXPECT_NE(failure->message.find("would be removed by its writer (there \"/data/link\")"), std::string::npos)
      << failure->message;
  to.files_changed = {use(4, file_use::kind::shared_database, "written to")};
  EXPECT_TRUE(same_file_failure(what, from, to)) << "a database read as text";
  to.files_changed[0].device = 2;
  EXPECT_FALSE(same_file_failure(what, from, to));
}

TEST(beginnings, a_pattern_that_meets_the_jobs_own_output_is_named) {
  const job what = job_with_places();
  source_description from;
  target_description to;
  from.patterns = {{"src/*.csv", "*.csv", {use(7)}}};
  to.files_made = {{"src/n__1_0.csv", "n__1_0.csv", use(7)}};
  EXPECT_NE(own_output_warning(what, from, to).find("\"src/*.csv\""), std::string::npos);
  from.patterns[0].name = "?__1_0.csv";
  to.files_made[0].name = "\u00e4__1_0.csv";
  EXPECT_NE(own_output_warning(what, from, to), "") << "a letter of two bytes is one character";
  from.patterns[0].name = "*.csv";
  to.files_made[0].name = "n__1_0.txt";
  EXPECT_EQ(own_output_warning(what, from, to), "");
  to.files_made = {{"out/n.csv", "n.csv", use(8)}};
  EXPECT_EQ(own_output_warning(what, from, to), "");
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
