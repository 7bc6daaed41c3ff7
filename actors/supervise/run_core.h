#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/pipeline/activity.h"
#include "actors/plan/delivery.h"
#include "actors/plan/mapping.h"
#include "actors/protocol/report.h"
#include "actors/supervise/continuation.h"
#include "actors/supervise/run.h"
#include "transport/flow/budget.h"
#include "transport/wire/messages.h"

namespace sluice {

/// Where the supervisor's messages go.
class run_out {
 public:
  virtual ~run_out() = default;
  virtual void to_source(source_command c) = 0;
  virtual void to_target(target_command c) = 0;
  /// Starts the error actor and the dirty file. `done`: the splits that need no opening any more; what the
  /// process before has left of their dirty records is published.
  virtual void start_dirty(const run_id& run, bool publish_at_once, std::optional<run_id> continued,
                           std::optional<std::uint64_t> records_exact, const std::vector<mark>& done) = 0;
  /// Starts a pipeline's reader actor.
  virtual void make_reader(std::uint32_t pipeline, std::shared_ptr<reader> plugin, schema_ptr columns,
                           const memory_plan& memory, const run_id& run) = 0;
  virtual void prime(std::uint32_t pipeline, const rewind_msg& at) = 0;
  /// Starts its channel and writer, and joins the three.
  virtual void make_pipeline(std::uint32_t pipeline, std::shared_ptr<writer> plugin,
                             std::shared_ptr<const mapping> map, const memory_plan& memory, const run_id& run,
                             const delivery_choice& delivery) = 0;
  virtual void assign(std::uint32_t pipeline, assign_msg m) = 0;
  virtual void reopen(std::uint32_t pipeline, reopen_msg m) = 0;
  /// Waits and reads of the source end now.
  virtual void stop_reading() = 0;
  /// The pipeline comes to rest, its writer at a mark; the writer answers `writer_stopped`.
  virtual void stop_pipeline(std::uint32_t pipeline) = 0;
  virtual void seal_errors(const error_seal& m) = 0;
  /// Ends statements and waits at both ends.
  virtual void interrupt() = 0;
  /// The run is over; nothing is called any more. `stuck`: something did not come back.
  virtual void over(run_summary summary, bool stuck) = 0;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const pipeline_activity> activity_of(
      std::uint32_t pipeline) const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_held_peak() const = 0;
};

/// Decides the order of a run (DESIGN section 5): what is told to whom when, and what its end is. An event
/// comes in, messages go out through `run_out`; nothing here blocks. Owned by the supervisor's actor.
class run_core {
 public:
  struct config {
    const job* what = nullptr;
    run_settings settings;
    conversion_context conversion;
    claim_owner me;
    std::string sums_form;
  };
  run_core(config c, run_out& out, run_observer& observer);

  void start();
  void on(end_answer& answer);
  void on(const reader_primed& m);
  void on(const reader_failed& m);
  void on(const split_opened& m);
  void on(const split_wrote& m);
  void on(const split_committed& m);
  void on(const split_rewound& m);
  void on(const split_failed& m);
  void on(const writer_stopped& m);
  void on(const dirty_seen& m);
  void on(const run_must_fail& m);
  void on(const error_sealed& m);
  void on(const stop_request& m);
  /// Five times a second: progress, stalls, deadlines.
  void tick();

 private:
  enum class phase {
    begin,
    open,
    plan,
    prime,
    claim,
    before,
    data,
    stopping,
    check,
    seal,
    after,
    release,
    over
  };
  struct split_state {
    scalar_list description;
    std::string label;
    std::string bound_by;  // `source::bound_by`
    std::optional<std::uint64_t> records_exact;
    std::optional<std::uint64_t> bytes_estimate;
    mark at;                  // durable
    record_counts in_flight;  // handed to the destination beyond it
    bool assigned = false;
    /// An earlier process has committed it in parts, and the start agreed to write those rows once more.
    bool repeats = false;
    std::uint64_t rows_before = 0;  // those; until the split is done
    rows_beside beside;             // since this process began on it
    bool retried_after_internal = false;
  };
  /// What failed in passing and is tried again.
  struct retry_at_hand {
    std::optional<dirty_side> end;  // whose failure it was; nothing: the link's
    error_kind kind;
    retry_try next;
    std::chrono::steady_clock::time_point at;
  };
  struct pipeline_state {
    std::optional<std::size_t> split;
    bool stopped = false;
    bool stop_sent = false;
    double stall_named_at = 0;           // seconds already named for the stall at hand
    std::optional<retry_at_hand> retry;  // until records move again
  };

  // One for each kind of answer of the ends.
  void answered(source_opened& a);
  void answered(source_planned& a);
  void answered(source_taken_up& a);
  void answered(readers_made& a);
  void answered(source_checked& a);
  void answered(target_opened& a);
  void answered(target_taken& a);
  void answered(target_loaded& a);
  void answered(target_claimed& a);
  void answered(target_ready& a);
  void answered(writers_made& a);
  void answered(target_finished& a);
  void answered(target_released& a);
  void answered(target_renewed& a);
  void answered(end_failed& a);

  void ask_source(source_command c);
  void ask_target(target_command c);
  void enter(phase p, const char* timed_as);
  /// What failed in passing and may be done twice is asked for again by `tick` after a wait, as a split is
  /// read again; false: not this, or not once more, which `why` says then.
  bool try_later(const std::string& doing, dirty_side end, error& why);
  void try_again();
  void finish_at_target(bool again);
  void release();
  void was_taken_over(error why);
  [[nodiscard]] std::optional<error> not_told_of_runs() const;
  void go_on_from_found();
  void go_on_from(continuation next);
  void take(const run_row& from);
  void finish_off(const run_row& run);
  void splits_known();
  void choose();  // `delivery_`: once the splits are known, and behind the steps before the data
  void prime(std::size_t split);
  void look_ahead(const reader_primed& m);
  void claim();
  void take_mapping(std::shared_ptr<const mapping> map);
  void before();
  /// The mapping as it is with `own_`; false: the run has failed, since a step before has changed a column.
  bool carry_own_columns();
  void next_split(std::uint32_t pipeline);
  void data_complete();
  void fail_run(error why, bool stopped_on_request = false);
  void when_quiet();
  void end_data_phase();
  void finish_summary();
  /// Splits of this run only are partly delivered: no other process can go on with it.
  [[nodiscard]] bool is_bound_to_this_run() const;
  [[nodiscard]] bool is_resumable() const;
  /// Rows of splits that were committed in parts, which going on would write once more although nobody asked
  /// for it.
  [[nodiscard]] std::uint64_t rows_in_parts() const;
  [[nodiscard]] repeated_rows rows_repeated() const;
  void tell_committed();
  void put_changes(const change_counts& changes);
  void end_run();
  void account_for_concurrency();
  [[nodiscard]] record_counts committed_counts() const;
  /// `records`: how many the source has, or, while `known` is `at_least`, has so far. `dirty`: at least so
  /// many of them are; only judged with `exactly`.
  enum class known { at_least, exactly };
  [[nodiscard]] std::optional<error> expectation_failure(std::uint64_t records, std::uint64_t dirty,
                                                         known how) const;
  [[nodiscard]] bool all_stopped() const;
  [[nodiscard]] std::string go_on_text() const;
  [[nodiscard]] std::string begin_anew_text() const;
  void renew_claim(std::chrono::steady_clock::time_point now);
  void name_stalls(std::chrono::steady_clock::time_point now);
  void tell_progress(std::chrono::steady_clock::time_point now);
  /// `the connection to the source was lost; try 4 of 15 in 7.1 s`; empty where nothing is tried again.
  [[nodiscard]] std::string retry_text(std::chrono::steady_clock::time_point now) const;
  [[nodiscard]] wait_times waits_until(std::chrono::steady_clock::time_point now) const;
  [[nodiscard]] std::uint64_t records_transformed() const;
  void collect_waits(std::chrono::steady_clock::time_point now);
  void note(notice_level level, const std::string& line);

  config config_;
  run_out& out_;
  run_observer& observer_;
  phase phase_ = phase::begin;
  run_summary summary_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point phase_started_;

  source_description source_;
  schema_ptr columns_behind_;  // the source's, behind the job's transformers
  target_opened target_;
  delivery_choice delivery_;  // once the splits are known
  bool resumed_ = false;
  std::vector<std::string> go_on_notices_;  // told once the run is planned
  std::optional<run_row> seen_;
  std::optional<run_totals> finished_before_;  // of a run that was complete but for its claim
  std::vector<run_id> discard_;
  std::vector<run_id> taken_;  ///< Whose claims were taken from living processes.
  std::string stage_ = "claimed";
  std::uint16_t term_ = 1;
  std::uint32_t assignments_ = 0;
  memory_plan memory_;
  std::uint32_t concurrency_ = 1;
  std::shared_ptr<const mapping> mapping_;
  std::vector<bool> own_;  // columns that travel in their product's own bytes; empty: none
  schema_ptr own_read_;    // what the readers' batches have then
  std::vector<split_state> splits_;
  std::size_t next_split_ = 0;
  std::vector<std::size_t> again_;  // splits to be taken again
  std::vector<pipeline_state> pipelines_;
  std::size_t splits_done_ = 0;
  std::size_t splits_primed_ = 0;     // whose first batch was looked at
  std::uint64_t records_primed_ = 0;  // in them
  std::uint64_t dirty_primed_ = 0;    // of those, as the reader refused them
  std::size_t priming_ = 0;           // whose first batch is being read
  bool looked_ahead_ = false;         // what can be known of an expectation before the data is judged

  bool source_busy_ = false;
  bool target_busy_ = false;
  bool claimed_ = false;
  bool renewing_ = false;
  std::uint32_t renewals_failed_ = 0;  // in a row
  std::chrono::steady_clock::time_point renewed_at_;
  bool before_begun_ = false;
  bool after_begun_ = false;
  bool errors_started_ = false;
  bool errors_sealed_ = false;
  bool errors_seal_sent_ = false;
  bool data_done_ = false;
  bool finished_at_target_ = false;
  bool stopped_on_request_ = false;
  bool interrupted_ = false;
  std::optional<error> failure_;
  std::uint32_t tries_again_ = 0;  // in this phase
  std::optional<std::chrono::steady_clock::time_point> try_again_at_;
  std::optional<retry_at_hand> retry_;  // of this phase, until it is over
  std::string only_reason_;
  std::optional<std::chrono::steady_clock::time_point> stop_deadline_;

  std::uint32_t active_ = 0;
  std::chrono::steady_clock::time_point active_since_;
  std::chrono::steady_clock::time_point data_started_;
  std::optional<std::chrono::steady_clock::time_point> data_ended_;
  std::chrono::steady_clock::time_point progress_at_;
  record_counts progress_counts_;
  record_counts resumed_counts_;  // what was there at the start of this process
};

}  // namespace sluice
