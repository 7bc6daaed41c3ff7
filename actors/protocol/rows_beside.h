#pragma once

#include <cstdint>

namespace sluice {

/// Rows of a split that stand at the destination beside those that its mark counts: they were committed in
/// parts, and the split was begun again behind them.
struct rows_beside {
  std::uint64_t rows = 0;
  bool sure = true;  ///< False: of a commit that brought them, or left them behind, no answer came.

  rows_beside& operator+=(const rows_beside& o) {
    rows += o.rows, sure = sure && o.sure;
    return *this;
  }
};

}  // namespace sluice
