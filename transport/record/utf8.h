#pragma once

#include <cstdint>
#include <string_view>

#include "transport/base/utf8.h"
#include "transport/record/type.h"

namespace sluice {

/// Length of well-formed UTF-8 in the unit.
std::uint64_t text_length(std::string_view text, length_in unit);

/// Whether every character of well-formed UTF-8 is in the set.
bool is_in_charset(std::string_view text, charset characters);

}  // namespace sluice
