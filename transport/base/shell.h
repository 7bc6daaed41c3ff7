#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "transport/base/result.h"
#include "transport/base/stop.h"

namespace sluice {

/// A command that runs through /bin/sh in a process group of its own, with signals as a shell expects them.
/// One thread. A child that is still there at the end of the object's life is killed with its group.
class shell_child {
 public:
  /// What the command's standard descriptors are; -1: /dev/null.
  struct descriptors {
    int in = -1;
    int out = -1;
    int err = -1;
  };

  /// `internal` with the system's words where it cannot be started.
  static result<shell_child> start(const std::string& command, const descriptors& fds);
  shell_child(shell_child&& other) noexcept;
  shell_child& operator=(shell_child&&) = delete;
  ~shell_child();

  /// Readable once it has ended; -1 where the kernel has none (before 5.3, or a sandbox): then it must be
  /// looked at again and again.
  [[nodiscard]] int fd() const { return pid_fd_; }
  /// Its status (waitpid) once it has ended.
  std::optional<int> ended();
  /// Sends the signal to its whole group.
  void signal_group(int number) const;
  /// Kills the group and waits for the child.
  void kill();

 private:
  shell_child() = default;
  pid_t pid_ = -1;
  int pid_fd_ = -1;
};

/// What a command printed, and how it ended.
struct shell_output {
  std::string out;
  std::string err;
  int status = 0;          ///< As waitpid gives it.
  bool timed_out = false;  ///< It was killed at the deadline.
  bool too_long = false;   ///< It was killed because it printed more than allowed.
};

/// Runs `command` with nothing on its standard input and takes what it prints, at most `bytes_max` of each
/// (the rest of its standard error is dropped). Its group is killed at the deadline. `cancelled` where `stop`
/// fires first, `internal` where it cannot be started.
result<shell_output> run_shell(const std::string& command, std::chrono::milliseconds timeout,
                               std::size_t bytes_max, const stop_signal& stop);

/// `status 3`, `signal 9`: how a child ended, for messages.
std::string ended_text(int status);

}  // namespace sluice
