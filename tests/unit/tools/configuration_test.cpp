#include "tools/cli/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/source_dir.h"
#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

environment variables(std::map<std::string, std::string> set) {
  return [set = std::move(set)](const char* name) -> std::optional<std::string> {
    const auto at = set.find(name);
    return at == set.end() ? std::nullopt : std::optional<std::string>(at->second);
  };
}

std::string refusal(const std::string& text) {
  const testing::test_folder folder;
  const auto read =
      load_configuration(variables({{"SLUICE_CONFIG", folder.put("c.toml", text)}}), folder.path());
  EXPECT_FALSE(read.has_value()) << text;
  if (read) {
    return {};
  }
  EXPECT_EQ(read.error().kind, error_kind::bad_option);
  return read.error().message;
}

TEST(configuration, without_a_file_there_is_none) {
  const testing::test_folder root;
  const auto read = load_configuration(variables({{"HOME", root.path()}}), root.path());
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->file.empty());
  EXPECT_FALSE(read->time_zone || read->memory_bytes || read->state_dir);
}

TEST(configuration, the_first_file_in_the_documented_order_is_read_alone) {
  const testing::test_folder root;
  root.put("etc/sluice/config.toml", "timezone = \"A\"\nmemory = \"64M\"\n");
  root.put("home/.config/sluice/config.toml", "timezone = \"B\"\n");
  root.put("xdg/sluice/config.toml", "timezone = \"C\"\n");
  const std::string named = root.put("named.toml", "timezone = \"D\"\n");
  std::map<std::string, std::string> set = {
      {"SLUICE_CONFIG", named}, {"XDG_CONFIG_HOME", root.file("xdg")}, {"HOME", root.file("home")}};
  const auto zone = [&] {
    const auto read = load_configuration(variables(set), root.path());
    return read ? read->time_zone.value_or("none") + (read->memory_bytes ? "+" : "") : read.error().message;
  };
  EXPECT_EQ(zone(), "D");
  set.erase("SLUICE_CONFIG");
  EXPECT_EQ(zone(), "C");
  set.erase("XDG_CONFIG_HOME");
  EXPECT_EQ(zone(), "B");
  set.erase("HOME");
  EXPECT_EQ(zone(), "A+");
}

TEST(configuration, a_file_that_is_named_must_exist) {
  const auto read = load_configuration(variables({{"SLUICE_CONFIG", "/nonexistent/c.toml"}}));
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message, HasSubstr("SLUICE_CONFIG: "));
  EXPECT_THAT(read.error().message, HasSubstr("/nonexistent/c.toml"));
}

TEST(configuration, what_is_wrong_is_named_with_its_place) {
  EXPECT_THAT(refusal("timezone = \"A\"\ntimezon = \"B\"\n"),
              HasSubstr("c.toml:2:1: unknown key \"timezon\"; did you mean timezone?"));
  EXPECT_THAT(refusal("xyzzyplugh = 1\n"), HasSubstr("there are timezone, memory, state_dir, retries"));
  EXPECT_THAT(refusal("timezone = 8\n"), HasSubstr("c.toml:1:1: timezone takes a text in quotes"));
  EXPECT_THAT(refusal("timezone = \"\"\n"), HasSubstr("that is not empty"));
  EXPECT_THAT(refusal("memory = \"lots\"\n"), HasSubstr("c.toml:1:1: memory: "));
  EXPECT_THAT(refusal("memory = \"1M\"\n"), HasSubstr("the least is 4 MiB"));
  EXPECT_THAT(refusal("state_dir = \"state\"\n"), HasSubstr("must be a path from the root"));
  EXPECT_THAT(refusal("retries = \"5\"\n"),
              HasSubstr("c.toml:1:1: retries takes a whole number from 0 to 1000"));
  EXPECT_THAT(refusal("retries = -1\n"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("timezone = \"A\n"), HasSubstr("c.toml:1:"));
  EXPECT_THAT(refusal("timezone = \"A\n"), HasSubstr("this is not TOML"));
}

TEST(configuration, the_example_of_the_page_is_read_as_it_stands_and_has_every_key) {
  const std::string page = testing::test_folder::text_of(testing::in_source_tree("docs/configuration.md"));
  const std::size_t begin = page.find("```toml\n") + 8;
  const testing::test_folder folder;
  const std::string file = folder.put("c.toml", page.substr(begin, page.find("```", begin) - begin));
  const auto read = load_configuration(variables({{"SLUICE_CONFIG", file}}));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->time_zone, "Europe/Berlin");
  EXPECT_EQ(read->memory_bytes, std::uint64_t{512} << 20);
  EXPECT_EQ(read->state_dir, "/var/lib/sluice");
  EXPECT_EQ(read->retries_max, 40U);
}

}  // namespace
}  // namespace sluice
