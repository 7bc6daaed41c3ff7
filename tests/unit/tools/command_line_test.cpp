#include "tools/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/source_dir.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

run_arguments run_of(const std::vector<std::string>& arguments) {
  const auto parsed = parse_command_line(arguments);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed && std::holds_alternative<run_arguments>(*parsed) ? std::get<run_arguments>(*parsed)
                                                                  : run_arguments{};
}

std::string refusal_of(const std::vector<std::string>& arguments) {
  const auto parsed = parse_command_line(arguments);
  EXPECT_FALSE(parsed.has_value());
  if (parsed) {
    return {};
  }
  EXPECT_EQ(parsed.error().kind, error_kind::bad_option);
  return parsed.error().message;
}

TEST(command_line, a_job_alone_gets_the_documented_defaults) {
  const run_arguments run = run_of({"run", "orders.json"});
  EXPECT_EQ(run.job_file, "orders.json");
  EXPECT_EQ(run.report_interval.count(), 10'000);
  EXPECT_EQ(run.stall_timeout.count(), 60'000);
  EXPECT_EQ(run.stop_timeout.count(), 20'000);
  EXPECT_FALSE(run.memory_bytes || run.duration_max || run.retries_max || run.name || run.time_zone ||
               run.summary_file || run.on_end);
  EXPECT_EQ(run.on_unfinished, run_settings::unfinished::automatic);
  EXPECT_FALSE(run.fail_on_dirty || run.strict || run.json || run.no_progress);
  EXPECT_EQ(run.format, log_format::text);
  EXPECT_EQ(run.level, log_level::info);
}

TEST(command_line, every_flag_reaches_its_field) {
  const run_arguments run = run_of({"run",
                                    "-p",
                                    "a=1",
                                    "--param",
                                    "b=x=y",
                                    "--set",
                                    "setting.speed.concurrent=4",
                                    "--name",
                                    "orders",
                                    "--memory",
                                    "64M",
                                    "--timezone",
                                    "Europe/Berlin",
                                    "--summary",
                                    "s.json",
                                    "--metrics-file",
                                    "m.prom",
                                    "--report-interval",
                                    "1s",
                                    "--stall-timeout",
                                    "2s",
                                    "--stop-timeout=3s",
                                    "--max-duration",
                                    "1h",
                                    "--fail-on-dirty",
                                    "--on-end",
                                    "cat",
                                    "--on-unfinished",
                                    "fresh",
                                    "--resume-window",
                                    "2h",
                                    "--state-dir",
                                    "st",
                                    "--retries",
                                    "0",
                                    "--log-format",
                                    "json",
                                    "--log-level",
                                    "warning",
                                    "--strict",
                                    "--json",
                                    "--no-progress",
                                    "job.json"});
  EXPECT_EQ(run.job_file, "job.json");
  EXPECT_THAT(run.parameters, UnorderedElementsAre(Pair("a", "1"), Pair("b", "x=y")));
  EXPECT_THAT(run.set, UnorderedElementsAre(Pair("setting.speed.concurrent", "4")));
  EXPECT_EQ(run.name, "orders");
  EXPECT_EQ(run.memory_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(run.time_zone, "Europe/Berlin");
  EXPECT_EQ(run.summary_file, "s.json");
  EXPECT_EQ(run.metrics_file, "m.prom");
  EXPECT_EQ(run.report_interval.count(), 1000);
  EXPECT_EQ(run.stall_timeout.count(), 2000);
  EXPECT_EQ(run.stop_timeout.count(), 3000);
  EXPECT_EQ(run.duration_max->count(), 3'600'000);
  EXPECT_EQ(run.retries_max, 0U);
  EXPECT_EQ(run.on_end, "cat");
  EXPECT_EQ(run.on_unfinished, run_settings::unfinished::fresh);
  EXPECT_EQ(run.resume_window, std::chrono::hours(2));
  EXPECT_EQ(run.state_dir, "st");
  EXPECT_EQ(run.format, log_format::json);
  EXPECT_EQ(run.level, log_level::warning);
  EXPECT_TRUE(run.fail_on_dirty && run.strict && run.json && run.no_progress);
}

TEST(command_line, a_step_that_was_begun_is_decided_on_by_one_flag) {
  using unsure = run_settings::unsure_step;
  EXPECT_EQ(run_of({"run", "job.json"}).pre_sql_unsure, unsure::ask);
  const auto run = run_of({"run", "job.json", "--skip-presql", "--rerun-postsql"});
  EXPECT_EQ(run.pre_sql_unsure, unsure::skip);
  EXPECT_EQ(run.post_sql_unsure, unsure::rerun);
  EXPECT_THAT(refusal_of({"run", "job.json", "--skip-presql", "--rerun-presql"}),
              HasSubstr("--rerun-presql and --skip-presql exclude each other"));
}

TEST(command_line, parameters_are_taken_in_the_form_of_datax) {
  EXPECT_THAT(run_of({"run", "job.json", "-p", "-Da=1 -Dwhere=id > 3 -Dc='x y'"}).parameters,
              UnorderedElementsAre(Pair("a", "1"), Pair("where", "id > 3"), Pair("c", "x y")));
  EXPECT_THAT(run_of({"run", "-p-Da=1", "job.json", "-p", "b=2"}).parameters,
              UnorderedElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_THAT(refusal_of({"run", "job.json", "-p", "-Da"}), HasSubstr("has no ="));
}

TEST(command_line, a_parameter_without_a_value_is_told_by_its_number_and_not_shown) {
  EXPECT_THAT(refusal_of({"run", "job.json", "-p", "a=1", "-p", "hunter2"}),
              ::testing::AllOf(HasSubstr("number 2 of 2 -p, a text of 7 bytes, has no ="),
                               ::testing::Not(HasSubstr("hunter2"))));
}

TEST(command_line, help_is_also_a_command) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"help", "check"}, {"check", "--help"}}) {
    const auto answer = parse_command_line(words);
    ASSERT_TRUE(answer.has_value());
    EXPECT_THAT(std::get<help_arguments>(*answer).text, HasSubstr("--offline"));
  }
}

TEST(command_line, parameters_in_the_form_of_datax_are_literal_and_files_and_planned_times_are_taken) {
  const run_arguments run =
      run_of({"run", "job.json", "-p", "-Da=1 -Db=2", "-p", "c=3", "--param-file", "x.txt",
              "--param-file=y.json", "--bizdate", "20250719", "--at", "02:30"});
  EXPECT_THAT(run.literal_parameters, UnorderedElementsAre("a", "b"));
  EXPECT_THAT(run.parameter_files, ElementsAre("x.txt", "y.json"));
  EXPECT_EQ(run.planned.origin, "--bizdate 20250719 --at 02:30");
  for (const auto& [arguments, part] : std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{"run", "j", "-p", "x = $bizdate"}, "blanks stand around \"x \""},
           {{"run", "j", "-p", "foo bar=1"}, "-p: \"foo bar\" is no name of a parameter"},
           {{"--foo"}, "unknown flag \"--foo\" of sluice; see sluice --help"},
           {{"run", "j", "--summary", "a", "--summary", "b"}, "--summary is given more than once"},
           {{"run", "j", "--summary"}, "--summary needs a value"},
           {{"run", "j", "--bizdate", "tomorrow"}, "--bizdate: \"tomorrow\" is no day"},
           {{"params", "j", "--at", "9"}, "--at: \"9\" is no time of day"},
           {{"params"}, "the job file is missing: sluice params JOB"}}) {
    const auto answer = parse_command_line(arguments);
    ASSERT_FALSE(answer.has_value()) << part;
    EXPECT_THAT(answer.error().message, HasSubstr(part));
  }
}

TEST(command_line, one_parameter_takes_one_argument) {
  EXPECT_THAT(run_of({"run", "-p", "a=1", "job.json"}).job_file, "job.json");
}

TEST(command_line, several_jobs_keep_their_order_and_standard_input_is_one) {
  const run_arguments run =
      run_of({"run", "b.json", "-p", "a=1", "jobs", "-", "--jobs", "4", "--stop-on-failure", "a.json"});
  EXPECT_THAT(run.jobs, ::testing::ElementsAre("b.json", "jobs", "-", "a.json"));
  EXPECT_EQ(run.job_file, "b.json");
  EXPECT_EQ(run.jobs_at_once, 4U);
  EXPECT_TRUE(run.stop_on_failure);
  EXPECT_EQ(run.report, report_form::text);
  EXPECT_EQ(run_of({"run", "a.json", "--report", "datax"}).report, report_form::datax);
}

TEST(command_line, a_range_of_days_is_taken_by_run_alone) {
  const run_arguments run =
      run_of({"run", "a.json", "--bizdate", "20250717..20250719", "--at", "02:30", "--parallel", "2"});
  ASSERT_EQ(run.range.size(), 3U);
  using std::chrono::local_days;
  using namespace std::chrono_literals;
  EXPECT_EQ(run.range[2].business_day, local_days(std::chrono::year_month_day(2025y / 7 / 19)));
  EXPECT_EQ(run.days_at_once, 2U);
  EXPECT_TRUE(run_of({"run", "a.json", "--bizdate", "20250717"}).range.empty());
  EXPECT_THAT(refusal_of({"run", "a.json", "--parallel", "2"}),
              HasSubstr("--parallel is for the days of --bizdate"));
  EXPECT_THAT(refusal_of({"run", "a.json", "--bizdate", "20250717..20250719", "--parallel", "0"}),
              HasSubstr("--parallel takes a whole number"));
  EXPECT_THAT(refusal_of({"params", "a.json", "--bizdate", "20250717..20250719"}), HasSubstr("give one day"));
}

TEST(command_line, a_mistyped_word_is_answered_with_the_nearest_one) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"rnu", "job.json"}, "did you mean run?"},
      {{"plugin"}, "did you mean plugins?"},
      {{"job.json"}, "did you mean sluice run job.json?"},
      {{"run", "--sumary", "s.json", "job.json"}, "did you mean --summary?"},
      {{"run", "job.json", "--time-zone=UTC"}, "did you mean --timezone?"},
      {{"--verison"}, "did you mean --version?"},
      {{"run", "job.json", "--on-unfinished", "frsh"}, "did you mean fresh?"},
      {{"run", "job.json", "--log-level", "warn"}, "warning"},
      {{"datasource", "add", "x", "--json"},
       "unknown flag \"--json\" of sluice datasource add; did you mean --set?"},
      {{"datasource", "list", "--jsn"}, "did you mean --json?"},
  };
  for (const auto& [arguments, expected] : cases) {
    EXPECT_THAT(refusal_of(arguments), HasSubstr(expected));
  }
}

TEST(command_line, wrong_use_is_refused_with_what_was_expected) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "a command is missing"},
      {{"run"}, "the job file is missing"},
      {{"plugins", "text", "csv"}, "unexpected argument \"csv\""},
      {{"run", "a.json", "--jobs", "0"}, "--jobs takes a whole number from 1 to 1000; found \"0\""},
      {{"run", "a.json", "--jobs", "2x"}, "found \"2x\""},
      {{"run", "a.json", "--jobs", "-1"}, "found \"-1\""},
      {{"run", "a.json", "--report", "dtax"}, "did you mean datax?"},
      {{"run", "a.json", "--report", "datax", "--json"}, "both write to standard output"},
      {{"run", "a.json", "--memory", "lots"}, "--memory: \"lots\" is not a size"},
      {{"run", "a.json", "--memory", "1K"}, "the least is 4 MiB"},
      {{"run", "a.json", "--retries", "many"}, "--retries"},
      {{"run", "a.json", "--retries", "1001"}, "--retries takes a whole number from 0 to 1000; found 1001"},
      {{"run", "a.json", "--report-interval", "0"}, "must be more than 0"},
      {{"run", "a.json", "--stall-timeout", "soon"}, "--stall-timeout: \"soon\" is not a time"},
      {{"run", "a.json", "--set", "x"}, "path=value"},
      {{"run", "a.json", "-p", "=x"}, "the name is missing"},
      {{"run", "a.json", "-p", "a=1", "-p", "a=2"}, "twice"},
      {{"run", "a.json", "--summary"}, "--summary"},
      {{"xyzzyplugh"},
       "there are run, runs, check, plan, verify, ddl, template, copy, schema, params, datasource, plugins, "
       "version"},
  };
  for (const auto& [arguments, expected] : cases) {
    EXPECT_THAT(refusal_of(arguments), HasSubstr(expected));
  }
}

TEST(command_line, a_parameter_without_a_name_is_not_shown_because_it_may_be_a_secret) {
  EXPECT_THAT(refusal_of({"run", "a.json", "-p", "hunter2"}), ::testing::Not(HasSubstr("hunter2")));
}

TEST(command_line, help_is_there_for_the_program_and_every_command) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"--help"}, "plugins"},
      {{"-h"}, "run"},
      {{"run", "--help"}, "--on-unfinished"},
      {{"run", "--help"}, "Usage: sluice run [OPTIONS]"},
      {{"datasource", "add", "--help"}, "Usage: sluice datasource add "},
      {{"plugins", "--help"}, "--json"},
      {{"version", "--help"}, "--json"}};
  for (const auto& [arguments, expected] : cases) {
    const auto parsed = parse_command_line(arguments);
    ASSERT_TRUE(parsed.has_value());
    ASSERT_TRUE(std::holds_alternative<help_arguments>(*parsed));
    EXPECT_THAT(std::get<help_arguments>(*parsed).text, HasSubstr(expected));
  }
}

TEST(command_line, plugins_and_version_take_their_arguments) {
  const auto named = parse_command_line({"plugins", "text", "--json"});
  ASSERT_TRUE(named.has_value() && std::holds_alternative<plugins_arguments>(*named));
  EXPECT_EQ(std::get<plugins_arguments>(*named).name, "text");
  EXPECT_TRUE(std::get<plugins_arguments>(*named).json);
  for (const char* word : {"version", "--version"}) {
    const auto version = parse_command_line({word});
    EXPECT_TRUE(version.has_value() && std::holds_alternative<version_arguments>(*version)) << word;
  }
}

template <class Arguments>
Arguments given(const std::vector<std::string>& arguments) {
  auto parsed = parse_command_line(arguments);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed && std::holds_alternative<Arguments>(*parsed) ? std::get<Arguments>(*parsed) : Arguments{};
}

TEST(command_line, check_takes_several_jobs_and_the_flags_of_a_job) {
  const auto check =
      given<check_arguments>({"check", "a.json", "jobs", "-p", "x=1", "--offline", "--strict"});
  EXPECT_EQ(check.jobs, (std::vector<std::string>{"a.json", "jobs"}));
  EXPECT_EQ(check.parameters.at("x"), "1");
  EXPECT_TRUE(check.offline && check.strict && !check.json);
  EXPECT_THAT(refusal_of({"check"}), HasSubstr("the job is missing"));
}

TEST(command_line, plan_takes_what_decides_a_run) {
  const auto plan =
      given<plan_arguments>({"plan", "a.json", "--memory", "64M", "--on-unfinished", "fresh", "--json"});
  EXPECT_EQ(plan.job_file, "a.json");
  EXPECT_EQ(plan.memory_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(plan.on_unfinished, run_settings::unfinished::fresh);
  EXPECT_TRUE(plan.json);
  EXPECT_THAT(refusal_of({"plan", "a.json", "--memory", "1K"}), HasSubstr("too little"));
  EXPECT_THAT(refusal_of({"plan"}), HasSubstr("missing"));
}

TEST(command_line, verify_takes_what_is_compared) {
  const auto verify =
      given<verify_arguments>({"verify", "a.json", "--scope", "keys", "--key", "id,day", "--max-differences",
                               "7", "--against", "source", "--plan", "--json"});
  EXPECT_EQ(verify.job_file, "a.json");
  EXPECT_EQ(verify.scope, verify_scope::keys);
  EXPECT_EQ(verify.key, (std::vector<std::string>{"id", "day"}));
  EXPECT_EQ(verify.differences_max, 7U);
  EXPECT_TRUE(verify.against_source && verify.plan && verify.json);
  const auto plain = given<verify_arguments>({"verify", "a.json"});
  EXPECT_EQ(plain.scope, verify_scope::automatic);
  EXPECT_EQ(plain.differences_max, 100U);
  EXPECT_FALSE(plain.against_source || plain.plan);
  EXPECT_THAT(refusal_of({"verify"}), HasSubstr("missing"));
  EXPECT_THAT(refusal_of({"verify", "a.json", "--scope", "key"}), HasSubstr("did you mean keys?"));
  EXPECT_THAT(refusal_of({"verify", "a.json", "--max-differences", "0"}), HasSubstr("at least 1"));
}

TEST(command_line, template_and_schema_know_two_dialects) {
  const auto made = given<template_arguments>({"template", "a.csv", "b.db:t", "--dialect", "datax"});
  EXPECT_EQ(made.from, "a.csv");
  EXPECT_EQ(made.to, "b.db:t");
  EXPECT_EQ(made.form, dialect::datax);
  EXPECT_THAT(refusal_of({"template", "a", "b", "--dialect", "datx"}), HasSubstr("did you mean datax?"));
  EXPECT_THAT(refusal_of({"template", "a"}), HasSubstr("two ends"));
  EXPECT_EQ(given<schema_arguments>({"schema"}).which, std::nullopt);
  EXPECT_EQ(given<schema_arguments>({"schema", "di"}).which, dialect::script2);
}

TEST(command_line, copy_takes_the_flags_of_a_run) {
  const auto copy =
      given<copy_arguments>({"copy", "a.csv", "b.db:t", "--append", "--where", "id > 1", "--save", "j.json",
                             "--memory", "64M", "--set", "setting.speed.concurrent=2"});
  EXPECT_EQ(copy.mode, sketch_mode::append);
  EXPECT_EQ(copy.where, "id > 1");
  EXPECT_EQ(copy.save, "j.json");
  EXPECT_EQ(copy.run.memory_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(copy.run.set.size(), 1U);
  EXPECT_EQ(given<copy_arguments>({"copy", "a.csv", "b.db:t"}).mode, sketch_mode::refuse);
  EXPECT_THAT(refusal_of({"copy", "a.csv", "b.db:t", "--append", "--replace"}), HasSubstr("exclude"));
}

TEST(command_line, every_flag_is_in_the_manual_and_the_manual_names_no_other) {
  std::ifstream in(testing::in_source_tree("docs/cli.md"));
  const std::string manual{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  ASSERT_FALSE(manual.empty());
  std::set<std::string> known;
  for (const auto& [command, flags] : all_flags()) {
    known.insert(flags.begin(), flags.end());
  }
  std::set<std::string> documented;
  for (std::size_t at = manual.find("`-"); at != std::string::npos; at = manual.find("`-", at + 1)) {
    const std::size_t end = manual.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at + 1);
    documented.insert(manual.substr(at + 1, end - at - 1));
  }
  EXPECT_GT(known.size(), 20U);
  EXPECT_EQ(documented, known);
}

}  // namespace
}  // namespace sluice
