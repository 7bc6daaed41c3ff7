#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "transport/record/batch.h"

namespace sluice {

/// `dirty_from_row` of many rows, in their order: what all rows of a column have in common is found once.
std::vector<dirty_record> dirty_from_rows(const batch& b, std::span<const std::uint32_t> rows,
                                          dirty_side side);

}  // namespace sluice
