#include "actors/pipeline/reader_core.h"

#include <algorithm>
#include <utility>

#include "transport/base/thrown.h"

namespace sluice {
namespace {

batch_builder::limits limits_of(const memory_plan& memory) {
  batch_builder::limits l;
  l.bytes_target = memory.batch_bytes_target;
  l.bytes_max = memory.batch_bytes_max;
  l.rows_max = memory.batch_rows_max;
  return l;
}

}  // namespace

reader_core::reader_core(config c, std::shared_ptr<reader> plugin)
    : config_(std::move(c)),
      plugin_(std::move(plugin)),
      builder_(config_.columns, config_.pool, limits_of(config_.memory)),
      limits_(limits_of(config_.memory)) {}

void reader_core::rewind(const rewind_msg& to) {
  if (at_ && to.epoch.value != 0 && to.epoch < at_->epoch) {
    return;
  }
  // What priming has read is the beginning of this epoch when it is at the same place.
  const bool was_primed = at_ && at_->epoch.value == 0 && at_->split == to.split && at_->after == to.after &&
                          at_->position == to.position;
  at_ = to;
  credit_.restart(to.window_bytes);
  sent_end_ = false;
  sequence_ = 0;
  if (was_primed) {
    return;
  }
  builder_ = batch_builder(config_.columns, config_.pool, limits_);
  pending_.reset();
  lease_.reset();
  lease_wanted_ = false;
  opened_ = false;
  ended_ = false;
  primed_told_ = false;
  bytes_needed_ = 0;
  position_ = to.position;
}

void reader_core::credit(const credit_msg& m) {
  if (at_ && m.epoch == at_->epoch) {
    credit_.raise(m.bytes_total);
  }
}

void reader_core::lease(std::shared_ptr<const void> l) {
  if (!lease_wanted_) {
    return;  // a rewind has overtaken the wish; dropping the lease gives it back
  }
  lease_wanted_ = false;
  lease_ = std::move(l);
  auto wide = limits_;
  wide.bytes_max = std::max<std::size_t>(bytes_needed_, limits_.bytes_max);
  builder_.set_limits(wide);
}

reader_step reader_core::failed(error e) {
  at_.reset();
  pending_.reset();
  lease_.reset();
  lease_wanted_ = false;
  builder_ = batch_builder(config_.columns, config_.pool, limits_);
  return {reader_step::kind::failed, nullptr, std::move(e)};
}

reader_step reader_core::hand_over() {
  if (at_->epoch.value == 0) {
    return {
        std::exchange(primed_told_, true) ? reader_step::kind::idle : reader_step::kind::primed, nullptr, {}};
  }
  if (!credit_.can_send(pending_->bytes_held())) {
    return {};
  }
  credit_.sent(pending_->bytes_held());
  pending_->epoch = at_->epoch;
  pending_->sequence = ++sequence_;
  sent_end_ = pending_->split_end;
  return {reader_step::kind::batch, std::exchange(pending_, nullptr), {}};
}

reader_step reader_core::step(const stop_signal& stop) {
  if (!at_ || stop.fired()) {
    return {};
  }
  if (pending_) {
    return hand_over();
  }
  if (ended_ || lease_wanted_) {
    return {};
  }
  if (!opened_) {
    if (auto r = caught([&] { return plugin_->open(at_->description, at_->after, stop); }); !r) {
      return failed(std::move(r).error());
    }
    opened_ = true;
    read_so_far_ = {};
    return {reader_step::kind::again, nullptr, {}};
  }
  return read(stop);
}

reader_step reader_core::read(const stop_signal& stop) {
  auto answer = caught([&] { return plugin_->read(builder_, stop); });
  if (!answer) {
    if (answer.error().kind == error_kind::cancelled && stop.fired()) {
      return {};
    }
    return failed(std::move(answer).error());
  }
  const bool needs = answer->what == read_answer::kind::needs;
  ended_ = answer->what == read_answer::kind::end;
  if (needs && builder_.records() == 0) {
    bytes_needed_ = answer->bytes;
    if (lease_ != nullptr) {
      // The overdraft is ours already; the record turned out longer than its first estimate.
      auto wide = limits_;
      wide.bytes_max = bytes_needed_;
      builder_.set_limits(wide);
      return {reader_step::kind::again, nullptr, {}};
    }
    lease_wanted_ = true;
    return {reader_step::kind::needs, nullptr, {}};
  }
  if (builder_.records() == 0 && !ended_) {
    return {reader_step::kind::again, nullptr, {}};
  }
  pending_ = builder_.seal(position_);
  position_ += pending_->records_read;
  read_so_far_.source_bytes = plugin_->source_bytes();
  read_so_far_.record_bytes += pending_->record_bytes;
  pending_->run = config_.run;
  pending_->split = at_->split;
  pending_->split_end = ended_;
  if (lease_ != nullptr) {
    pending_->lease = std::exchange(lease_, nullptr);
    // One that remembers how much room the large record took would take as much for the next, without a
    // lease.
    builder_ = batch_builder(config_.columns, config_.pool, limits_);
  }
  return hand_over();
}

std::optional<sent_msg> reader_core::sent() const {
  if (!at_ || at_->epoch.value == 0) {
    return std::nullopt;
  }
  return sent_msg{at_->split, at_->epoch, sequence_, sent_end_};
}

}  // namespace sluice
