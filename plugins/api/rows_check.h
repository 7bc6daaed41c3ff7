#pragma once

#include <cstdint>

#include "transport/base/result.h"
#include "transport/base/stop.h"
#include "transport/record/written_parts.h"

namespace sluice {

/// What the marks of a run say of its rows: these are committed.
struct committed_rows {
  std::uint64_t written = 0;
  written_parts parts = {};
};

/// A target that can tell whether rows that were committed are still in the output, which somebody may empty
/// or put another in the place of. Only of targets with a progress store, from which `committed_rows` come.
class rows_check {
 public:
  virtual ~rows_check() = default;

  /// Called behind the steps before, with what an earlier process of the run has committed (`at_end` false),
  /// and when all splits are done, before `target::finish`. `conflict` (`begin_anew_code`) where rows are
  /// gone.
  virtual result<void> check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) = 0;
};

}  // namespace sluice
