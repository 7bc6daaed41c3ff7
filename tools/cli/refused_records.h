#pragma once

#include <functional>
#include <string>

#include "actors/verify/verify.h"

namespace sluice {

/// Tells the records of a run's dirty file that its destination has refused, one at a time, and holds none;
/// none where the file is not there. Those of the reader and of the mapping are left out: they never had the
/// destination's columns.
void tell_refused_by_destination(const std::string& dirty_file,
                                 const std::function<void(const refused_record&)>& each);

}  // namespace sluice
