#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/api/progress.h"
#include "plugins/api/step_stage.h"
#include "plugins/api/target.h"
#include "plugins/common/relational/sql_session.h"
#include "plugins/common/relational/sql_text.h"

namespace sluice::relational {

/// What a database bears that keeps old versions of rows outside of its memory.
inline constexpr std::uint64_t whole_split_bytes_max = std::uint64_t{16} << 30;

/// How one product writes the statements of marks and claims. Of one target: its names of the tables are the
/// job's. Whole numbers are written into the SQL as literals, texts are given as values.
struct progress_dialect {
  /// `?` stays as it is, or becomes `$1`, `$2`, …
  enum class placeholder : std::uint8_t { question_mark, dollar_number };
  placeholder placeholders = placeholder::question_mark;
  char quote = '"';  ///< Around names.

  /// False: the job wants no marks. Those of splits and the stages of steps are then neither written nor
  /// read.
  bool kept = true;
  std::string run_table = "sluice_run";  ///< As SQL writes it, quoted and with its schema where it has one.
  std::string progress_table = "sluice_progress";
  std::string tables_name;  ///< `sluice_run and sluice_progress in "shop.db"`, for plan and log.
  std::string place;        ///< Begins each message: `"shop.db"`.

  std::string now_seconds;              ///< The server's clock in whole seconds, an expression.
  std::string key_type = "TEXT";        ///< Up to 64 characters of ASCII, compared byte by byte.
  std::string text_type = "TEXT";       ///< Any length, compared byte by byte.
  std::string integer_type = "BIGINT";  ///< 64 bits, signed.
  std::string table_end;                ///< Behind the closing bracket of CREATE TABLE: ` ENGINE=InnoDB`.

  /// CREATE and ALTER can stand in a transaction with other statements.
  bool ddl_in_transactions = true;
  /// Transactions that take or give up a claim do not exclude each other by themselves: each first updates
  /// one row that stands in the table for that (run `guard`).
  bool guard_row = true;
  /// A data transaction renews the claim, because nobody else can while it is open; a claim is then held as
  /// long as its process lives.
  bool renews_in_data = false;
};

/// The names of the two tables as the job wants them (`marks_wish`), without quotes.
struct mark_names {
  bool kept = true;
  std::string schema = {};  ///< Or database; empty: where the destination's table is.
  std::string run = "sluice_run";
  std::string progress = "sluice_progress";
};
/// How a product reads such a name.
struct mark_name_rules {
  const sql_rules& sql;
  std::string_view schema_word;    ///< `schema`, `database`; empty: the tables stand in one place only.
  std::size_t name_bytes_max = 0;  ///< 0 = any.
  bool folds = false;              ///< What is not quoted is in small letters.
};
/// `bad_option` where the setting names none.
result<mark_names> mark_names_of(const marks_wish& wish, const mark_name_rules& rules);
/// The same beside a job's options: where both are wrong, the failure has the lines of both.
template <class Options>
result<std::pair<Options, mark_names>> with_mark_names(result<Options> options, const marks_wish& wish,
                                                       const mark_name_rules& rules) {
  auto names = mark_names_of(wish, rules);
  if (!options) {
    error why = std::move(options).error();
    why.message += names ? "" : "\n" + names.error().message;
    return fail(std::move(why));
  }
  if (!names) {
    return fail(std::move(names).error());
  }
  return std::pair(std::move(*options), std::move(*names));
}

/// What target and writers share of the run's claim. Written by the target's thread before writers are made.
struct claim_state {
  run_id run;
  std::uint16_t term = 0;  ///< 0 = no claim.
  std::optional<claim_owner> owner;
  /// Writers in a data transaction, where that renews the claim itself (`renews_in_data`): the target's own
  /// renewal would wait for its lock.
  std::atomic<int> transactions = 0;
};

/// What `relational_progress` asks of its target. Owned by the target, used by its thread.
class progress_home {
 public:
  virtual ~progress_home() = default;

  /// The target's own connection, opened where there is none. `makes`: where a database that is missing is
  /// made by opening it, it may be.
  virtual result<sql_session*> session(bool makes) = 0;
  /// False where nothing can stand there yet (no file): then there are no runs.
  [[nodiscard]] virtual bool exists() const { return true; }
  /// The columns of `progress_dialect::run_table` or `progress_table`, in lower case as they were made; empty
  /// where there is no such table.
  virtual result<std::vector<std::string>> columns_of(const std::string& table) = 0;

  /// This connection as the server knows it, told apart from a later one with the same number
  /// (`4711/2025-07-20 10:30:00+00`); empty where sessions have no names.
  virtual result<std::string> session_name() { return std::string(); }
  /// Whether that session is still on the server; nothing where it cannot be told.
  virtual result<std::optional<bool>> session_lives(const std::string& name) {
    (void)name;
    return std::optional<bool>();
  }
  /// Whether that session, which lives, runs a statement now.
  virtual result<bool> session_works(const std::string& name) {
    (void)name;
    return false;
  }
  /// Ends it, where it is still there and may be ended.
  virtual result<void> end_session(const std::string& name) {
    (void)name;
    return {};
  }
};

/// The tables `sluice_run` and `sluice_progress` in a destination that speaks SQL (docs/delivery.md).
class relational_progress : public progress_store {
 public:
  /// All three outlive this.
  relational_progress(progress_home& home, const progress_dialect& dialect, claim_state& claim)
      : home_(home), dialect_(dialect), claim_(claim) {}

  [[nodiscard]] std::string tables() const override { return dialect_.tables_name; }
  [[nodiscard]] std::vector<std::string> tables_sql() const override;
  result<std::vector<run_row>> runs_of(const run_query& query) override;
  result<void> make_tables() override;
  result<void> claim_new(const run_row& run) override;
  result<std::uint16_t> claim_again(const run_row& seen, const claim_owner& me) override;
  result<void> take(const run_row& seen) override;
  result<void> freeze(const run_id& run, const std::vector<progress_row>& splits) override;
  result<std::vector<progress_row>> load(const run_id& run) override;
  result<void> set_stage(const run_id& run, const std::string& stage) override;
  result<void> renew(const run_id& run) override;
  result<std::string> reclaim(const run_id& run) override;
  result<run_totals> finish(const run_id& run, const dirty_totals& dirty) override;
  result<void> release(const run_id& run) override;
  result<void> discard(const run_id& run) override;

  /// Whether both tables are there. `bad_option` where one of that name is not of Sluice's form.
  result<bool> has_tables();
  /// How many columns `make_tables` will add, because they were made by an older program; 0 also where there
  /// are none.
  result<std::size_t> columns_to_add();
  /// What `make_tables` will do, a sentence each; nothing where no marks are kept.
  result<void> announce(std::vector<std::string>& changes);

 private:
  /// The names of the tables' columns; empty where there is no such table.
  struct table_columns {
    std::vector<std::string> runs;
    std::vector<std::string> marks;
    std::string of;  ///< The table of runs.
  };
  result<table_columns> columns();
  result<bool> is_held(const run_row& row);
  result<std::vector<run_row>> left_in_the_way(sql_session& session, const run_row& mine);
  result<std::vector<std::string>> check_free(sql_session& session, const run_row& mine);
  result<std::string> fence(sql_session& session, const run_row& stale);
  result<void> end_sessions(const std::vector<std::string>& names);
  result<std::string> end_lost_session();
  result<void> end_writers(sql_session& session, const run_id& run);
  result<void> take_from_others(sql_session& session, const run_id& run);
  result<void> check_as_seen(sql_session& session, const run_id& run);
  result<std::vector<run_row>> read_runs(sql_session& session, const run_query& query);
  result<void> try_make_tables();
  result<void> make_missing(sql_session& session);

  progress_home& home_;
  const progress_dialect& dialect_;
  claim_state& claim_;
  std::string session_;  ///< The name of the target's, as it was when the claim was taken or renewed last.
  std::vector<run_row> seen_;              ///< What `runs_of` has told last.
  std::optional<table_columns> complete_;  ///< Found once with all columns: the tables stay like that.
};

/// What the description says of marks: the promise, and that rows stand without them.
void promise_by_marks(const progress_dialect& dialect, const marks_wish& wish, target_description& out);

/// The CREATE TABLE statements.
std::vector<std::string> progress_tables_sql(const progress_dialect& dialect);

// Where no marks are kept (`progress_dialect::kept`), these do nothing, and a split is opened at its start.

/// Sets the stage inside the caller's transaction; `conflict` where the claim was taken over.
result<void> set_stage_of(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const std::string& stage);
/// The stage that stands there, likewise.
result<std::string> stage_of(sql_session& session, const progress_dialect& dialect, const claim_state& claim);

/// `open` of delivery.md for one split, a transaction of its own; `owner` names the writer's session, so that
/// a later owner can end it. `conflict` where a newer epoch is there.
result<mark> open_split(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                        split_index split, epoch_number epoch, const std::string& owner);
/// The first statement of a data transaction, inside it; `conflict` where the epoch is not the owner's any
/// more.
result<void> begin_mark(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                        split_index split, epoch_number epoch, std::uint64_t transaction);
/// The last one before its COMMIT; `conflict` likewise.
result<void> end_mark(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                      const mark& m);

}  // namespace sluice::relational
