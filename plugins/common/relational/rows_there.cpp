#include "plugins/common/relational/rows_there.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/api/source.h"
#include "plugins/common/relational/progress_sql.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

/// Where nobody removes rows, there are so many at least.
std::uint64_t rows_least(const committed_rows& rows, write_mode mode) {
  switch (mode) {
    case write_mode::insert:
    case write_mode::copy:
      return rows.written;
    case write_mode::update:
    case write_mode::ignore:
      return std::max<std::uint64_t>(1, rows.parts.inserted);
    case write_mode::replace:
      break;  // one record may take the place of several rows
  }
  return 1;
}

result<void> keep_storage(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const std::string& storage) {
  return in_transaction(session, [&]() -> result<void> {
    SLUICE_CHECK(session.run(written(dialect, "UPDATE @run SET [storage] = ? WHERE [run] = ?"),
                             {storage, claim.run.text()}));
    return {};
  });
}

error rows_gone(const table_there& table, const committed_rows& rows, std::uint64_t found) {
  return {error_kind::conflict,
          fmt::format("{}: {}, though this run has committed {} into it: the table was emptied or made anew "
                      "meanwhile{}. Put the rows back, or begin anew (--on-unfinished fresh)",
                      table.name,
                      table.storage.empty() ? "the table is gone"
                      : found == 0          ? "the table is empty"
                                            : fmt::format("the table holds {} rows", with_thousands(found)),
                      with_thousands(rows.written), table.remark),
          begin_anew_code, true};
}

}  // namespace

result<void> check_rows_there(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                              const committed_rows& rows, bool at_end, const table_there& table) {
  SLUICE_TRY(const auto kept,
             session.ask(written(dialect, "SELECT [storage] FROM @run WHERE [run] = ?"), {claim.run.text()}));
  const std::string before = kept.empty() ? std::string() : kept[0].at(0).value_or("");
  const bool same = before == table.storage;
  if (rows.written != 0 && !(same && at_end)) {
    const std::uint64_t least = same || before.empty() ? 1 : rows_least(rows, table.mode);
    std::optional<std::uint64_t> found = 0;
    if (!table.storage.empty()) {
      SLUICE_TRY(found, table.count(least));
    }
    if (found && *found < least) {
      return fail(rows_gone(table, rows, *found));
    }
  }
  return same ? result<void>() : keep_storage(session, dialect, claim, table.storage);
}

}  // namespace sluice::relational
