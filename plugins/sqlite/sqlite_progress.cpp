#include "plugins/sqlite/sqlite_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

constexpr std::string_view run_table = "sluice_run";
constexpr std::string_view progress_table = "sluice_progress";
constexpr std::int64_t days_kept_done = 7;
constexpr std::int64_t seconds_until_stale = 60;  // delivery.md, "Job key, instance, claim"

/// `version` is that of a run's row and its splits, so that an older program sees what it does not know.
/// Version 1 had none of the columns added below, version 2 those of `sluice_run`.
constexpr std::int64_t row_version = 3;
struct added_column {
  std::string_view table;
  std::string_view name;
  std::string_view type;
};
constexpr auto added_columns = std::to_array<added_column>({{run_table, "output", "TEXT"},
                                                            {run_table, "empties", "INTEGER"},
                                                            {run_table, "key_parts", "TEXT"},
                                                            {run_table, "totals", "TEXT"},
                                                            {progress_table, "dirty_bytes", "INTEGER"},
                                                            {progress_table, "filtered_bytes", "INTEGER"},
                                                            {progress_table, "changes", "TEXT"}});
/// No STRICT and no WITHOUT ROWID: old tools must be able to open the file.
constexpr std::string_view make_tables_sql = R"(
CREATE TABLE IF NOT EXISTS sluice_run(
  run TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, job_key TEXT NOT NULL, instance TEXT NOT NULL, job_name TEXT NOT NULL,
  stage TEXT NOT NULL, term INTEGER NOT NULL, planned_time TEXT NOT NULL,
  owner_host TEXT, owner_pid INTEGER, owner_start TEXT, owner_session TEXT,
  started_at INTEGER NOT NULL, renewed_at INTEGER NOT NULL, finished_at INTEGER,
  output TEXT, empties INTEGER, key_parts TEXT, totals TEXT);
CREATE TABLE IF NOT EXISTS sluice_progress(
  run TEXT NOT NULL, split INTEGER NOT NULL, description TEXT NOT NULL, label TEXT NOT NULL,
  epoch INTEGER NOT NULL, owner TEXT NOT NULL, txn INTEGER NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL, cursor TEXT,
  read INTEGER NOT NULL, written INTEGER NOT NULL, ignored INTEGER NOT NULL, dirty INTEGER NOT NULL, filtered INTEGER NOT NULL,
  bytes INTEGER NOT NULL, read_sum TEXT NOT NULL, written_sum TEXT NOT NULL, dirty_sum TEXT NOT NULL, changed INTEGER NOT NULL,
  done INTEGER NOT NULL, dirty_bytes INTEGER, filtered_bytes INTEGER, changes TEXT, PRIMARY KEY(run, split));
)";

/// The destination's clock, in seconds.
constexpr std::string_view now_sql = "CAST(strftime('%s', 'now') AS INTEGER)";

constexpr std::string_view mark_columns =
    "epoch, txn, sequence, position, cursor, read, written, ignored, dirty, filtered, bytes, read_sum, "
    "written_sum, dirty_sum, changed, done, dirty_bytes, filtered_bytes, changes";
/// Of a table of an older version, which did not count these: NULL is none.
constexpr std::string_view mark_columns_of_version_2 =
    "epoch, txn, sequence, position, cursor, read, written, ignored, dirty, filtered, bytes, read_sum, "
    "written_sum, dirty_sum, changed, done, NULL, NULL, NULL";

std::int64_t stored(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}
std::uint64_t loaded(const statement& s, int column) {
  return static_cast<std::uint64_t>(s.int64_at(column));
}
sql_value or_null(const std::optional<std::string>& text) {
  return text ? sql_value(std::string_view(*text)) : sql_value(nullptr);
}

error taken_over(const std::string& file, const std::string& what) {
  return {error_kind::conflict,
          fmt::format("{}: {} belongs to another process by now", in_quotes(file), what), "taken_over", true};
}

std::string split_text(split_index split) {
  return fmt::format("split {}", split.value);
}

/// The mark in the columns of `mark_columns` from `first` on.
result<mark> read_mark(const statement& s, int first, split_index split) {
  mark m;
  m.split = split;
  m.epoch = {loaded(s, first)};
  m.transaction = loaded(s, first + 1);
  m.sequence = loaded(s, first + 2);
  m.position = loaded(s, first + 3);
  if (s.storage_at(first + 4) != storage::null) {
    SLUICE_TRY(m.after, scalars_from_json(s.bytes_at(first + 4)));
  }
  m.counts.read = loaded(s, first + 5);
  m.counts.written = loaded(s, first + 6);
  m.counts.ignored = loaded(s, first + 7);
  m.counts.dirty = loaded(s, first + 8);
  m.counts.filtered = loaded(s, first + 9);
  m.counts.bytes = loaded(s, first + 10);
  SLUICE_TRY(m.sums.read, row_sum_from(s.bytes_at(first + 11)));
  SLUICE_TRY(m.sums.written, row_sum_from(s.bytes_at(first + 12)));
  SLUICE_TRY(m.sums.dirty, row_sum_from(s.bytes_at(first + 13)));
  m.sums.changed = s.int64_at(first + 14) != 0;
  m.done = s.int64_at(first + 15) != 0;
  m.counts.dirty_bytes = loaded(s, first + 16);
  m.counts.filtered_bytes = loaded(s, first + 17);
  SLUICE_TRY(m.changes, change_counts_from(s.bytes_at(first + 18)));
  return m;
}

/// Adds the values of `mark_columns` but epoch and txn to `parameters`' end, in order.
struct mark_values {
  std::optional<std::string> after;
  std::string read_sum, written_sum, dirty_sum, changes;
  explicit mark_values(const mark& m)
      : read_sum(sluice::to_string(m.sums.read)),
        written_sum(sluice::to_string(m.sums.written)),
        dirty_sum(sluice::to_string(m.sums.dirty)),
        changes(to_text(m.changes)) {
    if (m.after) {
      after = to_json(*m.after);
    }
  }
  void bind(statement& s, int first, const mark& m) const {
    s.bind(first, stored(m.sequence));
    s.bind(first + 1, stored(m.position));
    s.bind(first + 2, or_null(after));
    s.bind(first + 3, stored(m.counts.read));
    s.bind(first + 4, stored(m.counts.written));
    s.bind(first + 5, stored(m.counts.ignored));
    s.bind(first + 6, stored(m.counts.dirty));
    s.bind(first + 7, stored(m.counts.filtered));
    s.bind(first + 8, stored(m.counts.bytes));
    s.bind_text(first + 9, read_sum);
    s.bind_text(first + 10, written_sum);
    s.bind_text(first + 11, dirty_sum);
    s.bind(first + 12, std::int64_t{m.sums.changed});
    s.bind(first + 13, std::int64_t{m.done});
    s.bind(first + 14, stored(m.counts.dirty_bytes));
    s.bind(first + 15, stored(m.counts.filtered_bytes));
    s.bind_text(first + 16, changes);
  }
};

result<run_row> read_run(const statement& s) {
  run_row r;
  SLUICE_TRY(r.run, run_id::parse(s.bytes_at(0)));
  r.job_key = s.text_at(1);
  r.instance = s.text_at(2);
  r.job_name = s.text_at(3);
  r.stage = s.text_at(4);
  r.term = static_cast<std::uint16_t>(s.int64_at(5));
  r.planned_time = s.text_at(6);
  if (s.storage_at(7) != storage::null) {
    r.owner = claim_owner{s.text_at(7), s.int64_at(8), s.text_at(9), s.text_at(10)};
  }
  r.renewed_age_s = std::max<std::int64_t>(0, s.int64_at(11));
  r.finished_age_s = std::max<std::int64_t>(0, s.int64_at(12));
  r.written = loaded(s, 14);
  r.output = s.text_at(15);
  r.empties = s.int64_at(16) != 0;
  if (s.storage_at(17) != storage::null) {
    SLUICE_TRY(r.key_parts, scalars_from_json(s.bytes_at(17)));
  }
  if (s.storage_at(18) != storage::null) {
    SLUICE_TRY(const scalar_list kept, scalars_from_json(s.bytes_at(18)));
    SLUICE_TRY(r.totals, totals_from(kept));
  }
  r.has_marks = s.int64_at(19) != 0;
  return r;
}

result<bool> has_table(database& db, std::string_view name) {
  SLUICE_TRY(const auto count,
             db.ask("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", {name}));
  return count == "1";
}

/// The columns that `read_run` reads. `added`: the table has those that were added. `marks`: the other table
/// is there.
std::string run_columns(bool added, bool marks) {
  return fmt::format(
      "run, job_key, instance, job_name, stage, term, planned_time, owner_host, owner_pid, owner_start, "
      "owner_session, {0} - renewed_at, {0} - finished_at, version, {2}, {1}, {3}",
      now_sql, added ? "output, empties, key_parts, totals" : "NULL, NULL, NULL, NULL",
      marks ? "(SELECT coalesce(sum(written), 0) FROM sluice_progress p WHERE p.run = sluice_run.run)" : "0",
      marks ? "EXISTS(SELECT 1 FROM sluice_progress p WHERE p.run = sluice_run.run)" : "0");
}

/// Those columns that the tables of this file lack, because an older program made them.
result<std::vector<added_column>> missing_columns(database& db) {
  std::vector<added_column> missing;
  for (const added_column& column : added_columns) {
    SLUICE_TRY(const auto found, db.ask("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?",
                                        {column.table, column.name}));
    if (found != "1") {
      missing.push_back(column);
    }
  }
  return missing;
}

/// Whether the table has the columns that were added to it.
result<bool> has_added_columns(database& db, std::string_view table) {
  SLUICE_TRY(const auto missing, missing_columns(db));
  return std::none_of(missing.begin(), missing.end(),
                      [table](const added_column& column) { return column.table == table; });
}

result<std::vector<run_row>> read_runs(database& db, const run_query& query) {
  SLUICE_TRY(const bool added, has_added_columns(db, run_table));
  SLUICE_TRY(const bool marks, has_table(db, progress_table));
  SLUICE_TRY(
      statement select,
      db.prepare(fmt::format(
          "SELECT {} FROM sluice_run WHERE job_key = ?1 OR (stage <> 'done' AND (job_name = ?2 OR {})) "
          "ORDER BY started_at DESC, run DESC",
          run_columns(added, marks), added ? "output = ?3 OR output IS NULL" : "?3 = ?3")));
  select.bind_text(1, query.job_key);
  select.bind_text(2, query.job_name);
  select.bind_text(3, query.output);
  std::vector<run_row> runs;
  step_answer answer = select.step();
  for (; answer == step_answer::row; answer = select.step()) {
    if (select.int64_at(13) > row_version) {
      return fail(error_kind::not_supported,
                  "{}: run {} was begun by a newer Sluice (its row is of version {}, this one knows {}); run "
                  "this job with that one",
                  in_quotes(db.path()), select.text_at(0), select.int64_at(13), row_version);
    }
    SLUICE_TRY(run_row row, read_run(select));
    runs.push_back(std::move(row));
  }
  if (answer == step_answer::failed) {
    return fail(db.failure("read sluice_run"));
  }
  return runs;
}

/// A process on this host counts by whether it lives; one elsewhere by when it renewed its claim last. The
/// data is fenced by the epochs in either case.
bool is_held(const run_row& row) {
  if (!row.owner) {
    return false;
  }
  switch (look_up({row.owner->host, row.owner->pid, row.owner->process_start})) {
    case process_state::alive:
      return true;
    case process_state::dead:
      return false;
    case process_state::elsewhere:
      break;
  }
  return row.renewed_age_s < seconds_until_stale;
}

error held_by_another(const std::string& file, const run_row& row) {
  return {error_kind::conflict,
          fmt::format("{}: run {} of this job belongs to process {} on {}, which still runs; wait for its "
                      "end, or stop it",
                      in_quotes(file), row.run.text(), row.owner->pid, escaped(row.owner->host)),
          "claimed", true};
}

/// `conflict` where the claim that `mine` would take is held: by another run of its job key, or by one of
/// another key where either empties the output of both (delivery.md, "one more for each destination that is
/// emptied"). Inside the transaction that takes it.
result<void> check_free(database& db, const run_row& mine) {
  SLUICE_TRY(const auto others, read_runs(db, {mine.job_key, "", mine.output}));
  for (const run_row& other : others) {
    if (other.run == mine.run || !is_held(other)) {
      continue;
    }
    if (other.job_key == mine.job_key) {
      return fail(held_by_another(db.path(), other));
    }
    if (!mine.output.empty() && other.output == mine.output && (mine.empties || other.empties)) {
      return fail({error_kind::conflict,
                   fmt::format("{}: run {} of job {} writes into table {}, which {} empties first; wait for "
                               "the end of process {} on {}, or stop it",
                               in_quotes(db.path()), other.run.text(), in_quotes(other.job_name),
                               in_quotes(mine.output), mine.empties ? "this job" : "it", other.owner->pid,
                               escaped(other.owner->host)),
                   "emptied", true});
    }
  }
  return {};
}

}  // namespace

result<database> connect(const std::string& file, open_mode mode, std::chrono::milliseconds busy_timeout,
                         const std::vector<std::string>& session, std::uint64_t memory_bytes,
                         const stop_signal& stop) {
  SLUICE_TRY(database db, database::open(file, mode, busy_timeout, stop));
  // More cache than this did not measure faster for appends; random keys use what they get.
  constexpr std::uint64_t cache_bytes_max = std::uint64_t{32} << 20;
  constexpr std::uint64_t cache_bytes_min = std::uint64_t{2} << 20;
  const std::uint64_t cache = std::clamp(memory_bytes, cache_bytes_min, cache_bytes_max);
  SLUICE_CHECK(db.run(fmt::format("PRAGMA cache_size = -{}", cache >> 10)));
  for (const std::string& statement_text : session) {
    SLUICE_CHECK(db.run(statement_text));
  }
  return db;
}

result<database*> file_connection::get(open_mode mode) {
  if (!db) {
    SLUICE_TRY(database made, connect(file, mode, busy_timeout, session, 0, stop));
    if (mode != open_mode::read_only && made.is_read_only()) {
      return fail(error_kind::denied, "{}: the file is read-only for this process; {}", in_quotes(file),
                  "give it the right to write the file and its folder");
    }
    const std::lock_guard lock(interrupting);
    db.emplace(std::move(made));
  }
  db->use_stop(stop);
  return &*db;
}

void file_connection::interrupt() {
  const std::lock_guard lock(interrupting);
  if (db) {
    db->interrupt();
  }
}

result<void> renew_claim(database& db, const claim_state& claim) {
  if (claim.term == 0) {
    return {};
  }
  SLUICE_TRY(const auto renewed,
             db.run(fmt::format("UPDATE sluice_run SET renewed_at = {} WHERE run = ? AND term = ?", now_sql),
                    {std::string_view(claim.run.text()), std::int64_t{claim.term}}));
  return renewed == 1 ? result<void>() : fail(taken_over(db.path(), "run " + claim.run.text()));
}

result<void> set_stage_of(database& db, const claim_state& claim, const std::string& stage) {
  SLUICE_TRY(const auto set,
             db.run(fmt::format("UPDATE sluice_run SET stage = ?, renewed_at = {} WHERE run = ? AND term = ?",
                                now_sql),
                    {std::string_view(stage), std::string_view(claim.run.text()), std::int64_t{claim.term}}));
  return set == 1 ? result<void>() : fail(taken_over(db.path(), "run " + claim.run.text()));
}

result<mark> open_split(database& db, const claim_state& claim, split_index split, epoch_number epoch) {
  const std::string run = claim.run.text();
  const std::string owner = claim.owner ? fmt::format("{}:{}", claim.owner->host, claim.owner->pid) : "";
  result<mark> found = mark{};
  auto done = in_transaction(db, [&]() -> result<void> {
    SLUICE_TRY(const auto owned, db.run("UPDATE sluice_progress SET epoch = ?1, owner = ?2, txn = 0 WHERE "
                                        "run = ?3 AND split = ?4 AND epoch < ?1",
                                        {stored(epoch.value), std::string_view(owner), std::string_view(run),
                                         std::int64_t{split.value}}));
    if (owned != 1) {
      return fail(taken_over(db.path(), split_text(split)));
    }
    SLUICE_TRY(
        statement read,
        db.prepare(fmt::format("SELECT {} FROM sluice_progress WHERE run = ? AND split = ?", mark_columns)));
    read.bind_text(1, run);
    read.bind(2, std::int64_t{split.value});
    if (read.step() != step_answer::row) {
      return fail(db.failure("read the mark"));
    }
    found = read_mark(read, 0, split);
    return found ? result<void>() : fail(found.error());
  });
  SLUICE_CHECK(std::move(done));
  return found;
}

result<void> begin_mark(database& db, const claim_state& claim, split_index split, epoch_number epoch,
                        std::uint64_t transaction) {
  SLUICE_TRY(const auto owned,
             db.run("UPDATE sluice_progress SET txn = ? WHERE run = ? AND split = ? AND epoch = ?",
                    {stored(transaction), std::string_view(claim.run.text()), std::int64_t{split.value},
                     stored(epoch.value)}));
  return owned == 1 ? result<void>() : fail(taken_over(db.path(), split_text(split)));
}

result<void> end_mark(database& db, const claim_state& claim, const mark& m) {
  SLUICE_TRY(statement update, db.prepare("UPDATE sluice_progress SET sequence = ?5, position = ?6, cursor = "
                                          "?7, read = ?8, written = ?9, ignored = ?10, dirty = "
                                          "?11, filtered = ?12, bytes = ?13, read_sum = ?14, written_sum = "
                                          "?15, dirty_sum = ?16, changed = ?17, done = ?18, dirty_bytes = "
                                          "?19, filtered_bytes = ?20, changes = ?21 "
                                          "WHERE run = ?1 AND split = ?2 AND epoch = ?3 AND txn = ?4"));
  const std::string run = claim.run.text();
  const mark_values values(m);
  update.bind_text(1, run);
  update.bind(2, std::int64_t{m.split.value});
  update.bind(3, stored(m.epoch.value));
  update.bind(4, stored(m.transaction));
  values.bind(update, 5, m);
  if (update.step() != step_answer::done) {
    return fail(db.failure("write the mark"));
  }
  if (db.changes() != 1) {
    return fail(taken_over(db.path(), split_text(m.split)));
  }
  return renew_claim(db, claim);
}

std::string sqlite_progress::tables() const {
  return fmt::format("{} and {} in {}", run_table, progress_table, in_quotes(connection_.file));
}

result<bool> sqlite_progress::has_tables() {
  SLUICE_TRY(database * db, existing());
  SLUICE_TRY(const bool runs, has_table(*db, run_table));
  SLUICE_TRY(const bool marks, has_table(*db, progress_table));
  return runs && marks;
}

result<std::size_t> sqlite_progress::columns_to_add() {
  SLUICE_TRY(const bool there, has_tables());
  if (!there) {
    return std::size_t{0};
  }
  SLUICE_TRY(const auto missing, missing_columns(*connection_.db));
  return missing.size();
}

result<std::vector<run_row>> sqlite_progress::runs_of(const run_query& query) {
  if (!connection_.db) {
    return std::vector<run_row>();  // the target found no file
  }
  SLUICE_TRY(database * db, existing());
  // Without the table of marks the runs still tell that there was something.
  SLUICE_TRY(const bool there, has_table(*db, run_table));
  return there ? read_runs(*db, query) : std::vector<run_row>();
}

result<void> sqlite_progress::make_tables() {
  SLUICE_TRY(database * db, connection_.get(open_mode::create));
  return in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(db->run(make_tables_sql));
    SLUICE_TRY(const auto missing, missing_columns(*db));
    for (const added_column& column : missing) {
      SLUICE_CHECK(
          db->run(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", column.table, column.name, column.type)));
    }
    SLUICE_TRY(
        const auto removed,
        db->run(fmt::format("DELETE FROM sluice_run WHERE stage = 'done' AND finished_at < {} - ?", now_sql),
                {days_kept_done * 86400}));
    (void)removed;
    return {};
  });
}

result<void> sqlite_progress::claim_new(const run_row& run) {
  SLUICE_TRY(database * db, existing());
  auto done = in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(check_free(*db, run));
    const claim_owner owner = run.owner.value_or(claim_owner{});
    const std::string key_parts = to_json(run.key_parts);
    SLUICE_TRY(
        const auto inserted,
        db->run(fmt::format(
                    "INSERT INTO sluice_run(run, version, job_key, instance, job_name, stage, term, "
                    "planned_time, owner_host, owner_pid, owner_start, owner_session, output, empties, "
                    "key_parts, started_at, renewed_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "{0}, {0})",
                    now_sql),
                {std::string_view(run.run.text()), row_version, std::string_view(run.job_key),
                 std::string_view(run.instance), std::string_view(run.job_name), std::string_view(run.stage),
                 std::int64_t{run.term}, std::string_view(run.planned_time), std::string_view(owner.host),
                 owner.pid, std::string_view(owner.process_start), std::string_view(owner.session),
                 std::string_view(run.output), std::int64_t{run.empties}, std::string_view(key_parts)}));
    (void)inserted;
    return {};
  });
  SLUICE_CHECK(std::move(done));
  claim_.run = run.run;
  claim_.term = run.term;
  claim_.owner = run.owner;
  return {};
}

result<std::uint16_t> sqlite_progress::claim_again(const run_row& seen, const claim_owner& me) {
  if (is_held(seen) && seen.owner != me) {
    return fail(held_by_another(connection_.file, seen));
  }
  // Epochs are compared as signed numbers in SQLite; their top bit would be reached here.
  if (seen.term >= 0x7FFF) {
    return fail(error_kind::not_supported,
                "{}: run {} was taken over {} times; begin anew with --on-unfinished fresh",
                in_quotes(connection_.file), seen.run.text(), seen.term);
  }
  SLUICE_TRY(database * db, existing());
  const std::uint16_t term = static_cast<std::uint16_t>(seen.term + 1);
  const sql_value host = seen.owner ? sql_value(std::string_view(seen.owner->host)) : sql_value(nullptr);
  const sql_value pid = seen.owner ? sql_value(seen.owner->pid) : sql_value(nullptr);
  const sql_value start =
      seen.owner ? sql_value(std::string_view(seen.owner->process_start)) : sql_value(nullptr);
  auto done = in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(check_free(*db, seen));
    SLUICE_TRY(
        const auto taken,
        db->run(
            fmt::format(
                "UPDATE sluice_run SET term = ?, version = ?, owner_host = ?, owner_pid = ?, owner_start = "
                "?, "
                "owner_session "
                "= ?, renewed_at = {} WHERE run = ? AND term = ? AND owner_host IS ? AND owner_pid IS ? AND "
                "owner_start IS ?",
                now_sql),
            {std::int64_t{term}, row_version, std::string_view(me.host), me.pid,
             std::string_view(me.process_start), std::string_view(me.session),
             std::string_view(seen.run.text()), std::int64_t{seen.term}, host, pid, start}));
    return taken == 1 ? result<void>() : fail(taken_over(db->path(), "run " + seen.run.text()));
  });
  SLUICE_CHECK(std::move(done));
  claim_.run = seen.run;
  claim_.term = term;
  claim_.owner = me;
  return term;
}

result<void> sqlite_progress::freeze(const run_id& run, const std::vector<progress_row>& splits) {
  SLUICE_TRY(database * db, existing());
  return in_transaction(*db, [&]() -> result<void> {
    SLUICE_TRY(statement insert, db->prepare("INSERT INTO sluice_progress VALUES(?, ?, ?, ?, 0, '', 0, ?, ?, "
                                             "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    const std::string run_text = run.text();
    for (const progress_row& row : splits) {
      const std::string description = to_json(row.description);
      const mark_values values(row.at);
      insert.bind_text(1, run_text);
      insert.bind(2, std::int64_t{row.at.split.value});
      insert.bind_text(3, description);
      insert.bind_text(4, row.label);
      values.bind(insert, 5, row.at);
      if (insert.step() != step_answer::done) {
        return fail(db->failure("freeze the plan"));
      }
      insert.reset();
    }
    return {};
  });
}

result<std::vector<progress_row>> sqlite_progress::load(const run_id& run) {
  SLUICE_TRY(database * db, existing());
  SLUICE_TRY(const bool there, has_table(*db, progress_table));
  if (!there) {
    return std::vector<progress_row>();
  }
  SLUICE_TRY(const bool added, has_added_columns(*db, progress_table));
  SLUICE_TRY(statement select,
             db->prepare(fmt::format(
                 "SELECT split, description, label, {} FROM sluice_progress WHERE run = ? ORDER BY split",
                 added ? mark_columns : mark_columns_of_version_2)));
  const std::string run_text = run.text();
  select.bind_text(1, run_text);
  std::vector<progress_row> rows;
  step_answer answer = select.step();
  for (; answer == step_answer::row; answer = select.step()) {
    progress_row row;
    SLUICE_TRY(row.description, scalars_from_json(select.bytes_at(1)));
    row.label = select.text_at(2);
    SLUICE_TRY(row.at, read_mark(select, 3, {static_cast<std::uint32_t>(select.int64_at(0))}));
    rows.push_back(std::move(row));
  }
  if (answer == step_answer::failed) {
    return fail(db->failure("read sluice_progress"));
  }
  return rows;
}

result<void> sqlite_progress::set_stage(const run_id& run, const std::string& stage) {
  SLUICE_TRY(database * db, existing());
  (void)run;
  return in_transaction(*db, [&] { return set_stage_of(*db, claim_, stage); });
}

result<void> sqlite_progress::renew(const run_id& run) {
  (void)run;
  if (claim_.transactions.load() > 0) {
    return {};  // its commit renews, and holds the file's only write lock until then
  }
  SLUICE_TRY(database * db, existing());
  return in_transaction(*db, [&] { return renew_claim(*db, claim_); });
}

result<run_totals> sqlite_progress::finish(const run_id& run, const dirty_totals& dirty) {
  SLUICE_TRY(database * db, existing());
  run_totals totals;
  totals.dirty_by_code = dirty.by_code;
  totals.dirty_missing = dirty.missing;
  auto done = in_transaction(*db, [&]() -> result<void> {
    SLUICE_TRY(const auto rows, load(run));
    totals.splits = rows.size();
    for (const progress_row& row : rows) {
      const record_counts& c = row.at.counts;
      if (!row.at.done || !c.closes() || !row.at.sums.closes()) {
        return fail(error_kind::over_limit,
                    "{}: split {} ({}) does not close: {}read {}, written {}, ignored {}, dirty {}, filtered "
                    "{}{}; the run is not marked done",
                    in_quotes(db->path()), row.at.split.value, escaped(row.label),
                    row.at.done ? "" : "it is not complete; ", c.read, c.written, c.ignored, c.dirty,
                    c.filtered, row.at.sums.closes() ? "" : ", and the sums of its records differ");
      }
      totals.counts += c;
      totals.sums += row.at.sums;
      totals.changes += row.at.changes;
    }
    SLUICE_CHECK(set_stage_of(*db, claim_, "done"));
    const std::string kept = to_json(to_scalars(totals));
    SLUICE_TRY(
        const auto dated,
        db->run(fmt::format("UPDATE sluice_run SET finished_at = {}, totals = ? WHERE run = ?", now_sql),
                {std::string_view(kept), std::string_view(run.text())}));
    (void)dated;
    SLUICE_TRY(const auto removed,
               db->run("DELETE FROM sluice_progress WHERE run = ?", {std::string_view(run.text())}));
    (void)removed;
    return {};
  });
  SLUICE_CHECK(std::move(done));
  return totals;
}

result<void> sqlite_progress::check_not_held_elsewhere(database& db, const run_id& run) const {
  if (claim_.term != 0 && claim_.run == run) {
    return {};
  }
  SLUICE_TRY(const auto key,
             db.ask("SELECT job_key FROM sluice_run WHERE run = ?", {std::string_view(run.text())}));
  SLUICE_TRY(const auto runs, read_runs(db, {key.value_or(""), "", ""}));
  for (const run_row& row : runs) {
    if (row.run == run && is_held(row)) {
      return fail(held_by_another(db.path(), row));
    }
  }
  return {};
}

result<void> sqlite_progress::release(const run_id& run) {
  SLUICE_TRY(database * db, existing());
  const bool mine = claim_.term != 0 && claim_.run == run;
  return in_transaction(*db, [&]() -> result<void> {
    // Finishing off a run that is done: only the claim of a process that is gone may be given back for it.
    SLUICE_CHECK(check_not_held_elsewhere(*db, run));
    SLUICE_TRY(const auto released,
               db->run("UPDATE sluice_run SET owner_host = NULL, owner_pid = NULL, owner_start = NULL, "
                       "owner_session = NULL WHERE run = ? AND (?2 = 0 "
                       "OR term = ?2)",
                       {std::string_view(run.text()), mine ? std::int64_t{claim_.term} : std::int64_t{0}}));
    (void)released;  // none: it was taken over, and then it is not ours to release
    return {};
  });
}

result<void> sqlite_progress::discard(const run_id& run) {
  SLUICE_TRY(database * db, existing());
  return in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(check_not_held_elsewhere(*db, run));
    SLUICE_TRY(const auto splits,
               db->run("DELETE FROM sluice_progress WHERE run = ?", {std::string_view(run.text())}));
    SLUICE_TRY(const auto runs,
               db->run("DELETE FROM sluice_run WHERE run = ?", {std::string_view(run.text())}));
    (void)splits, (void)runs;
    return {};
  });
}

}  // namespace sluice::sqlite
