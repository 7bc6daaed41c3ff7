#pragma once

#include <cstdint>
#include <string_view>

#include "transport/record/type.h"

namespace sluice {

/// Whether the bytes are well-formed UTF-8 (Unicode table 3-7: no overlong forms, no surrogates). Nothing
/// here depends on a locale. Wraps simdjson.
bool is_utf8(std::string_view bytes);

/// Whether all bytes are below 0x80.
bool is_ascii(std::string_view bytes);

/// Length of well-formed UTF-8 in the unit.
std::uint64_t text_length(std::string_view text, length_in unit);

/// Whether every character of well-formed UTF-8 is in the set.
bool is_in_charset(std::string_view text, charset characters);

}  // namespace sluice
