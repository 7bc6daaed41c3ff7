#include "transport/base/shell.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(shell, takes_output_error_and_status_apart) {
  const auto ran = run_shell("echo out; echo err >&2; exit 7", 30s, 1000, {});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->out, "out\n");
  EXPECT_EQ(ran->err, "err\n");
  EXPECT_EQ(ended_text(ran->status), "status 7");
  EXPECT_EQ(ended_text(run_shell("kill -9 $$", 30s, 1000, {})->status), "signal 9");
}

TEST(shell, gives_the_command_an_empty_standard_input) {
  EXPECT_EQ(run_shell("cat; echo end", 30s, 1000, {})->out, "end\n");
}

TEST(shell, ends_a_command_that_prints_too_much_but_not_one_that_says_too_much) {
  const auto printed = run_shell("yes", 30s, 1000, {});
  EXPECT_TRUE(printed->too_long);
  EXPECT_EQ(printed->out.size(), 1000u);
  const auto said = run_shell("head -c 100000 /dev/zero >&2", 30s, 1000, {});
  EXPECT_FALSE(said->too_long);
  EXPECT_EQ(said->err.size(), 1000u);
  EXPECT_EQ(said->status, 0);
}

TEST(shell, a_pipe_that_a_grandchild_holds_open_does_not_delay_the_answer) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ran = run_shell("sleep 20 & echo done", 60s, 1000, {});
  EXPECT_EQ(ran->out, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 15s);
}

TEST(shell, a_stop_from_another_thread_ends_the_wait) {
  const stop_source stop;
  std::thread other([&] { stop.fire(); });
  const auto ran = run_shell("sleep 600", 1h, 1000, stop.signal());
  other.join();
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, error_kind::cancelled);
}

}  // namespace
}  // namespace sluice
