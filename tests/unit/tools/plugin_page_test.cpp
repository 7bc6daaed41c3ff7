#include "tools/plugin_docs/plugin_page.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/conformance/plugin_fixture.h"
#include "tests/support/source_dir.h"
#include "tools/plugin_docs/datasource_page.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string folder = testing::in_source_tree("docs/plugins");

TEST(PluginPage, EachPageInDocsIsWhatTheDescriptionSays) {
  std::set<std::string> pages;
  for (const plugin& p : all_plugins()) {
    const std::string path = fmt::format("{}/{}.md", folder, p.name);
    ASSERT_TRUE(std::filesystem::exists(path))
        << path << " is missing: build/release/bin/plugin_docs docs/plugins";
    EXPECT_EQ(testing::read_file(path), plugin_page(p))
        << path << " differs from the description. Make it again: build/release/bin/plugin_docs docs/plugins";
    pages.insert(p.name + ".md");
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_TRUE(pages.contains(entry.path().filename().string()))
        << entry.path() << " belongs to no plugin: remove it";
  }
}

TEST(DatasourcePage, IsWhatTheTableOfTypesSays) {
  const std::string path = folder + "/../datasource-types.md";
  EXPECT_EQ(testing::read_file(path), datasource_page(all_plugins()))
      << path << " differs from the table. Make it again: build/release/bin/plugin_docs docs/plugins";
}

TEST(DeliveryPage, HasThePromiseOfEachPluginAsTheDescriptionsSay) {
  const std::string path = folder + "/../delivery.md";
  const std::string page = testing::read_file(path);
  ASSERT_THAT(page, HasSubstr(std::string(promises_begin)));
  EXPECT_EQ(page, with_promises(page, promise_table(all_plugins())))
      << path << " differs from the descriptions. Make it again: build/release/bin/plugin_docs docs/plugins";
  for (const plugin& p : all_plugins()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| [{0}](plugins/{0}.md) |", p.name)));
  }
}

TEST(PluginPage, EachPageBeginsWithTheFourCapabilities) {
  for (const plugin& p : all_plugins()) {
    const std::string page = plugin_page(p);
    std::size_t at = 0;
    for (const char* line : {"- Splits: ", "- Resumes: ", "- Incremental: ", "- Distributes: "}) {
      EXPECT_THAT(page.substr(at), StartsWith(line)) << p.name;
      at = page.find('\n', at) + 1;
    }
  }
}

TEST(PluginPage, EverySampleIsAJobThatThePluginTakes) {
  for (const plugin& p : all_plugins()) {
    for (const dialect d : {dialect::script2, dialect::datax}) {
      plugin_context context = testing::context_for_test();
      context.job_dialect = d;
      if (p.reads != nullptr) {
        const auto made = p.make_source(testing::options_of(*p.reads, p.reads->sample, d), context);
        EXPECT_TRUE(made) << p.name << ": " << made.error().message;
      }
      if (p.writes != nullptr) {
        const auto made = p.make_target(testing::options_of(*p.writes, p.writes->sample, d), context);
        EXPECT_TRUE(made) << p.name << ": " << made.error().message;
      }
    }
  }
}

TEST(PluginPage, NamesAreNotSharedByTwoPlugins) {
  std::set<std::string> seen;
  for (const plugin& p : all_plugins()) {
    for (const auto* list : {&p.aliases, &p.datax_readers, &p.datax_writers}) {
      for (const std::string& name : *list) {
        EXPECT_TRUE(seen.insert(name).second) << name;
      }
    }
    EXPECT_TRUE(seen.insert(p.name).second) << p.name;
  }
}

}  // namespace
}  // namespace sluice
