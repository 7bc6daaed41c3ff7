#include <limits>

#include "transport/record/calendar.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

constexpr bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Two digits at `at`, 100 or more where they are not.
unsigned two(const char* at) {
  const auto high = static_cast<unsigned char>(at[0] - '0');
  const auto low = static_cast<unsigned char>(at[1] - '0');
  return high < 10 && low < 10 ? high * 10U + low : 100U;
}

/// `[.digits]` as units of a second, all of the text.
parsed<std::int64_t> read_fraction(std::string_view text, time_unit unit, unsigned fraction_digits,
                                   dirty_code wrong) {
  if (text.empty()) {
    return {0};
  }
  if (text.front() != '.' || text.size() < 2) {
    return refuse(wrong);
  }
  std::int64_t value = 0;
  const auto unit_digits = static_cast<unsigned>(unit);
  unsigned digit = 0;
  for (const char c : text.substr(1)) {
    if (!is_digit(c)) {
      return refuse(wrong);
    }
    if (digit < unit_digits) {
      value = value * 10 + (c - '0');
    }
    if (digit >= fraction_digits && c != '0') {
      return refuse(dirty_code::too_precise);
    }
    ++digit;
  }
  for (; digit < unit_digits; ++digit) {
    value *= 10;
  }
  return {value};
}

/// `HH:mm:ss[.f]` as units since midnight; 24:00:00 only where `end_of_day`.
parsed<std::int64_t> read_clock(std::string_view text, time_unit unit, unsigned fraction_digits,
                                bool end_of_day) {
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') {
    return refuse(dirty_code::not_a_date);
  }
  const unsigned hour = two(text.data());
  const unsigned minute = two(text.data() + 3);
  const unsigned second = two(text.data() + 6);
  if (hour > 24 || minute > 59 || second > 59 || (hour == 24 && !end_of_day)) {
    return refuse(dirty_code::not_a_date);
  }
  const parsed<std::int64_t> fraction =
      read_fraction(text.substr(8), unit, fraction_digits, dirty_code::not_a_date);
  if (!fraction) {
    return fraction;
  }
  if (hour == 24 && (minute != 0 || second != 0 || fraction.value != 0)) {
    return refuse(dirty_code::not_a_date);
  }
  return {std::int64_t{hour * 3600 + minute * 60 + second} * units_per_second(unit) + fraction.value};
}

/// The date at the beginning of `text`, which is shortened by it.
parsed<std::int64_t> read_date(std::string_view& text) {
  std::int64_t year = 0;
  const bool sign = !text.empty() && (text.front() == '-' || text.front() == '+');
  std::size_t at = sign ? 1 : 0;
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at]) && at - first < 8) {
    year = year * 10 + (text[at++] - '0');
  }
  const std::size_t digits = at - first;
  if (digits < 4 || (!sign && digits != 4) || text.size() < at + 6 || text[at] != '-' ||
      text[at + 3] != '-') {
    return refuse(dirty_code::not_a_date);
  }
  year = text.front() == '-' ? -year : year;
  const unsigned month = two(text.data() + at + 1);
  const unsigned day = two(text.data() + at + 4);
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
    return refuse(dirty_code::not_a_date);
  }
  text.remove_prefix(at + 6);
  return {days_from_civil(year, month, day)};
}

}  // namespace

parsed<std::int32_t> parse_iso_date(std::string_view text) {
  if (text.empty()) {
    return refuse(dirty_code::empty);
  }
  if (text == "infinity" || text == "-infinity") {
    return {text.front() == '-' ? date_minus_infinity : date_infinity};
  }
  const parsed<std::int64_t> days = read_date(text);
  if (!days || !text.empty()) {
    return refuse(dirty_code::not_a_date);
  }
  if (days.value <= date_minus_infinity || days.value >= date_infinity) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int32_t>(days.value)};
}

parsed<std::int64_t> parse_iso_time(std::string_view text, time_unit unit, unsigned fraction_digits) {
  return text.empty() ? refuse(dirty_code::empty) : read_clock(text, unit, fraction_digits, true);
}

parsed<std::int64_t> parse_iso_timestamp(std::string_view text, time_unit unit, unsigned fraction_digits) {
  if (text.empty()) {
    return refuse(dirty_code::empty);
  }
  if (text == "infinity" || text == "-infinity") {
    return {text.front() == '-' ? time_minus_infinity : time_infinity};
  }
  const parsed<std::int64_t> days = read_date(text);
  if (!days || text.empty() || (text.front() != 'T' && text.front() != ' ')) {
    return refuse(dirty_code::not_a_date);
  }
  const parsed<std::int64_t> clock = read_clock(text.substr(1), unit, fraction_digits, false);
  if (!clock) {
    return clock;
  }
  const int128 value =
      static_cast<int128>(days.value) * seconds_per_day * units_per_second(unit) + clock.value;
  if (value <= time_minus_infinity || value >= time_infinity) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int64_t>(value)};
}

parsed<std::int64_t> parse_duration(std::string_view text, time_unit unit, unsigned fraction_digits) {
  if (text.empty()) {
    return refuse(dirty_code::empty);
  }
  const bool minus = text.front() == '-';
  text.remove_prefix(minus ? 1 : 0);
  std::size_t at = 0;
  std::int64_t hours = 0;
  while (at < text.size() && is_digit(text[at]) && at < 16) {
    hours = hours * 10 + (text[at++] - '0');
  }
  if (at < 2 || text.size() < at + 6 || text[at] != ':' || text[at + 3] != ':') {
    return refuse(dirty_code::not_a_duration);
  }
  const unsigned minute = two(text.data() + at + 1);
  const unsigned second = two(text.data() + at + 4);
  if (minute > 59 || second > 59) {
    return refuse(dirty_code::not_a_duration);
  }
  const parsed<std::int64_t> fraction =
      read_fraction(text.substr(at + 6), unit, fraction_digits, dirty_code::not_a_duration);
  if (!fraction) {
    return fraction;
  }
  int128 value = static_cast<int128>(hours) * 3600 + minute * 60 + second;
  value = value * units_per_second(unit) + fraction.value;
  value = minus ? -value : value;
  if (value < std::numeric_limits<std::int64_t>::min() || value > std::numeric_limits<std::int64_t>::max()) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int64_t>(value)};
}

}  // namespace sluice
