#include "transport/base/utf8.h"

#include <simdjson.h>

#include <cstdint>
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

}  // namespace sluice
