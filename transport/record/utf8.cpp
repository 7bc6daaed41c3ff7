#include "transport/record/utf8.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace sluice {

bool is_ascii(std::string_view bytes) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t seen = 0;
  std::uint64_t word = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::memcpy(&word, at, 8);
    seen |= word;
  }
  if (left != 0) {
    word = 0;
    std::memcpy(&word, at, left);
    seen |= word;
  }
  return (seen & high_bits) == 0;
}

bool is_utf8(std::string_view bytes) {
  // Most fields are short and plain; the library's entry through its dispatcher costs more than they do.
  if (bytes.size() <= 64 && is_ascii(bytes)) {
    return true;
  }
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

std::uint64_t text_length(std::string_view text, length_in unit) {
  if (unit == length_in::bytes) {
    return text.size();
  }
  std::uint64_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80 ? 1 : 0;
    // A lead byte of four bytes is a character beyond the BMP: a surrogate pair in UTF-16.
    units += unit == length_in::utf16_units && byte >= 0xF0 ? 1 : 0;
  }
  return units;
}

bool is_in_charset(std::string_view text, charset characters) {
  switch (characters) {
    case charset::unicode:
      return true;
    case charset::ascii:
      return is_ascii(text);
    case charset::latin1:
      // U+0080 to U+00FF begin with C2 or C3; every later character with a greater lead byte.
      return std::all_of(text.begin(), text.end(),
                         [](char c) { return static_cast<unsigned char>(c) <= 0xC3; });
    case charset::unicode_bmp:
      return std::all_of(text.begin(), text.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0xF0; });
  }
  return false;
}

}  // namespace sluice
