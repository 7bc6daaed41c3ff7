#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "actors/plan/mapping.h"
#include "transport/record/batch.h"

namespace sluice {

/// A piece of a batch behind the mapping.
struct converted_part {
  std::shared_ptr<batch> b;
  std::chrono::nanoseconds transforming{0};  ///< What the mapping's steps took, by the clock given.
  std::uint64_t transformed = 0;  ///< Rows that the mapping's steps took: passed or filtered, not refused.
};

using stopwatch = std::function<std::chrono::steady_clock::time_point()>;

/// Applies the mapping to one batch. Parts in order, at least one; only the last carries the cursor and the
/// end of the split, each the dirty records up to its last row and counts of the values changed in its rows.
/// A batch that passes untouched is copied by reference. `clock` may be empty: nothing is timed then.
std::deque<converted_part> convert_batch(const batch& b, const mapping& map,
                                         const std::shared_ptr<buffer_pool>& pool,
                                         std::uint64_t part_bytes_max, const stopwatch& clock = {});

}  // namespace sluice
