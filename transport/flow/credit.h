#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <optional>

namespace sluice {

/// The sender's half of a credit window in bytes (flow.md). The receiver grants totals since the epoch's
/// beginning; what is granted and not sent is what may be sent. A batch is charged at most one whole window,
/// so that an oversize batch can pass and credit is never negative. Pure; used by one actor.
class credit_sender {
 public:
  /// A new epoch: everything before is void, one window is granted.
  void restart(std::uint64_t window_bytes) {
    window_ = window_bytes;
    granted_ = window_bytes;
    sent_ = 0;
  }
  /// A credit message: totals only grow, so a late or repeated one changes nothing. True when more is
  /// granted.
  bool raise(std::uint64_t bytes_total) {
    if (bytes_total <= granted_) {
      return false;
    }
    granted_ = bytes_total;
    return true;
  }
  [[nodiscard]] std::uint64_t available() const { return granted_ - sent_; }
  [[nodiscard]] std::uint64_t charge(std::uint64_t batch_bytes) const {
    return std::min(batch_bytes, window_);
  }
  [[nodiscard]] bool can_send(std::uint64_t batch_bytes) const { return charge(batch_bytes) <= available(); }
  void sent(std::uint64_t batch_bytes) {
    assert(can_send(batch_bytes));
    sent_ += charge(batch_bytes);
  }

 private:
  std::uint64_t window_ = 0;
  std::uint64_t granted_ = 0;
  std::uint64_t sent_ = 0;
};

/// The receiver's half: counts what is consumed and says when a new total is due: when half the window would
/// be returned, or when nothing is left queued, whichever is first. Pure; used by one actor.
class credit_receiver {
 public:
  void restart(std::uint64_t window_bytes) {
    window_ = window_bytes;
    consumed_ = 0;
    announced_ = window_bytes;
  }
  [[nodiscard]] std::uint64_t window() const { return window_; }
  /// A batch of that size was consumed. The total to announce, or nothing yet.
  std::optional<std::uint64_t> consume(std::uint64_t batch_bytes, bool nothing_queued) {
    consumed_ += std::min(batch_bytes, window_);
    const std::uint64_t total = consumed_ + window_;
    if (total - announced_ < window_ / 2 && !nothing_queued) {
      return std::nullopt;
    }
    announced_ = total;
    return total;
  }
  /// The last total announced, for repeating it.
  [[nodiscard]] std::uint64_t announced() const { return announced_; }

 private:
  std::uint64_t window_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t announced_ = 0;
};

}  // namespace sluice
