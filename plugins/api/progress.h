#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "transport/base/ids.h"
#include "transport/base/result.h"
#include "transport/record/mark.h"
#include "transport/record/totals.h"

namespace sluice {

/// The code of what a process cannot do any more because another one has taken its claim or its split.
inline constexpr const char* taken_over_code = "taken_over";
/// The code of a claim that is refused because another run of the job has it.
inline constexpr const char* claimed_code = "claimed";

/// Who holds a claim.
struct claim_owner {
  std::string host;
  std::int64_t pid = 0;
  std::string process_start;  ///< Start time of the process as the system gives it; tells a reused pid apart.
  std::string session;        ///< The destination's own name of the session; empty where it has none.
  friend bool operator==(const claim_owner&, const claim_owner&) = default;
};

/// A row of `sluice_run`.
struct run_row {
  run_id run;
  std::string job_key;   ///< 32 hexadecimal digits.
  std::string instance;  ///< 32 hexadecimal digits.
  std::string job_name;
  std::string stage;  ///< `claimed`, `pre:N`, `loading`, `post:N`, `done` (step_stage.h).
  std::uint16_t term = 1;
  std::optional<claim_owner> owner;  ///< Nothing: released.
  bool held = false;  ///< As `runs_of` judges it: the owner lives, as far as the destination can tell.
  std::int64_t started_age_s = 0;   ///< Seconds since the run began, by the destination's clock.
  std::int64_t renewed_age_s = 0;   ///< Seconds since the claim was renewed, by the destination's clock.
  std::int64_t finished_age_s = 0;  ///< Seconds since it was done; 0 while it is not.
  /// `2025-07-20 10:30:00 Europe/Berlin`, with `now ` before it where it was the start's; empty where the
  /// caller had no clock.
  std::string planned_time;
  /// What it writes to, as `target_description::output` names it; empty where an older program made the row.
  std::string output;
  bool empties = false;  ///< It removes what stands in the output before its data.
  /// Digests of what its job key covers, by name (`job::key_parts`): tells what differs under another key.
  /// Empty where an older program made the row.
  scalar_list key_parts;
  std::uint64_t written = 0;  ///< Rows that its marks tell of; 0 once it is done.
  /// Of those, the rows of splits that were committed in parts: going on writes them again.
  std::uint64_t written_in_parts = 0;
  bool has_marks = true;             ///< False: none of its splits is found any more, or none is yet.
  std::optional<run_totals> totals;  ///< Once it is done; nothing where an older program ended it.
};

/// Which runs a start must know of.
struct run_query {
  std::string job_key;
  std::string job_name;
  std::string output;
};

/// What the engine knows of a run's dirty records and marks do not tell.
struct dirty_totals {
  std::map<std::string, std::uint64_t> by_code;
  std::uint64_t missing = 0;
};

/// A row of `sluice_progress`: the frozen split with its mark.
struct progress_row {
  scalar_list description;
  std::string label;
  mark at;
};

/// The split was committed in parts and not to its end: its rows stand, and where reading begins behind them
/// nobody knows.
inline bool is_in_parts(const mark& m) {
  return !m.done && !m.after && m.position != 0;
}

/// Of a split of which nothing has been committed.
inline mark mark_at_start(split_index split, epoch_number epoch) {
  mark m;
  m.split = split;
  m.epoch = epoch;
  return m;
}

/// The two tables of delivery.md in the destination. Called by the thread that owns the target; every call is
/// a transaction of its own. No call but `make_tables`, `claim_new` and later ones changes anything.
class progress_store {
 public:
  virtual ~progress_store() = default;

  /// Names of the tables, as announced in plan and log.
  [[nodiscard]] virtual std::string tables() const = 0;
  /// The statements that make them, for whoever makes them beforehand; empty where no statement does.
  [[nodiscard]] virtual std::vector<std::string> tables_sql() const { return {}; }
  /// All runs of the job key, this job name or this output, and those of none known (an older program's) that
  /// are not done; newest first. Empty where there is no table of runs. `not_supported`
  /// where one of them is of a newer program.
  virtual result<std::vector<run_row>> runs_of(const run_query& query) = 0;
  /// Makes the tables where they do not exist or are of an older program, and removes runs done longer than 7
  /// days ago.
  virtual result<void> make_tables() = 0;
  /// Inserts a run with its claim. `conflict` where another run of the job key has a claim that is not
  /// released, or where one of another key has and either of the two empties the output of both.
  virtual result<void> claim_new(const run_row& run) = 0;
  /// Takes over the claim of an unfinished run: one compare-and-set on `seen`'s stage, term and owner that
  /// raises the term, which it returns, and sets key, instance and key parts to `seen`'s. `conflict`: it was
  /// too late.
  virtual result<std::uint16_t> claim_again(const run_row& seen, const claim_owner& me) = 0;
  /// `--if-running takeover`: `seen`'s owner has the claim no more, whether or not its process lives, and
  /// nobody has it in its place. What that process has not committed is rolled back with its sessions, which
  /// are ended, and what it may still send is refused by the term and the epochs, which are raised; waits for
  /// its open transactions. Nothing is done where the claim is not that owner's any more. `conflict`
  /// (`claimed_code`) where the destination has no sessions that could be ended.
  virtual result<void> take(const run_row& seen) = 0;
  /// Inserts all splits at once with marks at their start: the plan is frozen.
  virtual result<void> freeze(const run_id& run, const std::vector<progress_row>& splits) = 0;
  /// The frozen splits by index with their marks.
  virtual result<std::vector<progress_row>> load(const run_id& run) = 0;
  virtual result<void> set_stage(const run_id& run, const std::string& stage) = 0;
  /// Renews the claim; `conflict` where it was taken.
  virtual result<void> renew(const run_id& run) = 0;
  /// After a failure that may have cost the connection: makes it again, ends the session that was lost where
  /// the server still has it, and renews the claim, `conflict` where it was taken. Returns the stage that
  /// stands there, with all that the lost session has committed; it can commit nothing more.
  virtual result<std::string> reclaim(const run_id& run) = 0;
  /// One transaction: reads that every split is done and the account closes (`over_limit` where not, naming
  /// the split), sets the stage `done`, keeps the totals in the run's row and removes the split rows. Returns
  /// the totals.
  virtual result<run_totals> finish(const run_id& run, const dirty_totals& dirty) = 0;
  /// The last act of a run: gives the claim back. `taken_over_code` where it is not this process's any more.
  virtual result<void> release(const run_id& run) = 0;
  /// Removes an unfinished run and its splits (`--on-unfinished fresh`), or a run refused before data moved.
  /// `conflict` where another living process holds its claim; `taken_over_code` where
  /// the claim was this process's and is not any more.
  virtual result<void> discard(const run_id& run) = 0;
};

}  // namespace sluice
