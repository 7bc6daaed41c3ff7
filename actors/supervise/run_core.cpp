#include "actors/supervise/run_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "actors/supervise/continuation.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

double seconds_between(steady_clock::time_point from, steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// N of `pre:N` and `post:N`; nothing for other stages.
std::optional<std::size_t> stage_step(const std::string& stage, std::string_view prefix) {
  if (stage.rfind(prefix, 0) != 0) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(std::strtoull(stage.c_str() + prefix.size(), nullptr, 10));
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

void run_core::start() {
  enter(phase::open, "open");
  ask_source(source_open{});
}

void run_core::on(end_answer& answer) {
  std::visit([this](auto& a) { answered(a); }, answer);
}

// ---- opening and planning
// ----------------------------------------------------------------------------------

void run_core::answered(source_opened& a) {
  source_busy_ = false;
  source_ = std::move(a.what);
  summary_.read_statements = source_.statements;
  summary_.reader_columns = columns_text(*source_.columns);
  for (const std::string& line : source_.notes) {
    note(notice_level::info, line);
  }
  if (failure_) {
    when_quiet();
    return;
  }
  auto behind = columns_behind_transformers(*config_.what, source_.columns, config_.conversion);
  if (!behind) {
    fail_run(std::move(behind).error());
    return;
  }
  columns_behind_ = std::move(*behind);
  ask_target(target_open{columns_behind_, config_.what->key, config_.what->name});
}

void run_core::answered(target_opened& a) {
  target_busy_ = false;
  target_ = std::move(a);
  summary_.promise = target_.what.promise;
  if (failure_) {
    when_quiet();
    return;
  }
  if (!source_.locked_file.empty() && source_.locked_file == target_.what.locked_file) {
    fail_run(
        {error_kind::bad_option,
         fmt::format(
             "{}: reader and writer use the same file {}, and one would lock the other out: write to another "
             "file, or switch this one to WAL mode (PRAGMA journal_mode=WAL)",
             config_.what->writer.place, sluice::quoted(source_.locked_file)),
         "same_file", true});
    return;
  }
  if (target_.what.columns != nullptr) {
    summary_.writer_columns = columns_text(*target_.what.columns);
    auto map = make_mapping(*config_.what, source_.columns, target_.what.columns, config_.conversion);
    if (!map) {
      fail_run(std::move(map).error());
      return;
    }
    mapping_ = std::move(*map);
  }
  for (const std::string& line : target_.what.changes) {
    note(notice_level::info, line);
  }
  if (target_.has_store) {
    note(notice_level::info,
         fmt::format("progress and claim stand in {} of the destination", target_.tables));
  }
  go_on_from(decide_continuation(target_.runs, start_facts_of_job()));
}

start_facts run_core::start_facts_of_job() const {
  start_facts mine;
  mine.job_key = config_.what->key;
  mine.instance = config_.what->instance;
  mine.job_name = config_.what->name;
  mine.output = target_.what.output;
  mine.output_name = target_.what.name;
  mine.empties = target_.what.empties;
  for (const auto& [name, digest] : config_.what->key_parts) {
    mine.key_parts.push_back({name, {digest}});
  }
  mine.may_resume = target_.what.exactly_once;
  mine.on_unfinished = config_.settings.on_unfinished;
  mine.resume_window = config_.settings.resume_window;
  return mine;
}

void run_core::go_on_from(continuation next) {
  if (auto* r = std::get_if<refuse>(&next)) {
    summary_.in_the_way = r->in_the_way;
    fail_run(placed(std::move(r->why), config_.what->writer.place));
  } else if (auto* done = std::get_if<only_release>(&next)) {
    finish_off(done->run);
  } else if (auto* go_on = std::get_if<go_on_with>(&next)) {
    for (const std::string& line : go_on->notices) {
      note(notice_level::warning, line);
    }
    resumed_ = true;
    seen_ = go_on->run;
    stage_ = go_on->run.stage;
    summary_.run = go_on->run.run;
    summary_.resumed = true;
    ask_target(target_load{go_on->run.run});
  } else {
    auto& fresh = std::get<begin_fresh>(next);
    for (const std::string& line : fresh.notices) {
      note(notice_level::warning, line);
    }
    discard_ = std::move(fresh.discard);
    enter(phase::plan, "plan");
    ask_source(source_plan{config_.what->speed.concurrent});
  }
}

void run_core::finish_off(const run_row& run) {
  summary_.run = run.run;
  summary_.resumed = true;
  finished_before_ = run.totals.value_or(run_totals{});
  note(notice_level::info,
       fmt::format("run {} was complete when its process died; only its claim is released now{}",
                   run.run.text(),
                   run.totals ? "" : " (its row, of an older program, does not hold its account)"));
  claimed_ = true;
  finished_at_target_ = true;
  finish_summary();
}

void run_core::answered(target_loaded& a) {
  target_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  if (a.rows.empty()) {
    // The process died between claim and freeze: nothing has moved, and its plan does not exist.
    note(notice_level::info, fmt::format("run {} had claimed the job and planned nothing yet; it begins anew",
                                         seen_->run.text()));
    discard_.push_back(seen_->run);
    seen_.reset();
    resumed_ = false;
    stage_ = "claimed";
    summary_.run = config_.settings.run;
    summary_.resumed = false;
    enter(phase::plan, "plan");
    ask_source(source_plan{config_.what->speed.concurrent});
    return;
  }
  for (progress_row& row : a.rows) {
    split_state s;
    s.description = std::move(row.description);
    s.label = std::move(row.label);
    s.at = std::move(row.at);
    resumed_counts_ += s.at.counts;
    splits_done_ += s.at.done ? 1 : 0;
    splits_.push_back(std::move(s));
  }
  note(notice_level::info,
       fmt::format("continuing run {} at {} records read, {} of {} splits done", seen_->run.text(),
                   with_thousands(resumed_counts_.read), splits_done_, splits_.size()));
  splits_known();
}

void run_core::answered(source_planned& a) {
  source_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  for (std::size_t i = 0; i < a.splits.size(); ++i) {
    split_state s;
    s.description = std::move(a.splits[i].description);
    s.label = std::move(a.splits[i].label);
    s.records_exact = a.splits[i].records_exact;
    s.bytes_estimate = a.splits[i].bytes_estimate;
    s.at.split = {static_cast<std::uint32_t>(i)};
    splits_.push_back(std::move(s));
  }
  splits_known();
}

void run_core::splits_known() {
  const auto asked = std::max<std::uint32_t>(config_.what->speed.concurrent, 1);
  const std::size_t undone = splits_.size() - splits_done_;
  concurrency_ = asked;
  std::string reason = config_.what->speed.concurrent_reason;
  if (target_.what.writers_max != 0 && target_.what.writers_max < concurrency_) {
    concurrency_ = target_.what.writers_max;
    reason = fmt::format("{} of {} asked for: the destination takes {} writer{}", concurrency_, asked,
                         concurrency_, concurrency_ == 1 ? "" : "s");
  }
  if (undone < concurrency_) {
    concurrency_ = static_cast<std::uint32_t>(std::max<std::size_t>(undone, 1));
    reason = fmt::format("{} of {} asked for: there {} {} split{} to read", concurrency_, asked,
                         undone == 1 ? "is" : "are", undone, undone == 1 ? "" : "s");
  }
  summary_.concurrency_reason = reason;
  memory_ = divide_memory(config_.settings.memory_bytes, concurrency_, config_.what->speed.bytes_per_second);

  std::optional<std::uint64_t> exact = 0;
  for (const split_state& s : splits_) {
    exact = exact && s.records_exact ? std::optional(*exact + *s.records_exact) : std::nullopt;
  }
  if (exact) {
    if (auto e = expectation_failure(*exact, 0, false)) {
      fail_run(std::move(*e));
      return;
    }
  }
  observer_.planned({summary_.run, resumed_, target_.what.exactly_once, summary_.promise, concurrency_,
                     summary_.concurrency_reason, splits_.size()});
  errors_started_ = true;
  std::vector<mark> done;
  for (const split_state& s : splits_) {
    if (s.at.done) {
      done.push_back(s.at);
    }
  }
  out_.start_dirty(summary_.run, !target_.has_store, resumed_ ? std::optional(summary_.run) : std::nullopt,
                   exact, done);
  enter(phase::prime, "first_batch");
  if (undone == 0) {
    claim();
    return;
  }
  ask_source(source_make_readers{concurrency_});
}

void run_core::answered(readers_made& a) {
  source_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  for (std::uint32_t i = 0; i < a.readers.size(); ++i) {
    out_.make_reader(i, a.readers[i], source_.columns, memory_, summary_.run);
    pipelines_.emplace_back();
    pipelines_.back().stopped = true;  // until its writer exists there is nothing to wait for
  }
  const auto first = std::find_if(splits_.begin(), splits_.end(), [](const auto& s) { return !s.at.done; });
  out_.prime(0, {first->at.split, first->description, {0}, first->at.after, first->at.position, 0});
}

void run_core::on(const reader_primed&) {
  if (phase_ == phase::prime && !failure_) {
    claim();
  }
}

void run_core::claim() {
  enter(phase::claim, "prepare");
  if (!target_.has_store) {
    before();
    return;
  }
  target_claim c;
  c.mine.run = summary_.run;
  c.mine.job_key = config_.what->key;
  c.mine.instance = config_.what->instance;
  c.mine.job_name = config_.what->name;
  c.mine.stage = stage_;
  c.mine.owner = config_.me;
  const start_facts mine = start_facts_of_job();
  c.mine.output = mine.output;
  c.mine.empties = mine.empties;
  c.mine.key_parts = mine.key_parts;
  c.seen = seen_;
  c.discard = discard_;
  if (!resumed_) {
    for (const split_state& s : splits_) {
      c.splits.push_back({s.description, s.label, s.at});
    }
  }
  ask_target(std::move(c));
}

void run_core::answered(target_claimed& a) {
  target_busy_ = false;
  claimed_ = true;
  term_ = a.term;
  summary_.forgotten = std::move(discard_);
  if (failure_) {
    when_quiet();
    return;
  }
  if (stage_step(stage_, "post:")) {
    data_done_ = true;
    end_data_phase();
    return;
  }
  before();
}

void run_core::before() {
  enter(phase::before, "pre_sql");
  before_begun_ = true;
  ask_target(target_before{summary_.run, stage_step(stage_, "pre:").value_or(0), stage_ == "loading",
                           columns_behind_});
}

void run_core::answered(target_ready& a) {
  target_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  target_.what = std::move(a.what);
  auto map = make_mapping(*config_.what, source_.columns, target_.what.columns, config_.conversion);
  if (!map) {
    fail_run(std::move(map).error());
    return;
  }
  mapping_ = std::move(*map);
  summary_.writer_columns = columns_text(*mapping_->target);
  for (const std::string& line : mapping_->lines) {
    note(notice_level::info, line);
  }
  if (pipelines_.empty()) {
    data_started_ = active_since_ = out_.now();
    enter(phase::data, "data");
    data_complete();
    return;
  }
  ask_target(target_make_writers{concurrency_, mapping_->target});
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
    out_.make_pipeline(i, a.writers[i], mapping_, memory_, summary_.run, source_.resumable);
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
                           epoch_number::make(term_, ++assignments_, 0)});
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
  s.in_flight = {};
}

void run_core::on(const split_wrote& m) {
  splits_[m.split.value].in_flight += m.delta;
}

void run_core::on(const split_committed& m) {
  split_state& s = splits_[m.at.split.value];
  splits_done_ += m.at.done && !s.at.done ? 1 : 0;
  s.at = m.at;
  s.in_flight = {};
  if (m.at.done && pipelines_[m.pipeline].split == std::optional<std::size_t>(m.at.split.value)) {
    pipelines_[m.pipeline].split.reset();
    if (failure_) {
      account_for_concurrency();
    } else {
      next_split(m.pipeline);
    }
  }
}

void run_core::on(const split_rewound& m) {
  ++summary_.rewinds;
  splits_[m.split.value].in_flight = {};
  observer_.notice(notice_level::warning, fmt::format("writer {}", m.pipeline), m.split.value,
                   fmt::format("{}; going on from the mark at record {} in {} ms", m.why.message,
                               splits_[m.split.value].at.position, m.wait.count()));
}

void run_core::on(const reader_failed& m) {
  const bool passing =
      (m.why.kind == error_kind::not_connected || m.why.kind == error_kind::busy) && !m.why.final;
  if (phase_ == phase::data && !failure_ && m.epoch.value != 0 && passing) {
    out_.reopen(m.pipeline, {m.epoch, m.why});
    return;
  }
  if (m.why.kind != error_kind::cancelled || !failure_) {
    fail_run(placed(with_label(m.why, splits_[m.split.value].label), config_.what->reader.place));
  }
}

void run_core::on(const split_failed& m) {
  pipelines_[m.pipeline].split.reset();
  split_state& s = splits_[m.split.value];
  s.in_flight = {};
  account_for_concurrency();
  if (m.why.kind == error_kind::internal && !s.retried_after_internal && !failure_) {
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
  fail_run(!m.end ? why
                  : placed(why, m.end == dirty_side::reader ? config_.what->reader.place
                                                            : config_.what->writer.place));
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
                                                   bool complete) const {
  const expectation& x = config_.what->expect;
  if (x.min_records && records < *x.min_records) {
    return error{error_kind::over_limit,
                 fmt::format("{}: at least {} records are expected, but the source has {}",
                             x.min_records_place, *x.min_records, records),
                 "expect", false};
  }
  if (x.max_records && records > *x.max_records) {
    return error{error_kind::over_limit,
                 fmt::format("{}: at most {} records are expected, but the source has {}",
                             x.max_records_place, *x.max_records, records),
                 "expect", false};
  }
  if (complete && x.max_dirty_ratio && records != 0 &&
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
  if (auto e = expectation_failure(all.read, all.dirty, true)) {
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
  ask_target(target_after{summary_.run,
                          stage_step(stage_, "post:").value_or(0),
                          {summary_.dirty_by_code, summary_.dirty_missing}});
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
