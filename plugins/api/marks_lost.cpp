#include "plugins/api/marks_lost.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice {

result<void> check_whole(const std::string& place, const std::vector<progress_row>& marks,
                         std::size_t splits) {
  std::size_t whole = 0;
  std::uint64_t written = 0;
  for (const progress_row& row : marks) {
    whole += row.at.done ? 1 : 0;
    written += row.at.counts.written;
  }
  splits = std::max(splits, marks.size());
  if (whole == splits) {
    return {};
  }
  return fail(error{
      error_kind::over_limit,
      fmt::format(
          "{}{}the destination has lost commits that it had confirmed: by its marks {} of {} splits are "
          "complete, with {} records written, and this run had seen all of them committed. It was "
          "restarted without having written them to disk (innodb_flush_log_at_trx_commit, "
          "synchronous_commit, fsync), or another server has taken its place; rows and marks are lost "
          "together",
          place, place.empty() ? "" : ": ", whole, splits, with_thousands(written)),
      marks_lost_code, false});
}

}  // namespace sluice
