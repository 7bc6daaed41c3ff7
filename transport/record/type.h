#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// The types of a column (DESIGN section 9). The numbers go over the wire and into state; they are listed
/// here once and never reused. Layouts are those of the Arrow columnar specification.
enum class type_id : std::uint8_t {
  boolean = 1,       ///< Values: bitmap, least significant bit first.
  int64 = 2,         ///< 8 bytes.
  uint64 = 3,        ///< 8 bytes.
  float32 = 4,       ///< 4 bytes.
  float64 = 5,       ///< 8 bytes.
  decimal = 6,       ///< 16 bytes two's complement, little endian: the unscaled value; scale is in the type.
  decimal_text = 7,  ///< Text of an exact decimal number beyond 38 digits or of no fixed scale. Grammar:
                     ///< `-?digits[.digits][e[+-]digits]`, `NaN`, `Infinity`, `-Infinity`.
  utf8 = 8,          ///< 32-bit offsets and well-formed UTF-8.
  binary = 9,        ///< 32-bit offsets and bytes.
  date = 10,  ///< 4 bytes: days since 1970-01-01, proleptic Gregorian; the extreme values are -/+ infinity.
  time_of_day = 11,  ///< 8 bytes: units since midnight, 24:00:00 included.
  duration = 12,     ///< 8 bytes: signed units.
  timestamp =
      13,  ///< 8 bytes: wall clock, units since 1970-01-01 00:00:00 of no zone; extremes are -/+ infinity.
  instant =
      14,  ///< 8 bytes: a point in time, units since 1970-01-01 00:00:00 UTC; extremes are -/+ infinity.
};

/// `utf8`, `int64`, ...: the word for messages and docs.
std::string_view to_string(type_id id);

/// What one unit of the stored 64-bit number of a time type is: the value is its count of fraction digits.
enum class time_unit : std::uint8_t { second = 0, milli = 3, micro = 6, nano = 9 };

/// Units in a second: 1, 1'000, 1'000'000 or 1'000'000'000.
std::int64_t per_second(time_unit unit);

/// What `length_max` of a text counts.
enum class length_in : std::uint8_t { bytes = 0, characters = 1, utf16_units = 2 };

/// Which characters a text may hold.
enum class charset : std::uint8_t { unicode = 0, unicode_bmp = 1, latin1 = 2, ascii = 3 };

/// A type with its modifiers. Servers round or cut what is too long or too fine without an error, so the
/// limits are part of the type and conversions check them. Fields that a type does not use keep their
/// default.
struct data_type {
  type_id id = type_id::utf8;
  time_unit unit = time_unit::micro;  ///< time types: the unit of the stored number.
  std::uint8_t fraction_digits = 6;   ///< time types: digits kept, at most the unit's.
  std::uint8_t precision = 0;         ///< decimal: all digits, 1 to 38; decimal_text: 0 = any.
  std::uint8_t scale = 0;  ///< decimal: digits behind the point; decimal_text with precision: likewise.
  std::uint8_t integer_bits = 0;  ///< int64/uint64: the destination's width (8, 16, 24, 32); 0 = all 64.
  length_in length_unit = length_in::bytes;
  charset characters = charset::unicode;  ///< utf8: what may stand in it.
  std::uint64_t length_max = 0;           ///< utf8, binary: longest value; 0 = no limit of its own.

  friend bool operator==(const data_type&, const data_type&) = default;
};

/// `decimal(10,2)`, `timestamp(3)`, `utf8(20 characters)`: for messages, plans and docs.
std::string to_string(const data_type& type);

/// Bytes of one value in its values buffer; 0 for boolean (a bit) and for types with offsets.
std::size_t fixed_width(type_id id);

/// Whether the column has an offsets buffer: utf8, binary, decimal_text.
bool has_offsets(type_id id);

/// Whether the 64-bit number's meaning depends on `unit`: time_of_day, duration, timestamp, instant.
bool has_unit(type_id id);

/// A type with default modifiers.
inline data_type type_of(type_id id) {
  return {.id = id};
}
/// A time type whose digits are those of its unit.
inline data_type time_type(type_id id, time_unit unit) {
  return {.id = id, .unit = unit, .fraction_digits = static_cast<std::uint8_t>(unit)};
}
inline data_type decimal_type(std::uint8_t precision, std::uint8_t scale) {
  return {.id = type_id::decimal, .precision = precision, .scale = scale};
}

}  // namespace sluice
