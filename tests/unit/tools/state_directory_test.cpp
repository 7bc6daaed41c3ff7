#include "tools/cli/state_directory.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

environment variables(std::map<std::string, std::string> set) {
  return [set = std::move(set)](const char* name) -> std::optional<std::string> {
    const auto at = set.find(name);
    return at == set.end() ? std::nullopt : std::optional<std::string>(at->second);
  };
}

TEST(state_directory, the_first_place_that_is_set_wins_in_the_documented_order) {
  const testing::test_folder home;
  configuration configured;
  configured.state_dir = "/c";
  std::map<std::string, std::string> set = {
      {"SLUICE_STATE", "/s"}, {"XDG_STATE_HOME", "/x"}, {"HOME", home.path()}};
  EXPECT_EQ(choose_state_directory("/flag", configured, variables(set)).path, "/flag");
  EXPECT_EQ(choose_state_directory({}, configured, variables(set)).path, "/s");
  set.erase("SLUICE_STATE");
  EXPECT_EQ(choose_state_directory({}, configured, variables(set)).path, "/c");
  configured.state_dir.reset();
  EXPECT_EQ(choose_state_directory({}, configured, variables(set)).path, "/x/sluice");
  set.erase("XDG_STATE_HOME");
  EXPECT_EQ(choose_state_directory({}, configured, variables(set)).path,
            home.path() + "/.local/state/sluice");
  set.erase("HOME");
  EXPECT_EQ(choose_state_directory({}, configured, variables(set)).path, "/var/lib/sluice");
}

TEST(state_directory, places_that_cannot_be_meant_are_passed_over) {
  const auto choice = choose_state_directory(
      {}, {}, variables({{"SLUICE_STATE", ""}, {"XDG_STATE_HOME", "relative"}, {"HOME", "/nonexistent"}}));
  EXPECT_EQ(choice.path, "/var/lib/sluice");
  EXPECT_EQ(choice.origin, "the default, as there is no HOME");
}

}  // namespace
}  // namespace sluice
