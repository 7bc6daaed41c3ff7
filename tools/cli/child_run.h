#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/cli/program.h"
#include "transport/base/result.h"

namespace sluice {

/// A run in a process of its own, forked from this one, which must have no other threads then. What it prints
/// comes back over two pipes: its lines (standard error) and its summary (what `--json` prints). It is alone
/// in its process group, so that a terminal's Ctrl-C reaches this process only, and is asked to stop
/// (SIGTERM) when this process dies. Owned and used by one thread.
class child_run {
 public:
  /// Runs `body` with parts that print into the pipes; what it returns is the exit code. `no_room` where the
  /// system has no process or descriptor left.
  static result<std::unique_ptr<child_run>> start(const program& parts,
                                                  const std::function<int(const program&)>& body);
  /// Ends the process where it still is there, and waits for that.
  ~child_run();
  child_run(const child_run&) = delete;
  child_run& operator=(const child_run&) = delete;

  /// Readable when there is something for `read_lines` or `read_summary`; -1 once the other side is closed.
  [[nodiscard]] int lines_fd() const { return lines_fd_; }
  [[nodiscard]] int summary_fd() const { return summary_fd_; }

  /// What has come, as whole lines without their line ends; a line of more than 64 KiB comes in pieces.
  std::vector<std::string> read_lines();
  void read_summary();
  /// What is left in the pipes once the process has ended: the last line may lack its line end.
  std::vector<std::string> drain();
  [[nodiscard]] const std::string& summary() const { return summary_; }

  void signal(int number) const;
  /// How it ended, as wait(2) says; nothing while it is there.
  std::optional<int> ended();

 private:
  child_run(pid_t pid, int lines_fd, int summary_fd)
      : pid_(pid), lines_fd_(lines_fd), summary_fd_(summary_fd) {}
  std::vector<std::string> cut_lines();

  pid_t pid_;
  int lines_fd_;
  int summary_fd_;
  std::optional<int> status_;
  std::string text_;  ///< Of a line that is not whole yet.
  std::string summary_;
};

}  // namespace sluice
