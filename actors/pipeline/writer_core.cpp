#include "actors/pipeline/writer_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "plugins/api/read_again.h"
#include "transport/base/text.h"
#include "transport/base/thrown.h"
#include "transport/flow/backoff.h"
#include "transport/record/dirty_rows.h"

namespace sluice {
namespace {

/// Pipelines that meet the same rows, or a foreign writer, wait for each other's locks in a circle the sooner
/// the more rows a transaction has: behind a `busy` the next ones have a batch each.
constexpr unsigned short_commits_after_busy = 32;

/// Value and type of the column to blame; of a key's columns (`shop, phone`) all of them.
void add_blamed(dirty_record& d) {
  const auto named = [&](std::string_view name) {
    return std::find_if(d.record.begin(), d.record.end(),
                        [&](const dirty_field& f) { return !name.empty() && f.name == name; });
  };
  if (const auto one = named(d.column); one != d.record.end()) {
    d.value = one->text;
    d.target_type = one->type;
    return;
  }
  constexpr std::string_view between = ", ";
  std::string values;
  std::string types;
  std::string_view rest = d.column;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(between), rest.size());
    const auto part = named(rest.substr(0, end));
    if (part == d.record.end()) {
      return;
    }
    const std::string_view before = values.empty() && types.empty() ? "" : between;
    values.append(before).append(part->text.value_or("NULL"));
    types.append(before).append(part->type);
    rest.remove_prefix(std::min(rest.size(), end + between.size()));
  }
  if (!types.empty()) {
    d.value = std::move(values);
    d.target_type = std::move(types);
  }
}

/// The rows that the destination refused as dirty records, merged with what the batch brought, by position.
std::vector<dirty_record> all_dirty(const batch& b, const write_answer& answer) {
  std::vector<dirty_record> all = b.dirty;
  std::vector<std::uint32_t> rows;
  rows.reserve(answer.refused.size());
  std::transform(answer.refused.begin(), answer.refused.end(), std::back_inserter(rows),
                 [](const refused_row& r) { return r.row; });
  std::vector<dirty_record> refused = dirty_from_rows(b, rows, dirty_side::writer);
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const refused_row& r = answer.refused[i];
    dirty_record& d = refused[i];
    d.column = r.column;
    add_blamed(d);
    d.code = r.code;
    d.message = r.message;
    all.push_back(std::move(d));
  }
  std::sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.position < y.position; });
  return all;
}

}  // namespace

void writer_core::assign(split_index split, scalar_list description, epoch_number epoch, bool repeats,
                         const stop_signal& stop) {
  if (stopping_) {
    return;
  }
  split_ = split;
  description_ = std::move(description);
  retries_ = 0;
  durable_ = {};
  unsure_ = false;
  repeats_ = repeats;
  unanswered_.reset();
  superseded_ = 0;
  open(epoch, stop);
}

void writer_core::open(epoch_number epoch, const stop_signal& stop) {
  epoch_ = epoch;
  queue_.clear();
  uncommitted_ = false;
  at_border_ = false;
  due_ = false;
  commit_after_sync_ = false;
  dirty_unsynced_ = false;
  dirty_unsynced_bytes_ = 0;
  bytes_since_commit_ = 0;
  rows_since_commit_ = 0;
  expected_ = 1;
  auto m = caught([&] { return plugin_->open(split_, epoch, stop); });
  if (!m) {
    lost(std::move(m).error(), dirty_side::writer);
    return;
  }
  if (!config_.remembers || durable_.position == 0) {
    durable_ = std::move(*m);
  }
  const bool came =
      unanswered_ && durable_.position == unanswered_->position && durable_.counts == unanswered_->counts;
  if (came) {
    repeats_ = false;  // what stands is this process's own
  }
  unanswered_.reset();
  if (would_double()) {
    lost(doubling(lost_by_.value_or(error{error_kind::not_connected, "the split was lost", "", false})),
         dirty_side::writer);
    return;
  }
  lost_by_.reset();
  rows_beside more;
  if (came && superseded_ != 0) {
    more = {std::exchange(superseded_, 0), false};
  }
  if (is_in_parts(durable_)) {
    superseded_ = durable_.counts.written;
    durable_ = mark_at_start(split_, epoch_);
  }
  if (unsure_ && unsure_rows_ != 0) {
    more += {unsure_rows_, false};
  }
  durable_.epoch = epoch_;
  durable_.transaction = 0;
  durable_.sequence = 0;
  unsure_ = false;
  in_parts_ = config_.whole == whole_splits::in_parts;
  dirty_kept_ = durable_.counts.dirty;
  current_ = durable_;
  state_ = state::dropping;
  out_.opened(durable_, more);
  out_.to_error(dirty_drop{split_, epoch_, durable_.position, durable_.counts});
}

void writer_core::dropped(const dirty_dropped& m) {
  if (state_ != state::dropping || m.epoch != epoch_) {
    return;
  }
  if (stopping_) {
    rest();
    return;
  }
  if (durable_.done) {
    state_ = state::idle;
    out_.committed(durable_, {});
    return;
  }
  state_ = state::loading;
  from_channel_.restart(config_.memory.window_bytes);
  out_.to_channel(rewind_msg{split_, description_, epoch_, durable_.after, durable_.position,
                             config_.memory.window_bytes});
}

void writer_core::reopen(epoch_number of, const error& why) {
  if (of != epoch_ || state_ == state::idle || state_ == state::waiting || state_ == state::stopped) {
    return;
  }
  lost(why, dirty_side::reader);
}

void writer_core::lost(const error& why, std::optional<dirty_side> end, bool open_settles) {
  plugin_->rollback();
  queue_.clear();
  uncommitted_ = false;
  const bool passing = (why.kind == error_kind::busy || why.kind == error_kind::not_connected) &&
                       !why.final && !epoch_.exhausted() && !stopping_;
  const bool doubles = passing && !open_settles && would_double();
  const bool passes = passing && !doubles;
  const bool at_once = why.code == read_again_code;
  if (why.kind == error_kind::busy && !at_once && end == dirty_side::writer) {
    short_commits_ = short_commits_after_busy;
  }
  if (passes && (at_once || retries_ < config_.retries_max)) {
    state_ = state::waiting;
    destination_failed_ = end == dirty_side::writer;
    lost_by_ = why;
    retry_try next;
    if (!at_once) {
      next.wait = retry_wait(why.kind, retries_, retry_salt(config_.run, split_.value));
      next.number = ++retries_;
      next.of = config_.retries_max;
    }
    out_.rewound(split_, why, end, next);
    out_.start_retry_timer(next.wait);
    return;
  }
  state_ = stopping_ ? state::stopped : state::idle;
  // While stopping, `cancelled` is what was asked for; otherwise it is a failure like any other.
  if (!stopping_ || why.kind != error_kind::cancelled) {
    out_.failed(split_, passes ? after_tries(why, retries_) : doubles ? doubling(why) : why, end);
  }
  if (stopping_) {
    out_.stopped();
  }
}

bool writer_core::is_above_bound() const {
  const transaction_bound& most = config_.whole_max;
  return (most.bytes != 0 && bytes_since_commit_ > most.bytes) ||
         (most.rows != 0 && rows_since_commit_ > most.rows);
}

bool writer_core::would_double() const {
  return (is_in_parts(durable_) || unsure_) && !config_.may_repeat && !repeats_;
}

error writer_core::doubling(error why) const {
  if (why.code == rows_stand_code) {
    return why;
  }
  why.message += fmt::format(
      "; {} rows of the split stand that no mark covers{}, so that reading it again would write them once "
      "more",
      with_thousands(durable_.counts.written), unsure_ ? ", and maybe those of the last commit" : "");
  why.code = rows_stand_code;
  why.final = true;
  return why;
}

void writer_core::retry(const stop_signal& stop) {
  if (state_ == state::waiting) {
    open(epoch_.next(), stop);
  }
}

void writer_core::take(const batch_ptr& b, const stop_signal& stop) {
  if (b->epoch != epoch_ || b->split != split_ || b->sequence < expected_) {
    return;
  }
  if (state_ != state::loading && state_ != state::syncing) {
    return;
  }
  if (b->sequence > expected_) {
    lost({error_kind::not_connected,
          fmt::format("batch {} of split {} was lost on its way", expected_, split_.value), "", false},
         std::nullopt);
    return;
  }
  ++expected_;
  if (state_ == state::syncing) {
    queue_.push_back(b);
    return;
  }
  process(b, stop);
}

void writer_core::sent(const sent_msg& m) {
  if (m.epoch != epoch_ || (state_ != state::loading && state_ != state::syncing)) {
    return;
  }
  if (m.sequence >= expected_) {
    lost({error_kind::not_connected,
          fmt::format("batch {} of split {} was lost on its way", expected_, split_.value), "", false},
         std::nullopt);
    return;
  }
  out_.to_channel(credit_msg{split_, epoch_, from_channel_.announced()});
}

void writer_core::count_lines(std::vector<dirty_record>& records, const stop_signal& stop) const {
  if (!config_.line_at) {
    return;
  }
  for (dirty_record& d : records) {
    if (!d.line && d.byte_offset && !d.source.empty()) {
      d.line = config_.line_at(d.source, *d.byte_offset, stop);
    }
  }
}

void writer_core::process(const batch_ptr& b, const stop_signal& stop) {
  write_answer answer;
  if (b->rows != 0) {
    auto r = caught([&] { return plugin_->write(*b, stop); });
    if (!r) {
      lost(std::move(r).error(), dirty_side::writer);
      return;
    }
    answer = std::move(*r);
  }
  const bool partly = answer.ignored != 0 || !answer.refused.empty();
  std::vector<dirty_record> dirty;
  if (!b->dirty.empty() || !answer.refused.empty()) {
    dirty = all_dirty(*b, answer);
    count_lines(dirty, stop);
  }

  record_counts delta;
  delta.read = b->records_read;
  delta.written = answer.written;
  delta.ignored = answer.ignored;
  delta.dirty = dirty.size();
  delta.filtered = b->filtered;
  delta.bytes = b->record_bytes;
  delta.filtered_bytes = b->filtered_bytes;
  for (const dirty_record& d : dirty) {
    delta.dirty_bytes += d.record_bytes;
  }
  current_.counts += delta;
  current_.parts += answer.parts;
  current_.changes += b->changes;
  current_.changes += answer.changes;
  current_.sums.read += b->read_sum;
  current_.sums.written += partly ? answer.written_sum : b->rows_sum;
  current_.sums.changed = current_.sums.changed || b->changed || b->filtered != 0 || answer.ignored != 0 ||
                          !answer.changes.empty();
  for (const dirty_record& d : dirty) {
    current_.sums.dirty += d.sum;
    dirty_unsynced_bytes_ += d.bytes_held();
  }
  current_.position += b->records_read;
  current_.sequence = b->sequence;
  current_.after = b->after;
  current_.done = b->split_end;
  uncommitted_ = true;
  at_border_ = b->split_end || b->after.has_value();
  bytes_since_commit_ += b->bytes_held();
  rows_since_commit_ += b->rows;

  out_.wrote(split_, delta);
  if (!dirty.empty()) {
    dirty_unsynced_ = true;
    out_.to_error(dirty_report{split_, epoch_, b->sequence, b->records_read, std::move(dirty)});
  }
  if (!b->split_end) {
    if (const auto total = from_channel_.consume(b->bytes_held(), queue_.empty())) {
      out_.to_channel(credit_msg{split_, epoch_, *total});
    }
  }

  due_ = due_ || short_commits_ != 0 || bytes_since_commit_ >= config_.commit_bytes ||
         rows_since_commit_ >= config_.commit_rows;
  if (!at_border_ && !in_parts_ && config_.whole == whole_splits::up_to_bound && is_above_bound()) {
    in_parts_ = true;
    due_ = true;
  }
  if (b->split_end || (due_ && may_commit())) {
    begin_commit(stop);
    return;
  }
  if (dirty_unsynced_bytes_ > config_.memory.dirty_bytes_max) {
    // The dirty file is the slower one: wait for it, so that reports do not pile up without bound.
    state_ = state::syncing;
    commit_after_sync_ = false;
    out_.to_error(dirty_sync{split_, epoch_, current_.sequence});
    return;
  }
  if (!timer_running_) {
    timer_running_ = true;
    out_.start_commit_timer(config_.commit_interval);
  }
}

void writer_core::commit_timer(const stop_signal& stop) {
  timer_running_ = false;
  if (state_ == state::loading && uncommitted_) {
    due_ = true;
    if (may_commit()) {
      begin_commit(stop);
      drain(stop);
    }
  } else if (state_ == state::syncing) {
    due_ = true;
  }
}

void writer_core::begin_commit(const stop_signal& stop) {
  if (dirty_unsynced_) {
    state_ = state::syncing;
    commit_after_sync_ = true;
    out_.to_error(dirty_sync{split_, epoch_, current_.sequence});
    return;
  }
  commit(stop);
}

void writer_core::synced(const dirty_synced& m, const stop_signal& stop) {
  if (state_ != state::syncing || m.epoch != epoch_ || m.sequence != current_.sequence) {
    return;
  }
  state_ = state::loading;
  dirty_unsynced_ = false;
  dirty_unsynced_bytes_ = 0;
  if ((commit_after_sync_ || due_ || stopping_) && may_commit()) {
    commit(stop);
  } else if (stopping_) {
    rest();
  }
  drain(stop);
}

void writer_core::dirty_file_failed(epoch_number epoch, const error& why) {
  if (epoch == epoch_ && waits_for_dirty_file()) {
    error last = why;
    last.final = true;
    lost(std::move(last), std::nullopt);
  }
}

void writer_core::drain(const stop_signal& stop) {
  while (state_ == state::loading && !stopping_ && !queue_.empty()) {
    const batch_ptr b = std::move(queue_.front());
    queue_.pop_front();
    process(b, stop);
  }
}

void writer_core::commit(const stop_signal& stop) {
  mark next = current_;
  next.epoch = epoch_;
  next.transaction = durable_.transaction + 1;
  if (next.done) {
    if (!next.counts.closes() || !next.sums.closes() || next.position != next.counts.read ||
        next.parts.told() > next.counts.written) {
      plugin_->rollback();
      state_ = stopping_ ? state::stopped : state::idle;
      out_.failed(
          split_,
          {error_kind::over_limit,
           fmt::format(
               "the account of split {} does not close: read {}, written {} ({}), ignored {}, dirty {}, "
               "filtered {}, "
               "sums read {} written {} dirty {}; nothing of it was committed, please report this",
               split_.value, next.counts.read, next.counts.written, to_text(next.parts), next.counts.ignored,
               next.counts.dirty, next.counts.filtered, to_string(next.sums.read),
               to_string(next.sums.written), to_string(next.sums.dirty)),
           "account", false},
          std::nullopt);
      if (stopping_) {
        out_.stopped();
      }
      return;
    }
  }
  if (auto r = caught([&] { return plugin_->commit(next, stop); }); !r) {
    // What is busy was not committed; of anything else a mark tells when the split is opened, where there are
    // marks.
    unsure_ = config_.remembers && r.error().kind != error_kind::busy;
    unsure_rows_ = next.counts.written - durable_.counts.written;
    if (!config_.remembers) {
      unanswered_ = next;
    }
    lost(std::move(r).error(), dirty_side::writer, !config_.remembers);
    return;
  }
  const bool covers = !is_in_parts(next);
  const bool more_dirty = covers && next.counts.dirty != dirty_kept_;
  dirty_kept_ = covers ? next.counts.dirty : dirty_kept_;
  repeats_ = false;
  durable_ = next;
  current_ = next;
  uncommitted_ = false;
  due_ = false;
  retries_ = 0;
  short_commits_ -= std::min(short_commits_, 1U);
  bytes_since_commit_ = 0;
  rows_since_commit_ = 0;
  if (!covers) {
    plugin_->forbid_reading_again();
  }
  if (more_dirty) {
    out_.to_error(dirty_commit{split_, epoch_, durable_.position, durable_.counts.dirty});
  }
  state_ = durable_.done ? state::idle : state::loading;
  out_.committed(durable_, {std::exchange(superseded_, 0), true});
  if (stopping_) {
    rest();
  }
}

void writer_core::rest() {
  if (state_ != state::idle) {
    plugin_->rollback();
  }
  queue_.clear();
  state_ = state::stopped;
  out_.stopped();
}

void writer_core::stop(const stop_signal& stop) {
  if (stopping_) {
    return;
  }
  stopping_ = true;
  switch (state_) {
    case state::idle:
    case state::waiting:
      rest();
      break;
    case state::loading:
      if (may_commit()) {
        begin_commit(stop);
      } else {
        rest();
      }
      break;
    case state::syncing:
    case state::dropping:
    case state::stopped:
      break;  // the answer awaited ends it
  }
}

}  // namespace sluice
