#include "plugins/common/relational/progress_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "transport/base/text.h"

namespace sluice::relational {
namespace {

enum class column_kind { key, text, integer };
struct table_column {
  std::string_view name;
  column_kind kind;
  bool not_null = true;
  bool added = false;  ///< Not in tables that the first version made.
};

constexpr auto run_table_columns =
    std::to_array<table_column>({{"run", column_kind::key},
                                 {"version", column_kind::integer},
                                 {"job_key", column_kind::key},
                                 {"instance", column_kind::key},
                                 {"job_name", column_kind::text},
                                 {"stage", column_kind::key},
                                 {"term", column_kind::integer},
                                 {"planned_time", column_kind::text},
                                 {"owner_host", column_kind::text, false},
                                 {"owner_pid", column_kind::integer, false},
                                 {"owner_start", column_kind::text, false},
                                 {"owner_session", column_kind::text, false},
                                 {"started_at", column_kind::integer},
                                 {"renewed_at", column_kind::integer},
                                 {"finished_at", column_kind::integer, false},
                                 {"output", column_kind::text, false, true},
                                 {"empties", column_kind::integer, false, true},
                                 {"key_parts", column_kind::text, false, true},
                                 {"totals", column_kind::text, false, true},
                                 {"storage", column_kind::text, false, true}});
constexpr auto progress_table_columns =
    std::to_array<table_column>({{"run", column_kind::key},
                                 {"split", column_kind::integer},
                                 {"description", column_kind::text},
                                 {"label", column_kind::text},
                                 {"epoch", column_kind::integer},
                                 {"owner", column_kind::text},
                                 {"txn", column_kind::integer},
                                 {"sequence", column_kind::integer},
                                 {"position", column_kind::integer},
                                 {"cursor", column_kind::text, false},
                                 {"read", column_kind::integer},
                                 {"written", column_kind::integer},
                                 {"ignored", column_kind::integer},
                                 {"dirty", column_kind::integer},
                                 {"filtered", column_kind::integer},
                                 {"bytes", column_kind::integer},
                                 {"read_sum", column_kind::text},
                                 {"written_sum", column_kind::text},
                                 {"dirty_sum", column_kind::text},
                                 {"changed", column_kind::integer},
                                 {"done", column_kind::integer},
                                 {"dirty_bytes", column_kind::integer, false, true},
                                 {"filtered_bytes", column_kind::integer, false, true},
                                 {"changes", column_kind::text, false, true},
                                 {"parts", column_kind::text, false, true}});

/// `table` is `@run` or `@progress`.
template <class Columns>
std::string table_sql(const progress_dialect& dialect, std::string_view table, const Columns& columns,
                      std::string_view key) {
  std::string sql = fmt::format("CREATE TABLE IF NOT EXISTS {}(", table);
  for (const table_column& c : columns) {
    const std::string& type = c.kind == column_kind::key    ? dialect.key_type
                              : c.kind == column_kind::text ? dialect.text_type
                                                            : dialect.integer_type;
    sql += fmt::format("[{}] {}{}, ", c.name, type, c.not_null ? " NOT NULL" : "");
  }
  return written(dialect, fmt::format("{}PRIMARY KEY({})){}", sql, key, dialect.table_end));
}

}  // namespace

std::string written(const progress_dialect& dialect, std::string_view sql) {
  std::string out;
  std::size_t placeholders = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const std::string_view rest = sql.substr(i);
    const auto replace = [&](std::string_view word, std::string_view by) {
      const bool found = rest.starts_with(word);
      if (found) {
        out += by;
        i += word.size() - 1;
      }
      return found;
    };
    if (replace("@run", dialect.run_table) || replace("@progress", dialect.progress_table) ||
        replace("@now", dialect.now_seconds)) {
      continue;
    }
    const char c = sql[i];
    if (c == '[' || c == ']') {
      out += dialect.quote;
    } else if (c == '?' && dialect.placeholders == progress_dialect::placeholder::dollar_number) {
      out += fmt::format("${}", ++placeholders);
    } else {
      out += c;
    }
  }
  return out;
}

std::int64_t number_in(const sql_text& value) {
  std::int64_t n = 0;
  if (value) {
    std::from_chars(value->data(), value->data() + value->size(), n);
  }
  return n;
}

std::vector<sql_field> mark_fields(const mark& m) {
  const auto number = [](std::uint64_t n) { return std::optional(stored(n)); };
  const auto flag = [](bool b) { return std::optional<std::int64_t>(b ? 1 : 0); };
  return {{"sequence", number(m.sequence)},
          {"position", number(m.position)},
          {"cursor", {}, m.after ? sql_text(to_json(*m.after)) : sql_text()},
          {"read", number(m.counts.read)},
          {"written", number(m.counts.written)},
          {"ignored", number(m.counts.ignored)},
          {"dirty", number(m.counts.dirty)},
          {"filtered", number(m.counts.filtered)},
          {"bytes", number(m.counts.bytes)},
          {"read_sum", {}, sluice::to_string(m.sums.read)},
          {"written_sum", {}, sluice::to_string(m.sums.written)},
          {"dirty_sum", {}, sluice::to_string(m.sums.dirty)},
          {"changed", flag(m.sums.changed)},
          {"done", flag(m.done)},
          {"dirty_bytes", number(m.counts.dirty_bytes)},
          {"filtered_bytes", number(m.counts.filtered_bytes)},
          {"changes", {}, to_text(m.changes)},
          {"parts", {}, to_text(m.parts)}};
}

std::string assignments(const std::vector<sql_field>& fields, std::vector<sql_text>& values) {
  std::string sql;
  for (const sql_field& f : fields) {
    sql += fmt::format("{}[{}] = {}", sql.empty() ? "" : ", ", f.name,
                       f.number ? std::to_string(*f.number) : "?");
    if (!f.number) {
      values.push_back(f.text);
    }
  }
  return sql;
}

std::string insertion(std::string_view table, const std::vector<sql_field>& fields,
                      const std::vector<std::string_view>& now, std::vector<sql_text>& values) {
  std::string names;
  std::string given;
  for (const sql_field& f : fields) {
    const std::string_view comma = names.empty() ? "" : ", ";
    names += fmt::format("{}[{}]", comma, f.name);
    given += fmt::format("{}{}", comma, f.number ? std::to_string(*f.number) : "?");
    if (!f.number) {
      values.push_back(f.text);
    }
  }
  for (const std::string_view name : now) {
    names += fmt::format(", [{}]", name);
    given += ", @now";
  }
  return fmt::format("INSERT INTO {}({}) VALUES({})", table, names, given);
}

std::string mark_columns(bool added) {
  return fmt::format(
      "[epoch], [txn], [sequence], [position], [cursor], [read], [written], [ignored], [dirty], "
      "[filtered], [bytes], [read_sum], [written_sum], [dirty_sum], [changed], [done], {}",
      added ? "[dirty_bytes], [filtered_bytes], [changes], [parts]" : "NULL, NULL, NULL, NULL");
}

result<mark> mark_in(const sql_row& row, std::size_t first, split_index split) {
  const auto loaded = [&](std::size_t at) { return static_cast<std::uint64_t>(number_in(row[first + at])); };
  const auto text = [&](std::size_t at) { return row[first + at].value_or(""); };
  mark m;
  m.split = split;
  m.epoch = {loaded(0)};
  m.transaction = loaded(1);
  m.sequence = loaded(2);
  m.position = loaded(3);
  if (row[first + 4]) {
    SLUICE_TRY(m.after, scalars_from_json(*row[first + 4]));
  }
  m.counts.read = loaded(5);
  m.counts.written = loaded(6);
  m.counts.ignored = loaded(7);
  m.counts.dirty = loaded(8);
  m.counts.filtered = loaded(9);
  m.counts.bytes = loaded(10);
  SLUICE_TRY(m.sums.read, row_sum_from(text(11)));
  SLUICE_TRY(m.sums.written, row_sum_from(text(12)));
  SLUICE_TRY(m.sums.dirty, row_sum_from(text(13)));
  m.sums.changed = loaded(14) != 0;
  m.done = loaded(15) != 0;
  m.counts.dirty_bytes = loaded(16);
  m.counts.filtered_bytes = loaded(17);
  SLUICE_TRY(m.changes, change_counts_from(text(18)));
  SLUICE_TRY(m.parts, written_parts_from(text(19)));
  return m;
}

std::string run_columns(bool added, bool marks) {
  return fmt::format(
      "r.[run], r.[job_key], r.[instance], r.[job_name], r.[stage], r.[term], r.[planned_time], "
      "r.[owner_host], "
      "r.[owner_pid], r.[owner_start], r.[owner_session], @now - r.[renewed_at], @now - r.[finished_at], "
      "r.[version], {1}, {0}, {2}, {3}, @now - r.[started_at]",
      added ? "r.[output], r.[empties], r.[key_parts], r.[totals]" : "NULL, NULL, NULL, NULL",
      marks ? "(SELECT coalesce(sum(p.[written]), 0) FROM @progress p WHERE p.[run] = r.[run])" : "0",
      marks ? "(SELECT count(*) FROM @progress p WHERE p.[run] = r.[run])" : "0",
      // As `is_in_parts`.
      marks
          ? "(SELECT coalesce(sum(p.[written]), 0) FROM @progress p WHERE p.[run] = r.[run] AND p.[done] = 0 "
            "AND p.[cursor] IS NULL AND p.[position] <> 0)"
          : "0");
}

std::int64_t version_in(const sql_row& row) {
  return number_in(row[13]);
}

result<run_row> run_in(const sql_row& row) {
  const auto text = [&](std::size_t at) { return row[at].value_or(""); };
  run_row r;
  SLUICE_TRY(r.run, run_id::parse(text(0)));
  r.job_key = text(1);
  r.instance = text(2);
  r.job_name = text(3);
  r.stage = text(4);
  r.term = static_cast<std::uint16_t>(number_in(row[5]));
  r.planned_time = text(6);
  if (row[7]) {
    r.owner = claim_owner{text(7), number_in(row[8]), text(9), text(10)};
  }
  r.renewed_age_s = std::max<std::int64_t>(0, number_in(row[11]));
  r.finished_age_s = std::max<std::int64_t>(0, number_in(row[12]));
  r.written = static_cast<std::uint64_t>(number_in(row[14]));
  r.output = text(15);
  r.empties = number_in(row[16]) != 0;
  if (row[17]) {
    SLUICE_TRY(r.key_parts, scalars_from_json(*row[17]));
  }
  if (row[18]) {
    SLUICE_TRY(const scalar_list kept, scalars_from_json(*row[18]));
    SLUICE_TRY(r.totals, totals_from(kept));
  }
  r.has_marks = number_in(row[19]) != 0;
  r.written_in_parts = static_cast<std::uint64_t>(number_in(row[20]));
  r.started_age_s = std::max<std::int64_t>(0, number_in(row[21]));
  return r;
}

namespace {

/// The columns that a table lacks: those that were added since the first version, or the others.
std::vector<table_column> columns_not_in(bool of_runs, const std::vector<std::string>& columns, bool added) {
  std::vector<table_column> out;
  const auto look = [&](const auto& all) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(out), [&](const table_column& c) {
      return c.added == added && std::find(columns.begin(), columns.end(), c.name) == columns.end();
    });
  };
  of_runs ? look(run_table_columns) : look(progress_table_columns);
  return out;
}

}  // namespace

std::vector<added_column> columns_missing(bool of_runs, const std::vector<std::string>& columns) {
  std::vector<added_column> missing;
  for (const table_column& c : columns_not_in(of_runs, columns, true)) {
    missing.push_back({c.name, c.kind == column_kind::integer});
  }
  return missing;
}

std::vector<std::string> columns_lacking(bool of_runs, const std::vector<std::string>& columns) {
  std::vector<std::string> lacking;
  for (const table_column& c : columns_not_in(of_runs, columns, false)) {
    lacking.emplace_back(c.name);
  }
  return lacking;
}

error taken_over(sql_session& session, const progress_dialect& dialect, const run_id& run,
                 const std::string& what) {
  const auto rows = session.ask(
      written(dialect, "SELECT [owner_host], [owner_pid], [stage] FROM @run WHERE [run] = ?"), {run.text()});
  std::string by = "another process";
  if (rows && rows->empty()) {
    by = "another process, which has forgotten the run";
  } else if (rows && rows->front().at(0)) {
    by = fmt::format("process {} on {}", number_in(rows->front().at(1)), escaped(*rows->front().at(0)));
  } else if (rows && rows->front().at(2) == "done") {
    by = "another process, which has completed the run";
  }
  return {error_kind::conflict, fmt::format("{}: {} was taken over by {}", dialect.place, what, by),
          taken_over_code, true};
}

std::vector<std::string> progress_tables_sql(const progress_dialect& dialect) {
  return {table_sql(dialect, "@run", run_table_columns, "[run]"),
          table_sql(dialect, "@progress", progress_table_columns, "[run], [split]")};
}

}  // namespace sluice::relational
