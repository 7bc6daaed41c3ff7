#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/progress.h"

namespace sluice::relational {

// The statements of marks and claims, and the rows they bring. What the sources of progress.h share.

/// Of a run's row and its splits, so that an older program sees what it does not know. Version 1 had none of
/// the columns that were added since, version 2 those of `sluice_run`, and before version 4 no split was
/// committed in parts.
inline constexpr std::int64_t row_version = 4;
/// The run of `progress_dialect::guard_row`.
inline constexpr std::string_view guard_run = "guard";

/// `sql` as the dialect writes it: `[name]` is a quoted name, `@run` and `@progress` the tables, `@now` the
/// clock in seconds; placeholders are numbered where it wants them so. Holds no text of a job's.
std::string written(const progress_dialect& dialect, std::string_view sql);

/// Unsigned numbers as the signed ones of SQL keep them.
inline std::int64_t stored(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}
/// A number of an answer; 0 for NULL.
std::int64_t number_in(const sql_text& value);

/// A column with its value: a number, which is written into the SQL, or a text, which is a value of it.
struct sql_field {
  std::string_view name;
  std::optional<std::int64_t> number;
  sql_text text = {};
};
/// The values of a mark but epoch and txn.
std::vector<sql_field> mark_fields(const mark& m);
/// `[a] = 5, [b] = ?` and its values.
std::string assignments(const std::vector<sql_field>& fields, std::vector<sql_text>& values);
/// `INSERT INTO @run([a], [b]) VALUES(5, ?)` and its values; `now` are columns that take the clock.
std::string insertion(std::string_view table, const std::vector<sql_field>& fields,
                      const std::vector<std::string_view>& now, std::vector<sql_text>& values);

/// `[epoch], [txn], …`: what `mark_in` reads. `added`: the table has the columns that were added to it.
std::string mark_columns(bool added);
/// The mark in a row from `first` on.
result<mark> mark_in(const sql_row& row, std::size_t first, split_index split);

/// What `run_in` reads, of `@run r`. `marks`: the other table is there.
std::string run_columns(bool added, bool marks);
/// Of what version the row is.
std::int64_t version_in(const sql_row& row);
result<run_row> run_in(const sql_row& row);

/// Those columns that a table with these ones lacks, because an older program made it: name and type.
struct added_column {
  std::string_view name;
  bool is_number = false;
};
std::vector<added_column> columns_missing(bool of_runs, const std::vector<std::string>& columns);

/// Those that any program of Sluice has made and a table with these ones lacks: it is another's.
std::vector<std::string> columns_lacking(bool of_runs, const std::vector<std::string>& columns);

/// `conflict` (`taken_over_code`): the run or a split of it, named by `what`, is not this process's any more.
/// Names who has it, as far as the row tells.
error taken_over(sql_session& session, const progress_dialect& dialect, const run_id& run,
                 const std::string& what);

/// Renews the claim inside the caller's transaction; `conflict` where it was taken over.
result<void> renew_claim(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                         const std::string& session_name);

}  // namespace sluice::relational
