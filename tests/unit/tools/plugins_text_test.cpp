#include "tools/cli/plugins_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/tools/sample_plugins.h"
#include "tools/cli/plugin_names.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(plugin_names, a_step_type_is_found_by_name_or_alias_ignoring_case_and_only_where_the_side_exists) {
  const auto& plugins = testing::sample_plugins();
  const plugin_lookup lookup = lookup_in(plugins);
  EXPECT_EQ(lookup.find("FILE", true, dialect::script2)->plugin, "file");
  EXPECT_EQ(lookup.find("csv", false, dialect::script2)->plugin, "file");
  EXPECT_EQ(lookup.find("txtfilereader", true, dialect::datax)->plugin, "file");
  EXPECT_FALSE(lookup.find("txtfilereader", false, dialect::datax));
  EXPECT_FALSE(lookup.find("txtfilereader", true, dialect::script2));
  EXPECT_FALSE(lookup.find("file", true, dialect::datax));
  EXPECT_FALSE(lookup.find("sink", true, dialect::script2)) << "it has no reader";
  EXPECT_EQ(lookup.find("sink", false, dialect::script2)->options, &plugins[1].writes->options);
  EXPECT_THAT(lookup.names(true, dialect::script2), ElementsAre("file", "csv"));
  EXPECT_THAT(lookup.names(false, dialect::datax), ElementsAre("txtfilewriter"));
}

TEST(plugin_names, the_program_finds_a_plugin_by_any_of_its_names) {
  const auto& plugins = testing::sample_plugins();
  for (const char* name : {"file", "CSV", "txtfilereader", "TxtFileWriter"}) {
    EXPECT_EQ(find_plugin(plugins, name), &plugins[0]) << name;
  }
  EXPECT_EQ(find_plugin(plugins, "fil"), nullptr);
}

TEST(plugins_text, lists_every_plugin_with_its_sides) {
  EXPECT_THAT(plugins_text(testing::sample_plugins()),
              ::testing::AllOf(HasSubstr("file  reads, writes  Files.\n"),
                               HasSubstr("sink  writes         A sink.\n")));
}

TEST(plugins_text, describes_capabilities_and_options) {
  const std::string text = plugin_text(testing::sample_plugins()[0]);
  for (const char* part :
       {"file: Files.", "Also: csv", "In DataX jobs: txtfilereader, txtfilewriter", "Reader",
        "by byte ranges", "path  (list of texts, required)\n      Files to read.", "password  (text, secret)",
        "delimiter  (delimiter, default ,)", "config.depth  (integer"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(plugins_text, json_says_the_same) {
  const auto all = nlohmann::json::parse(plugins_json(testing::sample_plugins()));
  EXPECT_EQ(all["version"], 1);
  ASSERT_EQ(all["plugins"].size(), 2U);
  EXPECT_TRUE(all["plugins"][1]["reader"].is_null());
  const auto one = nlohmann::json::parse(plugin_json(testing::sample_plugins()[0]));
  EXPECT_EQ(one["plugin"]["reader"]["options"][0]["name"], "path");
  EXPECT_EQ(one["plugin"]["reader"]["options"][0]["required"], true);
  EXPECT_EQ(one["plugin"]["reader"]["schema"]["type"], "object");
}

}  // namespace
}  // namespace sluice
