#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "actors/pipeline/convert_batch.h"
#include "actors/plan/mapping.h"
#include "transport/flow/budget.h"
#include "transport/flow/credit.h"
#include "transport/wire/messages.h"

namespace sluice {

/// Where a channel's messages go.
class channel_out {
 public:
  virtual ~channel_out() = default;
  virtual void to_writer(batch_ptr b) = 0;
  virtual void to_writer(const sent_msg& m) = 0;
  virtual void to_reader(const rewind_msg& m) = 0;
  virtual void to_reader(const credit_msg& m) = 0;
  /// Asks the job's throttle to let this much pass; answered by `throttle_passed` with the same ticket.
  virtual void ask_throttle(std::uint64_t ticket, std::uint64_t bytes, std::uint64_t records) = 0;
};

/// Decides what a channel actor does: filters, converts, throttles, counts, forwards. It holds what its
/// window to the reader allows, and at most one batch's converted parts. Returns at once; used by its actor
/// only.
class channel_core {
 public:
  struct config {
    std::shared_ptr<const mapping> map;
    std::shared_ptr<buffer_pool> pool;
    memory_plan memory;
    bool throttled = false;
  };
  /// `clock` times the transformers; it may be empty.
  channel_core(config c, channel_out& out, stopwatch clock = {})
      : config_(std::move(c)), out_(out), clock_(std::move(clock)) {}

  // From the writer.
  void rewind(const rewind_msg& m);
  void credit(const credit_msg& m);
  // From the reader.
  void take(const batch_ptr& b);
  void sent(const sent_msg& m);
  // From the throttle; older tickets are void.
  void throttle_passed(std::uint64_t ticket);

  /// Once a second: what a waiting sender repeats.
  void tick();

  [[nodiscard]] bool waits_for_throttle() const { return asked_ && !passed_; }
  /// What the transformers have taken so far.
  [[nodiscard]] std::chrono::nanoseconds transforming() const { return transforming_; }
  [[nodiscard]] std::uint64_t transformed() const { return transformed_; }
  /// What is held, in bytes, for the gauge of a stuck pipeline.
  [[nodiscard]] std::uint64_t bytes_queued() const;

 private:
  void pump();
  void report_loss();

  config config_;
  channel_out& out_;
  stopwatch clock_;
  std::chrono::nanoseconds transforming_{0};
  std::uint64_t transformed_ = 0;
  std::optional<rewind_msg> at_;
  credit_sender to_writer_;
  credit_receiver from_reader_;
  std::uint64_t expected_ = 1;  // next sequence from the reader
  std::uint64_t sequence_ = 0;  // last sent to the writer
  bool ended_ = false;
  std::deque<batch_ptr> queue_;
  std::deque<converted_part> parts_;   // of the batch before queue_'s front, as converted
  std::uint64_t converted_bytes_ = 0;  // credit of that batch, returned when its last part has gone
  std::uint64_t ticket_ = 0;
  bool asked_ = false;
  bool passed_ = false;
};

}  // namespace sluice
