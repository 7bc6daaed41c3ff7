#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace sluice {

/// A token bucket in the form of virtual scheduling: each amount that passes moves the time from which the
/// next may pass. An amount of any size passes once the bucket is not in debt; the debt then makes the rest
/// wait, so the long-run rate is exact and at most `burst` of unused time is saved up. Time is an argument.
/// Pure.
class rate_limiter {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit rate_limiter(std::uint64_t per_second,
                        std::chrono::nanoseconds burst = std::chrono::milliseconds(50))
      : per_second_(per_second), burst_(burst) {}

  /// When the next amount may pass: now or before = at once.
  [[nodiscard]] time_point ready_at() const { return next_; }

  void take(std::uint64_t amount, time_point now) {
    next_ = std::max(next_, now - burst_);
    const auto ns = static_cast<std::int64_t>(static_cast<long double>(amount) * 1e9L /
                                              static_cast<long double>(per_second_));
    next_ += std::chrono::nanoseconds(ns);
  }

 private:
  std::uint64_t per_second_;
  std::chrono::nanoseconds burst_;
  time_point next_{};
};

}  // namespace sluice
