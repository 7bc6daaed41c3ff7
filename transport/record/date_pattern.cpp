#include "transport/record/date_pattern.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "transport/base/text.h"
#include "transport/record/calendar.h"
#include "transport/record/date_pattern_items.h"
#include "transport/record/format.h"

namespace sluice {
namespace {

using namespace pattern;

constexpr std::array letters = std::to_array<pattern_letter>({
    {'G', "era: AD or BC", true},
    {'y', "year of the era: yyyy exactly four digits, yy 2000 to 2099, y one to nine digits", true},
    {'u', "uuuu: year, 0000 being 1 BC; u: number of the day of the week, Monday 1", true},
    {'M', "month: MM two digits, M one or two, MMM Jan, MMMM January", true},
    {'L', "month standing alone: as M", true},
    {'d', "day of the month: dd two digits, d one or two", true},
    {'D', "day of the year: DDD three digits, D one to three", true},
    {'E', "day of the week: E to EEE Mon, EEEE Monday; must be the date's", true},
    {'a', "AM or PM", true},
    {'H', "hour 0 to 23", true},
    {'k', "hour 1 to 24, where 24 is the first of the day", true},
    {'K', "hour 0 to 11, with a", true},
    {'h', "hour 1 to 12, with a", true},
    {'m', "minute", true},
    {'s', "second", true},
    {'S', "digits of the second's fraction, as many as letters", true},
    {'X', "offset, Z for UTC: X +08, XX +0800, XXX +08:00", true},
    {'x', "offset, +00 for UTC: x +08, xx +0800, xxx +08:00", true},
    {'Z', "offset: Z to ZZZ +0800, ZZZZZ +08:00", true},
    {'Y', "is the year of the week, which differs around New Year; write yyyy", false},
    {'w', "the week of the year has no one numbering; write a date", false},
    {'W', "the week of the month has no one numbering; write a date", false},
    {'F', "the week within the month is not supported; write a date", false},
    {'g', "the modified Julian day is not supported; write a date", false},
    {'Q', "the quarter is not supported; write MM", false},
    {'q', "the quarter is not supported; write MM", false},
    {'e', "the day number depends on a locale; write E or u", false},
    {'c', "the day number depends on a locale; write E or u", false},
    {'B', "a part of the day such as `in the morning` depends on a locale; write a", false},
    {'A', "milliseconds of the day are not supported; write HH:mm:ss.SSS", false},
    {'N', "nanoseconds of the day are not supported; write HH:mm:ss.SSSSSSSSS", false},
    {'n', "nanoseconds as a number are not supported; write SSSSSSSSS", false},
    {'z', "names of zones are ambiguous (CST is four of them); write an offset with XXX", false},
    {'v', "names of zones are ambiguous (CST is four of them); write an offset with XXX", false},
    {'V', "zone ids are not supported; write an offset with XXX", false},
    {'O', "offsets with GMT before them are not supported; write 'GMT'xxx", false},
    {'p', "padding is not supported; write the letter twice for two digits", false},
});

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Which width a letter may have.
bool is_width(char letter, std::size_t width) {
  switch (letter) {
    case 'y':
    case 'S':
      return width <= 9;
    case 'u':
      return width == 1 || width == 4;
    case 'M':
    case 'L':
    case 'E':
      return width <= 4;
    case 'D':
      return width == 1 || width == 3;
    case 'X':
    case 'x':
      return width <= 3;
    case 'Z':
      return width <= 3 || width == 5;
    case 'a':
      return width == 1;
    default:
      return width <= 2;
  }
}

/// What a letter stands for, so that two letters of one meaning are seen as the same.
char meaning_of(const item& i) {
  switch (i.letter) {
    case 'L':
      return 'M';
    case 'x':
    case 'X':
      return 'Z';
    case 'k':
    case 'K':
    case 'h':
      return 'H';
    case 'u':
      return i.width == 1 ? 'E' : 'y';
    default:
      return i.letter;
  }
}

char* put_two(unsigned n, char* to) {
  to[0] = static_cast<char>('0' + n / 10);
  to[1] = static_cast<char>('0' + n % 10);
  return to + 2;
}

char* put_text(std::string_view text, char* to) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* put_number(const item& i, std::int64_t n, char* to) {
  return i.width == 1 ? write_int64(n, to) : write_padded(static_cast<std::uint64_t>(n), i.width, to);
}

char* put_offset(const item& i, std::int32_t offset_s, char* to) {
  const bool colon = i.letter == 'Z' ? i.width == 5 : i.width == 3;
  const bool zulu = i.letter == 'X' || (i.letter == 'Z' && i.width == 5);
  if (offset_s == 0 && zulu) {
    *to++ = 'Z';
    return to;
  }
  const auto minutes = static_cast<unsigned>(offset_s < 0 ? -offset_s : offset_s) / 60;
  *to++ = offset_s < 0 ? '-' : '+';
  to = put_two(minutes / 60, to);
  if (i.letter != 'Z' && i.width == 1 && minutes % 60 == 0) {
    return to;
  }
  if (colon) {
    *to++ = ':';
  }
  return put_two(minutes % 60, to);
}

}  // namespace

std::span<const pattern_letter> pattern_letters() {
  return letters;
}

result<date_pattern> date_pattern::make(std::string_view pattern, use u) {
  date_pattern p;
  p.text_ = pattern;
  p.use_ = u;
  SLUICE_CHECK(p.compile());
  p.note_fields();
  if (u == use::exact) {
    SLUICE_CHECK(p.check_fields());
  }
  return p;
}

result<void> date_pattern::compile() {
  const auto wrong = [this](std::size_t at, std::string_view what) {
    return fail(error_kind::bad_option, "Date pattern {}, character {}: {}.", in_quotes(text_), at + 1, what);
  };
  if (text_.empty()) {
    return fail(error_kind::bad_option,
                "The date pattern is empty; give one such as \"yyyy-MM-dd HH:mm:ss\".");
  }
  const auto literal = [this](std::size_t at) -> std::string& {
    if (items_.empty() || items_.back().letter != 0) {
      items_.push_back({0, 0, static_cast<std::uint32_t>(at + 1), {}});
    }
    return items_.back().literal;
  };
  for (std::size_t at = 0; at < text_.size();) {
    const char c = text_[at];
    if (c == '\'') {
      const std::size_t open = at++;
      if (at < text_.size() && text_[at] == '\'') {
        literal(open) += '\'';
        ++at;
        continue;
      }
      for (bool closed = false; !closed; ++at) {
        if (at == text_.size()) {
          return wrong(open,
                       "the quote that opens here is not closed; close it, or write two for a quote itself");
        }
        closed = text_[at] == '\'' && (at + 1 == text_.size() || text_[at + 1] != '\'');
        if (!closed) {
          literal(open) += text_[at];
          at += text_[at] == '\'' ? 1 : 0;
        }
      }
      continue;
    }
    if (c == '[' || c == ']' || c == '{' || c == '}' || c == '#') {
      return wrong(at, "brackets, braces and # are reserved; put the character in single quotes");
    }
    if (!is_letter(c)) {
      literal(at) += c;
      ++at;
      continue;
    }
    const auto* const known =
        std::find_if(letters.begin(), letters.end(), [c](const pattern_letter& l) { return l.letter == c; });
    if (known == letters.end()) {
      return wrong(at, fmt::format("the letter {} has no meaning; put text in single quotes", c));
    }
    if (!known->supported) {
      return wrong(at, fmt::format("{}: {}", c, known->meaning));
    }
    const std::size_t end = std::min(text_.find_first_not_of(c, at), text_.size());
    if (!is_width(c, end - at)) {
      return wrong(at, fmt::format("{} letters {} have no exact meaning ({})", end - at, c, known->meaning));
    }
    items_.push_back({c, static_cast<std::uint8_t>(end - at), static_cast<std::uint32_t>(at + 1), {}});
    at = end;
  }
  return {};
}

void date_pattern::note_fields() {
  resolution_nanos_ = nanos_per_day;
  for (const item& i : items_) {
    const char meaning = meaning_of(i);
    has_date_ = has_date_ || meaning == 'y';
    has_month_ = has_month_ || meaning == 'M' || meaning == 'D';
    has_day_ = has_day_ || meaning == 'd' || meaning == 'D';
    has_time_ = has_time_ || meaning == 'H';
    has_offset_ = has_offset_ || meaning == 'Z';
    writes_hour_24_ = writes_hour_24_ || i.letter == 'H';
    std::int64_t resolution = nanos_per_day;
    if (meaning == 'H') {
      resolution = nanos_per_hour;
    } else if (meaning == 'm') {
      resolution = nanos_per_minute;
    } else if (meaning == 's' || meaning == 'S') {
      resolution = nanos_per_second;
      for (unsigned digit = 0; meaning == 'S' && digit < i.width; ++digit) {
        resolution /= 10;
      }
    }
    resolution_nanos_ = std::min(resolution_nanos_, resolution);
    // 12 for the longest name, number or offset.
    chars_max_ += i.letter == 0 ? i.literal.size() : std::max<std::size_t>(12, i.width);
  }
  chars_max_ += 24;  // A fraction added behind, and room for the widest store.
  // One that has a fraction elsewhere takes none behind its seconds.
  ends_with_seconds_ =
      items_.back().letter == 's' &&
      std::none_of(items_.begin(), items_.end(), [](const item& i) { return i.letter == 'S'; });
  if (text_ == "yyyy-MM-dd HH:mm:ss") {
    shape_ = shape::datetime;
  } else if (text_ == "yyyy-MM-dd") {
    shape_ = shape::date;
  } else if (text_ == "yyyyMMdd") {
    shape_ = shape::compact_date;
  }
}

result<void> date_pattern::check_fields() const {
  const auto wrong = [this](const item& i, std::string_view what) {
    return fail(error_kind::bad_option, "Date pattern {}, character {}: {} {}.", in_quotes(text_), i.place,
                std::string(i.width, i.letter), what);
  };
  const auto has = [this](char meaning) {
    return std::any_of(items_.begin(), items_.end(),
                       [meaning](const item& i) { return meaning_of(i) == meaning; });
  };
  const bool has_half = has('a');
  for (std::size_t n = 0; n < items_.size(); ++n) {
    const item& i = items_[n];
    if (i.letter == 0) {
      continue;
    }
    const char meaning = meaning_of(i);
    for (std::size_t before = 0; before < n; ++before) {
      if (items_[before].letter != 0 && meaning_of(items_[before]) == meaning) {
        return wrong(i, "says again what stands before it; leave one of the two out");
      }
    }
    const digit_range range = digits_of(i);
    if (range.least != range.most && n + 1 < items_.size() &&
        (digits_of(items_[n + 1]).most != 0 ||
         (items_[n + 1].letter == 0 && is_digit(items_[n + 1].literal.front())))) {
      return wrong(
          i, "has no width of its own next to other digits; write more letters, or put something between");
    }
    if ((i.letter == 'h' || i.letter == 'K') && !has_half) {
      return wrong(i, "counts half a day and needs the letter a beside it; for hours 0 to 23 write HH");
    }
    if (meaning == 'a' && std::none_of(items_.begin(), items_.end(),
                                       [](const item& o) { return o.letter == 'h' || o.letter == 'K'; })) {
      return wrong(i, "needs an hour in hh beside it");
    }
    if (meaning == 'm' && !has('H')) {
      return wrong(i, "is the minute and needs an hour (HH); the month is MM");
    }
    if ((meaning == 's' && !has('m')) || (meaning == 'S' && !has('s'))) {
      return wrong(
          i, meaning == 's' ? "needs minutes (mm); digits of a fraction are SSS" : "needs seconds (ss)");
    }
    if ((meaning == 'M' || meaning == 'D' || meaning == 'E' || meaning == 'G') && !has('y')) {
      return wrong(i, "needs a year (yyyy)");
    }
    if (meaning == 'd' && !has('M')) {
      return wrong(i, "needs a month (MM); the day of the year is DDD");
    }
    if (meaning == 'D' && has('M')) {
      return wrong(i, "is the day of the year and cannot stand beside a month; the day of the month is dd");
    }
    if (meaning == 'E' && !has_day_) {
      return wrong(i, "needs a day (dd)");
    }
    if (meaning == 'Z' && (!has('H') || !has('y'))) {
      return wrong(i, "needs a date and an hour");
    }
    if (i.letter == 'u' && i.width == 4 && has('G')) {
      return wrong(i, "counts without eras; beside G write yyyy");
    }
  }
  if (!has_date_ && !has_time_) {
    return fail(error_kind::bad_option, "Date pattern {} has neither a year (yyyy) nor an hour (HH).",
                in_quotes(text_));
  }
  return {};
}

dirty_code date_pattern::write(const wall_time& t, unsigned fraction_digits, char*& to) const {
  char* const begin = to;
  const std::int64_t fraction = t.nanos_of_day % nanos_per_second;
  const bool add_fraction = fraction != 0 && fraction_digits != 0 && ends_with_seconds_;
  const std::int64_t left_out = (t.nanos_of_day - (add_fraction ? fraction : 0)) % resolution_nanos_;
  if (use_ == use::exact && left_out != 0) {
    return dirty_code::too_precise;
  }
  if (use_ == use::exact && t.nanos_of_day == nanos_per_day && !writes_hour_24_) {
    return dirty_code::out_of_range;
  }
  if (shape_ == shape::general) {
    if (const dirty_code code = write_general(t, to); code != dirty_code::none) {
      to = begin;
      return code;
    }
  } else {
    const civil_date date = civil_from_days(t.days);
    if (date.year < 1 || date.year > 9999) {
      return dirty_code::out_of_range;
    }
    const auto year = static_cast<unsigned>(date.year);
    const bool dashes = shape_ != shape::compact_date;
    to = put_two(year % 100, put_two(year / 100, to));
    *to = '-';
    to = put_two(date.month, to + (dashes ? 1 : 0));
    *to = '-';
    to = put_two(date.day, to + (dashes ? 1 : 0));
    if (shape_ == shape::datetime) {
      const auto second = static_cast<unsigned>(t.nanos_of_day / nanos_per_second);
      *to = ' ';
      to = put_two(second / 3600, to + 1);
      *to = ':';
      to = put_two(second / 60 % 60, to + 1);
      *to = ':';
      to = put_two(second % 60, to + 1);
    }
  }
  if (add_fraction) {
    std::int64_t shown = fraction;
    for (unsigned digit = fraction_digits; digit < 9; ++digit) {
      shown /= 10;
    }
    *to = '.';
    to = write_padded(static_cast<std::uint64_t>(shown), fraction_digits, to + 1);
  }
  return dirty_code::none;
}

dirty_code date_pattern::write_general(const wall_time& t, char*& to) const {
  const civil_date date = civil_from_days(t.days);
  const bool exact = use_ == use::exact;
  if (exact && has_date_ && ((!has_month_ && date.month != 1) || (!has_day_ && date.day != 1))) {
    return dirty_code::too_precise;
  }
  const bool has_era =
      std::any_of(items_.begin(), items_.end(), [](const item& i) { return i.letter == 'G'; });
  const std::int64_t second = t.nanos_of_day / nanos_per_second;
  const std::int64_t hour = second / 3600;
  for (const item& i : items_) {
    switch (i.letter) {
      case 0:
        to = put_text(i.literal, to);
        break;
      case 'y': {
        if (date.year < 1 && !has_era) {
          return dirty_code::out_of_range;
        }
        const std::int64_t year = date.year < 1 ? 1 - std::int64_t{date.year} : date.year;
        if (i.width == 2) {
          if (exact && (year < 2000 || year > 2099)) {
            return dirty_code::out_of_range;
          }
          to = put_two(static_cast<unsigned>(year % 100), to);
          break;
        }
        if (i.width != 1 && i.width < 9 && year >= power_of_ten(i.width)) {
          return dirty_code::out_of_range;
        }
        to = put_number(i, year, to);
        break;
      }
      case 'u':
        if (i.width == 4 && (date.year < 0 || date.year > 9999)) {
          return dirty_code::out_of_range;
        }
        to = put_number(i, i.width == 4 ? date.year : static_cast<std::int64_t>(iso_weekday(t.days)), to);
        break;
      case 'M':
      case 'L':
        if (i.width > 2) {
          const std::string_view name = months[date.month - 1U];
          to = put_text(i.width == 3 ? name.substr(0, 3) : name, to);
        } else {
          to = put_number(i, date.month, to);
        }
        break;
      case 'd':
        to = put_number(i, date.day, to);
        break;
      case 'D':
        to = put_number(i, std::int64_t{t.days} - days_from_civil(date.year, 1, 1) + 1, to);
        break;
      case 'E': {
        const std::string_view name = weekdays[iso_weekday(t.days) - 1U];
        to = put_text(i.width < 4 ? name.substr(0, 3) : name, to);
        break;
      }
      case 'G':
        to = put_text(date.year < 1 ? "BC" : "AD", to);
        break;
      case 'a':
        to = put_text(hour % 24 < 12 ? "AM" : "PM", to);
        break;
      case 'H':
        to = put_number(i, hour, to);
        break;
      case 'k':
        to = put_number(i, hour == 0 ? 24 : hour, to);
        break;
      case 'K':
        to = put_number(i, hour % 12, to);
        break;
      case 'h':
        to = put_number(i, hour % 12 == 0 ? 12 : hour % 12, to);
        break;
      case 'm':
        to = put_number(i, second / 60 % 60, to);
        break;
      case 's':
        to = put_number(i, second % 60, to);
        break;
      case 'S': {
        std::int64_t shown = t.nanos_of_day % nanos_per_second;
        for (unsigned digit = i.width; digit < 9; ++digit) {
          shown /= 10;
        }
        to = write_padded(static_cast<std::uint64_t>(shown), i.width, to);
        break;
      }
      default:
        to = put_offset(i, t.offset_s, to);
        break;
    }
  }
  return dirty_code::none;
}

}  // namespace sluice
