#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.h"

namespace sluice {

/// A child process that ends elsewhere what this process leaves running when it is killed: statements on
/// servers that do not notice the end of their client. It is told of each such thing when it begins, and when
/// it has ended; when this process is gone, however it went, the guard does its duty about what is left and
/// ends, at once where there is nothing. A process that is stopped (SIGSTOP) is not gone. What ends a whole
/// control group or container ends the guard too.
///
/// The guard is a fork without exec, in a session of its own; SIGINT, SIGTERM and SIGHUP do not end it. It
/// has no descriptor of this process but its end of a socket, which this process's children close when they
/// exec: nobody waits for it, and it holds no lock. `ps` shows it as `job-guard 4711`, so that
/// what ends every `sluice` by its name does not end it.
///
/// Thread-safe after `begin`. What it is told stays in memory, never in an argument, the environment or a
/// file. One that was ended by others is not replaced: its process goes on unguarded.
class guard_process {
 public:
  /// Ends what is left at one place, in the guard, where no other thread is. Each place has a process of its
  /// own, which is ended `guard_time` after the end of the process that was guarded.
  using duty = std::function<void(std::string_view place, const std::vector<std::string>& things)>;

  /// The duties by the name of who leaves something behind. Call it as early as possible, before files are
  /// locked; another thread may be there only if it merely waits, because the fork has no other threads.
  /// `no_room` where the system has no process or descriptor left.
  static result<std::shared_ptr<guard_process>> begin(std::map<std::string, duty, std::less<>> duties);
  /// Lets the guard end: waits for that, for a second at most, where nothing is left.
  ~guard_process();
  guard_process(const guard_process&) = delete;
  guard_process& operator=(const guard_process&) = delete;

  /// `thing` now runs at `place`, which says how to get there and may hold secrets. Gives the number to take
  /// it back by; 0 where the guard did not take it: it is gone, or has been stopped until its socket was full
  /// (some 200 KiB), or all of it is more than `guard_message_bytes_max`. Never waits.
  std::uint64_t leave(std::string_view owner, std::string_view place, std::string_view thing);
  /// It has ended. Where the guard cannot be told it keeps it: a duty must know a thing from what has come in
  /// its place. 0 is nothing.
  void take_back(std::uint64_t number);

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  guard_process(int socket, pid_t pid) : socket_(socket), pid_(pid) {}

  const int socket_;
  const pid_t pid_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::set<std::uint64_t> left_;
};

/// Nothing that a process leaves running is to outlive it for longer.
inline constexpr std::chrono::seconds guard_time{15};
inline constexpr std::size_t guard_message_bytes_max = std::size_t{128} << 10;

}  // namespace sluice
