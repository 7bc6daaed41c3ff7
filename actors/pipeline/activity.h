#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sluice {

/// What a pipeline's actor spends its time on.
enum class doing : std::uint8_t {
  nothing,           ///< No split, or waiting for a message that nobody owes it.
  source_call,       ///< Reader: in a call of the source.
  credit,            ///< Reader: the batch in hand has no credit.
  throttle,          ///< Channel: the job's rate.
  transforming,      ///< Channel: at work on the job's transformers; added up, not set.
  destination_call,  ///< Writer: in a call of the destination.
  batches,           ///< Writer: waiting for batches.
  dirty_file,        ///< Writer: waiting until dirty records are durable.
  another_try,       ///< Writer: waiting for its next try, because the destination failed.
};
inline constexpr std::size_t doing_kinds = 9;

/// Where one actor writes what it is doing, and the supervisor reads it, because an actor in a blocking call
/// answers no message. One writer, any readers; lives as long as the run. The only state actors share, and
/// none decides by it: it feeds the display, the summary and the naming of stalls.
class activity {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  void set(doing what, time_point now) {
    const std::int64_t t = now.time_since_epoch().count();
    const auto before = static_cast<std::size_t>(what_.load(std::memory_order_relaxed));
    spent_[before].fetch_add(t - since_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    since_.store(t, std::memory_order_relaxed);
    what_.store(static_cast<std::uint8_t>(what), std::memory_order_relaxed);
  }
  /// Time spent on something that is over already.
  void add(doing what, std::chrono::nanoseconds spent) {
    spent_[static_cast<std::size_t>(what)].fetch_add(spent.count(), std::memory_order_relaxed);
  }
  [[nodiscard]] doing what() const { return static_cast<doing>(what_.load(std::memory_order_relaxed)); }
  [[nodiscard]] double seconds_since(time_point now) const {
    return static_cast<double>(now.time_since_epoch().count() - since_.load(std::memory_order_relaxed)) *
           1e-9;
  }
  /// Seconds spent so far, those of the current activity included.
  [[nodiscard]] double seconds(doing what, time_point now) const {
    double sum =
        static_cast<double>(spent_[static_cast<std::size_t>(what)].load(std::memory_order_relaxed)) * 1e-9;
    if (this->what() == what) {
      sum += seconds_since(now);
    }
    return sum;
  }
  /// The clock starts when the actor does.
  explicit activity(time_point now) : since_(now.time_since_epoch().count()) {}

 private:
  std::atomic<std::uint8_t> what_ = static_cast<std::uint8_t>(doing::nothing);
  std::atomic<std::int64_t> since_;
  std::array<std::atomic<std::int64_t>, doing_kinds> spent_{};
};

/// The three actors of one pipeline.
struct pipeline_activity {
  explicit pipeline_activity(activity::time_point now) : reader(now), channel(now), writer(now) {}
  activity reader;
  activity channel;
  activity writer;
  /// Of the split that the reader has open, written by the reader: in the source's own measure (0 where it
  /// does not tell) and in record bytes. The two are of about the same moment.
  std::atomic<std::uint64_t> source_bytes_read = 0;
  std::atomic<std::uint64_t> record_bytes_read = 0;
  /// Passed or filtered by transformers, those read again included; written by the channel.
  std::atomic<std::uint64_t> records_transformed = 0;
};

}  // namespace sluice
