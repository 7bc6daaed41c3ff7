#include "actors/supervise/run_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/supervise/beginnings.h"
#include "plugins/api/step_stage.h"
#include "transport/base/text.h"
#include "transport/flow/backoff.h"

namespace sluice {
namespace {

using std::chrono::steady_clock;

double seconds_between(steady_clock::time_point from, steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

bool is_passing(const error& why) {
  return (why.kind == error_kind::not_connected || why.kind == error_kind::busy) && !why.final;
}

/// `tried again in 6.2 s (try 6 of 15)`.
std::string next_try_text(const retry_try& next) {
  return fmt::format("tried again in {} (try {} of {})",
                     duration_text(std::chrono::duration<double>(next.wait).count()), next.number, next.of);
}

/// A failure of the split with this label.
error with_label(error why, const std::string& label) {
  why.message = fmt::format("{}: {}", label, why.message);
  return why;
}

}  // namespace

std::string_view to_string(run_state state) {
  switch (state) {
    case run_state::succeeded:
      return "succeeded";
    case run_state::succeeded_with_dirty:
      return "succeeded_with_dirty";
    case run_state::failed:
      return "failed";
    case run_state::stopped:
      return "stopped";
  }
  return "unknown";
}

run_core::run_core(config c, run_out& out, run_observer& observer)
    : config_(std::move(c)), out_(out), observer_(observer) {
  started_ = phase_started_ = progress_at_ = out_.now();
  summary_.run = config_.settings.run;
  summary_.job_name = config_.what->name;
  summary_.job_key = config_.what->key;
  summary_.sums_form = config_.sums_form;
  summary_.concurrency_asked = config_.what->speed.concurrent;
}

void run_core::note(notice_level level, const std::string& line) {
  observer_.notice(level, "supervisor", -1, line);
}

void run_core::enter(phase p, const char* timed_as) {
  const auto now = out_.now();
  if (!summary_.phases.empty()) {
    summary_.phases.back().seconds += seconds_between(phase_started_, now);
  }
  phase_started_ = now;
  phase_ = p;
  tries_again_ = 0;
  try_again_at_.reset();
  retry_.reset();
  if (timed_as != nullptr && (summary_.phases.empty() || summary_.phases.back().name != timed_as)) {
    summary_.phases.push_back({timed_as, 0});
  }
}

void run_core::ask_source(source_command c) {
  source_busy_ = true;
  out_.to_source(std::move(c));
}

void run_core::ask_target(target_command c) {
  target_busy_ = true;
  out_.to_target(std::move(c));
}

bool run_core::try_later(const std::string& doing, dirty_side end, error& why) {
  // A run that failed is not held up for its claim, which is void once the process has ended.
  const std::uint32_t most = std::min(config_.settings.retries_max, failure_ ? 1 : UINT32_MAX);
  if (!is_passing(why) || (failure_ && phase_ != phase::release)) {
    return false;
  }
  if (tries_again_ >= most) {
    why = after_tries(std::move(why), tries_again_);
    return false;
  }
  const auto wait = retry_wait(why.kind, tries_again_, retry_salt(summary_.run, 0));
  try_again_at_ = out_.now() + wait;
  retry_ = {end, why.kind, {++tries_again_, most, wait}, *try_again_at_};
  ++summary_.retries;
  note(notice_level::warning, fmt::format("{}: {}; {}", doing, why.message, next_try_text(retry_->next)));
  return true;
}

void run_core::try_again() {
  try_again_at_.reset();
  switch (phase_) {
    case phase::prime:
      prime(priming_);
      break;
    case phase::after:
      finish_at_target(true);
      break;
    case phase::release:
      release();
      break;
    default:
      break;
  }
}

void run_core::start() {
  enter(phase::open, "open");
  ask_source(source_open{});
}

void run_core::on(end_answer& answer) {
  std::visit([this](auto& a) { answered(a); }, answer);
}

// ---- data
// --------------------------------------------------------------------------------------------------------

void run_core::answered(writers_made& a) {
  target_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  enter(phase::data, "data");
  data_started_ = active_since_ = progress_at_ = out_.now();
  progress_counts_ = resumed_counts_;
  for (std::uint32_t i = 0; i < a.writers.size(); ++i) {
    pipelines_[i].stopped = false;
    out_.make_pipeline(i, a.writers[i], mapping_, memory_, summary_.run, delivery_);
  }
  for (std::uint32_t i = 0; i < pipelines_.size() && phase_ == phase::data; ++i) {
    next_split(i);
  }
}

void run_core::account_for_concurrency() {
  const auto now = out_.now();
  summary_.pipeline_seconds += active_ * seconds_between(active_since_, now);
  active_since_ = now;
  active_ = static_cast<std::uint32_t>(
      std::count_if(pipelines_.begin(), pipelines_.end(), [](const auto& p) { return p.split.has_value(); }));
  summary_.concurrency_peak = std::max(summary_.concurrency_peak, active_);
}

void run_core::next_split(std::uint32_t pipeline) {
  std::optional<std::size_t> next;
  if (!again_.empty()) {
    next = again_.back();
    again_.pop_back();
  } else {
    while (next_split_ < splits_.size() && (splits_[next_split_].at.done || splits_[next_split_].assigned)) {
      ++next_split_;
    }
    if (next_split_ < splits_.size()) {
      next = next_split_;
    }
  }
  pipelines_[pipeline].split = next;
  account_for_concurrency();
  if (next) {
    splits_[*next].assigned = true;
    out_.assign(pipeline, {splits_[*next].at.split, splits_[*next].description,
                           epoch_number::make(term_, ++assignments_, 0), splits_[*next].repeats});
  } else if (splits_done_ == splits_.size()) {
    data_complete();
  }
}

void run_core::on(const split_opened& m) {
  split_state& s = splits_[m.at.split.value];
  if (!s.at.done && m.at.done) {
    ++splits_done_;  // it was done by the process that this run continues, after the plan was read
  }
  s.at = m.at;
  s.beside += m.more;
  s.in_flight = {};
}

void run_core::on(const split_wrote& m) {
  splits_[m.split.value].in_flight += m.delta;
  pipelines_[m.pipeline].retry.reset();
}

void run_core::on(const split_committed& m) {
  split_state& s = splits_[m.at.split.value];
  pipelines_[m.pipeline].retry.reset();
  splits_done_ += m.at.done && !s.at.done ? 1 : 0;
  s.repeats = false;
  if (m.at.done) {
    s.rows_before = 0;
  }
  if (target_.has_store && is_in_parts(m.at) && !is_in_parts(s.at) &&
      delivery_.whole == whole_splits::up_to_bound) {
    observer_.notice(
        notice_level::warning, fmt::format("writer {}", m.pipeline), m.at.split.value,
        fmt::format(
            "{} has more than a transaction of the destination is to hold, and is committed in parts from "
            "here on: {} of its rows stand, and a run that is interrupted before the split is done would "
            "write them once more",
            s.label.empty() ? "the split" : escaped(s.label), with_thousands(m.at.counts.written)));
  }
  s.at = m.at;
  s.beside += m.more;
  s.in_flight = {};
  tell_committed();
  if (m.at.done && pipelines_[m.pipeline].split == std::optional<std::size_t>(m.at.split.value)) {
    pipelines_[m.pipeline].split.reset();
    if (failure_) {
      account_for_concurrency();
    } else {
      next_split(m.pipeline);
    }
  }
}

/// Of output that appears at the run's end nothing stands yet.
void run_core::tell_committed() {
  if ((target_.has_store && !target_.what.appears_whole) || target_.what.rows_stand) {
    repeated_rows beside;
    for (const split_state& s : splits_) {
      beside.count += s.beside.rows;
      beside.at_most = beside.at_most || !s.beside.sure;
    }
    observer_.committed(committed_counts().written, beside);
  }
}

void run_core::on(const split_rewound& m) {
  ++summary_.rewinds;
  splits_[m.split.value].in_flight = {};
  std::string next = "read again at once";
  if (m.next.number != 0) {
    ++summary_.retries;
    pipelines_[m.pipeline].retry = {m.end, m.why.kind, m.next, out_.now() + m.next.wait};
    next = next_try_text(m.next);
  }
  observer_.notice(notice_level::warning,
                   fmt::format("{} {}", m.end == dirty_side::reader ? "reader" : "writer", m.pipeline),
                   m.split.value,
                   fmt::format("{}; {}, from the mark at record {}", m.why.message, next,
                               splits_[m.split.value].at.position));
}

void run_core::on(const reader_failed& m) {
  if (phase_ == phase::data && !failure_ && m.epoch.value != 0 && is_passing(m.why)) {
    out_.reopen(m.pipeline, {m.epoch, m.why});
    return;
  }
  error why = m.why;
  if (phase_ == phase::prime && try_later("reading the first batch", dirty_side::reader, why)) {
    return;
  }
  if (why.kind != error_kind::cancelled || !failure_) {
    fail_run(placed(with_label(std::move(why), splits_[m.split.value].label), *config_.what,
                    config_.what->reader.place));
  }
}

void run_core::on(const split_failed& m) {
  pipelines_[m.pipeline].split.reset();
  pipelines_[m.pipeline].retry.reset();
  split_state& s = splits_[m.split.value];
  s.in_flight = {};
  account_for_concurrency();
  // Another pipeline would not know what this one has committed where no mark tells.
  const bool stands = delivery_.remembers && !delivery_.may_repeat;
  if (m.why.kind == error_kind::internal && !s.retried_after_internal && !failure_ && !stands) {
    s.retried_after_internal = true;
    note(
        notice_level::error,
        fmt::format("split {} ({}) ended with an internal error, please report it: {}; it is tried once more",
                    m.split.value, s.label, m.why.message));
    again_.push_back(m.split.value);
    next_split(m.pipeline);
    return;
  }
  if (m.why.kind == error_kind::conflict) {
    fail_run({error_kind::conflict,
              fmt::format("split {} ({}) belongs to another process now: {}", m.split.value, s.label,
                          m.why.message),
              m.why.code, true});
    return;
  }
  const error why = with_label(m.why, s.label);
  fail_run(
      !m.end ? why
             : placed(why, *config_.what,
                      m.end == dirty_side::reader ? config_.what->reader.place : config_.what->writer.place));
}

void run_core::on(const dirty_seen& m) {
  observer_.dirty(m.record, m.split.value);
}

void run_core::on(const run_must_fail& m) {
  fail_run(m.why);
}

void run_core::data_complete() {
  if (data_done_ || failure_) {
    return;
  }
  data_done_ = true;
  account_for_concurrency();
  for (std::uint32_t i = 0; i < pipelines_.size(); ++i) {
    pipelines_[i].stop_sent = true;
    out_.stop_pipeline(i);
  }
  if (all_stopped()) {
    end_data_phase();
  }
}

bool run_core::all_stopped() const {
  return std::all_of(pipelines_.begin(), pipelines_.end(), [](const auto& p) { return p.stopped; });
}

void run_core::on(const writer_stopped& m) {
  pipelines_[m.pipeline].stopped = true;
  if (failure_) {
    when_quiet();
  } else if (data_done_ && all_stopped() && phase_ == phase::data) {
    end_data_phase();
  }
}

// ---- after the data
// -------------------------------------------------------------------------------------------

record_counts run_core::committed_counts() const {
  record_counts all;
  for (const split_state& s : splits_) {
    all += s.at.counts;
  }
  return all;
}

std::optional<error> run_core::expectation_failure(std::uint64_t records, std::uint64_t dirty,
                                                   known how) const {
  const expectation& x = config_.what->expect;
  if (how == known::exactly && x.min_records && records < *x.min_records) {
    return error{error_kind::over_limit,
                 fmt::format("{}: at least {} records are expected, but the source has {}",
                             x.min_records_place, *x.min_records, records),
                 "expect", false};
  }
  if (x.max_records && records > *x.max_records) {
    return error{
        error_kind::over_limit,
        fmt::format("{}: at most {} records are expected, but the source has {}{}", x.max_records_place,
                    *x.max_records, how == known::at_least ? "at least " : "", records),
        "expect", false};
  }
  if (how == known::exactly && x.max_dirty_ratio && records != 0 &&
      static_cast<double>(dirty) / static_cast<double>(records) > *x.max_dirty_ratio) {
    return error{error_kind::over_limit,
                 fmt::format("{}: at most the share {} may be dirty, but {} of {} records are",
                             x.max_dirty_ratio_place, *x.max_dirty_ratio, dirty, records),
                 "expect", false};
  }
  return std::nullopt;
}

void run_core::end_data_phase() {
  data_ended_ = out_.now();
  collect_waits(*data_ended_);
  enter(phase::check, "check");
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    const mark& m = splits_[i].at;
    if (!m.done || !m.counts.closes() || !m.sums.closes()) {
      fail_run({error_kind::over_limit,
                fmt::format("the account of split {} ({}) does not close: read {}, written {}, ignored {}, "
                            "dirty {}, filtered {}",
                            i, splits_[i].label, m.counts.read, m.counts.written, m.counts.ignored,
                            m.counts.dirty, m.counts.filtered),
                "account", false});
      return;
    }
  }
  const record_counts all = committed_counts();
  if (auto e = expectation_failure(all.read, all.dirty, known::exactly)) {
    fail_run(std::move(*e));
    return;
  }
  ask_source(source_check{});
}

void run_core::answered(source_checked&) {
  source_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  enter(phase::seal, "seal");
  errors_seal_sent_ = true;
  const record_counts all = committed_counts();
  out_.seal_errors({all.read, all.dirty});
}

void run_core::on(const error_sealed& m) {
  errors_sealed_ = true;
  summary_.dirty_by_code = m.by_code;
  std::uint64_t told = 0;
  for (const auto& [code, records] : m.by_code) {
    told += records;
  }
  if (const std::uint64_t all = committed_counts().dirty; all > told) {
    // Of splits that this process has not opened, and whose text is lost.
    summary_.dirty_by_code["counted_before_resume"] += all - told;
  }
  summary_.dirty_missing = m.missing;
  summary_.dirty_taken_back = m.above_marks;
  only_reason_ = m.only_reason;
  if (failure_) {
    when_quiet();
    return;
  }
  if (m.failure) {
    fail_run(*m.failure);
    return;
  }
  if (m.limit) {
    fail_run(*m.limit);
    return;
  }
  enter(phase::after, "post_sql");
  after_begun_ = true;
  finish_at_target(false);
}

void run_core::finish_at_target(bool again) {
  target_after after{
      summary_.run, stage_step(stage_, "post:"), {summary_.dirty_by_code, summary_.dirty_missing}, again};
  if (config_.settings.verify_written) {
    run_settings::written_totals written{summary_.run, committed_counts(), {}};
    for (const split_state& s : splits_) {
      written.sums += s.at.sums;
    }
    after.verify = [look = config_.settings.verify_written, written](const stop_signal& stop) {
      return look(written, stop);
    };
  }
  ask_target(std::move(after));
}

void run_core::answered(target_finished&) {
  target_busy_ = false;
  finished_at_target_ = true;
  if (failure_) {
    // A stop that came when everything was done already: the run is complete, and says so.
    failure_.reset();
    stopped_on_request_ = false;
  }
  finish_summary();
}

}  // namespace sluice
