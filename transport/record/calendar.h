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
  const std::int64_t shifted = std::int64_t{days} + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(shifted - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned month_from_march = (5 * day_of_year + 2) / 153;
  const unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
  return {static_cast<std::int32_t>(year), static_cast<std::uint8_t>(month),
          static_cast<std::uint8_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1)};
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
