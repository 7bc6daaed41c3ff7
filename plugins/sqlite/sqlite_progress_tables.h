#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/progress.h"
#include "transport/base/sqlite.h"

namespace sluice::sqlite {

// The rows of `sluice_run` and `sluice_progress` in a destination file, of this version and older ones
// (docs/delivery.md). Called by whoever owns the connection; what reads and writes several rows is called in
// its transaction.

inline constexpr std::string_view run_table = "sluice_run";
inline constexpr std::string_view progress_table = "sluice_progress";

/// Of a run's row and its splits, so that an older program sees what it does not know. Version 1 had none of
/// the columns that were added since, version 2 those of `sluice_run`.
inline constexpr std::int64_t row_version = 3;

/// The destination's clock, in seconds.
inline constexpr std::string_view now_sql = "CAST(strftime('%s', 'now') AS INTEGER)";

/// `conflict`: a claim or a split that is not this process's any more.
error taken_over(const std::string& file, const std::string& what);

result<bool> has_table(database& db, std::string_view name);
/// How many columns the tables of this file lack, because an older program made them.
result<std::size_t> count_missing_columns(database& db);
/// Makes the tables where they are not there, and the columns that they lack.
result<void> make_progress_tables(database& db);

/// As `progress_store::runs_of`; the table of runs is there.
result<std::vector<run_row>> read_runs(database& db, const run_query& query);

/// The columns that `read_mark` reads, with NULL for those that a table of an older program has not.
result<std::string_view> mark_columns(database& db);
/// The mark in the columns of `mark_columns` from `first` on.
result<mark> read_mark(const statement& s, int first, split_index split);

/// The values of `mark_columns` but epoch and txn. Outlives the steps of the statements it is bound to.
class mark_values {
 public:
  explicit mark_values(const mark& m);
  /// Binds them in order, the first one at the parameter `first`.
  void bind(statement& s, int first, const mark& m) const;

 private:
  std::optional<std::string> after_;
  std::string read_sum_, written_sum_, dirty_sum_, changes_;
};

/// Unsigned numbers as SQLite's signed ones keep them.
inline std::int64_t stored(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}

}  // namespace sluice::sqlite
