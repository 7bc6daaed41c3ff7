// How a run begins: both ends open, what is found there, the plan, the first batch, the claim, the steps.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/plan/own_encoding.h"
#include "actors/supervise/beginnings.h"
#include "actors/supervise/run_core.h"
#include "actors/supervise/same_ends.h"
#include "plugins/api/step_stage.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// Small splits are read twice where an expectation asks how many records there are in all: not too many of
/// them.
constexpr std::uint64_t records_looked_at_max = 100'000;

/// Where another start takes each claim that comes free, somebody has to give in.
constexpr std::size_t takeovers_max = 3;

}  // namespace

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
  ask_target(target_open{columns_behind_, config_.what->key, config_.what->name, source_.table});
}

void run_core::answered(target_opened& a) {
  target_busy_ = false;
  target_ = std::move(a);
  summary_.promise = target_.what.promise;
  if (failure_) {
    when_quiet();
    return;
  }
  if (auto same = same_file_failure(*config_.what, source_, target_.what)) {
    fail_run(std::move(*same));
    return;
  }
  if (auto less = delivery_failure(*config_.what, source_, target_.what)) {
    fail_run(std::move(*less));
    return;
  }
  if (const auto own = own_output_warning(*config_.what, source_, target_.what); !own.empty()) {
    note(notice_level::warning, own);
  }
  if (target_.what.columns != nullptr) {
    summary_.writer_columns = columns_text(*target_.what.columns);
  }
  if (target_.what.columns != nullptr || !target_.what.names.empty()) {
    auto map = make_mapping(*config_.what, source_.columns, target_.what.columns, config_.conversion,
                            target_.what.names, target_.what.left_out);
    if (!map) {
      fail_run(std::move(map).error());
      return;
    }
    take_mapping(std::move(*map));
  }
  for (const std::string& line : target_.what.changes) {
    note(notice_level::info, line);
  }
  if (target_.has_store) {
    note(notice_level::info,
         fmt::format("progress and claim stand in {} of the destination", target_.tables));
  }
  if (auto not_told = not_told_of_runs()) {
    fail_run(placed(std::move(*not_told), *config_.what, config_.what->writer.place));
    return;
  }
  go_on_from_found();
}

/// Where the destination does not keep what the caller's flags ask for.
std::optional<error> run_core::not_told_of_runs() const {
  const run_settings& asked = config_.settings;
  const auto& planned = config_.what->planned;
  if (!target_.has_store && (asked.once || asked.takeover)) {
    return error{error_kind::not_supported,
                 fmt::format("{} is not for this destination: it keeps no claims and marks that tell {}",
                             asked.once ? "--once" : "--if-running takeover",
                             asked.once ? "what is done" : "who is at work"),
                 "", true};
  }
  if (asked.once && target_.what.appears_whole && !(planned && planned->given)) {
    return error{
        error_kind::not_supported,
        "--once needs a planned time here: what a folder of files keeps of a run that is done is kept "
        "for planned times that were given. Give --bizdate, --cyctime or --at",
        "", true};
  }
  return std::nullopt;
}

void run_core::go_on_from_found() {
  start_facts mine =
      start_facts_of(*config_.what, target_, config_.settings.on_unfinished, config_.settings.resume_window);
  mine.only = config_.settings.only;
  mine.pre_sql_unsure = config_.settings.pre_sql_unsure;
  mine.post_sql_unsure = config_.settings.post_sql_unsure;
  mine.once = config_.settings.once;
  mine.takeover = config_.settings.takeover && taken_.size() < takeovers_max;
  mine.same_ends = config_.settings.same_ends;
  mine.taken = taken_;
  mine.left = config_.settings.left;
  go_on_from(decide_continuation(target_.runs, mine));
}

void run_core::take(const run_row& from) {
  note(notice_level::warning,
       fmt::format("run {} is taken from process {} on {} (--if-running takeover); its sessions are ended",
                   from.run.text(), from.owner->pid, escaped(from.owner->host)));
  taken_.push_back(from.run);
  ask_target(target_take{from, {config_.what->key, config_.what->name, target_.what.output}});
}

void run_core::answered(target_taken& a) {
  target_busy_ = false;
  target_.runs = std::move(a.runs);
  if (failure_) {
    when_quiet();
    return;
  }
  go_on_from_found();
}

void run_core::go_on_from(continuation next) {
  if (auto* r = std::get_if<refuse_start>(&next)) {
    summary_.in_the_way = r->in_the_way;
    fail_run(placed(std::move(r->why), *config_.what, config_.what->writer.place));
  } else if (auto* other = std::get_if<plan_otherwise>(&next)) {
    summary_.plan_as = other->planned;
    fail_run({error_kind::conflict,
              fmt::format("{}: run {} of this job is unfinished and was planned for {} in {}",
                          config_.what->writer.place, other->run.run.text(), other->planned.text(),
                          escaped(other->planned.zone)),
              "planned_otherwise", true});
  } else if (auto* done = std::get_if<only_release>(&next)) {
    finish_off(done->run);
  } else if (auto* taken = std::get_if<take_over>(&next)) {
    take(taken->from);
  } else if (auto* go_on = std::get_if<go_on_with>(&next)) {
    go_on_notices_ = std::move(go_on->notices);
    resumed_ = true;
    seen_ = go_on->run;
    stage_ = go_on->stage;
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
       fmt::format("run {} was complete when {}; only its claim is released now{}", run.run.text(),
                   taken_.empty() ? "its process died" : "it was taken over",
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
    // Without that word they may have come to stand since this start was decided on.
    const bool in_parts = is_in_parts(row.at);
    s.repeats = in_parts && config_.settings.on_unfinished == run_settings::unfinished::resume;
    s.rows_before = in_parts ? row.at.counts.written : 0;
    s.at = in_parts ? mark_at_start(row.at.split, row.at.epoch) : std::move(row.at);
    resumed_counts_ += s.at.counts;
    splits_done_ += s.at.done ? 1 : 0;
    splits_.push_back(std::move(s));
  }
  const auto steps_ran = stage_step(stage_, "post:");
  note(notice_level::info,
       fmt::format("continuing run {}{} at {} records read, {} of {} splits done{}", seen_->run.text(),
                   seen_->job_name == config_.what->name
                       ? ""
                       : fmt::format(", begun as job {},", in_quotes(seen_->job_name)),
                   with_thousands(resumed_counts_.read), splits_done_, splits_.size(),
                   steps_ran ? fmt::format("; {} of the {} steps behind the data have run", *steps_ran,
                                           target_.after.size())
                             : ""));
  const error_limit& limit = config_.what->errors;
  if (limit.records && resumed_counts_.dirty > *limit.records) {
    fail_run(
        {error_kind::over_limit,
         fmt::format("{}: the limit is {} dirty records, but the run that is to be continued has {} already, "
                     "of {} records read",
                     limit.place.empty() ? "errorLimit" : limit.place, *limit.records,
                     with_thousands(resumed_counts_.dirty), with_thousands(resumed_counts_.read)),
         "errorLimit", false});
    return;
  }
  if (steps_ran) {
    splits_known();  // the source was found unchanged before: what became of it since is nobody's business
    return;
  }
  source_take_up all;
  for (const split_state& s : splits_) {
    all.splits.push_back({s.description, s.at.after, s.at.done});
  }
  ask_source(std::move(all));
}

void run_core::answered(source_taken_up& a) {
  source_busy_ = false;
  for (std::size_t i = 0; i < a.bound_by.size(); ++i) {
    splits_[i].bound_by = std::move(a.bound_by[i]);
  }
  if (failure_) {
    when_quiet();
    return;
  }
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
    s.bound_by = i < a.bound_by.size() ? std::move(a.bound_by[i]) : std::string();
    s.at.split = {static_cast<std::uint32_t>(i)};
    splits_.push_back(std::move(s));
  }
  splits_known();
}

void run_core::splits_known() {
  const std::size_t undone = splits_.size() - splits_done_;
  concurrency_choice choice = choose_concurrency(config_.what->speed, target_.what.writers_max, undone);
  concurrency_ = choice.pipelines;
  summary_.concurrency_reason = std::move(choice.reason);
  memory_ = divide_memory(config_.settings.memory_bytes, concurrency_, throttle_of(config_.what->speed));

  choose();

  std::optional<std::uint64_t> exact = 0;
  for (const split_state& s : splits_) {
    exact = exact && s.records_exact ? std::optional(*exact + *s.records_exact) : std::nullopt;
  }
  if (exact) {
    if (auto e = expectation_failure(*exact, 0, known::exactly)) {
      fail_run(std::move(*e));
      return;
    }
  }
  observer_.planned({summary_.run, resumed_, target_.has_store && target_.what.exactly_once, summary_.promise,
                     concurrency_, summary_.concurrency_reason, splits_.size()});
  // Not before: they belong into the log of the run that is continued.
  for (const std::string& line : std::exchange(go_on_notices_, {})) {
    note(notice_level::warning, line);
  }
  errors_started_ = true;
  std::vector<mark> done;
  for (const split_state& s : splits_) {
    if (s.at.done) {
      done.push_back(s.at);
    }
  }
  // Where a split is gone on with in what was committed of it, a record counts as refused from there on.
  const bool publish_at_once = !target_.has_store && !target_.what.rows_stand;
  out_.start_dirty(summary_.run, publish_at_once, resumed_ ? std::optional(summary_.run) : std::nullopt,
                   exact, done);
  enter(phase::prime, "first_batch");
  if (undone == 0) {
    claim();
    return;
  }
  if (mapping_ != nullptr && !config_.settings.verify_written) {
    own_ = columns_in_own_bytes(*mapping_, target_.what.takes_own);
  }
  ask_source(source_make_readers{concurrency_, own_});
}

void run_core::choose() {
  std::vector<split_size> sizes;
  for (const split_state& s : splits_) {
    if (!s.at.done) {
      sizes.push_back({s.label, s.records_exact, s.bytes_estimate});
    }
  }
  delivery_ =
      choose_delivery(config_.what->delivery, source_, target_.what, sizes, limits_of(config_.settings));
  summary_.promise = delivery_.promise;
}

void run_core::answered(readers_made& a) {
  source_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  own_read_ = std::move(a.own);
  for (std::uint32_t i = 0; i < a.readers.size(); ++i) {
    out_.make_reader(i, a.readers[i], own_read_ != nullptr ? own_read_ : source_.columns, memory_,
                     summary_.run);
    pipelines_.emplace_back();
    pipelines_.back().stopped = true;  // until its writer exists there is nothing to wait for
  }
  const auto first = std::find_if(splits_.begin(), splits_.end(), [](const auto& s) { return !s.at.done; });
  prime(static_cast<std::size_t>(first - splits_.begin()));
}

void run_core::prime(std::size_t split) {
  priming_ = split;
  const split_state& s = splits_[split];
  out_.prime(0, {s.at.split, s.description, {0}, s.at.after, s.at.position, 0});
}

void run_core::on(const reader_primed& m) {
  if (phase_ != phase::prime || failure_) {
    return;
  }
  retry_.reset();
  const expectation& x = config_.what->expect;
  // Of a run whose data was begun only the end tells.
  const bool begun = stage_ != "claimed" && !stage_step(stage_, "pre:");
  if (looked_ahead_ || begun || (!x.min_records && !x.max_records && !x.max_dirty_ratio)) {
    claim();
  } else {
    look_ahead(m);
  }
}

void run_core::look_ahead(const reader_primed& m) {
  records_primed_ += m.records;
  dirty_primed_ += m.dirty;
  ++splits_primed_;
  const bool all = m.complete && splits_primed_ == splits_.size();
  if (auto e = expectation_failure(records_primed_, dirty_primed_, all ? known::exactly : known::at_least)) {
    fail_run(std::move(*e));
    return;
  }
  const expectation& x = config_.what->expect;
  const bool decided = all || (!x.max_records && !x.max_dirty_ratio && records_primed_ >= *x.min_records);
  if (m.complete && !decided && records_primed_ < records_looked_at_max) {
    prime(splits_primed_);
    return;
  }
  looked_ahead_ = true;
  if (splits_primed_ == 1) {
    claim();
  } else {
    prime(0);  // what is in hand is the beginning of another split
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
  c.mine.planned_time = config_.what->planned ? config_.what->planned->kept_text() : std::string();
  c.mine.owner = config_.me;
  const start_facts mine =
      start_facts_of(*config_.what, target_, config_.settings.on_unfinished, config_.settings.resume_window);
  c.mine.output = mine.output;
  c.mine.empties = mine.empties;
  c.mine.key_parts = mine.key_parts;
  const scalar_list ends = ends_parts(mine.ends);
  c.mine.key_parts.insert(c.mine.key_parts.end(), ends.begin(), ends.end());
  c.seen = seen_;
  c.discard = discard_;
  for (const run_row& row : target_.runs) {
    c.known.push_back(row.run);
  }
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
  renewed_at_ = out_.now();
  term_ = a.term;
  observer_.forgot(discard_);
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

void run_core::take_mapping(std::shared_ptr<const mapping> map) {
  // The steps before may have changed the destination, so that only now there is something to warn of.
  if (mapping_ == nullptr || mapping_->warnings != map->warnings) {
    for (const std::string& line : map->warnings) {
      note(notice_level::warning, line);
    }
  }
  mapping_ = std::move(map);
}

void run_core::before() {
  enter(phase::before, "pre_sql");
  before_begun_ = true;
  ask_target(target_before{summary_.run, stage_step(stage_, "pre:").value_or(0), stage_ == "loading",
                           columns_behind_, splits_.size()});
}

void run_core::answered(target_ready& a) {
  target_busy_ = false;
  if (failure_) {
    when_quiet();
    return;
  }
  target_.what = std::move(a.what);
  if (auto less = delivery_failure(*config_.what, source_, target_.what)) {
    fail_run(std::move(*less));  // by a table that a step before has made
    return;
  }
  const std::string promised = delivery_.promise;
  choose();
  if (delivery_.promise != promised) {
    note(notice_level::warning,
         fmt::format("behind the steps before the data the promise is: {}", delivery_.promise));
  }
  auto map = make_mapping(*config_.what, source_.columns, target_.what.columns, config_.conversion,
                          target_.what.names, target_.what.left_out);
  if (!map) {
    fail_run(std::move(map).error());
    return;
  }
  take_mapping(std::move(*map));
  summary_.writer_columns = columns_text(*mapping_->target);
  for (const std::string& line : mapping_->lines) {
    note(notice_level::info, line);
  }
  if (!own_.empty() && !carry_own_columns()) {
    return;
  }
  if (pipelines_.empty()) {
    data_started_ = active_since_ = out_.now();
    enter(phase::data, "data");
    data_complete();
    return;
  }
  ask_target(target_make_writers{concurrency_, mapping_->target});
}

bool run_core::carry_own_columns() {
  // The readers were made for what the destination was before its steps.
  const std::vector<bool> now = columns_in_own_bytes(*mapping_, target_.what.takes_own);
  for (std::size_t i = 0; i < own_.size(); ++i) {
    if (own_[i] && (now.empty() || !now[i])) {
      fail_run({error_kind::busy,
                fmt::format("{}: column {} is of another type than before the steps, and was to take the "
                            "source's bytes as they are",
                            config_.what->writer.place, in_quotes((*mapping_->target)[i].name)),
                "", false});
      return false;
    }
  }
  mapping_ = with_own_columns(*mapping_, own_read_);
  summary_.sums_form = sums_form_of(*mapping_);
  note(notice_level::info, fmt::format("{} of {} columns travel in the bytes that both ends have for them",
                                       std::count(own_.begin(), own_.end(), true), own_.size()));
  return true;
}

}  // namespace sluice
