#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/base/utf8.h"

namespace sluice {

/// `text` with backslash escapes decoded, as job files write delimiters (`\t`, `\u0001`, `\x01`, `\001`,
/// `\\`): JSON's own escapes once more, for files in which they were escaped twice. An unknown escape stays
/// as it is.
std::string decode_escapes(std::string_view text);

/// The UTF-8 form of a code point; nothing where there is no such character (surrogates, beyond U+10FFFF).
std::optional<std::string> utf8_of(std::uint32_t code_point);

/// The number of characters in well-formed UTF-8.
std::size_t characters_of(std::string_view text);

}  // namespace sluice
