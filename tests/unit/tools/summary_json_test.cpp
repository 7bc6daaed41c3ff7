#include "tools/cli/summary_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/source_dir.h"
#include "tests/unit/tools/summary_sample.h"
#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

const std::string golden_path = testing::in_source_tree("tests/data/summary.golden.json");

/// All names of members below `j`, as `error.kind` and `splits.listed[].index`.
void names_of(const nlohmann::json& j, const std::string& above, std::set<std::string>& names) {
  if (j.is_array()) {
    for (const auto& element : j) {
      names_of(element, above + "[]", names);
    }
  }
  if (!j.is_object()) {
    return;
  }
  for (const auto& [name, value] : j.items()) {
    // Maps whose names are data are documented as a whole.
    const std::string path = above.empty() ? name : above + "." + name;
    names.insert(path);
    if (name != "parameters" && name != "dirty_by_code" && name != "dirty_taken_back") {
      names_of(value, path, names);
    }
  }
}

TEST(summary_json, is_what_the_golden_file_of_version_1_holds) {
  const std::string text = summary_json(testing::sample_summary(), testing::sample_context(), {});
  EXPECT_EQ(text, testing::test_folder::text_of(golden_path))
      << "a change of the form needs a new version, docs/summary.md and the golden file";
}

TEST(summary_json, every_field_is_documented) {
  const std::string manual = testing::test_folder::text_of(testing::in_source_tree("docs/summary.md"));
  std::set<std::string> names;
  names_of(nlohmann::json::parse(summary_json(testing::sample_summary(), testing::sample_context(), {})), "",
           names);
  EXPECT_GT(names.size(), 50U);
  for (const std::string& name : names) {
    EXPECT_NE(manual.find("`" + name + "`"), std::string::npos) << name;
  }
}

TEST(summary_json, a_run_that_failed_at_once_has_the_same_fields_and_nothing_invented) {
  run_summary s;
  s.failure = error{error_kind::bad_option, "no job", {}};
  const auto j = nlohmann::json::parse(summary_json(s, {}, {}));
  std::set<std::string> full;
  std::set<std::string> bare;
  const auto golden = nlohmann::json::parse(testing::test_folder::text_of(golden_path));
  for (const auto& [name, value] : golden.items()) {
    full.insert(name);
  }
  for (const auto& [name, value] : j.items()) {
    bare.insert(name);
  }
  EXPECT_EQ(bare, full);
  EXPECT_TRUE(j["dirty_file"].is_null());
  EXPECT_TRUE(j["promise"].is_null());
  EXPECT_EQ(j["read"], 0);
  EXPECT_EQ(j["error"]["kind"], "bad_option");
  EXPECT_TRUE(j["error"]["code"].is_null());
}

TEST(summary_json, secrets_are_taken_out_of_every_text) {
  run_summary s = testing::sample_summary();
  s.failure->message = "login with hunter22 refused";
  s.read_statements = {"select 'hunter22'"};
  const secret_filter secrets(std::map<std::string, std::string>{{"db_password", "hunter22"}});
  EXPECT_EQ(summary_json(s, testing::sample_context(), secrets).find("hunter22"), std::string::npos);
}

TEST(summary_json, odd_texts_and_large_numbers_stay_readable) {
  run_summary s;
  s.job_name = "\xff";
  s.counts.read = 18446744073709551615U;
  const std::string text = summary_json(s, {}, {});
  EXPECT_NE(text.find("18446744073709551615"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text)["job"], "\xEF\xBF\xBD");
}

TEST(summary_json, times_are_utc_with_milliseconds) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_text(1769847300123), "2026-01-31T08:15:00.123Z");
  EXPECT_EQ(utc_text(951782400000), "2000-02-29T00:00:00.000Z");
}

}  // namespace
}  // namespace sluice
