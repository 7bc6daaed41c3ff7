#pragma once

#include <chrono>

#include "jobspec/option_values.h"

namespace sluice::relational {

/// `snapshotMax`: how old the snapshot that all connections of a run share may become.
option snapshot_age_option();
/// 0: as old as the run. `bad_option` where it is no time.
result<std::chrono::milliseconds> snapshot_age_of(const option_values& values);

}  // namespace sluice::relational
