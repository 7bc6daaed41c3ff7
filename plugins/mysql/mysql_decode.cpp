#include "plugins/mysql/mysql_decode.h"

#include <array>

#include "transport/record/calendar.h"
#include "transport/record/parse.h"
#include "transport/record/utf8.h"

namespace sluice::mysql {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A whole number without a sign, at most 19 digits, which fit 64 bits.
bool read_digits(std::string_view text, std::uint64_t& out) {
  constexpr std::size_t digits_max = 19;
  if (text.empty() || text.size() > digits_max) {
    return false;
  }
  std::uint64_t n = 0;
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(c) - '0');
    if (digit > 9) {
      return false;
    }
    n = n * 10 + digit;
  }
  out = n;
  return true;
}

/// Two digits at `at`; 100 where they are none.
unsigned two_digits(const char* at) {
  return is_digit(at[0]) && is_digit(at[1])
             ? static_cast<unsigned>(at[0] - '0') * 10 + static_cast<unsigned>(at[1] - '0')
             : 100;
}

decoded refused(dirty_code code, std::string_view why) {
  return {code, why};
}

/// Behind the text of a TIMESTAMP, which is a wall clock of the session's zone (mysql_session_sql.cpp):
/// without it whoever reads the text takes it for one of a zone of their own.
constexpr std::string_view session_offset = "+00:00";

constexpr std::string_view no_number = "the server sent no number";
constexpr std::string_view no_date = "the server sent no date";

struct day_parts {
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
};

/// `2024-02-29`, ten characters; zero parts count as read.
bool read_day(std::string_view text, day_parts& out) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return false;
  }
  const unsigned century = two_digits(text.data());
  const unsigned year = two_digits(text.data() + 2);
  out = {century * 100 + year, two_digits(text.data() + 5), two_digits(text.data() + 8)};
  return century < 100 && year < 100 && out.month <= 12 && out.day <= 31;
}

bool is_zero(const day_parts& d) {
  return d.month == 0 || d.day == 0;
}

bool exists(const day_parts& d) {
  return d.day <= days_in_month(d.year, d.month);
}

/// The digits of a fraction as `unit`s of a second; nothing behind the point is 0.
bool read_fraction(std::string_view digits, time_unit unit, std::int64_t& out) {
  const auto kept = static_cast<std::size_t>(unit);
  std::int64_t n = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (!is_digit(digits[i]) || (i >= kept && digits[i] != '0')) {
      return false;
    }
    n = i < kept ? n * 10 + (digits[i] - '0') : n;
  }
  for (std::size_t i = digits.size(); i < kept; ++i) {
    n *= 10;
  }
  out = n;
  return true;
}

/// `:mm:ss[.f]` behind the hours, in units.
bool read_minutes(std::string_view text, time_unit unit, std::int64_t& out) {
  if (text.size() < 6 || text[0] != ':' || text[3] != ':') {
    return false;
  }
  const unsigned minutes = two_digits(text.data() + 1);
  const unsigned seconds = two_digits(text.data() + 4);
  text.remove_prefix(6);
  std::int64_t fraction = 0;
  if (minutes > 59 || seconds > 59 ||
      (!text.empty() &&
       (text[0] != '.' || text.size() < 2 || !read_fraction(text.substr(1), unit, fraction)))) {
    return false;
  }
  out = (std::int64_t{minutes} * 60 + seconds) * units_per_second(unit) + fraction;
  return true;
}

}  // namespace

value_decoder::value_decoder(const column_kind& kind, zero_date zeros, relational::text_rule invalid)
    : kind_(kind), zeros_(zeros), invalid_(invalid), type_(read_type(kind, zeros == zero_date::text)) {}

std::uint64_t value_decoder::bytes_in_batch(std::string_view text) const {
  constexpr std::uint64_t replacement_bytes = 3;
  if (kind_.holds == held_as::instant && type_.id == type_id::utf8) {
    return text.size() + session_offset.size();
  }
  const bool replaces = invalid_ == relational::text_rule::replace &&
                        (kind_.holds == held_as::text || kind_.holds == held_as::members);
  return replaces && !is_utf8(text) ? replacement_bytes * text.size() : text.size();
}

decoded value_decoder::append(std::string_view text, column_builder& to) {
  switch (kind_.holds) {
    case held_as::integer:
    case held_as::year: {
      const bool negative = text.starts_with('-');
      std::uint64_t n = 0;
      if (!read_digits(text.substr(negative ? 1 : 0), n)) {
        const auto whole = parse_uint64(text);  // 20 digits of BIGINT UNSIGNED
        if (!whole.ok() || type_.id != type_id::uint64 || !is_digit(text[0])) {
          return refused(dirty_code::not_a_number, no_number);
        }
        n = whole.value;
      }
      constexpr std::uint64_t signed_max = std::uint64_t{1} << 63;
      if (type_.id == type_id::uint64 ? negative && n != 0 : n > signed_max - (negative ? 0 : 1)) {
        return refused(dirty_code::out_of_range, "the number is beyond the column's type");
      }
      if (type_.id == type_id::uint64) {
        to.append(n);
      } else {
        to.append(static_cast<std::int64_t>(negative ? 0 - n : n));
      }
      return {};
    }
    case held_as::bits:
      return append_bits(text, to);
    case held_as::real:
      return append_real(text, to);
    case held_as::decimal:
      return append_decimal(text, to);
    case held_as::text:
    case held_as::members:
      if (kind_.marks_undefined && text.starts_with(undefined_mark)) {
        // The bytes behind it are of the column's own set.
        return refused(
            dirty_code::invalid_utf8,
            "the text has bytes that its character set does not define; read it with an expression such "
            "as HEX(column)");
      }
      if (const auto changed = relational::mend_utf8(text, invalid_, scratch_)) {
        to.append_bytes(scratch_);
        return {dirty_code::none, {}, changed};
      }
      if (invalid_ == relational::text_rule::dirty && !is_utf8(text)) {
        return refused(
            dirty_code::invalid_utf8,
            "the text has bytes that its character set does not define; set \"invalidText\", or read "
            "it with an expression such as HEX(column)");
      }
      to.append_bytes(text);
      return {};
    case held_as::bytes:
      to.append_bytes(text);
      return {};
    case held_as::date:
      return append_date(text, to);
    case held_as::timestamp:
    case held_as::instant:
      return append_stamp(text, to);
    case held_as::duration:
      return append_duration(text, to);
  }
  return {};
}

decoded value_decoder::append_decimal(std::string_view text, column_builder& to) {
  if (type_.id == type_id::decimal_text) {
    const auto number = parse_decimal_text(text, scratch_);
    if (!number.ok()) {
      return refused(number.code, no_number);
    }
    to.append_bytes(number.value);
    return {};
  }
  // The server writes exactly `scale` digits behind the point: two runs of digits are read at once.
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  const std::size_t behind = type_.scale == 0 ? 0 : type_.scale + std::size_t{1};
  constexpr std::size_t at_once = 18;
  if (digits.size() <= at_once && digits.size() > behind &&
      (behind == 0 || digits[digits.size() - behind] == '.')) {
    std::uint64_t whole = 0;
    std::uint64_t part = 0;
    if (read_digits(digits.substr(0, digits.size() - behind), whole) &&
        (behind == 0 || read_digits(digits.substr(digits.size() - type_.scale), part))) {
      const int128 n = int128{whole} * power_of_ten(type_.scale) + part;
      if (type_.precision >= at_once || n < power_of_ten(type_.precision)) {
        to.append(negative ? -n : n);
        return {};
      }
    }
  }
  const auto number = parse_decimal(text, type_.precision, type_.scale);
  if (!number.ok()) {
    return refused(number.code, no_number);
  }
  to.append(number.value);
  return {};
}

decoded value_decoder::append_real(std::string_view text, column_builder& to) const {
  const auto number = parse_float64(text);
  if (!number.ok()) {
    return refused(number.code, no_number);
  }
  if (type_.id == type_id::float64) {
    to.append(number.value);
    return {};
  }
  const auto single = static_cast<float>(number.value);
  if (static_cast<double>(single) != number.value) {
    return refused(dirty_code::not_exact,
                   "the number has no equal among single-precision numbers; read it as `x * 1e0`");
  }
  to.append(single);
  return {};
}

decoded value_decoder::append_bits(std::string_view text, column_builder& to) const {
  std::uint64_t n = 0;
  if (kind_.bits_as_number) {
    const auto number = parse_uint64(text);
    if (!number.ok()) {
      return refused(number.code, no_number);
    }
    n = number.value;
  } else {
    if (text.empty() || text.size() > 8) {
      return refused(dirty_code::not_a_number, "the server sent no bits");
    }
    for (const char c : text) {
      n = n << 8 | static_cast<unsigned char>(c);
    }
  }
  if (type_.id == type_id::uint64) {
    to.append(n);
    return {};
  }
  if (n > 1) {
    return refused(dirty_code::not_a_boolean, "more than one bit is set");
  }
  to.append_bool(n == 1);
  return {};
}

decoded value_decoder::zero(std::string_view text, column_builder& to) const {
  switch (zeros_) {
    case zero_date::dirty:
      return refused(dirty_code::not_a_date,
                     "the date is zero or has a zero month or day; \"zeroDate\" of \"null\" or \"text\" "
                     "reads it");
    case zero_date::null:
      to.append_null();
      return {};
    case zero_date::text:
      to.append_bytes(text);
      return {};
  }
  return {};
}

decoded value_decoder::append_date(std::string_view text, column_builder& to) const {
  day_parts d;
  if (!read_day(text, d)) {
    return refused(dirty_code::not_a_date, no_date);
  }
  if (is_zero(d)) {
    return zero(text, to);
  }
  if (!exists(d)) {
    return refused(dirty_code::not_a_date, "the calendar has no such day (ALLOW_INVALID_DATES)");
  }
  if (type_.id == type_id::utf8) {
    to.append_bytes(text);
  } else {
    to.append(static_cast<std::int32_t>(days_from_civil(d.year, d.month, d.day)));
  }
  return {};
}

decoded value_decoder::append_stamp(std::string_view text, column_builder& to) {
  constexpr std::size_t hours_at = 11;
  day_parts d;
  std::int64_t rest = 0;
  const bool as_text = type_.id == type_id::utf8;
  if (text.size() < 19 || text[10] != ' ' || !read_day(text.substr(0, 10), d) ||
      two_digits(text.data() + hours_at) > 23 ||
      !read_minutes(text.substr(hours_at + 2), as_text ? time_unit::micro : type_.unit, rest)) {
    return refused(dirty_code::not_a_date, no_date);
  }
  if (is_zero(d)) {
    return zero(text, to);
  }
  if (!exists(d)) {
    return refused(dirty_code::not_a_date, "the calendar has no such day (ALLOW_INVALID_DATES)");
  }
  if (as_text) {
    scratch_.assign(text);
    scratch_ += kind_.holds == held_as::instant ? session_offset : "";
    to.append_bytes(scratch_);
    return {};
  }
  const std::int64_t hours =
      days_from_civil(d.year, d.month, d.day) * 24 + two_digits(text.data() + hours_at);
  to.append(hours * 3600 * units_per_second(type_.unit) + rest);
  return {};
}

decoded value_decoder::append_duration(std::string_view text, column_builder& to) const {
  const bool negative = text.starts_with('-');
  text.remove_prefix(negative ? 1 : 0);
  const std::size_t colon = text.find(':');
  std::uint64_t hours = 0;
  std::int64_t rest = 0;
  constexpr std::size_t hour_digits_max = 4;
  if (colon == std::string_view::npos || colon < 2 || colon > hour_digits_max ||
      !read_digits(text.substr(0, colon), hours) || !read_minutes(text.substr(colon), type_.unit, rest)) {
    return refused(dirty_code::not_a_duration, "the server sent no time");
  }
  const std::int64_t units = static_cast<std::int64_t>(hours) * 3600 * units_per_second(type_.unit) + rest;
  to.append(negative ? -units : units);
  return {};
}

}  // namespace sluice::mysql
