#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "plugins/api/committed_rows.h"
#include "plugins/common/relational/progress.h"
#include "plugins/common/relational/relational_options.h"

namespace sluice::relational {

/// The destination's table, for `check_rows_there`.
struct table_there {
  std::string name;  ///< For messages, with its place in the job file.
  /// What its rows are kept in, as far as the server tells: another once they were removed at a stroke or the
  /// table was made anew. Empty: there is no such table.
  std::string storage;
  std::string remark;  ///< For the message: why they may be gone. Empty where nothing is known.
  write_mode mode = write_mode::insert;
  /// Its rows, counted up to so many; nothing where this account may not read them.
  std::function<result<std::optional<std::uint64_t>>(std::uint64_t rows_max)> count;
};

/// `target::check_rows`. What the table is kept in stands in the run's row: where it is another, the rows
/// are counted, as far as the write mode tells how many there must be; else a run that is continued looks
/// whether there is any.
result<void> check_rows_there(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                              const committed_rows& rows, bool at_end, const table_there& table);

}  // namespace sluice::relational
