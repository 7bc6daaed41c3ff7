#include "tools/cli/check_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/tools/sample_plugins.h"

namespace sluice {
namespace {

using nlohmann::json;
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

TEST(check_text, of_several_jobs_ends_with_counts_by_verdict_and_plugin) {
  checked_job good;
  good.file = "good.json";
  checked_job missing;
  missing.file = "missing.json";
  missing.found = verdict::not_supported;
  missing.not_supported = {"reader mongodb"};
  missing.problems = {"missing.json:1:1: reader \"mongodb\" is not supported yet"};
  good.notes = {"only for one job"};
  const std::string text = check_text({good, missing, missing}, false);
  EXPECT_THAT(text, HasSubstr("\n3 jobs: 1 runs, 2 not supported (reader mongodb: 2)\n"));
  EXPECT_THAT(text, Not(HasSubstr("only for one job")));
  EXPECT_THAT(check_text({good}, true), HasSubstr("--offline"));
  const json found = json::parse(check_json({good, missing}));
  EXPECT_EQ(found["counts"]["runs"], 1);
  EXPECT_EQ(found["counts"]["broken"], 0);
  EXPECT_EQ(found["not_supported"]["reader mongodb"], 1);
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
