#include "actors/supervise/same_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice {

bool writes_what_it_reads(const source& from, const target& to) {
  const table_use read = from.tables_used();
  const table_use written = to.tables_used();
  return std::any_of(written.tables.begin(), written.tables.end(), [&](const std::string& table) {
    return std::find(read.tables.begin(), read.tables.end(), table) != read.tables.end();
  });
}

std::optional<error> same_table_failure(const source& from, const target& to, std::size_t splits) {
  const bool has_pre_sql = to.tables_used().changing;
  const bool moves = splits > 1 && from.tables_used().changing;
  if ((!has_pre_sql && !moves) || !writes_what_it_reads(from, to)) {
    return std::nullopt;
  }
  return error{
      error_kind::bad_option,
      has_pre_sql
          ? "this job reads the table that it writes (or a part of it), or one that preSql alters, and "
            "preSql runs before all of it is read: write to another table, or leave \"preSql\" out; what "
            "alters "
            "the source may run before the job is started, or in \"postSql\""
          : fmt::format("this job reads the table that it writes (or a part of it), and its {} splits are "
                        "read one after "
                        "another while rows are written into it: write to another table, or read it under "
                        "one snapshot (\"snapshot\": \"shared\") or in one split (leave \"splitPk\" out)",
                        splits),
      "same_table", true};
}

}  // namespace sluice
