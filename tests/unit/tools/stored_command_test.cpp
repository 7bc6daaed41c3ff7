#include "tools/cli/stored_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

run_arguments run_of(const std::vector<std::string>& words) {
  const auto parsed = parse_command_line(words);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed ? std::get<run_arguments>(*parsed) : run_arguments();
}

stored_command kept_of(const std::vector<std::string>& words) {
  job what;
  what.name = "orders";
  const run_arguments run = run_of(words);
  return command_to_keep(run, what, "/work", secret_filter(run.parameters));
}

TEST(stored_command, each_flag_is_a_word_and_what_a_start_decides_by_is_not_kept) {
  EXPECT_THAT(kept_of({"run", "-p", "a=1", "jobs/orders.json", "--retries", "3", "--on-unfinished", "fresh",
                       "--state-dir", "s", "--json", "--resume-window", "1d"})
                  .words,
              ElementsAre("run", "jobs/orders.json", "--param=a=1", "--retries=3", "--json"));
}

TEST(stored_command, of_several_jobs_and_days_only_this_run_is_kept) {
  run_arguments run = run_of({"run", "jobs", "other.json", "--jobs", "2", "--stop-on-failure", "--bizdate",
                              "20250717..20250719", "--parallel", "2"});
  run.job_file = "jobs/b.json";
  run.planned = run.range[1];
  EXPECT_THAT(command_to_keep(run, job(), "/work", secret_filter()).words,
              ElementsAre("run", "jobs/b.json", "--bizdate=20250718"));
}

TEST(stored_command, a_secret_is_masked_and_asked_for_and_a_reference_is_kept) {
  const stored_command kept =
      kept_of({"run", "job.json", "-p", "password=verysecret", "-p", "day=1", "--set",
               "steps[0].parameter.password=x", "--set", "steps[1].parameter.password=${env:PW}"});
  EXPECT_THAT(stored_command_json(kept), ::testing::Not(HasSubstr("verysecret")));
  EXPECT_THAT(kept.words, ElementsAre("run", "job.json", "--param=password=***", "--param=day=1",
                                      "--set=steps[0].parameter.password=***",
                                      "--set=steps[1].parameter.password=${env:PW}"));
  const auto refused = words_again(kept, {"--set=steps[0].parameter.password=x"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("--param=password=VALUE"));
  const auto again = words_again(kept, {"--param=password=p", "--set=steps[0].parameter.password=x"});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_THAT(*again,
              ElementsAre("run", "job.json", "--param=day=1", "--set=steps[1].parameter.password=${env:PW}",
                          "--param=password=p", "--set=steps[0].parameter.password=x"));
}

TEST(stored_command, a_parameter_that_is_part_of_a_secret_is_masked_whatever_its_name) {
  job what;
  what.parameters = {{"dbpw", "***"}, {"day", "1"}};
  const run_arguments run = run_of({"run", "job.json", "-p", "dbpw=abc", "-p", "day=1"});
  const stored_command kept = command_to_keep(run, what, "/work", secret_filter());
  EXPECT_THAT(kept.words, ElementsAre("run", "job.json", "--param=dbpw=***", "--param=day=1"));
  EXPECT_THAT(kept.hidden, ElementsAre(2));
}

TEST(stored_command, parameters_of_datax_are_kept_and_asked_for_one_by_one) {
  const stored_command kept = kept_of({"run", "job.json", "-p", "-Dday=1 -Dpassword=verysecret"});
  EXPECT_THAT(kept.words, ElementsAre("run", "job.json", "--param=-Dday=1", "--param=-Dpassword=***"));
  const auto refused = words_again(kept, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("--param=password=VALUE"));
  for (const char* given : {"--param=password=x", "--param=-Dpassword=x", "--param=-Dday=1 -Dpassword=x"}) {
    const auto again = words_again(kept, {given});
    ASSERT_TRUE(again.has_value()) << given << ": " << again.error().message;
    const auto parsed = parse_command_line(*again);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_THAT(std::get<run_arguments>(*parsed).parameters,
                ElementsAre(::testing::Pair("day", "1"), ::testing::Pair("password", "x")));
  }
}

TEST(stored_command, a_change_takes_the_place_of_the_same_flag_parameter_or_path_alone) {
  const stored_command kept = kept_of(
      {"run", "job.json", "--retries=3", "--set", "a.b=1", "--set", "a.c=2", "--memory", "64M", "-p", "x=1"});
  const auto again = words_again(kept, {"--retries=9", "--set=a.b=7"});
  ASSERT_TRUE(again.has_value());
  EXPECT_THAT(*again, ElementsAre("run", "job.json", "--param=x=1", "--set=a.c=2", "--memory=64M",
                                  "--retries=9", "--set=a.b=7"));
  EXPECT_TRUE(parse_command_line(*again).has_value());
}

TEST(stored_command, what_is_kept_is_read_back_and_anything_else_is_refused_by_name) {
  const testing::test_folder folder;
  stored_command kept = kept_of({"run", "job.json", "-p", "password=verysecret"});
  kept.planned = "2026-01-31 02:30:00 Europe/Berlin";
  kept.run = "0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
  folder.put("command.json", stored_command_json(kept));
  const auto read = read_stored_command(folder.path());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->words, kept.words);
  EXPECT_EQ(read->hidden, kept.hidden);
  EXPECT_EQ(read->folder, "/work");
  EXPECT_EQ(read->job, "orders");
  EXPECT_EQ(read->run, kept.run);
  EXPECT_EQ(read->planned, kept.planned);
  for (const char* text : {"", "[]", R"({"version":2,"words":[],"hidden":[],"folder":"","job":""})",
                           R"({"version":1,"words":[1],"hidden":[],"folder":"","job":""})",
                           R"({"version":1,"words":[],"hidden":["a"],"folder":"","job":""})"}) {
    folder.put("command.json", text);
    const auto refused = read_stored_command(folder.path());
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_THAT(refused.error().message, HasSubstr(folder.file("command.json")));
  }
}

TEST(stored_command, flags_that_differ_are_told_with_both_values) {
  const stored_command before =
      kept_of({"run", "job.json", "--retries", "3", "--fail-on-dirty", "--set", "a=1", "--memory", "64M"});
  const stored_command now = kept_of({"run", "job.json", "--retries", "9", "--json", "--set", "a=2",
                                      "--memory", "64M", "--max-duration", "1h"});
  EXPECT_THAT(flag_changes(before, now),
              ElementsAre("--fail-on-dirty is gone", R"(--retries was "3" and is "9")",
                          R"(--max-duration was not given and is "1h")"));
  EXPECT_THAT(flag_changes(now, now), ElementsAre());
}

TEST(stored_command, it_is_shown_as_a_shell_takes_it) {
  EXPECT_EQ(command_text(kept_of({"run", "my job.json", "-p", "a=it's"})),
            "sluice run 'my job.json' '--param=a=it'\\''s'");
}

}  // namespace
}  // namespace sluice
