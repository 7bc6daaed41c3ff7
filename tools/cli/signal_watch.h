#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "transport/base/result.h"
#include "transport/base/stop.h"

namespace sluice {

/// SIGINT, SIGTERM and SIGHUP, without those that are ignored now (nohup): a blocked signal is queued even
/// where it is ignored, and would stop a run under nohup.
sigset_t stop_signals();
/// SIGPIPE and SIGXFSZ (a limit of file sizes) end no process from here on: the write that meets one fails,
/// and is told as a failure.
void ignore_signals_of_writes();
/// `SIGTERM`, of one of these.
const char* signal_name(std::uint32_t number);

/// Turns SIGINT, SIGTERM and SIGHUP into stops, on a thread of its own. The first one asks for an orderly
/// stop; a second one asks for an end at once and, where the process is still there `grace` later, calls
/// `exit_now`. One that was ignored when the process began (nohup) stays ignored. Signals of
/// writes are ignored from `begin` on.
///
/// The signals are blocked in the thread that calls `begin` and so in all threads made by it later: call it
/// before any other thread is made. Owned by the thread that made it.
class signal_watch {
 public:
  /// `told` is called with the signal's name on the watch's thread, before the stop fires.
  static result<std::unique_ptr<signal_watch>> begin(
      stop_source stop, stop_source stop_now, std::function<void(const char* name, bool first)> told,
      std::function<void()> exit_now, std::chrono::milliseconds grace = std::chrono::seconds(1));
  /// Ends the watch; the signals stay blocked.
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

  /// Whether a signal has asked for a stop.
  [[nodiscard]] bool stopped() const { return stopped_.load(); }

 private:
  explicit signal_watch(int signal_fd) : signal_fd_(signal_fd) {}
  void watch(const stop_source& stop, const stop_source& stop_now,
             const std::function<void(const char*, bool)>& told, const std::function<void()>& exit_now,
             std::chrono::milliseconds grace);

  int signal_fd_;
  stop_source ended_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace sluice
