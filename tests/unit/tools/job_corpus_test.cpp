// Complete jobs as people have them (tests/data/jobs/corpus), with the plugins there are: each is right, down
// to the plugins' own reading of its options, or is refused only for what Sluice does not have yet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "jobspec/catalogue.h"
#include "jobspec/datasource.h"
#include "jobspec/job.h"
#include "plugins/api/plugin.h"
#include "tests/conformance/plugin_fixture.h"
#include "tests/support/source_dir.h"
#include "tools/cli/plugin_names.h"

namespace sluice {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::filesystem::path folder() {
  return testing::in_source_tree("tests/data/jobs/corpus");
}

/// A line of expected.txt, with the indented ones below it.
struct whole_job {
  std::string path;
  load_options options;
  std::vector<std::string> not_supported;
  std::vector<std::string> warnings;
};

void PrintTo(const whole_job& j, std::ostream* out) {
  *out << j.path;
}

std::vector<std::string> parts_of(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (std::size_t end = text.find(separator); at < text.size(); end = text.find(separator, at)) {
    parts.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + separator.size();
  }
  return parts;
}

std::vector<whole_job> read_corpus() {
  std::ifstream in(folder() / "expected.txt");
  std::vector<whole_job> jobs;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) {
      continue;
    }
    if (line.starts_with("  ")) {
      jobs.back().warnings.push_back(line.substr(2));
      continue;
    }
    const std::size_t colon = line.find(": ");
    const auto words = parts_of(line.substr(0, colon), " -p ");
    whole_job one{words.front(), {}, {}, {}};
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      one.options.parameters[words[i].substr(0, equals)] = words[i].substr(equals + 1);
    }
    const std::string verdict = line.substr(colon + 2);
    if (verdict != "ok") {
      one.not_supported = parts_of(verdict.substr(std::string("not supported: ").size()), ", ");
    }
    jobs.push_back(std::move(one));
  }
  return jobs;
}

/// Types of data sources that an address and an account make whole.
const std::set<std::string>& database_types() {
  static const std::set<std::string> types = {
      "mysql", "mariadb", "polardb", "apsaradb_for_OceanBase", "analyticdb_for_mysql", "postgresql", "adbpg"};
  return types;
}

/// An entry for each data source that a step of a database names, of the step's type.
void add_datasources(const nlohmann::json& value, std::string type, nlohmann::json& entries) {
  if (value.is_array()) {
    for (const auto& item : value) {
      add_datasources(item, type, entries);
    }
    return;
  }
  if (!value.is_object()) {
    return;
  }
  for (const char* key : {"stepType", "plugin"}) {
    if (value.contains(key) && value[key].is_string()) {
      type = step_type_of(value[key].get<std::string>());
    }
  }
  if (value.contains("datasource") && value["datasource"].is_string() && database_types().contains(type)) {
    entries.push_back({{"name", value["datasource"]},
                       {"type", type},
                       {"connectionProperties",
                        {{"address", {{{"host", "db.example"}, {"port", "1234"}}}},
                         {"database", "shop"},
                         {"username", "u"},
                         {"password", "${env:P}"}}}});
  }
  for (const auto& [key, member] : value.items()) {
    add_datasources(member, type, entries);
  }
}

/// The registry that a job of the corpus was written with, as far as plugins that are there need it.
datasource_lookup registry_of(const std::filesystem::path& job) {
  std::ifstream in(job);
  const auto document = nlohmann::json::parse(in, nullptr, false, true);
  nlohmann::json entries = nlohmann::json::array();
  add_datasources(document, "", entries);
  auto read = datasource_registry::parse("d.json", nlohmann::json{{"datasources", entries}}.dump(), "/");
  EXPECT_TRUE(read) << read.error().message;
  auto registry =
      std::make_shared<const datasource_registry>(read ? std::move(*read) : datasource_registry());
  return {[registry]() -> result<std::shared_ptr<const datasource_registry>> { return registry; }, {}};
}

class Corpus : public ::testing::TestWithParam<whole_job> {};

TEST_P(Corpus, IsRightOrRefusedOnlyForWhatIsNotThereYet) {
  whole_job one = GetParam();
  one.options.datasources = registry_of(folder() / one.path);
  const auto answer = load_job((folder() / one.path).string(), one.options, lookup_in(all_plugins()));
  if (!one.not_supported.empty()) {
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().not_supported, ElementsAreArray(one.not_supported));
    EXPECT_FALSE(answer.error().broken) << ::testing::PrintToString(answer.error().lines);
    EXPECT_EQ(answer.error().lines.size(), one.not_supported.size());
    return;
  }
  ASSERT_TRUE(answer) << ::testing::PrintToString(answer.error().lines);
  ASSERT_EQ(answer->warnings.size(), one.warnings.size()) << ::testing::PrintToString(answer->warnings);
  for (std::size_t i = 0; i < one.warnings.size(); ++i) {
    EXPECT_THAT(answer->warnings[i], HasSubstr(one.warnings[i]));
  }
  const plugin_context context = testing::context_for_test();
  const auto from =
      find_plugin(all_plugins(), answer->reader.plugin)->make_source(answer->reader.parameter, context);
  EXPECT_TRUE(from) << from.error().message;
  const auto to =
      find_plugin(all_plugins(), answer->writer.plugin)->make_target(answer->writer.parameter, context);
  EXPECT_TRUE(to) << to.error().message;
}

INSTANTIATE_TEST_SUITE_P(Jobs, Corpus, ::testing::ValuesIn(read_corpus()), [](const auto& one) {
  std::string name = one.param.path.substr(0, one.param.path.rfind('.'));
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
});

TEST(Corpus, HasEveryFileAndEnoughOfBothFormats) {
  std::set<std::string> listed;
  for (const whole_job& one : read_corpus()) {
    EXPECT_TRUE(listed.insert(one.path).second) << one.path << " stands there twice";
  }
  std::size_t datax = 0;
  std::size_t script = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
    if (entry.path().extension() == ".json") {
      const std::string path = std::filesystem::relative(entry.path(), folder()).string();
      EXPECT_TRUE(listed.contains(path)) << path << " has no line in expected.txt";
      (path.starts_with("datax/") ? datax : script) += 1;
    }
  }
  EXPECT_EQ(datax + script, listed.size());
  EXPECT_GE(datax, 60u);
  EXPECT_GE(script, 40u);
}

}  // namespace
}  // namespace sluice
