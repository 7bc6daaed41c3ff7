#include "transport/record/utf8.h"

#include <algorithm>
#include <cstring>

namespace sluice {

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
