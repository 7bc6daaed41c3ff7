#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// The text of a registry without its entry `index`, everything else as it is: comments, blanks, the order of
/// keys. Comments inside the entry go with it, those around it stay. `bad_option` where the text is no
/// registry; `internal` where the rest would not be what it was.
result<std::string> without_entry(const std::string& file, std::string_view text, std::size_t index);

}  // namespace sluice
