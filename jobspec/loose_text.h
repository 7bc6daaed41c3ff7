#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.h"

namespace sluice {

/// A word with a variable in it that stands outside of any text: `${channel}`, `-$n`.
struct bare_word {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

/// What loose JSON allows beyond JSON is replaced by blanks of the same length, so that every position stays
/// as in the file: a BOM, `//` and `/* */` comments, a comma before a closing bracket. Texts are untouched.
/// Words with variables outside of texts are made texts of the same length and added to `bare` in the order
/// of the file. `bad_option` with the place where a character cannot stand: full-width punctuation, a
/// variable (without `bare`) or NUL outside a text, a comment without end, another encoding than UTF-8.
result<std::string> blank_loose_parts(const std::string& file, std::string_view text,
                                      std::vector<bare_word>* bare = nullptr);

/// What to say of a variable that stands outside of any text and must not.
std::string bare_word_message(std::string_view word);

/// `orders.json:14:22: ` for the byte at `offset`; columns count characters.
std::string place_at(const std::string& file, std::string_view text, std::size_t offset);

}  // namespace sluice
