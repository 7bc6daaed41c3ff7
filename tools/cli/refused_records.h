#pragma once

#include <string>
#include <vector>

#include "actors/verify/verify.h"

namespace sluice {

/// The records of a run's dirty file that its destination has refused, up to 100,000; none where the file is
/// not there. Those of the reader and of the mapping are left out: they never had the destination's columns.
std::vector<refused_record> refused_by_destination(const std::string& dirty_file);

}  // namespace sluice
