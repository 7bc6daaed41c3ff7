#include <algorithm>
#include <array>
#include <optional>

#include "transport/record/date_pattern.h"
#include "transport/record/date_pattern_items.h"
#include "transport/record/digits.h"

namespace sluice {
namespace {

using namespace pattern;

char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(),
                                                  [](char a, char b) { return fold(a) == fold(b); });
}

/// Values of the fields as read; -1 where there is none.
struct fields {
  std::int64_t year = -1;
  int month = -1, day = -1, day_of_year = -1, weekday = -1;
  int hour = -1, hour_of_half = -1, minute = -1, second = -1;
  std::int64_t nanos = 0;
  bool afternoon = false;
  bool before_christ = false, has_era = false, proleptic = false;
  std::int32_t offset_s = 0;
  bool has_offset = false;
};

/// Reads a name of the list at the start of `text`, short or long; its index, -1 where there is none.
template <std::size_t N>
int read_name(std::string_view& text, const std::array<std::string_view, N>& names, bool whole) {
  for (std::size_t i = 0; i < N; ++i) {
    const std::string_view name = whole ? names[i] : names[i].substr(0, 3);
    if (starts_with_word(text, name)) {
      text.remove_prefix(name.size());
      return static_cast<int>(i);
    }
  }
  return -1;
}

bool read_offset(std::string_view& text, const item& i, fields& f) {
  f.has_offset = true;
  const bool colon = i.letter == 'Z' ? i.width == 5 : i.width == 3;
  const bool zulu = i.letter == 'X' || (i.letter == 'Z' && i.width == 5);
  if (zulu && text.starts_with('Z')) {
    text.remove_prefix(1);
    return true;
  }
  const auto two = [&text](std::size_t at) {
    return text.size() >= at + 2 && is_digit(text[at]) && is_digit(text[at + 1])
               ? (text[at] - '0') * 10 + (text[at + 1] - '0')
               : -1;
  };
  if (text.empty() || (text.front() != '+' && text.front() != '-') || two(1) < 0) {
    return false;
  }
  const int hours = two(1);
  int minutes = 0;
  std::size_t length = 3;
  if (i.letter == 'Z' || i.width > 1) {
    if (colon && (text.size() < 4 || text[3] != ':')) {
      return false;
    }
    minutes = two(colon ? 4 : 3);
    length = colon ? 6 : 5;
  } else if (two(3) >= 0) {  // X writes minutes only where there are some
    minutes = two(3);
    length = 5;
  }
  if (hours > 18 || minutes < 0 || minutes > 59 || (hours == 18 && minutes != 0)) {
    return false;
  }
  f.offset_s = (hours * 3600 + minutes * 60) * (text.front() == '-' ? -1 : 1);
  text.remove_prefix(length);
  return true;
}

bool set_number(const item& i, std::int64_t n, fields& f) {
  const auto in = [n](std::int64_t least, std::int64_t most, int& field) {
    field = static_cast<int>(n);
    return n >= least && n <= most;
  };
  switch (i.letter) {
    case 'y':
      f.year = i.width == 2 ? 2000 + n : n;
      return true;
    case 'u':
      if (i.width == 1) {
        return in(1, 7, f.weekday);
      }
      f.year = n;
      f.proleptic = true;
      return true;
    case 'M':
    case 'L':
      return in(1, 12, f.month);
    case 'd':
      return in(1, 31, f.day);
    case 'D':
      return in(1, 366, f.day_of_year);
    case 'H':
      return in(0, 24, f.hour);
    case 'k':
      if (!in(1, 24, f.hour)) {
        return false;
      }
      f.hour %= 24;
      return true;
    case 'K':
      return in(0, 11, f.hour_of_half);
    case 'h':
      if (!in(1, 12, f.hour_of_half)) {
        return false;
      }
      f.hour_of_half %= 12;
      return true;
    case 'm':
      return in(0, 59, f.minute);
    case 's':
      return in(0, 59, f.second);
    default:
      f.nanos = n;
      for (unsigned digit = i.width; digit < 9; ++digit) {
        f.nanos *= 10;
      }
      return true;
  }
}

bool read_item(std::string_view& text, const item& i, fields& f) {
  if (i.letter == 0) {
    if (!text.starts_with(i.literal)) {
      return false;
    }
    text.remove_prefix(i.literal.size());
    return true;
  }
  const digit_range range = digits_of(i);
  if (range.most != 0) {
    std::int64_t n = 0;
    unsigned digits = 0;
    for (; digits < range.most && digits < text.size() && is_digit(text[digits]); ++digits) {
      n = n * 10 + (text[digits] - '0');
    }
    text.remove_prefix(digits);
    return digits >= range.least && set_number(i, n, f);
  }
  switch (i.letter) {
    case 'M':
    case 'L': {
      const int month = read_name(text, months, i.width == 4);
      f.month = month + 1;
      return month >= 0;
    }
    case 'E': {
      const int weekday = read_name(text, weekdays, i.width == 4);
      f.weekday = weekday + 1;
      return weekday >= 0;
    }
    case 'G':
    case 'a': {
      const bool first = starts_with_word(text, i.letter == 'G' ? "AD" : "AM");
      if (!first && !starts_with_word(text, i.letter == 'G' ? "BC" : "PM")) {
        return false;
      }
      (i.letter == 'G' ? f.before_christ : f.afternoon) = !first;
      f.has_era = f.has_era || i.letter == 'G';
      text.remove_prefix(2);
      return true;
    }
    default:
      return read_offset(text, i, f);
  }
}

/// The whole seconds since midnight, also beyond the day's end: up to nine digits each of hours, minutes and
/// seconds, as Java reads them, are more than 64 bits hold in nanoseconds.
std::int64_t seconds_of_day(const fields& f) {
  const std::int64_t hour =
      f.hour_of_half >= 0 ? f.hour_of_half + (f.afternoon ? 12 : 0) : std::max(f.hour, 0);
  return hour * 3600 + std::int64_t{std::max(f.minute, 0)} * 60 + std::max(f.second, 0);
}

/// The value of the fields; nothing where they contradict each other or name what does not exist.
std::optional<wall_time> value_of(const fields& f, bool has_date, bool end_of_day) {
  wall_time t;
  if (has_date) {
    // The year 0 of an era does not exist; of the proleptic calendar it does.
    if (!f.proleptic && f.year == 0) {
      return std::nullopt;
    }
    const std::int64_t year = f.before_christ ? 1 - f.year : f.year;
    std::int64_t days = 0;
    if (f.day_of_year > 0) {
      if (f.day_of_year > (is_leap(year) ? 366 : 365)) {
        return std::nullopt;
      }
      days = days_from_civil(year, 1, 1) + f.day_of_year - 1;
    } else {
      const auto month = static_cast<unsigned>(std::max(f.month, 1));
      const auto day = static_cast<unsigned>(std::max(f.day, 1));
      if (day > days_in_month(year, month)) {
        return std::nullopt;
      }
      days = days_from_civil(year, month, day);
    }
    if (days <= date_minus_infinity || days >= date_infinity) {
      return std::nullopt;
    }
    t.days = static_cast<std::int32_t>(days);
    if (f.weekday > 0 && iso_weekday(t.days) != static_cast<unsigned>(f.weekday)) {
      return std::nullopt;
    }
  }
  t.nanos_of_day = seconds_of_day(f) * nanos_per_second + f.nanos;
  if (t.nanos_of_day > nanos_per_day || (t.nanos_of_day == nanos_per_day && !end_of_day)) {
    return std::nullopt;
  }
  t.offset_s = f.offset_s;
  t.has_offset = f.has_offset;
  return t;
}

/// `.digits` behind the seconds as nanoseconds.
parsed<std::int64_t> read_fraction(std::string_view text) {
  if (text.size() < 2 || text.front() != '.') {
    return refuse(dirty_code::not_a_date);
  }
  parsed<std::int64_t> nanos;
  std::size_t digit = 0;
  for (const char c : text.substr(1)) {
    if (!is_digit(c)) {
      return refuse(dirty_code::not_a_date);
    }
    if (digit < 9) {
      nanos.value = nanos.value * 10 + (c - '0');
    } else if (c != '0') {
      nanos.code = dirty_code::too_precise;
    }
    ++digit;
  }
  for (; digit < 9; ++digit) {
    nanos.value *= 10;
  }
  return nanos;
}

unsigned two_digits(const char* at) {
  const auto high = static_cast<unsigned char>(at[0] - '0');
  const auto low = static_cast<unsigned char>(at[1] - '0');
  return high < 10 && low < 10 ? high * 10U + low : 10000U;  // more than any field, also times 100
}

/// The date of eight digits, `yyyyMMdd`; false where they are none.
bool read_digits_of_date(std::uint64_t word, std::int32_t& days) {
  const std::uint64_t pairs = digits::pairs_of(word);
  const auto pair = [&](unsigned i) { return static_cast<unsigned>(pairs >> (16 * i) & 0xFF); };
  const unsigned year = pair(0) * 100 + pair(1);
  const unsigned month = pair(2);
  const unsigned day = pair(3);
  if (!digits::are_digits(word) || year < 1 || month < 1 || month > 12 || day < 1 ||
      day > days_in_month(year, month)) {
    return false;
  }
  days = static_cast<std::int32_t>(days_from_civil(year, month, day));
  return true;
}

/// The date `yyyy-MM-dd` at `at`.
bool read_dashed_date(const char* at, std::int32_t& days) {
  const std::uint64_t year = digits::load_eight(at) & 0x00000000FFFFFFFFU;
  const std::uint64_t rest = digits::load_eight(at + 2);  // of the year, -MM-dd
  const std::uint64_t month = (rest >> 24 & 0xFFFF) << 32;
  const std::uint64_t day = rest & 0xFFFF000000000000U;
  return at[4] == '-' && at[7] == '-' && read_digits_of_date(year | month | day, days);
}

/// As `read_item`, of a number as Java reads it: all its digits, or as many as there are letters where
/// another number follows at once; sets `loose` where a strict reading takes another number of them, and
/// `carried` where the field has no such value. A fraction is digits of a fraction, as everywhere in Sluice:
/// where Java would take them for another number of milliseconds, there is nothing to read.
bool read_number_as_java(std::string_view& text, const item& i, bool number_follows, fields& f, bool& loose,
                         bool& carried) {
  const digit_range range = digits_of(i);
  const unsigned most = i.letter == 'S' || number_follows ? i.width : 9;
  std::int64_t n = 0;
  unsigned digits = 0;
  for (; digits < most && digits < text.size() && is_digit(text[digits]); ++digits) {
    n = n * 10 + (text[digits] - '0');
  }
  text.remove_prefix(digits);
  const bool more = !number_follows && !text.empty() && is_digit(text.front());
  if (digits == 0 || more || ((i.letter == 'S' || number_follows) && digits != i.width)) {
    return false;
  }
  loose = loose || digits < range.least || digits > range.most;
  if (i.letter == 'y' && i.width == 2 && digits != 2) {
    f.year = n;  // two digits alone mean a year of this century
  } else if (!set_number(i, n, f)) {
    carried = true;
    return i.letter != 'u';  // there are seven days of a week
  }
  return true;
}

/// The point in time that the fields come to by counting on; nothing before the year 1. `carried` is set
/// where a strict reading refuses them.
std::optional<wall_time> carried_value(const fields& f, bool& carried) {
  wall_time t;
  if (f.year < 1) {
    return std::nullopt;
  }
  const std::int64_t year = f.before_christ ? 1 - f.year : f.year;
  std::int64_t days = 0;
  if (f.day_of_year >= 0) {
    days = days_from_civil(year, 1, 1) + f.day_of_year - 1;
    carried = carried || f.day_of_year > (is_leap(year) ? 366 : 365);
  } else {
    const floor_parts months_on = floor_divide((f.month < 0 ? 1 : f.month) - 1, 12);
    const std::int64_t carried_year = year + months_on.quotient;
    const auto month = static_cast<unsigned>(months_on.remainder) + 1;
    const int day = f.day < 0 ? 1 : f.day;
    days = days_from_civil(carried_year, month, 1) + day - 1;
    carried = carried || day > static_cast<int>(days_in_month(carried_year, month));
  }
  const floor_parts time = floor_divide(seconds_of_day(f), seconds_per_day);
  days += time.quotient;
  carried = carried || time.quotient != 0;
  if (days <= date_minus_infinity || days >= date_infinity ||
      (!f.before_christ && days < days_from_civil(1, 1, 1))) {
    return std::nullopt;
  }
  t.days = static_cast<std::int32_t>(days);
  if (f.weekday > 0 && iso_weekday(t.days) != static_cast<unsigned>(f.weekday)) {
    return std::nullopt;
  }
  t.nanos_of_day = time.remainder * nanos_per_second + f.nanos;
  t.offset_s = f.offset_s;
  t.has_offset = f.has_offset;
  return t;
}

}  // namespace

bool read_plain_date(std::string_view text, std::int32_t& days) {
  return text.size() == 10 && read_dashed_date(text.data(), days);
}

dirty_code date_pattern::parse(std::string_view text, options o, wall_time& to) const {
  if (text.empty()) {
    return dirty_code::empty;
  }
  to = {};
  switch (shape_) {
    case shape::datetime:
      if (text.size() < 19) {
        return dirty_code::not_a_date;  // each of its numbers has all its digits
      }
      if (text.size() == 19 && text[10] == ' ' && text[13] == ':' && text[16] == ':') {
        const unsigned hour = two_digits(text.data() + 11);
        const unsigned minute = two_digits(text.data() + 14);
        const unsigned second = two_digits(text.data() + 17);
        if (hour < 24 && minute < 60 && second < 60 && read_dashed_date(text.data(), to.days)) {
          to.nanos_of_day = std::int64_t{hour * 3600 + minute * 60 + second} * nanos_per_second;
          return dirty_code::none;
        }
      }
      break;
    case shape::date:
      return read_plain_date(text, to.days) ? dirty_code::none : dirty_code::not_a_date;
    case shape::compact_date:
      if (text.size() == 8 && read_digits_of_date(digits::load_eight(text.data()), to.days)) {
        return dirty_code::none;
      }
      return dirty_code::not_a_date;
    case shape::general:
      break;
  }
  return parse_general(text, o, to);
}

dirty_code date_pattern::parse_general(std::string_view text, options o, wall_time& to) const {
  fields f;
  for (const item& i : items_) {
    if (!read_item(text, i, f)) {
      return dirty_code::not_a_date;
    }
  }
  if (!text.empty()) {
    const parsed<std::int64_t> fraction =
        o.fraction && ends_with_seconds_ ? read_fraction(text) : refuse(dirty_code::not_a_date);
    if (!fraction) {
      return fraction.code;
    }
    f.nanos += fraction.value;
  }
  const std::optional<wall_time> value = value_of(f, has_date_, o.end_of_day);
  if (!value) {
    return dirty_code::not_a_date;
  }
  to = *value;
  return dirty_code::none;
}

std::optional<date_pattern::loose_reading> date_pattern::parse_as_java(std::string_view text) const {
  if (!has_date_) {
    return std::nullopt;
  }
  fields f;
  loose_reading out;
  for (std::size_t n = 0; n < items_.size(); ++n) {
    const item& i = items_[n];
    const bool number_follows = n + 1 < items_.size() && digits_of(items_[n + 1]).most != 0;
    const bool read = digits_of(i).most == 0
                          ? read_item(text, i, f)
                          : read_number_as_java(text, i, number_follows, f, out.other_digits, out.carried);
    if (!read) {
      return std::nullopt;
    }
  }
  const std::optional<wall_time> value = carried_value(f, out.carried);
  if (!value) {
    return std::nullopt;
  }
  out.at = *value;
  out.rest = text;
  return out;
}

}  // namespace sluice
