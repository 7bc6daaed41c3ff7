#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "transport/record/calendar.h"
#include "transport/record/date_pattern.h"

/// What compiling and writing (date_pattern.cpp) share with reading (date_pattern_read.cpp); only they
/// include it.
namespace sluice::pattern {

inline constexpr std::int64_t nanos_per_minute = 60 * nanos_per_second;
inline constexpr std::int64_t nanos_per_hour = 60 * nanos_per_minute;
inline constexpr std::int64_t nanos_per_day = 24 * nanos_per_hour;

inline constexpr std::array<std::string_view, 12> months = {"January",   "February", "March",    "April",
                                                            "May",       "June",     "July",     "August",
                                                            "September", "October",  "November", "December"};
inline constexpr std::array<std::string_view, 7> weekdays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                             "Friday", "Saturday", "Sunday"};
constexpr bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

using item = date_pattern::item;

/// Digits of a numeric item, least and most; {0, 0} for one that is text.
struct digit_range {
  unsigned least;
  unsigned most;
};
constexpr digit_range digits_of(const item& i) {
  switch (i.letter) {
    case 'y':
      return i.width == 1 ? digit_range{1, 9} : digit_range{i.width, i.width};
    case 'S':
      return {i.width, i.width};
    case 'D':
      return {i.width, 3};
    case 'u':
      return {i.width, i.width};
    case 'M':
    case 'L':
      return i.width > 2 ? digit_range{0, 0} : digit_range{i.width, 2};
    case 'd':
    case 'H':
    case 'k':
    case 'K':
    case 'h':
    case 'm':
    case 's':
      return {i.width, 2};
    default:
      return {0, 0};
  }
}

}  // namespace sluice::pattern
