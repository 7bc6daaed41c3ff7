#pragma once

#include <string_view>

namespace sluice {

/// Whether the bytes are well-formed UTF-8 (Unicode table 3-7: no overlong forms, no surrogates). Nothing
/// here depends on a locale. Wraps simdjson.
bool is_utf8(std::string_view bytes);

/// Whether all bytes are below 0x80.
bool is_ascii(std::string_view bytes);

}  // namespace sluice
