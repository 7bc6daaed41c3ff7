#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plugins/api/progress.h"
#include "transport/base/result.h"

namespace sluice {

/// `error::code` of a destination that has fewer marks than it has confirmed: it has lost commits, rows and
/// marks together. The same command goes on from what it has.
inline constexpr const char* marks_lost_code = "marks_lost";

/// `marks_lost_code` where a mark is not done, or there are fewer than `splits`: for a run that has seen each
/// of them committed. `place` begins the message; empty: none.
result<void> check_whole(const std::string& place, const std::vector<progress_row>& marks,
                         std::size_t splits);

}  // namespace sluice
