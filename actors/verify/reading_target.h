#pragma once

#include <memory>

#include "actors/verify/row_readings.h"
#include "plugins/api/target.h"

namespace sluice {

/// A destination that keeps nothing of what comes but what `into` keeps: by it a side of a comparison is read
/// with all that a run has, from conversion to retries. A split counts when it is read to its end; what was
/// read of one that is begun anew is void. `left_out`: columns of what comes that `by` has none for.
std::unique_ptr<target> make_reading_target(std::shared_ptr<const compared_columns> by,
                                            std::shared_ptr<row_reading> into, std::string name,
                                            std::vector<std::size_t> left_out = {});

/// A target that takes the marked columns in their product's own bytes and keeps nothing: the run into it
/// sums what it reads in the form of a run that moves such columns so.
std::unique_ptr<target> make_own_bytes_target(schema_ptr columns, std::vector<bool> own, std::string name);

}  // namespace sluice
