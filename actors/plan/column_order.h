#pragma once

#include <string>

#include "transport/record/schema.h"

namespace sluice {

/// What looks like two orders of the same columns, where columns are mapped by position (job-formats 1.10): a
/// name of the source that the destination has at another position, and not at this one. ASCII case does not
/// count. One sentence with both positions of each such column, at most five of them; empty where there is
/// none. A column without a name is never meant.
std::string other_order(const schema& source, const schema& target);

}  // namespace sluice
