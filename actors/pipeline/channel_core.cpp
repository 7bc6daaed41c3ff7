#include "actors/pipeline/channel_core.h"

#include <utility>

namespace sluice {

void channel_core::rewind(const rewind_msg& m) {
  if (at_ && m.epoch < at_->epoch) {
    return;
  }
  at_ = m;
  queue_.clear();
  parts_.clear();
  expected_ = 1;
  sequence_ = 0;
  ended_ = false;
  asked_ = false;
  passed_ = false;
  ++ticket_;
  to_writer_.restart(m.window_bytes);
  from_reader_.restart(config_.memory.window_bytes);
  rewind_msg up = m;
  up.window_bytes = config_.memory.window_bytes;
  out_.to_reader(up);
}

void channel_core::credit(const credit_msg& m) {
  if (at_ && m.epoch == at_->epoch && to_writer_.raise(m.bytes_total)) {
    pump();
  }
}

void channel_core::report_loss() {
  // Only the writer can begin a new epoch: it is told of a batch it cannot have.
  out_.to_writer(sent_msg{at_->split, at_->epoch, sequence_ + 1, false});
}

void channel_core::take(const batch_ptr& b) {
  if (!at_ || b->epoch != at_->epoch || b->split != at_->split || b->sequence < expected_) {
    return;
  }
  if (b->sequence > expected_) {
    report_loss();
    return;
  }
  ++expected_;
  queue_.push_back(b);
  pump();
}

void channel_core::sent(const sent_msg& m) {
  if (!at_ || m.epoch != at_->epoch) {
    return;
  }
  if (m.sequence >= expected_) {
    report_loss();
    return;
  }
  out_.to_reader(credit_msg{at_->split, at_->epoch, from_reader_.announced()});
}

void channel_core::throttle_passed(std::uint64_t ticket) {
  if (ticket == ticket_ && asked_) {
    passed_ = true;
    pump();
  }
}

void channel_core::tick() {
  if (at_) {
    out_.to_writer(sent_msg{at_->split, at_->epoch, sequence_, ended_});
  }
}

std::uint64_t channel_core::bytes_queued() const {
  std::uint64_t bytes = 0;
  for (const auto& b : queue_) {
    bytes += b->bytes_held();
  }
  for (const auto& p : parts_) {
    bytes += p.b->bytes_held();
  }
  return bytes;
}

void channel_core::pump() {
  while (true) {
    while (!parts_.empty()) {
      const std::uint64_t bytes = parts_.front().b->bytes_held();
      if (!to_writer_.can_send(bytes)) {
        return;
      }
      to_writer_.sent(bytes);
      auto part = std::move(parts_.front());
      parts_.pop_front();
      part.b->sequence = ++sequence_;
      ended_ = part.b->split_end;
      out_.to_writer(batch_ptr(std::move(part.b)));
      if (parts_.empty()) {
        if (const auto total = from_reader_.consume(converted_bytes_, queue_.empty())) {
          out_.to_reader(credit_msg{at_->split, at_->epoch, *total});
        }
      }
    }
    if (queue_.empty()) {
      return;
    }
    if (config_.throttled && !passed_) {
      if (!asked_) {
        asked_ = true;
        out_.ask_throttle(++ticket_, queue_.front()->record_bytes, queue_.front()->records_read);
      }
      if (!passed_) {
        return;
      }
    }
    // Converting before there is credit would hold a second batch for nothing.
    if (to_writer_.available() == 0) {
      return;
    }
    const batch_ptr b = std::move(queue_.front());
    queue_.pop_front();
    asked_ = false;
    passed_ = false;
    converted_bytes_ = b->bytes_held();
    parts_ = convert_batch(*b, *config_.map, config_.pool, config_.memory.batch_bytes_max, clock_);
    for (const converted_part& part : parts_) {
      transforming_ += part.transforming;
      transformed_ += part.transformed;
    }
  }
}

}  // namespace sluice
