#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/committed_rows.h"
#include "plugins/api/connections.h"
#include "plugins/api/file_use.h"
#include "plugins/api/progress.h"
#include "plugins/api/table_facts.h"
#include "plugins/api/table_use.h"
#include "transport/base/stop.h"
#include "transport/record/batch.h"
#include "transport/record/mark.h"

namespace sluice {

/// A row of a batch that the destination refused and that can itself be blamed.
struct refused_row {
  std::uint32_t row = 0;  ///< In the batch.
  std::string column;     ///< Empty where the destination does not say.
  std::string code;       ///< The destination's own code, such as `SQLITE_CONSTRAINT_UNIQUE`.
  std::string message;
};

/// What became of a batch; written + ignored + refused = its rows.
struct write_answer {
  std::uint64_t written = 0;
  written_parts parts = {};          ///< Of those, as far as the destination tells.
  std::uint64_t ignored = 0;         ///< Left out by the write mode, by design.
  std::vector<refused_row> refused;  ///< In order of row; the others stand.
  row_sum written_sum;         ///< Of the rows written. Only set where `ignored` or `refused` are not empty.
  change_counts changes = {};  ///< Values that it changed before it wrote them, as the job asks.
};

/// How much one transaction of a destination is to hold; 0 = no bound.
struct transaction_bound {
  std::uint64_t bytes = 0;  ///< Held in batches.
  std::uint64_t rows = 0;
  friend bool operator==(const transaction_bound&, const transaction_bound&) = default;
};

/// Writes splits, one at a time, for one pipeline. Owned and called by one thread, which may block here.
class writer {
 public:
  virtual ~writer() = default;

  /// `open` of delivery.md: makes `epoch` the owner of the split and returns its mark. `conflict` where a
  /// newer one is. A destination without marks begins a fresh output and returns a mark at the split's start;
  /// what an older epoch of this writer left is void.
  virtual result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) = 0;

  /// Hands a batch over, beginning a transaction where none is open. Rows refused do not undo the others. Any
  /// error means that all since the last commit is lost: `rollback`, then `open`.
  virtual result<write_answer> write(const batch& b, const stop_signal& stop) = 0;

  /// Makes all since the last commit durable together with `m`, whose transaction number is one more than the
  /// last. After an error nothing is known: `rollback`, then `open` tells. Where there are no marks it makes
  /// durable what it can and, with `m.done`, completes the split's output.
  virtual result<void> commit(const mark& m, const stop_signal& stop) = 0;

  /// Forgets all since the last commit. Never fails; a connection that does not answer is given up.
  virtual void rollback() = 0;

  /// From here to the next `open` rows stand that reading again would double: `read_again_code` is not asked
  /// for, so that a refused row must cost what it may. Called between transactions.
  virtual void forbid_reading_again() {}

  /// A commit waits for a disk, so that one is due by bytes and time alone, however many rows it has.
  [[nodiscard]] virtual bool commits_by_bytes() const { return false; }

  /// Ends a statement on the server. Thread-safe, returns at once.
  virtual void interrupt() {}
};

/// What a target says of itself once it is open.
struct target_description {
  /// The destination's columns in mapping order; nullptr where it takes whatever comes (its writers then get
  /// the source's columns as they are).
  schema_ptr columns;
  /// For each column, whether it takes the source's column in its own bytes (`field::own_form`) and no step
  /// before can change that. Empty: none does. What its writers get then has fields with `own`.
  std::vector<bool> takes_own = {};
  /// Where `columns` is nullptr: the names that the job gives to what comes (a heading), one a column. Empty:
  /// they keep their own.
  std::vector<std::string> names = {};
  /// The columns, by index in what comes, that the destination computes itself: `columns` has none for them,
  /// and they are left out on the way.
  std::vector<std::size_t> left_out = {};
  std::string name;  ///< `sqlite shop.db table orders`: for the account by table.
  std::vector<std::string>
      changes;          ///< What will be made, emptied or removed, one sentence each, before it happens.
  std::string promise;  ///< `exactly once`, or `at least once, because …`.
  bool exactly_once = false;
  /// Why `exactly once` cannot be promised without a word more, where that lies in the table: refused where
  /// the job asks for nothing less. Empty: it can.
  std::string promise_gap = {};
  /// What a transaction is to hold of a split that is committed whole.
  transaction_bound whole_split_max = {};
  /// Without marks: what is committed stays when its split is opened again. Else a split's output begins
  /// anew.
  bool rows_stand = false;
  /// The same records written a second time leave the output as it is (`update` by a key).
  bool same_again = false;
  std::uint32_t writers_max = 0;  ///< 0 = no limit of its own.
  /// False: `columns` is nullptr because a step before makes or changes the table ("made by preSql, not
  /// compared"). Open again after the steps has them.
  bool compared = true;
  /// Where its rows go, in one spelling within the destination that holds the marks: a table's name. By it a
  /// start finds what other jobs have left half done there. Empty where there are no marks.
  std::string output = {};
  /// What stands in the output is removed before the data, by the write mode or a step before.
  bool empties = false;
  /// Of what a run has written nothing is seen before its end, and to forget the run removes it.
  bool appears_whole = false;
  std::vector<std::string> notes = {};       ///< For the plan, one sentence each.
  std::vector<file_use> files_changed = {};  ///< Files that are there and do not stay as they are.
  std::vector<made_file> files_made = {};    ///< Such as it makes, one of a kind.
  connection_count connections = {};
  /// For the plan, one sentence: what the same job does here when it is run again after a success.
  std::string run_again = {};
  /// With `createTable`: the statements that make the table as it would be made, also where it is there, and
  /// what of the source's table they do not make.
  std::vector<std::string> ddl = {};
  std::vector<std::string> not_made = {};
};

/// Steps at a destination around the data, in order: preSql statements, table creation, emptying; postSql.
struct target_step {
  std::string text;  ///< As shown in plan and log: the statement, or a sentence.
  bool repeatable =
      false;  ///< May run twice. Else, where it commits by itself, it is recorded as begun first.
};

/// `error::code` of a step that has run, or may have, without its stage being recorded: run again it would be
/// done twice. Its message says where to look, and by which flag to tell the next start what was seen.
inline constexpr const char* step_unknown_code = "step_unknown";

/// The destination of one run. Owned by one thread, which may block here. Nothing changes at the destination
/// before `prepare` and the steps. Call order: open, [progress().…], prepare, steps before, describe again
/// (`open`), make_writer…, steps after, finish. `abandon` in place of the rest after a failure.
class target {
 public:
  virtual ~target() = default;

  /// Before the first `open`: what the source says of the one table that it reads.
  virtual void know_source(std::shared_ptr<const table_facts> table) { (void)table; }

  /// Logs in, where that takes time: called at most once, before the first `open`, while the source is being
  /// opened. `open` connects anew where that connection was lost since.
  virtual result<void> connect_early(const stop_signal& stop) {
    (void)stop;
    return {};
  }

  /// Connects, looks and describes; compares with the source's columns where the job maps by position. May be
  /// called again after the steps before. `bad_option` where the job does not fit the destination.
  virtual result<target_description> open(const schema& source_columns, const stop_signal& stop) = 0;

  /// Where marks and claims stand; nullptr where the destination holds none.
  virtual progress_store* progress() { return nullptr; }

  /// What it writes of a server's tables, as the first `open` found them. Thread-safe after it.
  [[nodiscard]] virtual table_use tables_used() const { return {}; }

  /// Whether rows that were committed are still in the output, which somebody may empty or put another in the
  /// place of: `conflict` (`begin_anew_code`) where rows are gone. Called, where marks are kept, behind the
  /// steps before with what an earlier process of the run has committed (`at_end` false), and when all splits
  /// are done, before `finish`.
  virtual result<void> check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) {
    (void)rows, (void)at_end, (void)stop;
    return {};
  }

  /// Own preparations that are not steps: a folder for temporaries, removal of dead ones of this job.
  virtual result<void> prepare(const run_id& run, const stop_signal& stop) {
    (void)run, (void)stop;
    return {};
  }

  /// Looks for mistakes in the steps without running any, after `open`, where none has run yet: `bad_option`
  /// with the step's place. Changes nothing.
  virtual result<void> check_steps(const stop_signal& stop) {
    (void)stop;
    return {};
  }
  [[nodiscard]] virtual std::vector<target_step> steps_before() const { return {}; }
  [[nodiscard]] virtual std::vector<target_step> steps_after() const { return {}; }
  /// Runs one step; with a progress store the stage (`pre:N`, `post:N`, N = index + 1 steps done) is recorded
  /// in the same transaction where the server allows it; else that it was begun, before (step_stage.h).
  virtual result<void> run_step_before(std::size_t index, const stop_signal& stop) {
    (void)index, (void)stop;
    return {};
  }
  virtual result<void> run_step_after(std::size_t index, const stop_signal& stop) {
    (void)index, (void)stop;
    return {};
  }

  /// A writer for one pipeline. Cheap; connects in its `open`. `columns` is what its batches will have.
  virtual result<std::unique_ptr<writer>> make_writer(schema_ptr columns) = 0;

  /// All splits are committed: makes the output appear whole (renames, removal of what it replaces). May be
  /// repeated after a crash.
  virtual result<void> finish(const stop_signal& stop) {
    (void)stop;
    return {};
  }
  /// The run failed or stopped: removes what nobody will use. Never fails.
  virtual void abandon() {}

  /// Thread-safe, as `writer::interrupt`.
  virtual void interrupt() {}
};

}  // namespace sluice
