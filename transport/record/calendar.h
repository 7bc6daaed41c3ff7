#pragma once

#include <cstdint>
#include <limits>

#include "transport/record/type.h"

/// The proleptic Gregorian calendar over the whole range of `type_id::date`. Own arithmetic because the years
/// of howardhinnant's date library have 16 bits, and ours need 24.
namespace sluice {

inline constexpr std::int64_t seconds_per_day = 86400;
inline constexpr std::int64_t nanos_per_second = 1'000'000'000;

/// The extreme values of date, timestamp and instant: minus and plus infinity.
inline constexpr std::int32_t date_infinity = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int32_t date_minus_infinity = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t time_infinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t time_minus_infinity = std::numeric_limits<std::int64_t>::min();

struct civil_date {
  std::int32_t year = 1970;
  std::uint8_t month = 1;
  std::uint8_t day = 1;
};

constexpr bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// Days of a month, 1 to 12.
constexpr unsigned days_in_month(std::int64_t year, unsigned month) {
  return month == 2 ? (is_leap(year) ? 29 : 28) : 30 + ((month + month / 8) & 1);
}

/// Days from 1970-01-01 to a valid date. The year begins in March, so that the leap day is its last.
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(y - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468;
}

/// Inverse of `days_from_civil`, for all days of `type_id::date`.
constexpr civil_date civil_from_days(std::int32_t days) {
  // Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2022):
  // products where others divide, from 1 March of a year 0 so many cycles of 400 years ago that no day is
  // below.
  constexpr std::uint32_t cycle_days = 146'097;
  constexpr std::uint32_t cycles = 14'704;
  const auto n = static_cast<std::uint64_t>(std::int64_t{days} + 719'468 + std::int64_t{cycle_days} * cycles);
  const std::uint64_t quarters = 4 * n + 3;
  const std::uint64_t century = quarters / cycle_days;
  const auto of_century = static_cast<std::uint32_t>(quarters % cycle_days) / 4;
  const std::uint64_t product = std::uint64_t{2'939'745} * (4 * of_century + 3);
  const std::uint32_t of_year = static_cast<std::uint32_t>(product) / 2'939'745 / 4;
  const std::uint32_t month_and_day = 2141 * of_year + 197'913;
  const bool is_next = of_year >= 306;  // January and February
  const std::uint32_t month = month_and_day >> 16;
  const std::int64_t year =
      static_cast<std::int64_t>(100 * century + (product >> 32)) - std::int64_t{400} * cycles;
  return {static_cast<std::int32_t>(year + (is_next ? 1 : 0)),
          static_cast<std::uint8_t>(is_next ? month - 12 : month),
          static_cast<std::uint8_t>((month_and_day & 0xFFFF) / 2141 + 1)};
}

/// Monday 1 to Sunday 7, as ISO 8601 counts.
constexpr unsigned iso_weekday(std::int32_t days) {
  const std::int64_t shifted = std::int64_t{days} + 3;  // 1970-01-01 was a Thursday
  return static_cast<unsigned>(shifted - (shifted >= 0 ? shifted / 7 : (shifted - 6) / 7) * 7) + 1;
}

/// `a / b` and the remainder, rounded down; b > 0.
struct floor_parts {
  std::int64_t quotient;
  std::int64_t remainder;
};
constexpr floor_parts floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t remainder = a % b;
  return remainder < 0 ? floor_parts{a / b - 1, remainder + b} : floor_parts{a / b, remainder};
}

/// Units in a second, usable where a constant is wanted.
constexpr std::int64_t units_per_second(time_unit unit) {
  switch (unit) {
    case time_unit::second:
      return 1;
    case time_unit::milli:
      return 1'000;
    case time_unit::micro:
      return 1'000'000;
    case time_unit::nano:
      return 1'000'000'000;
  }
  return 1;
}

}  // namespace sluice
