#include "tools/cli/signal_watch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <vector>

namespace sluice {
namespace {

/// Runs `body` in a child process, because signals belong to a process; gives its exit status.
int status_of(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool comes(const stop_signal& signal) {
  return wait(signal.fd(), wait_for::readable, std::chrono::steady_clock::now() + std::chrono::seconds(20),
              {})
      .has_value();
}

TEST(signal_watch, each_of_the_three_signals_asks_for_an_orderly_stop) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const int status = status_of([number] {
      const stop_source stop;
      const stop_source now;
      const auto watch = signal_watch::begin(
          stop, now, [](const char*, bool) {}, [] { ::_exit(99); });
      if (!watch || (*watch)->stopped()) {
        return 1;
      }
      ::kill(::getpid(), number);
      return comes(stop.signal()) && (*watch)->stopped() && !now.signal().fired() ? 0 : 2;
    });
    EXPECT_EQ(status, 0) << number;
  }
}

TEST(signal_watch, a_second_signal_ends_the_process_after_the_grace) {
  const int status = status_of([] {
    const stop_source stop;
    const stop_source now;
    const auto watch = signal_watch::begin(
        stop, now, [](const char*, bool) {}, [&] { ::_exit(now.signal().fired() ? 143 : 3); },
        std::chrono::milliseconds(1));
    ::kill(::getpid(), SIGTERM);
    if (!watch || !comes(stop.signal())) {
      return 1;
    }
    ::kill(::getpid(), SIGTERM);
    (void)wait(-1, wait_for::readable, std::chrono::steady_clock::now() + std::chrono::seconds(20), {});
    return 2;
  });
  EXPECT_EQ(status, 143);
}

TEST(signal_watch, a_run_that_ends_within_the_grace_is_not_cut_short) {
  const int status = status_of([] {
    const stop_source stop;
    const stop_source now;
    auto watch = signal_watch::begin(
        stop, now, [](const char*, bool) {}, [] { ::_exit(99); }, std::chrono::hours(1));
    ::kill(::getpid(), SIGTERM);
    if (!watch || !comes(stop.signal())) {
      return 1;
    }
    ::kill(::getpid(), SIGINT);
    if (!comes(now.signal())) {
      return 2;
    }
    watch->reset();
    return 0;
  });
  EXPECT_EQ(status, 0);
}

TEST(signal_watch, under_nohup_a_hangup_is_still_ignored) {
  const int status = status_of([] {
    std::signal(SIGHUP, SIG_IGN);
    const stop_source stop;
    std::vector<std::string> told;
    std::mutex mutex;
    const auto watch = signal_watch::begin(
        stop, {},
        [&](const char* name, bool) {
          const std::lock_guard lock(mutex);
          told.emplace_back(name);
        },
        [] {});
    ::kill(::getpid(), SIGHUP);
    ::kill(::getpid(), SIGTERM);
    if (!watch || !comes(stop.signal())) {
      return 1;
    }
    const std::lock_guard lock(mutex);
    return told == std::vector<std::string>{"SIGTERM"} ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
}

TEST(signal_watch, a_reader_that_went_away_does_not_end_the_process) {
  const int status = status_of([] {
    const auto watch = signal_watch::begin(
        {}, {}, [](const char*, bool) {}, [] {});
    int ends[2];
    if (!watch || ::pipe(ends) != 0) {
      return 1;
    }
    ::close(ends[0]);
    return ::write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sluice
