#pragma once

#include <string>
#include <vector>

#include "transport/record/schema.h"

namespace sluice {

/// What the names show that looks like two orders of the same columns, where columns are mapped by position
/// (job-formats 1.10): a name of the source that the destination has at another position, and not at this
/// one. ASCII case does not count. One sentence with both positions of each such column, at most five of
/// them; empty where there is none. A column without a name is never meant.
std::string other_order(const std::vector<std::string>& source, const std::vector<std::string>& target);

/// The names of its columns; empty for one without.
std::vector<std::string> names_of(const schema& columns);

}  // namespace sluice
