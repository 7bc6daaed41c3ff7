#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "transport/base/int128.h"

/// The part of canonical/1 that makes equal numbers equal whatever type holds them. Used by canonical.cpp
/// only.
namespace sluice {

/// The first byte of a value's form (docs/canonical.md). Never reused.
enum class canonical_tag : std::uint8_t {
  null = 0,
  boolean_false = 1,
  boolean_true = 2,
  integer = 3,         ///< int64.
  number_64 = 4,       ///< int8 exponent, int64 coefficient.
  number_128 = 5,      ///< int8 exponent, int128 coefficient.
  number_digits = 6,   ///< int64 exponent, uint8 sign, uint32 count, digits.
  number_special = 7,  ///< uint8: 0 NaN, 1 infinity, 2 minus infinity.
  floating = 8,        ///< float64.
  text = 9,            ///< uint32 length, bytes.
  bytes = 10,          ///< uint32 length, bytes.
  date = 11,           ///< int32 days.
  time_of_day = 12,    ///< int128 nanoseconds; so the three below.
  duration = 13,
  timestamp = 14,
  instant = 15,
  number_other = 16,  ///< uint32 length, text: a decimal_text outside of its grammar or of a huge exponent.
  raw = 255,
};

/// The most bytes any number's form takes beside its digits.
inline constexpr std::size_t decimal_form_bytes_max = 18;

/// Writes what does not fit `put_decimal`'s fast way: value = coefficient * 10^exponent.
std::byte* put_number(std::byte* to, int128 coefficient, std::int64_t exponent);

/// Writes a number from its text. Takes at most `decimal_form_bytes_max` and the text's length.
std::byte* put_decimal_text(std::byte* to, std::string_view text);

/// Writes unscaled / 10^scale, scale at most 38, and returns the end. At most `decimal_form_bytes_max` bytes.
inline std::byte* put_decimal(std::byte* to, int128 unscaled, unsigned scale) {
  const auto low = static_cast<std::int64_t>(unscaled);
  if (low != unscaled) {
    return put_number(to, unscaled, -static_cast<std::int64_t>(scale));
  }
  std::int64_t coefficient = low;
  while (scale != 0 && coefficient % 10 == 0) {
    coefficient /= 10;
    --scale;
    if (coefficient == 0) {
      scale = 0;
    }
  }
  if (scale == 0) {
    *to++ = static_cast<std::byte>(canonical_tag::integer);
  } else {
    *to++ = static_cast<std::byte>(canonical_tag::number_64);
    *to++ = static_cast<std::byte>(-static_cast<int>(scale));
  }
  std::memcpy(to, &coefficient, sizeof coefficient);
  return to + sizeof coefficient;
}

}  // namespace sluice
