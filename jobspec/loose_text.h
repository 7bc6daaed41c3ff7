#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// What loose JSON allows beyond JSON is replaced by blanks of the same length, so that every position stays
/// as in the file: a BOM, `//` and `/* */` comments, a comma before a closing bracket. Texts are untouched.
/// `bad_option` with the place where a character cannot stand: full-width punctuation, a variable or NUL
/// outside a text, a comment without end, another encoding than UTF-8.
result<std::string> blank_loose_parts(const std::string& file, std::string_view text);

/// `orders.json:14:22: ` for the byte at `offset`; columns count characters.
std::string place_at(const std::string& file, std::string_view text, std::size_t offset);

}  // namespace sluice
