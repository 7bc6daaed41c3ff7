// What the supervisor sees by the clock: progress, stalls, deadlines, and who waited for whom.
#include <fmt/format.h>

#include <algorithm>

#include "actors/supervise/beginnings.h"
#include "actors/supervise/fraction_done.h"
#include "actors/supervise/run_core.h"
#include "transport/base/text.h"
#include "transport/flow/backoff.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

double seconds_between(steady_clock::time_point from, steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// delivery.md, "Job key, instance, claim".
constexpr std::chrono::seconds renewal_interval{10};

/// How long after `--stop-timeout` what does not return is left alone.
constexpr milliseconds after_interrupt{5000};

}  // namespace

wait_times run_core::waits_until(steady_clock::time_point now) const {
  wait_times w;
  for (std::uint32_t i = 0; i < pipelines_.size(); ++i) {
    const auto a = out_.activity_of(i);
    if (a == nullptr) {
      continue;
    }
    w.reader_working += a->reader.seconds(doing::source_call, now);
    w.reader_waiting += a->reader.seconds(doing::credit, now);
    w.transforming += a->channel.seconds(doing::transforming, now);
    w.channel_throttled += a->channel.seconds(doing::throttle, now);
    w.writer_working += a->writer.seconds(doing::destination_call, now);
    w.writer_waiting += a->writer.seconds(doing::batches, now);
    w.writer_retrying += a->writer.seconds(doing::another_try, now);
    w.dirty_waiting += a->writer.seconds(doing::dirty_file, now);
  }
  return w;
}

std::uint64_t run_core::records_transformed() const {
  std::uint64_t records = 0;
  for (std::uint32_t i = 0; i < pipelines_.size(); ++i) {
    const auto a = out_.activity_of(i);
    records += a == nullptr ? 0 : a->records_transformed.load(std::memory_order_relaxed);
  }
  return records;
}

void run_core::collect_waits(steady_clock::time_point now) {
  const wait_times w = waits_until(now);
  summary_.waits = w;
  summary_.records_transformed = records_transformed();
  const double total = w.writer_working + w.writer_waiting + w.writer_retrying + w.dirty_waiting;
  // Of a moment's work nothing is worth saying.
  if (total < 0.5) {
    return;
  }
  const auto percent = [&](double part) { return static_cast<int>(100 * part / total + 0.5); };
  if (w.channel_throttled > 0.3 * total) {
    summary_.slowest = fmt::format("The job's own limit was slowest: records waited for it {}% of the time.",
                                   percent(w.channel_throttled));
  } else if (w.dirty_waiting > 0.3 * total) {
    summary_.slowest = fmt::format("The dirty file was slowest: writers waited for it {}% of the time.",
                                   percent(w.dirty_waiting));
  } else if (w.writer_retrying > 0.3 * total) {
    summary_.slowest = fmt::format(
        "The destination was slowest: it was away or busy, and waited for until the next try, {}% of the "
        "time.",
        percent(w.writer_retrying));
  } else if (w.writer_working >= w.reader_working) {
    summary_.slowest = fmt::format("The destination was slowest: it was at work {}% of the time.",
                                   percent(w.writer_working));
  } else {
    summary_.slowest = fmt::format("The source was slowest: the destination waited {}% of the time.",
                                   percent(w.writer_waiting));
  }
}

void run_core::tick() {
  if (phase_ == phase::over) {
    return;
  }
  const auto now = out_.now();
  renew_claim(now);
  if (try_again_at_ && now >= *try_again_at_) {
    try_again();
  }
  if (stop_deadline_) {
    if (!interrupted_ && now >= *stop_deadline_) {
      interrupted_ = true;
      note(notice_level::warning,
           fmt::format("still busy after {}: statements are interrupted now",
                       duration_text(std::chrono::duration<double>(config_.settings.stop_timeout).count())));
      out_.interrupt();
    } else if (interrupted_ && now >= *stop_deadline_ + after_interrupt) {
      note(notice_level::error, "what did not come back is left; the process ends");
      summary_.failure = failure_;
      summary_.state = stopped_on_request_ ? run_state::stopped : run_state::failed;
      summary_.counts = committed_counts();
      summary_.repeated = rows_repeated();
      summary_.resumable = is_resumable();
      summary_.rows_unmarked = rows_in_parts();
      summary_.how_to_go_on = go_on_text();
      phase_ = phase::over;
      observer_.ended(summary_);
      out_.over(summary_, true);
      return;
    }
  } else if (config_.settings.duration_max && now - started_ >= *config_.settings.duration_max) {
    fail_run(
        {error_kind::over_limit,
         fmt::format("--max-duration of {} is over",
                     duration_text(std::chrono::duration<double>(*config_.settings.duration_max).count())),
         "max_duration", true});
    return;
  } else if (const auto& held = source_.snapshot;
             held && !data_done_ && held->age_max.count() != 0 && now - held->since >= held->age_max) {
    fail_run(
        {error_kind::over_limit,
         fmt::format("{}: the snapshot under which the source is read is {} old, as old as it may become: "
                     "as long as it is held, the server keeps every old row",
                     held->place, duration_text(seconds_between(held->since, now))),
         snapshot_max_code, true});
    return;
  }
  tell_progress(now);
  name_stalls(now);
}

/// A step that the destination is busy with keeps the claim by itself: its session is seen at work.
void run_core::renew_claim(steady_clock::time_point now) {
  if (!claimed_ || renewing_ || target_busy_ || phase_ == phase::release ||
      now - renewed_at_ < renewal_interval) {
    return;
  }
  renewing_ = true;
  renewed_at_ = now;
  out_.to_target(target_renew{summary_.run});
}

void run_core::answered(target_renewed& a) {
  renewing_ = false;
  if (!a.failure) {
    renewals_failed_ = 0;
    return;
  }
  if (a.failure->kind == error_kind::conflict) {
    fail_run(placed(std::move(*a.failure), *config_.what, config_.what->writer.place));
  } else if (!failure_) {
    note(notice_level::warning, fmt::format("renewing the claim: {}; it is tried again", a.failure->message));
    // Sooner than it would be due: whoever finds it old takes it.
    const milliseconds wait = retry_wait(a.failure->kind, renewals_failed_++, retry_salt(summary_.run, 0));
    renewed_at_ = out_.now() - renewal_interval + std::min<milliseconds>(wait, renewal_interval);
  }
}

std::string run_core::retry_text(steady_clock::time_point now) const {
  const retry_at_hand* shown = retry_ ? &*retry_ : nullptr;
  std::size_t retrying = 0;
  for (const pipeline_state& p : pipelines_) {
    if (p.retry && !failure_) {
      ++retrying;
      shown = shown == nullptr || p.retry->next.number > shown->next.number ? &*p.retry : shown;
    }
  }
  if (shown == nullptr) {
    return {};
  }
  const std::string_view end = shown->end == dirty_side::reader ? "source" : "destination";
  const std::string what = !shown->end ? std::string("a batch was lost on its way")
                           : shown->kind == error_kind::busy
                               ? fmt::format("the {} was busy", end)
                               : fmt::format("the connection to the {} was lost", end);
  std::string text = fmt::format("{}; try {} of {} ", what, shown->next.number, shown->next.of);
  text += now < shown->at ? fmt::format("in {}", duration_text(seconds_between(now, shown->at)))
                          : std::string("has begun");
  if (pipelines_.size() > 1 && retrying != 0) {
    text += fmt::format(" ({} of {} pipelines)", retrying, pipelines_.size());
  }
  return text;
}

void run_core::tell_progress(steady_clock::time_point now) {
  progress_snapshot p;
  p.seconds = seconds_between(started_, now);
  p.splits_total = splits_.size();
  p.splits_done = splits_done_;
  p.pipelines_active = active_;
  std::vector<split_share> shares;
  shares.reserve(splits_.size());
  for (const split_state& s : splits_) {
    p.counts += s.at.counts;
    p.counts += s.in_flight;
    shares.push_back({s.bytes_estimate, s.at.counts.bytes + s.in_flight.bytes, s.at.done});
  }
  for (std::uint32_t i = 0; i < pipelines_.size(); ++i) {
    if (const auto a = out_.activity_of(i); a != nullptr && pipelines_[i].split) {
      split_share& share = shares[*pipelines_[i].split];
      share.source_bytes_read = a->source_bytes_read.load(std::memory_order_relaxed);
      share.record_bytes_read = a->record_bytes_read.load(std::memory_order_relaxed);
    }
  }
  const double interval = seconds_between(progress_at_, now);
  if (interval > 0 && p.counts.read >= progress_counts_.read) {
    p.records_per_second = static_cast<double>(p.counts.read - progress_counts_.read) / interval;
    p.bytes_per_second = static_cast<double>(p.counts.bytes - progress_counts_.bytes) / interval;
  }
  progress_at_ = now;
  progress_counts_ = p.counts;
  if (phase_ == phase::data) {
    p.fraction = fraction_done(shares);
    const double seconds = seconds_between(data_started_, now);
    // A continued run has no sizes, so what is done was done since the data began.
    if (p.fraction && *p.fraction > 0 && seconds > 1) {
      p.seconds_left = (1 - *p.fraction) * seconds / *p.fraction;
    }
  }
  std::uint32_t on_source = 0;
  std::uint32_t on_destination = 0;
  std::uint32_t on_throttle = 0;
  std::uint32_t on_dirty = 0;
  for (std::uint32_t i = 0; i < pipelines_.size(); ++i) {
    if (const auto a = out_.activity_of(i); a != nullptr && pipelines_[i].split) {
      on_throttle += a->channel.what() == doing::throttle ? 1 : 0;
      on_dirty += a->writer.what() == doing::dirty_file ? 1 : 0;
      on_destination += a->writer.what() == doing::destination_call ? 1 : 0;
      on_source += a->writer.what() == doing::batches ? 1 : 0;
    }
  }
  if (on_throttle != 0) {
    p.waiting = "records wait for the job's limit";
  } else if (on_dirty > on_destination) {
    p.waiting = "writers wait for the dirty file";
  } else if (on_destination >= on_source && on_destination != 0) {
    p.waiting = "the reader waits for the destination";
  } else if (on_source != 0) {
    p.waiting = "the writer waits for the source";
  }
  if (std::string again = retry_text(now); !again.empty()) {
    p.waiting = std::move(again);
  }
  if (source_.snapshot && !data_done_) {
    p.snapshot_seconds = seconds_between(source_.snapshot->since, now);
  }
  p.waits = waits_until(now);
  p.records_transformed = records_transformed();
  observer_.progress(p);
}

void run_core::name_stalls(steady_clock::time_point now) {
  const double limit = std::chrono::duration<double>(config_.settings.stall_timeout).count();
  for (std::uint32_t i = 0; i < pipelines_.size(); ++i) {
    const auto a = out_.activity_of(i);
    if (a == nullptr) {
      continue;
    }
    // Only who is in a call can stall: waiting for credit, input or the throttle is somebody else's work.
    const bool source_call = a->reader.what() == doing::source_call;
    const bool destination_call = a->writer.what() == doing::destination_call;
    const double seconds = std::max(source_call ? a->reader.seconds_since(now) : 0,
                                    destination_call ? a->writer.seconds_since(now) : 0);
    if (seconds < limit) {
      pipelines_[i].stall_named_at = 0;
      continue;
    }
    if (seconds < 2 * pipelines_[i].stall_named_at) {
      continue;
    }
    pipelines_[i].stall_named_at = seconds;
    const bool source_longer = source_call && a->reader.seconds_since(now) >= seconds;
    const std::string split = pipelines_[i].split ? splits_[*pipelines_[i].split].label : "the first batch";
    observer_.notice(notice_level::warning, fmt::format("{} {}", source_longer ? "reader" : "writer", i),
                     pipelines_[i].split ? static_cast<std::int64_t>(*pipelines_[i].split) : -1,
                     fmt::format("waiting {} for the {} ({})", duration_text(seconds),
                                 source_longer ? "source" : "destination", split));
  }
}

}  // namespace sluice
