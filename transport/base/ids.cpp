#include "transport/base/ids.h"

#include "transport/base/text.h"

namespace sluice {

run_id run_id::make(std::uint64_t unix_ms, std::uint64_t random_high, std::uint64_t random_low) {
  run_id id;
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(unix_ms >> (40 - 8 * i));
  }
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (random_high >> 8 & 0x0F));
  id.bytes[7] = static_cast<std::uint8_t>(random_high);
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[8 + i] = static_cast<std::uint8_t>(random_low >> (56 - 8 * i));
  }
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3F));
  return id;
}

result<run_id> run_id::parse(std::string_view text) {
  const auto bad = [&] {
    return fail(error_kind::bad_option,
                "{} is not a run id; expected 36 characters such as 0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
                in_quotes(text));
  };
  if (text.size() != 36) {
    return bad();
  }
  run_id id;
  std::size_t digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') {
        return bad();
      }
      continue;
    }
    int value = 0;
    if (c >= '0' && c <= '9') {
      value = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      value = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      value = c - 'A' + 10;
    } else {
      return bad();
    }
    id.bytes[digit / 2] = static_cast<std::uint8_t>(id.bytes[digit / 2] << 4 | value);
    ++digit;
  }
  return id;
}

std::string run_id::text() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      out += '-';
    }
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 0x0F];
  }
  return out;
}

}  // namespace sluice
