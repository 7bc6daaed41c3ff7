#pragma once

#include <vector>

#include "plugins/api/target.h"

namespace sluice::relational {

/// The sum of the rows of a batch without those that were refused, which stand in order of row, and those
/// that were ignored, in any order: what `write_answer::written_sum` wants.
row_sum sum_without(const batch& b, const std::vector<refused_row>& refused,
                    std::vector<std::uint32_t> ignored = {});

}  // namespace sluice::relational
