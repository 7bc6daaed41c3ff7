#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "transport/base/result.h"

namespace sluice {

/// Tells blocking code that it should return soon. One side holds the `stop_source` and fires it, any number
/// of threads hold a `stop_signal`; copies share one state, which lives as long as the last of them. Once
/// fired it stays fired. All calls are thread-safe; `fire` is async-signal-safe.
class stop_signal {
 public:
  /// A signal that never fires.
  stop_signal() = default;

  [[nodiscard]] bool fired() const;
  /// A descriptor that is readable once fired, for poll(2); -1 for one that never fires.
  [[nodiscard]] int fd() const;

 private:
  friend class stop_source;
  struct state;
  explicit stop_signal(std::shared_ptr<const state> s) : state_(std::move(s)) {}
  std::shared_ptr<const state> state_;
};

class stop_source {
 public:
  stop_source();
  void fire() const;
  [[nodiscard]] stop_signal signal() const { return stop_signal(state_); }

 private:
  std::shared_ptr<stop_signal::state> state_;
};

/// What poll(2) may wait for on a descriptor.
enum class wait_for { readable, writable };

/// Waits until `fd` is ready. `cancelled` when the stop fires first, `not_connected` at the deadline, with a
/// message that says how long it waited. `fd` -1 waits for the stop or the deadline only, and then the
/// deadline is a success: an interruptible sleep.
result<void> wait(int fd, wait_for what, std::chrono::steady_clock::time_point deadline,
                  const stop_signal& stop);

}  // namespace sluice
