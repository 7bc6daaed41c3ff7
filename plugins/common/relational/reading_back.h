#pragma once

#include <string>
#include <vector>

#include "plugins/api/read_back.h"
#include "plugins/common/relational/relational_options.h"

namespace sluice::relational {

/// How the rows that a job has written into these columns of its table are read again (`read_back_of` of the
/// plugins): from the server that takes writes, with ranges of a key where there is one.
read_back reading_back(const std::vector<std::string>& columns, write_mode mode);

}  // namespace sluice::relational
