// How a run ends: what stops it, what is waited for, what its summary says.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "actors/supervise/beginnings.h"
#include "actors/supervise/run_core.h"
#include "plugins/api/marks_lost.h"
#include "plugins/api/step_stage.h"
#include "plugins/api/time_limit.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using std::chrono::steady_clock;

double seconds_between(steady_clock::time_point from, steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// By another run of the same command.
bool may_be_tried_again(const error& why) {
  return why.code != step_unknown_code && why.code != time_limit_code &&
         (why.code == marks_lost_code || why.kind == error_kind::not_connected ||
          why.kind == error_kind::busy || why.kind == error_kind::no_room ||
          why.kind == error_kind::cancelled);
}

}  // namespace

void run_core::answered(end_failed& a) {
  (a.source ? source_busy_ : target_busy_) = false;
  const bool repeatable = phase_ == phase::release || (phase_ == phase::after && target_.has_store);
  if (!a.source && repeatable && try_later(a.doing, dirty_side::writer, a.why)) {
    return;
  }
  if (phase_ == phase::release && a.why.code == taken_over_code && failure_) {
    was_taken_over(std::move(a.why));
    return;
  }
  if (phase_ == phase::release) {
    const bool still_claimed = claimed_ && a.why.code != taken_over_code;
    note(notice_level::warning, fmt::format("{}: {}{}", a.doing, a.why.message,
                                            still_claimed ? "; it is void once this process has ended" : ""));
    end_run();
    return;
  }
  if (a.why.kind == error_kind::cancelled && failure_) {
    when_quiet();
    return;
  }
  fail_run(placed(std::move(a.why), *config_.what,
                  a.source ? config_.what->reader.place : config_.what->writer.place));
}

void run_core::on(const stop_request& m) {
  if (phase_ == phase::release && try_again_at_) {
    note(notice_level::warning, "the claim is not given back; it is void once this process has ended");
    end_run();
    return;
  }
  if (phase_ == phase::release || phase_ == phase::over || failure_) {
    return;
  }
  fail_run(m.why, m.why.kind == error_kind::cancelled);
}

void run_core::fail_run(error why, bool stopped_on_request) {
  if (phase_ == phase::release || phase_ == phase::over) {
    return;
  }
  if (!failure_) {
    failure_ = std::move(why);
    stopped_on_request_ = stopped_on_request;
    stop_deadline_ = out_.now() + config_.settings.stop_timeout;
    out_.stop_reading();
    if (phase_ != phase::data) {
      enter(phase::stopping, nullptr);
    }
    for (std::uint32_t i = 0; i < pipelines_.size(); ++i) {
      if (!std::exchange(pipelines_[i].stop_sent, true)) {
        out_.stop_pipeline(i);
      }
    }
  }
  when_quiet();
}

void run_core::when_quiet() {
  if (!failure_ || phase_ == phase::release || phase_ == phase::over || source_busy_ || target_busy_ ||
      !all_stopped()) {
    return;
  }
  if (errors_started_ && !errors_sealed_) {
    if (!std::exchange(errors_seal_sent_, true)) {
      out_.seal_errors({committed_counts().read, std::nullopt});
    }
    return;
  }
  finish_summary();
}

/// Where the job's own way to begin anew, or none of the general ones, fits.
std::string run_core::begin_anew_text() const {
  const std::string& given = config_.settings.begin_anew;
  return given.empty() && target_.what.appears_whole
             ? "use --on-unfinished fresh, which removes what is written"
             : given;
}

std::string run_core::go_on_text() const {
  if (!failure_) {
    return {};
  }
  if (failure_->code == taken_over_code) {
    return "What this process had not committed by then is not written by it; the run is the other one's.";
  }
  const bool passes = may_be_tried_again(*failure_);
  if (!claimed_ && !before_begun_ && !resumed_) {
    const bool rows_stand = std::any_of(target_.runs.begin(), target_.runs.end(), [](const run_row& row) {
      return row.stage != "done" && row.written != 0;
    });
    return fmt::format("{}{}.",
                       rows_stand ? "This start changed nothing at the destination"
                                  : "Nothing was changed at the destination",
                       taken_.empty()
                           ? ""
                           : fmt::format(" but the claim of run {}, which was taken from its process",
                                         taken_.front().text()));
  }
  if (is_bound_to_this_run() || failure_->code == begin_anew_code) {
    const std::string anew = begin_anew_text();
    return fmt::format("{}: begin anew{}.",
                       failure_->code == begin_anew_code
                           ? "It cannot be gone on with"
                           : "Its splits are of this run only, so that it cannot be gone on with",
                       anew.empty() ? " with --on-unfinished fresh and an emptied destination" : ": " + anew);
  }
  if (failure_->code == "max_duration" || failure_->code == snapshot_max_code) {
    const bool goes_on = (claimed_ || resumed_) && target_.what.exactly_once && (before_begun_ || resumed_) &&
                         rows_in_parts() == 0;
    const bool of_snapshot = failure_->code == snapshot_max_code;
    const std::string_view longer = of_snapshot ? "a greater snapshotMax" : "a longer --max-duration";
    return goes_on ? fmt::format("Run the same command again: it goes on from the last mark{}. Or give {}.",
                                 of_snapshot ? ", under a new snapshot" : "", longer)
                   : fmt::format("Give {}: run again, it starts over.", longer);
  }
  const std::string first =
      failure_->code == time_limit_code                  ? "Raise the limit of time and run it again"
      : failure_->code == step_unknown_code              ? "See what became of that step, then run it again"
      : passes || failure_->kind == error_kind::internal ? "Run it again"
                                                         : "Mend the cause and run it again";
  if ((!claimed_ && !resumed_) || !target_.what.exactly_once || (!before_begun_ && !resumed_)) {
    const std::uint64_t rows = target_.what.rows_stand ? committed_counts().written : 0;
    return rows == 0
               ? first + ": it starts over."
               : fmt::format(
                     "{}: it starts over. The {} rows it has written stay, and no marks tell of them: take "
                     "them out first, or let preSql or writeMode replace them.",
                     first, with_thousands(rows));
  }
  if (const std::uint64_t rows = rows_in_parts(); rows != 0) {
    return fmt::format(
        "{}, and decide: of splits that were committed in parts {} rows stand that no mark covers. With "
        "--on-unfinished resume the same command goes on and writes these once more; or take out what is "
        "written "
        "and begin anew with --on-unfinished fresh.",
        passes ? "See what is there" : "Mend the cause", with_thousands(rows));
  }
  if (failure_->code == "errorLimit" || failure_->code == "expect") {
    const std::string anew = begin_anew_text();
    return fmt::format(
        "With {} the same command goes on from the last mark. To begin anew with a mended source, {}.",
        failure_->code == "expect" ? "another expectation" : "a higher errorLimit",
        anew.empty()
            ? "take out what is written or let preSql or writeMode replace it, then use "
              "--on-unfinished fresh: rows that are written stay, and inserting them again doubles them"
            : anew);
  }
  if (failure_->code == marks_lost_code) {
    return "Run the same command again: it goes on from the marks that the destination has kept. The account "
           "above is "
           "of what it had confirmed.";
  }
  if (failure_->kind == error_kind::source_changed) {
    const std::string anew = begin_anew_text();
    return fmt::format(
        "{}Put what has changed back as it was, or mend it behind what was read, and run the same command "
        "again to "
        "go on from the last mark; or begin anew{}.",
        claimed_ ? "" : fmt::format("{} rows are written already. ", with_thousands(resumed_counts_.written)),
        anew.empty()
            ? " with --on-unfinished fresh: rows that are written stay, and inserting them again doubles "
              "them"
            : ": " + anew);
  }
  if (failure_->code == not_equal_code) {
    return "All records are written, and the steps behind the data have not run. `sluice verify` with the "
           "same "
           "job names what differs; once that is mended the same command compares again and goes on with the "
           "steps, and --on-unfinished fresh begins anew.";
  }
  if (failure_->code == step_unknown_code) {
    return fmt::format("{}. See what became of that step, then run the same command with {} or {}.",
                       after_begun_ ? "All records are written" : "Nothing is written yet",
                       skip_flag(after_begun_), rerun_flag(after_begun_));
  }
  if (data_started_ == steady_clock::time_point{} && !data_done_ && !resumed_) {
    return first + ": it goes on with the step before the data that failed; nothing is written yet.";
  }
  if (after_begun_) {
    const bool editable = !passes && !target_.after.empty();
    return fmt::format(
        "{}: all records are written, and it goes on with the step behind the data that failed{}.", first,
        editable ? "; postSql may be edited for that, from that step on" : "");
  }
  return fmt::format(
      "{}: the same command goes on from the last mark; --on-unfinished fresh begins anew (what is written "
      "{}).",
      first, target_.what.appears_whole ? "is removed" : "stays");
}

void run_core::finish_summary() {
  if (failure_) {
    collect_waits(out_.now());
  }
  enter(phase::release, "finish");
  account_for_concurrency();
  summary_.counts = committed_counts();
  summary_.counts_before = resumed_counts_;
  summary_.repeated = rows_repeated();
  change_counts changes;
  for (const split_state& s : splits_) {
    summary_.sums += s.at.sums;
    summary_.parts += s.at.parts;
    changes += s.at.changes;
    if (summary_.splits.size() < 10'000) {
      summary_.splits.push_back({s.at.split.value, s.label, s.at.counts, s.at.sums, s.at.done});
    }
  }
  summary_.splits_total = splits_.size();
  summary_.splits_done = splits_done_;
  if (finished_before_) {
    summary_.counts = summary_.counts_before = finished_before_->counts;
    summary_.sums = finished_before_->sums;
    summary_.parts = finished_before_->parts;
    summary_.splits_total = summary_.splits_done = finished_before_->splits;
    summary_.dirty_by_code = finished_before_->dirty_by_code;
    summary_.dirty_missing = finished_before_->dirty_missing;
    changes = finished_before_->changes;
  }
  put_changes(changes);
  if (!target_.what.name.empty()) {
    // Of a run that failed nothing counts where its output appears at its end.
    const bool stands =
        (target_.has_store && !target_.what.appears_whole) || target_.what.rows_stand || !failure_;
    summary_.committed_by_table[target_.what.name] = stands ? summary_.counts.written : 0;
  }
  const double data_seconds = data_started_ == steady_clock::time_point{}
                                  ? 0
                                  : seconds_between(data_started_, data_ended_.value_or(out_.now()));
  summary_.concurrency_mean = data_seconds > 0 ? summary_.pipeline_seconds / data_seconds : 0;
  summary_.bytes_held_peak = out_.bytes_held_peak();
  summary_.failure = failure_;
  if (failure_) {
    summary_.state = stopped_on_request_ ? run_state::stopped : run_state::failed;
    summary_.retryable = may_be_tried_again(*failure_);
    summary_.resumable = is_resumable();
    summary_.rows_unmarked = rows_in_parts();
    summary_.how_to_go_on = go_on_text();
  } else {
    summary_.state = summary_.counts.dirty == 0 ? run_state::succeeded : run_state::succeeded_with_dirty;
  }
  summary_.only_reason = only_reason_;
  observer_.ended(summary_);
  release();
}

bool run_core::is_bound_to_this_run() const {
  struct group {
    bool touched = false;
    bool undone = false;
  };
  std::map<std::string_view, group> groups;
  for (const split_state& s : splits_) {
    if (!s.bound_by.empty()) {
      group& of = groups[s.bound_by];
      of.touched = of.touched || s.at.done || s.at.after;
      of.undone = of.undone || !s.at.done;
    }
  }
  return std::any_of(groups.begin(), groups.end(),
                     [](const auto& g) { return g.second.touched && g.second.undone; });
}

bool run_core::is_resumable() const {
  return (claimed_ || resumed_) && target_.what.exactly_once && failure_->code != begin_anew_code &&
         failure_->code != taken_over_code && !is_bound_to_this_run() && rows_in_parts() == 0;
}

std::uint64_t run_core::rows_in_parts() const {
  std::uint64_t rows = 0;
  for (const split_state& s : splits_) {
    const bool counts = !delivery_.may_repeat && target_.has_store;
    rows += !counts ? 0 : s.rows_before + (is_in_parts(s.at) ? s.at.counts.written : 0);
  }
  return rows;
}

repeated_rows run_core::rows_repeated() const {
  repeated_rows all;
  for (const split_state& s : splits_) {
    const record_counts& again = s.at.counts;
    const bool as_before =
        s.at.done && again.dirty == 0 && again.ignored == 0 && again.written >= s.beside.rows;
    all.count += s.beside.rows;
    all.at_most = all.at_most || (s.beside.rows != 0 && !(s.beside.sure && as_before));
  }
  return all;
}

void run_core::release() {
  // A run that failed before anything moved leaves no trace; else the claim is given back and the marks stay.
  target_release r;
  r.run = summary_.run;
  r.claimed = claimed_;
  r.abandon = failure_.has_value();
  r.forget = claimed_ && failure_ && !resumed_ && !before_begun_;
  ask_target(r);
}

/// What failed before, a lost connection maybe, was the end of its sessions; or it failed by itself, and
/// nobody need mend it.
void run_core::was_taken_over(error why) {
  const bool told = failure_->code == taken_over_code;  // a split or the claim has told so
  if (stopped_on_request_) {
    note(notice_level::warning, why.message);
  } else if (!told) {
    note(notice_level::warning, fmt::format("what failed first: {}", failure_->message));
  }
  failure_ = placed(std::move(why), *config_.what, config_.what->writer.place);
  summary_.resumable = false;
  summary_.how_to_go_on = go_on_text();
  if (!stopped_on_request_) {
    summary_.failure = failure_;
    summary_.retryable = false;
  }
  end_run();
}

void run_core::put_changes(const change_counts& changes) {
  for (const auto& [what, count] : changes) {
    const bool named = mapping_ != nullptr && what.first < mapping_->target->size();
    const std::string& name = named ? (*mapping_->target)[what.first].name : std::string();
    summary_.changes.push_back(
        {name.empty() ? std::to_string(what.first) : name, std::string(to_string(what.second)), count});
  }
}

void run_core::answered(target_released&) {
  target_busy_ = false;
  end_run();
}

void run_core::end_run() {
  enter(phase::over, nullptr);
  out_.over(summary_, false);
}

}  // namespace sluice
