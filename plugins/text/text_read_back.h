#pragma once

#include <string>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/api/read_back.h"

namespace sluice {

/// How files that a job with these options has written are read again: every field as the text that it is.
result<read_back> text_read_back(const option_values& writer, const std::vector<std::string>& columns);

}  // namespace sluice
