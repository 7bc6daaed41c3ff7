#include "tools/cli/end_hook.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "transport/base/text.h"

namespace sluice {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds term_to_kill{5};

/// Where the kernel has no pidfd_open (before 5.3, or a sandbox) the child is looked at this often.
constexpr int look_interval_ms = 10;

struct child_process {
  pid_t pid = -1;
  int pid_fd = -1;    ///< Readable once it has ended; -1 where the kernel has none.
  int input_fd = -1;  ///< Non-blocking; -1 once closed.

  child_process() = default;
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process() {
    close_input();
    if (pid_fd >= 0) {
      ::close(pid_fd);
    }
  }
  void close_input() {
    if (input_fd >= 0) {
      ::close(input_fd);
      input_fd = -1;
    }
  }
};

result<void> start(child_process& child, const std::string& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(error_kind::internal, "the --on-end command could not be started: {}", std::strerror(errno));
  }
  child.input_fd = ends[1];
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = command;
  char* const arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  const int problem = ::posix_spawn(&child.pid, "/bin/sh", &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[0]);
  if (problem != 0) {
    return fail(error_kind::internal, "the --on-end command could not be started: {}",
                std::strerror(problem));
  }
  child.pid_fd = static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0));
  return {};
}

/// Hands input over and waits until the child has ended (its status) or `deadline` (-1).
int feed_and_wait(child_process& child, std::string_view& input, clock::time_point deadline) {
  while (true) {
    int status = 0;
    if (::waitpid(child.pid, &status, WNOHANG) == child.pid) {
      return status;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (left <= 0) {
      return -1;
    }
    pollfd fds[2] = {{child.pid_fd, POLLIN, 0}, {child.input_fd, POLLOUT, 0}};
    ::poll(fds, 2, child.pid_fd < 0 ? look_interval_ms : static_cast<int>(left + 1));
    if (fds[1].revents == 0) {
      continue;
    }
    const ssize_t n = ::write(child.input_fd, input.data(), input.size());
    if (n > 0) {
      input.remove_prefix(static_cast<std::size_t>(n));
    }
    // EPIPE: it does not want more, which is its right.
    if (input.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) {
      child.close_input();
    }
  }
}

}  // namespace

result<void> run_end_hook(const std::string& command, std::string_view input,
                          std::chrono::milliseconds timeout) {
  child_process child;
  SLUICE_CHECK(start(child, command));
  int status = feed_and_wait(child, input, clock::now() + timeout);
  if (status == -1) {
    child.close_input();
    ::kill(-child.pid, SIGTERM);
    status = feed_and_wait(child, input, clock::now() + term_to_kill);
    if (status == -1) {
      ::kill(-child.pid, SIGKILL);
      ::waitpid(child.pid, &status, 0);
    }
    return fail(error_kind::internal, "the --on-end command did not end within {} and was ended: {}",
                duration_text(std::chrono::duration<double>(timeout).count()), sluice::quoted(command));
  }
  if (WIFSIGNALED(status)) {
    return fail(error_kind::internal, "the --on-end command was ended by signal {}: {}", WTERMSIG(status),
                sluice::quoted(command));
  }
  if (WEXITSTATUS(status) != 0) {
    return fail(error_kind::internal, "the --on-end command ended with status {}: {}", WEXITSTATUS(status),
                sluice::quoted(command));
  }
  return {};
}

}  // namespace sluice
