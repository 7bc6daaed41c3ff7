#include "plugins/sqlite/sqlite_progress_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

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

constexpr std::string_view mark_columns_now =
    "epoch, txn, sequence, position, cursor, read, written, ignored, dirty, filtered, bytes, read_sum, "
    "written_sum, dirty_sum, changed, done, dirty_bytes, filtered_bytes, changes";
/// Of a table of an older version, which did not count these: NULL is none.
constexpr std::string_view mark_columns_of_version_2 =
    "epoch, txn, sequence, position, cursor, read, written, ignored, dirty, filtered, bytes, read_sum, "
    "written_sum, dirty_sum, changed, done, NULL, NULL, NULL";

std::uint64_t loaded(const statement& s, int column) {
  return static_cast<std::uint64_t>(s.int64_at(column));
}
sql_value or_null(const std::optional<std::string>& text) {
  return text ? sql_value(std::string_view(*text)) : sql_value(nullptr);
}

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

}  // namespace

error taken_over(const std::string& file, const std::string& what) {
  return {error_kind::conflict,
          fmt::format("{}: {} belongs to another process by now", in_quotes(file), what), "taken_over", true};
}

result<bool> has_table(database& db, std::string_view name) {
  SLUICE_TRY(const auto count,
             db.ask("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", {name}));
  return count == "1";
}

result<std::size_t> count_missing_columns(database& db) {
  SLUICE_TRY(const auto missing, missing_columns(db));
  return missing.size();
}

result<void> make_progress_tables(database& db) {
  SLUICE_CHECK(db.run(make_tables_sql));
  SLUICE_TRY(const auto missing, missing_columns(db));
  for (const added_column& column : missing) {
    SLUICE_CHECK(
        db.run(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", column.table, column.name, column.type)));
  }
  return {};
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

result<std::string_view> mark_columns(database& db) {
  SLUICE_TRY(const bool added, has_added_columns(db, progress_table));
  return added ? mark_columns_now : mark_columns_of_version_2;
}

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

mark_values::mark_values(const mark& m)
    : read_sum_(sluice::to_string(m.sums.read)),
      written_sum_(sluice::to_string(m.sums.written)),
      dirty_sum_(sluice::to_string(m.sums.dirty)),
      changes_(to_text(m.changes)) {
  if (m.after) {
    after_ = to_json(*m.after);
  }
}

void mark_values::bind(statement& s, int first, const mark& m) const {
  s.bind(first, stored(m.sequence));
  s.bind(first + 1, stored(m.position));
  s.bind(first + 2, or_null(after_));
  s.bind(first + 3, stored(m.counts.read));
  s.bind(first + 4, stored(m.counts.written));
  s.bind(first + 5, stored(m.counts.ignored));
  s.bind(first + 6, stored(m.counts.dirty));
  s.bind(first + 7, stored(m.counts.filtered));
  s.bind(first + 8, stored(m.counts.bytes));
  s.bind_text(first + 9, read_sum_);
  s.bind_text(first + 10, written_sum_);
  s.bind_text(first + 11, dirty_sum_);
  s.bind(first + 12, std::int64_t{m.sums.changed});
  s.bind(first + 13, std::int64_t{m.done});
  s.bind(first + 14, stored(m.counts.dirty_bytes));
  s.bind(first + 15, stored(m.counts.filtered_bytes));
  s.bind_text(first + 16, changes_);
}

}  // namespace sluice::sqlite
