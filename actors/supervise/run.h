#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobspec/job.h"
#include "plugins/api/plugin.h"
#include "plugins/api/takeover.h"
#include "transport/base/ids.h"
#include "transport/base/result.h"
#include "transport/base/stop.h"
#include "transport/flow/backoff.h"
#include "transport/record/dirty.h"
#include "transport/record/mark.h"

namespace sluice {

/// What `sluice run` may be told beside the job.
struct run_settings {
  std::uint64_t memory_bytes = std::uint64_t{160} << 20;  ///< Everything sized by data (flow.md).
  std::chrono::milliseconds stop_timeout{20'000};
  std::chrono::milliseconds stall_timeout{60'000};
  std::chrono::milliseconds report_interval{10'000};
  std::optional<std::chrono::milliseconds> duration_max;  ///< `--max-duration`.
  std::string run_folder;        ///< Exists, 0700; dirty.jsonl and its pending files go here.
  std::string time_zone;         ///< Resolved name.
  std::string time_zone_origin;  ///< Where it came from, for the first line.
  enum class unfinished { automatic, resume, fail, fresh };
  unfinished on_unfinished = unfinished::automatic;
  std::chrono::seconds resume_window{3600};
  /// `--once`: a run of this instance that is done is refused (`done_code`), also without a given time.
  bool once = false;
  /// `--same-ends`: a run that differs in addresses of its ends alone is this job's.
  bool same_ends = false;
  bool takeover = false;  ///< `--if-running takeover`: a claim is taken from a process that lives, too.
  /// How long a start waits for the session of a process on another host, which holds the claim and may be
  /// dead.
  std::chrono::milliseconds takeover_wait = sluice::takeover_wait;
  /// A run of this instance, not seen to end, whose rows the caller knows of by itself. Where the destination
  /// knows nothing of it, the start is refused rather than write those rows once more unasked, or says so.
  struct run_left {
    run_id run;
    std::uint64_t rows = 0;      ///< It has committed so many at least.
    std::chrono::seconds age{};  ///< Since it was seen to commit last.
  };
  std::optional<run_left> left;
  std::optional<run_id> only;  ///< This run is continued or none: where the start would do else, it fails.
  /// What becomes of a step around the data that was begun, and of which nobody can see whether it has run
  /// (`begun_in`): the start is refused, runs it again, or counts it as done.
  enum class unsure_step { ask, rerun, skip };
  unsure_step pre_sql_unsure = unsure_step::ask;
  unsure_step post_sql_unsure = unsure_step::ask;
  /// How the caller begins anew with a source that changed, for messages; empty: by `unfinished::fresh`, and
  /// what is written stays.
  std::string begin_anew;
  run_id run;  ///< Used where no unfinished run is continued.
  std::uint64_t commit_bytes = std::uint64_t{64} << 20;
  std::uint64_t commit_rows = 100'000;
  std::chrono::milliseconds commit_interval{2000};
  /// `--retries`: of a lost connection or a busy system, in a row without a commit between.
  std::uint32_t retries_max = retries_max_default;
  std::uint32_t dirty_logged_max = 10;  ///< First dirty records told to the observer.
  /// Looks up secrets for the plugins (`plugin_context::resolve_secret`). Thread-safe.
  std::function<result<secret>(const secret_text& written, const stop_signal& stop)> resolve_secret =
      plain_secret;
  decltype(plugin_context::guard) guard = nullptr;
  /// What was written, in all processes of the run.
  struct written_totals {
    run_id run;
    record_counts counts;
    record_sums sums;
  };
  /// `setting.verify`: looks whether it stands at the destination, once the data is complete and before the
  /// steps behind it; on the target's thread, may take as long as it needs. A failure fails the run. Empty:
  /// nobody looks. Where it is set columns do not travel in their product's own bytes, so that sums are in
  /// canonical/1.
  std::function<result<void>(const written_totals& what, const stop_signal& stop)> verify_written;
  /// Fired by a second signal: every source, target, reader and writer is interrupted and the call returns.
  stop_signal stop_now;
  /// Asked once where an earlier run is continued, before any dirty record is written: that run's own folder
  /// (made where it is gone), to be used in place of `run_folder`. Empty: `run_folder` is used. A failure
  /// fails the run.
  std::function<result<std::string>(const run_id& continued)> folder_of_continued;
};

/// What is settled once both ends are open and the plan is made, before anything changes at the destination.
struct run_plan {
  run_id run;
  bool resumed = false;  ///< `run` is an earlier one that is continued.
  /// Killed from here on, the destination tells of it, and the same command continues it; or asks how to,
  /// where rows stand of splits that were committed in parts.
  bool resumable = false;
  std::string promise;  ///< `exactly once`, or `at least once, because …`.
  std::uint32_t concurrency = 1;
  std::string concurrency_reason;
  std::uint64_t splits_total = 0;
};

enum class run_state { succeeded, succeeded_with_dirty, failed, stopped };
std::string_view to_string(run_state state);

struct phase_time {
  std::string name;  ///< `open`, `plan`, `prepare`, `pre_sql`, `data`, `seal`, `post_sql`, `finish`.
  double seconds = 0;
};

/// Who waited for whom, in pipeline-seconds.
struct wait_times {
  double reader_working = 0;  ///< In calls of the source.
  double reader_waiting = 0;  ///< For credit: the rest is slower.
  double channel_throttled = 0;
  double writer_working = 0;   ///< In calls of the destination.
  double writer_waiting = 0;   ///< For batches: the source is slower.
  double writer_retrying = 0;  ///< For the next try behind a failure of the destination.
  double dirty_waiting = 0;    ///< For the dirty file.
  double transforming = 0;     ///< In transformers; the other work of channels is not timed.
};

/// Values of a column that were changed by a rule (`change_rule`).
struct change_summary {
  std::string column;
  std::string rule;
  std::uint64_t count = 0;
};

/// Rows of splits that were committed in parts and then begun again: they stand, the account does not count
/// them, and they are written once more.
struct repeated_rows {
  std::uint64_t count = 0;
  /// So many at most: a split is not done again yet, not every row of it was taken the second time, or nobody
  /// knows whether a commit came.
  bool at_most = false;
};

struct split_summary {
  std::uint32_t index = 0;
  std::string label;
  record_counts counts;
  record_sums sums;
  bool done = false;
};

/// Everything that is known at the end of a run; written by `--summary` (docs/summary.md).
struct run_summary {
  run_id run;
  std::string job_name;
  std::string job_key;
  run_state state = run_state::failed;
  std::optional<error> failure;
  bool retryable = false;
  std::string how_to_go_on;  ///< One sentence where the run failed or stopped.
  bool resumed = false;      ///< It continued an earlier process's work.
  bool resumable = false;    ///< Not done, and the same command continues it.
  /// Not done: so many rows stand of splits that were committed in parts. Going on writes them once more, so
  /// that the same command asks how to.
  std::uint64_t rows_unmarked = 0;
  /// The unfinished run that `failure` names because the job differs from it: its folder may tell what was
  /// changed since.
  std::optional<run_id> in_the_way;
  /// Nothing was done: the run that is to be continued counts its dates from another moment. The job must be
  /// loaded for that moment and zone, and the call repeated.
  std::optional<planned_time> plan_as;
  bool wrong_job = false;  ///< The job's text alone shows the failure: exit code 2.
  std::string promise;     ///< `exactly once`, or `at least once, because …`.
  record_counts counts;
  repeated_rows repeated;       ///< By this process.
  record_counts counts_before;  ///< Of those, what was there when this process began to continue the run.
  written_parts parts;          ///< Of `counts.written`, as far as the destination tells.
  record_sums sums;
  std::string sums_form;  ///< `canonical/1`.
  std::map<std::string, std::uint64_t> dirty_by_code;
  std::vector<change_summary> changes;  ///< As the job asks, in what all processes of the run committed.
  std::map<std::string, std::uint64_t> committed_by_table;
  std::string only_reason;  ///< The reason all dirty records share; empty where there are several.
  std::uint64_t dirty_missing = 0;
  /// Found in batches that a failed run has taken back, by code: no mark and no count covers them.
  std::map<std::string, std::uint64_t> dirty_taken_back;
  std::vector<phase_time> phases;
  std::vector<split_summary> splits;  ///< At most 10,000; `splits_total` has the number.
  std::uint64_t splits_total = 0;
  std::uint64_t splits_done = 0;
  std::uint32_t concurrency_asked = 0;
  std::uint32_t concurrency_peak = 0;
  double concurrency_mean = 0;
  double pipeline_seconds = 0;
  std::string concurrency_reason;
  wait_times waits;
  /// By this process, passed or filtered by transformers, what was read again included.
  std::uint64_t records_transformed = 0;
  std::string slowest;  ///< In words: `the destination was slowest: …`.
  std::uint64_t rewinds = 0;
  /// How often something was tried again that had failed in passing: of the rewinds all but those that find a
  /// refused row, and steps around the data.
  std::uint64_t retries = 0;
  std::uint64_t bytes_held_peak = 0;
  std::vector<std::string> read_statements;    ///< What was read; shown where nothing was found.
  std::string reader_columns, writer_columns;  ///< For messages: `id int64, name utf8`.
};

/// What is known while a run goes on.
struct progress_snapshot {
  double seconds = 0;
  record_counts counts;
  double records_per_second = 0;  ///< Over the last interval.
  double bytes_per_second = 0;
  std::uint64_t splits_total = 0;
  std::uint64_t splits_done = 0;
  std::uint32_t pipelines_active = 0;
  std::optional<double> seconds_left;  ///< Where the amount is known.
  std::optional<double> fraction;
  std::optional<double> snapshot_seconds;  ///< The age of the snapshot under which the source is read.
  std::string waiting;                     ///< Who waits for whom, or for another try, in words.
  wait_times waits;                        ///< Since the process began on the run.
  std::uint64_t records_transformed = 0;   ///< Likewise.
};

/// `error::code` where what stands at the destination is not what was written.
inline constexpr const char* not_equal_code = "not_equal";

/// `error::code` where the snapshot at the source became older than it may.
inline constexpr const char* snapshot_max_code = "snapshot_max";

enum class notice_level { info, warning, error };

/// Told what happens, on the run's own threads, one call at a time. Must return soon and never throw.
class run_observer {
 public:
  virtual ~run_observer() = default;
  /// One line for log and terminal. `actor` such as `reader 2`, `split` -1 where none.
  virtual void notice(notice_level level, const std::string& actor, std::int64_t split,
                      const std::string& line) = 0;
  /// The run stands still until somebody else has done `what`: told when it begins to wait and about each
  /// second, also before the plan.
  virtual void waiting(const std::string& what, double seconds) { (void)what, (void)seconds; }
  /// Told once, before anything changes at the destination; not at all where the run fails before.
  virtual void planned(const run_plan& plan) { (void)plan; }
  /// Told once the claim is taken: these unfinished runs are not in the destination any more.
  virtual void forgot(const std::vector<run_id>& runs) { (void)runs; }
  /// Told behind each commit of rows that stand from then on, whatever becomes of the run: how many the
  /// account has by now, and how many stand beside it.
  virtual void committed(std::uint64_t rows, const repeated_rows& beside) { (void)rows, (void)beside; }
  virtual void progress(const progress_snapshot& now) = 0;
  virtual void dirty(const dirty_record& record, std::uint32_t split) = 0;
  /// Told once for every end, with the final summary. The claim on the destination is released after this
  /// returns: write the summary here, so that a run that is released has one.
  virtual void ended(const run_summary& summary) { (void)summary; }
};

struct job_ends;
struct end_settings;

/// Runs the job to its end on this machine: the order of DESIGN section 5. Blocks; never throws. `stop` asks
/// for an orderly stop. The summary is complete for every end.
run_summary execute_run(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                        const run_settings& settings, run_observer& observer, const stop_signal& stop);

/// The same between ends of the caller's; `make` does no I/O.
run_summary execute_between(const job& what,
                            const std::function<result<job_ends>(const end_settings& given)>& make,
                            const run_settings& settings, run_observer& observer, const stop_signal& stop);

}  // namespace sluice
