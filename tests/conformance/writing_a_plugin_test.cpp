#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "tests/conformance/plugin_fixture.h"
#include "tests/support/source_dir.h"

namespace sluice::testing {
namespace {

const std::string root = testing::in_source_tree("");

TEST(WritingAPlugin, TheExampleOnThePageIsTheFileThatIsCompiled) {
  const std::string page = read_file(root + "/docs/writing-a-plugin.md");
  const std::string example = read_file(root + "/tests/conformance/example_plugin.cpp");
  EXPECT_THAT(page, ::testing::HasSubstr("```cpp\n" + example + "```\n"))
      << "copy tests/conformance/example_plugin.cpp into docs/writing-a-plugin.md again";
}

TEST(WritingAPlugin, TheExampleHasAtMost60Lines) {
  const std::string example = read_file(root + "/tests/conformance/example_plugin.cpp");
  EXPECT_LE(std::count(example.begin(), example.end(), '\n'), 60);
}

}  // namespace
}  // namespace sluice::testing
