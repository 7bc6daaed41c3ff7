#include "tools/cli/end_hook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

struct end_hook : ::testing::Test {
  testing::test_folder folder;
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
};

TEST_F(end_hook, the_command_gets_the_whole_input) {
  const std::string input(1 << 20, 'x');
  const auto ran = run_end_hook("cat > '" + folder.file("got") + "'", input);
  ASSERT_TRUE(ran.has_value()) << ran.error().message;
  EXPECT_EQ(folder.get("got"), input);
}

TEST_F(end_hook, a_command_that_does_not_read_is_no_failure) {
  EXPECT_TRUE(run_end_hook("true", std::string(1 << 20, 'x')).has_value());
  EXPECT_TRUE(run_end_hook("exec <&-; true", std::string(1 << 20, 'x')).has_value());
}

TEST_F(end_hook, a_bad_end_names_status_and_command) {
  const auto ran = run_end_hook("exit 3", "");
  ASSERT_FALSE(ran.has_value());
  EXPECT_THAT(ran.error().message, HasSubstr("status 3"));
  EXPECT_THAT(ran.error().message, HasSubstr("exit 3"));
  const auto killed = run_end_hook("kill -9 $$", "");
  ASSERT_FALSE(killed.has_value());
  EXPECT_THAT(killed.error().message, HasSubstr("signal 9"));
}

TEST_F(end_hook, a_command_that_hangs_is_ended_with_its_children) {
  const auto ran = run_end_hook("sleep 600 & echo $! > '" + folder.file("pid") + "'; wait", "",
                                std::chrono::milliseconds(300));
  ASSERT_FALSE(ran.has_value());
  EXPECT_THAT(ran.error().message, HasSubstr("did not end within 0.3 s"));
}

TEST_F(end_hook, the_command_can_be_ended_by_a_broken_pipe_as_usual) {
  EXPECT_TRUE(run_end_hook("yes | head -n 1 > /dev/null", "").has_value());
}

}  // namespace
}  // namespace sluice
