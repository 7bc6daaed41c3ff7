#include "transport/base/shell.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

using clock = std::chrono::steady_clock;

/// Where there is no descriptor that tells a child's end it is looked at this often.
constexpr int look_interval_ms = 10;

/// Both ends of a pipe, closed with their scope.
struct pipe_ends {
  int read = -1;
  int write = -1;
  pipe_ends() = default;
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  ~pipe_ends() {
    close_one(read);
    close_one(write);
  }
  static void close_one(int& fd) {
    if (fd >= 0) {
      ::close(fd);
      fd = -1;
    }
  }
  bool open() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) {
      return false;
    }
    read = fds[0];
    write = fds[1];
    ::fcntl(read, F_SETFL, O_NONBLOCK);
    return true;
  }
};

/// Takes what is there. Beyond `bytes_max` it is dropped and true returned.
bool take(int& fd, std::string& to, std::size_t bytes_max) {
  char block[4096];
  bool more = false;
  while (fd >= 0) {
    const ssize_t n = ::read(fd, block, sizeof block);
    if (n > 0) {
      const std::size_t room = bytes_max - std::min(bytes_max, to.size());
      more = more || static_cast<std::size_t>(n) > room;
      to.append(block, std::min(room, static_cast<std::size_t>(n)));
    } else if (n == 0) {
      pipe_ends::close_one(fd);
    } else if (errno != EINTR) {
      break;
    }
  }
  std::fill(std::begin(block), std::end(block), '\0');
  return more;
}

}  // namespace

result<shell_child> shell_child::start(const std::string& command, const descriptors& fds) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int number = 0;
  for (const int fd : {fds.in, fds.out, fds.err}) {
    if (fd < 0) {
      posix_spawn_file_actions_addopen(&actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions, fd, number);
    }
    ++number;
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGXFSZ);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = command;
  char* const arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  shell_child child;
  const int problem = ::posix_spawn(&child.pid_, "/bin/sh", &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) {
    child.pid_ = -1;
    return fail(error_kind::internal, "{}", std::strerror(problem));
  }
  child.pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0));
  return child;
}

shell_child::shell_child(shell_child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pid_fd_(std::exchange(other.pid_fd_, -1)) {}

shell_child::~shell_child() {
  if (pid_ > 0) {
    kill();
  }
  if (pid_fd_ >= 0) {
    ::close(pid_fd_);
  }
}

std::optional<int> shell_child::ended() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) {
    return std::nullopt;
  }
  pid_ = -1;
  return status;
}

void shell_child::signal_group(int number) const {
  if (pid_ > 0) {
    ::kill(-pid_, number);
  }
}

void shell_child::kill() {
  signal_group(SIGKILL);
  int status = 0;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

result<shell_output> run_shell(const std::string& command, std::chrono::milliseconds timeout,
                               std::size_t bytes_max, const stop_signal& stop) {
  pipe_ends out;
  pipe_ends err;
  if (!out.open() || !err.open()) {
    return fail(error_kind::internal, "{}", std::strerror(errno));
  }
  SLUICE_TRY(shell_child child, shell_child::start(command, {-1, out.write, err.write}));
  pipe_ends::close_one(out.write);
  pipe_ends::close_one(err.write);
  shell_output answer;
  const auto deadline = clock::now() + timeout;
  while (true) {
    const auto status = child.ended();
    answer.too_long = take(out.read, answer.out, bytes_max) || answer.too_long;
    take(err.read, answer.err, bytes_max);
    if (status) {
      // A grandchild may hold the pipes open: what matters was printed by the command itself.
      answer.status = *status;
      return answer;
    }
    if (stop.fired()) {
      child.kill();
      return fail(error_kind::cancelled, "stopped");
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (answer.too_long || left <= 0) {
      answer.timed_out = !answer.too_long;
      child.kill();
      return answer;
    }
    pollfd fds[4] = {
        {child.fd(), POLLIN, 0}, {stop.fd(), POLLIN, 0}, {out.read, POLLIN, 0}, {err.read, POLLIN, 0}};
    ::poll(fds, 4, child.fd() < 0 ? look_interval_ms : static_cast<int>(std::min<long>(left + 1, 60'000)));
  }
}

std::string ended_text(int status) {
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                             : fmt::format("status {}", WEXITSTATUS(status));
}

}  // namespace sluice
