#include "tools/cli/check_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/tools/sample_plugins.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Checks with a loader and a look that answer as a test says.
struct check_with_fakes : ::testing::Test {
  program parts;
  check_arguments arguments;
  job_errors errors;
  job_look look;
  bool looked = false;
  look_settings asked;

  check_with_fakes() {
    parts.plugins = &testing::sample_plugins();
    parts.variable = [](const char*) { return std::optional<std::string>(); };
    parts.load = [this](const std::string& file, const load_options&,
                        const plugin_lookup&) -> tl::expected<job, job_errors> {
      if (!errors.lines.empty()) {
        return tl::unexpected(errors);
      }
      job j;
      j.file = file;
      j.time_zone = "UTC";
      j.reader.plugin = "file";
      j.reader.parameter =
          option_values(file, "steps[0].parameter", json{{"password", "opensesame"}}, nullptr,
                        testing::sample_plugins()[0].reads->options, dialect::script2);
      j.writer.plugin = "sink";
      return j;
    };
    parts.look = [this](const job&, const plugin&, const plugin&, const look_settings& settings,
                        const stop_signal&) {
      looked = true;
      asked = settings;
      return look;
    };
  }
  checked_job check() { return check_job("a.json", arguments, parts); }
};

TEST_F(check_with_fakes, a_job_that_both_ends_take_runs) {
  const checked_job found = check();
  EXPECT_EQ(found.found, verdict::runs);
  EXPECT_TRUE(asked.open_ends);
  EXPECT_FALSE(asked.plan_splits);
  EXPECT_EQ(exit_code_of({found}), 0);
}

TEST_F(check_with_fakes, offline_opens_neither_end) {
  arguments.offline = true;
  check();
  EXPECT_TRUE(looked);
  EXPECT_FALSE(asked.open_ends);
}

TEST_F(check_with_fakes, a_job_that_only_lacks_plugins_is_not_supported) {
  errors = {.lines = {"a.json:1:1 steps[0]: reader \"mongodb\" is not supported yet"},
            .not_supported = {"reader mongodb"},
            .broken = false};
  const checked_job found = check();
  EXPECT_EQ(found.found, verdict::not_supported);
  EXPECT_THAT(found.not_supported, ElementsAre("reader mongodb"));
  EXPECT_EQ(exit_code_of({found}), 1);
  EXPECT_FALSE(looked);
}

TEST_F(check_with_fakes, a_mistake_beside_a_missing_plugin_is_a_broken_job) {
  errors = {.lines = {"steps[0]: reader \"mongodb\" is not supported yet", "steps[1]: wrong"},
            .not_supported = {"reader mongodb"}};
  EXPECT_EQ(check().found, verdict::broken);
}

TEST_F(check_with_fakes, an_end_that_refuses_does_not_fit_and_its_secrets_are_masked) {
  look.failure = error{error_kind::bad_option, "no table for opensesame", "", false};
  const checked_job found = check();
  EXPECT_EQ(found.found, verdict::does_not_fit);
  EXPECT_THAT(found.problems, ElementsAre("no table for ***"));
  EXPECT_EQ(exit_code_of({found}), 1);
}

TEST_F(check_with_fakes, options_that_are_wrong_make_it_broken) {
  look.failure = error{error_kind::bad_option, "column: expected a list", "", false};
  look.wrong_job = true;
  EXPECT_EQ(check().found, verdict::broken);
}

TEST_F(check_with_fakes, a_destination_held_by_another_process_is_a_warning) {
  look.failure = error{error_kind::conflict, "the job is running already", "claimed", false};
  const checked_job found = check();
  EXPECT_EQ(found.found, verdict::runs);
  EXPECT_THAT(found.warnings, ElementsAre("the job is running already"));
}

TEST_F(check_with_fakes, a_zone_that_is_none_is_a_broken_text) {
  arguments.time_zone = "Mars/Olympus";
  parts.load = [](const std::string&, const load_options&,
                  const plugin_lookup&) -> tl::expected<job, job_errors> {
    job j;
    j.reader.plugin = "file";
    j.writer.plugin = "sink";
    return j;
  };
  EXPECT_EQ(check().found, verdict::broken);
}

checked_job job_of(const std::string& file, verdict found, std::vector<std::string> not_supported = {}) {
  checked_job job;
  job.file = file;
  job.found = found;
  job.not_supported = std::move(not_supported);
  return job;
}

TEST(check_text, of_several_jobs_is_one_table_with_totals_at_its_end) {
  checked_job good = job_of("jobs/good.json", verdict::runs);
  good.notes = {"only for one job"};
  checked_job datax = job_of("jobs/datax.json", verdict::runs_with_differences);
  datax.differences = {"column 1 \"n\": fraction_cut"};
  datax.warnings = {"jobs/datax.json:1:1 x: has no effect"};
  checked_job missing =
      job_of("jobs/missing.json", verdict::not_supported, {"reader mongodb", "writer redis"});
  missing.problems = {"jobs/missing.json:1:1: reader \"mongodb\" is not supported yet",
                      "jobs/missing.json:1:9: writer \"redis\" is not supported yet"};
  const checked_job other = job_of("jobs/other.json", verdict::not_supported, {"writer redis"});
  checked_job broken = job_of("jobs/broken.json", verdict::broken);
  broken.problems = {"jobs/broken.json:2:3 steps: expected a list"};
  EXPECT_EQ(check_text({good, datax, missing, other, broken}, false),
            "jobs/datax.json\n"
            "  warning: jobs/datax.json:1:1 x: has no effect\n"
            "  differs: column 1 \"n\": fraction_cut\n"
            "\n"
            "jobs/missing.json\n"
            "  jobs/missing.json:1:1: reader \"mongodb\" is not supported yet\n"
            "  jobs/missing.json:1:9: writer \"redis\" is not supported yet\n"
            "\n"
            "jobs/broken.json\n"
            "  jobs/broken.json:2:3 steps: expected a list\n"
            "\n"
            "job                state                                         problems  warnings\n"
            "jobs/good.json     runs\n"
            "jobs/datax.json    runs with differences                                          1\n"
            "jobs/missing.json  not supported (reader mongodb, writer redis)         2\n"
            "jobs/other.json    not supported (writer redis)\n"
            "jobs/broken.json   broken                                               1\n"
            "\n"
            "not supported   jobs\n"
            "writer redis       2\n"
            "reader mongodb     1\n"
            "\n"
            "5 jobs: 1 runs, 1 runs with differences, 2 not supported, 1 broken\n");
  const json found = json::parse(check_json({good, missing}));
  EXPECT_EQ(found["counts"]["runs"], 1);
  EXPECT_EQ(found["counts"]["broken"], 0);
  EXPECT_EQ(found["not_supported"]["reader mongodb"], 1);
}

TEST(check_text, of_one_job_has_its_notes_and_no_totals) {
  checked_job good = job_of("a.json", verdict::runs);
  good.notes = {"only for one job"};
  EXPECT_THAT(check_text({good}, true),
              AllOf(HasSubstr("only for one job"), HasSubstr("--offline"), Not(HasSubstr("1 job"))));
}

TEST_F(check_with_fakes, names_of_columns_are_told_where_there_are_any) {
  column_pair unnamed, half, named;
  unnamed.index = 1;
  half.index = 2;
  named.index = 3;
  half.to.name = named.to.name = "b";
  named.from.name = "a";
  unnamed.changes = half.changes = named.changes = "fraction_cut";
  look.pairs = {unnamed, half, named};
  EXPECT_THAT(check().differences, ElementsAre("column 1: fraction_cut", "column 2 to \"b\": fraction_cut",
                                               "column 3 \"a\" to \"b\": fraction_cut"));
}

TEST(check_text, the_worst_job_decides_the_exit_code) {
  checked_job good, missing, broken;
  missing.found = verdict::not_supported;
  broken.found = verdict::broken;
  EXPECT_EQ(exit_code_of({good, broken, missing}), 2);
  EXPECT_EQ(exit_code_of({good, missing}), 1);
  good.found = verdict::runs_with_differences;
  EXPECT_EQ(exit_code_of({good}), 0);
}

}  // namespace
}  // namespace sluice
