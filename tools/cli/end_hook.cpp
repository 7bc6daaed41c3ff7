#include "tools/cli/end_hook.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "transport/base/shell.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds term_to_kill{5};

/// Where the kernel has no pidfd_open (before 5.3, or a sandbox) the child is looked at this often.
constexpr int look_interval_ms = 10;

/// Writes to the command's standard input; non-blocking, closed with its scope or before.
struct input_pipe {
  int fd = -1;
  input_pipe() = default;
  input_pipe(const input_pipe&) = delete;
  input_pipe& operator=(const input_pipe&) = delete;
  ~input_pipe() { close(); }
  void close() {
    if (fd >= 0) {
      ::close(fd);
      fd = -1;
    }
  }
};

result<shell_child> start(input_pipe& to, const std::string& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(error_kind::internal, "the --on-end command could not be started: {}", std::strerror(errno));
  }
  to.fd = ends[1];
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  auto child = shell_child::start(command, {ends[0], STDERR_FILENO, STDERR_FILENO});
  ::close(ends[0]);
  if (!child) {
    return fail(error_kind::internal, "the --on-end command could not be started: {}", child.error().message);
  }
  return child;
}

/// Hands input over and waits until the child has ended (its status) or `deadline` (-1).
int feed_and_wait(shell_child& child, input_pipe& to, std::string_view& input, clock::time_point deadline) {
  while (true) {
    if (const auto status = child.ended()) {
      return *status;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (left <= 0) {
      return -1;
    }
    pollfd fds[2] = {{child.fd(), POLLIN, 0}, {to.fd, POLLOUT, 0}};
    ::poll(fds, 2, child.fd() < 0 ? look_interval_ms : static_cast<int>(left + 1));
    if (fds[1].revents == 0) {
      continue;
    }
    const ssize_t n = ::write(to.fd, input.data(), input.size());
    if (n > 0) {
      input.remove_prefix(static_cast<std::size_t>(n));
    }
    // EPIPE: it does not want more, which is its right.
    if (input.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) {
      to.close();
    }
  }
}

}  // namespace

result<void> run_end_hook(const std::string& command, std::string_view input,
                          std::chrono::milliseconds timeout) {
  input_pipe to;
  SLUICE_TRY(shell_child child, start(to, command));
  int status = feed_and_wait(child, to, input, clock::now() + timeout);
  if (status == -1) {
    to.close();
    child.signal_group(SIGTERM);
    if (feed_and_wait(child, to, input, clock::now() + term_to_kill) == -1) {
      child.kill();
    }
    return fail(error_kind::internal, "the --on-end command did not end within {} and was ended: {}",
                duration_text(std::chrono::duration<double>(timeout).count()), in_quotes(command));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(error_kind::internal, "the --on-end command {} {}: {}",
                WIFEXITED(status) ? "ended with" : "was ended by", ended_text(status), in_quotes(command));
  }
  return {};
}

}  // namespace sluice
