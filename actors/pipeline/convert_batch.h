#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "actors/plan/mapping.h"
#include "transport/record/batch.h"

namespace sluice {

/// A piece of a batch behind the mapping.
struct converted_part {
  std::shared_ptr<batch> b;
  change_counts changes;  ///< Of its rows, by `compat`.
};

/// Applies the mapping to one batch. Parts in order, at least one; only the last carries the cursor and the
/// end of the split, each the dirty records up to its last row. A batch that passes untouched is copied by
/// reference.
std::deque<converted_part> convert_batch(const batch& b, const mapping& map,
                                         const std::shared_ptr<buffer_pool>& pool,
                                         std::uint64_t part_bytes_max);

}  // namespace sluice
