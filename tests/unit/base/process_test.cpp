#include "transport/base/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

TEST(process, this_process_is_alive_and_known_by_its_start) {
  const process_identity me = this_process();
  EXPECT_EQ(me.pid, ::getpid());
  EXPECT_EQ(look_up(me), process_state::alive);
  process_identity reused = me;
  reused.start += "0";
  EXPECT_EQ(look_up(reused), process_state::dead);
}

TEST(process, a_relative_path_is_looked_for_in_the_working_directory) {
  char here[4096] = {};
  ASSERT_NE(::getcwd(here, sizeof here), nullptr);
  EXPECT_EQ(looked_in("a/b.csv"), " in \"" + std::string(here) + "\"");
  EXPECT_EQ(looked_in("/a/b.csv"), "");
}

TEST(process, an_ended_process_is_dead_even_before_it_is_waited_for) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char c = 0;
    [[maybe_unused]] const auto n = ::read(fds[0], &c, 1);
    ::_exit(0);
  }
  process_identity who = this_process();
  who.pid = child;
  who.start = "unknown yet";
  EXPECT_EQ(look_up(who), process_state::dead);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(look_up(who), process_state::dead);
  ::waitpid(child, nullptr, 0);
}

TEST(process, another_hosts_process_cannot_be_seen) {
  process_identity who = this_process();
  who.host += ".elsewhere";
  EXPECT_EQ(look_up(who), process_state::elsewhere);
}

}  // namespace
}  // namespace sluice
