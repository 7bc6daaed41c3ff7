#include "transport/record/format.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

#include "transport/record/calendar.h"

namespace sluice {
namespace {

char* put(std::string_view text, char* to) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

constexpr std::array<char, 200> make_pairs() {
  std::array<char, 200> pairs{};
  for (unsigned i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> digit_pairs = make_pairs();

char* put_two(unsigned n, char* to) {
  std::memcpy(to, digit_pairs.data() + 2 * std::size_t{n}, 2);
  return to + 2;
}

/// A number below 10,000; writes up to a byte more than it has.
[[gnu::always_inline]] inline char* put_few(unsigned n, char* to) {
  const auto put_short = [](unsigned below_100, char* at) {
    const unsigned tens = below_100 >= 10 ? 1 : 0;
    std::memcpy(at, digit_pairs.data() + 2 * std::size_t{below_100} + (1 - tens), 2);
    return at + 1 + tens;
  };
  return n < 100 ? put_short(n, to) : put_two(n % 100, put_short(n / 100, to));
}

/// Two digits, and four, as they stand in memory.
std::uint32_t pair_of(unsigned n) {
  std::uint16_t pair = 0;
  std::memcpy(&pair, digit_pairs.data() + 2 * std::size_t{n}, sizeof pair);
  return pair;
}
std::uint32_t four_of(unsigned n) {
  static_assert(std::endian::native == std::endian::little);
  return pair_of(n / 100) | pair_of(n % 100) << 16;
}

char* put_four(unsigned n, char* to) {
  const std::uint32_t four = four_of(n);
  std::memcpy(to, &four, sizeof four);
  return to + sizeof four;
}

/// As `put_few` without a guess of the length, for columns in which that differs; writes four bytes.
[[gnu::always_inline]] inline char* put_any_few(unsigned n, char* to) {
  const unsigned count = 1U + (n >= 10 ? 1U : 0U) + (n >= 100 ? 1U : 0U) + (n >= 1000 ? 1U : 0U);
  const std::uint32_t digits = four_of(n) >> 8 * (4 - count);
  std::memcpy(to, &digits, sizeof digits);
  return to + count;
}

constexpr unsigned cents_max = 99'999'999;
[[gnu::always_inline]] inline char* put_cents(unsigned cents, char* to) {
  const unsigned whole = cents / 100;
  to = whole < 10'000 ? put_any_few(whole, to) : put_four(whole % 10'000, put_any_few(whole / 10'000, to));
  const std::uint32_t fraction = '.' | pair_of(cents % 100) << 8;
  std::memcpy(to, &fraction, sizeof fraction);
  return to + 3;
}

/// 10^0 to 10^19.
constexpr std::array<std::uint64_t, 20> make_powers() {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (std::uint64_t& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}
constexpr std::array<std::uint64_t, 20> powers_of_ten = make_powers();

/// Lays the shortest digits out as ECMAScript's Number::toString does, which people read as a number as long
/// as its length is sensible.
template <class Float>
char* write_floating(Float value, char* to) {
  if (std::isnan(value)) {
    return put("NaN", to);
  }
  if (std::isinf(value)) {
    return put(value < 0 ? "-Infinity" : "Infinity", to);
  }
  std::array<char, 32> room;
  const auto answer =
      std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::scientific);
  std::string_view text(room.data(), static_cast<std::size_t>(answer.ptr - room.data()));
  if (text.front() == '-') {
    *to++ = '-';
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  // from_chars takes no plus sign.
  const char* const exponent_begin = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_begin, text.data() + text.size(), exponent);
  std::array<char, 24> digits;
  digits[0] = text[0];
  std::size_t count = 1;
  if (e > 2) {
    std::memcpy(digits.data() + 1, text.data() + 2, e - 2);
    count += e - 2;
  }
  const std::string_view all(digits.data(), count);
  const int point = exponent + 1;
  if (point > 21 || point < -5) {
    to = put(text.substr(0, e + 1), to);
    return std::to_chars(to, to + 5, exponent).ptr;
  }
  if (point <= 0) {
    to = put("0.", to);
    to = put(std::string_view("000000").substr(0, static_cast<std::size_t>(-point)), to);
    return put(all, to);
  }
  const auto whole = static_cast<std::size_t>(point);
  if (count <= whole) {
    to = put(all, to);
    return put(std::string_view("00000000000000000000").substr(0, whole - count), to);
  }
  to = put(all.substr(0, whole), to);
  *to++ = '.';
  return put(all.substr(whole), to);
}

char* write_fraction(std::int64_t units, time_unit unit, unsigned digits, char* to) {
  if (digits == 0) {
    return to;
  }
  auto shown = static_cast<std::uint64_t>(units);
  for (unsigned i = digits; i < static_cast<unsigned>(unit); ++i) {
    shown /= 10;
  }
  *to++ = '.';
  return write_padded(shown, digits, to);
}

char* write_clock(std::int64_t second_of_day, char* to) {
  const auto seconds = static_cast<unsigned>(second_of_day);
  to = put_two(seconds / 3600 % 100, to);
  *to++ = ':';
  to = put_two(seconds / 60 % 60, to);
  *to++ = ':';
  return put_two(seconds % 60, to);
}

}  // namespace

char* write_int64(std::int64_t value, char* to) {
  if (value < 0) {
    *to++ = '-';
    return write_uint64(-static_cast<std::uint64_t>(value), to);
  }
  return write_uint64(static_cast<std::uint64_t>(value), to);
}

char* write_uint64(std::uint64_t value, char* to) {
  if (value < 10'000) {
    return put_few(static_cast<unsigned>(value), to);
  }
  if (value < 100'000'000) {
    const auto n = static_cast<unsigned>(value);
    to = put_few(n / 10'000, to);
    to = put_two(n % 10'000 / 100, to);
    return put_two(n % 100, to);
  }
  return std::to_chars(to, to + value_chars_max, value).ptr;
}

char* write_padded(std::uint64_t n, unsigned digits, char* to) {
  unsigned i = digits;
  for (; i >= 2; i -= 2) {
    put_two(static_cast<unsigned>(n % 100), to + i - 2);
    n /= 100;
  }
  if (i != 0) {
    *to = static_cast<char>('0' + n % 10);
  }
  return to + digits;
}

char* write_decimal(int128 value, unsigned scale, char* to) {
  if (static_cast<uint128>(value) <= cents_max && scale == 2) {  // as prices are
    return put_cents(static_cast<unsigned>(value), to);
  }
  // Unsigned, because the smallest 128-bit number has no positive counterpart.
  uint128 rest = value < 0 ? -static_cast<uint128>(value) : static_cast<uint128>(value);
  if (value < 0) {
    *to++ = '-';
  }
  if (rest <= 0xFFFFFFFFFFFFFFFFU && scale < powers_of_ten.size()) {
    const auto low = static_cast<std::uint64_t>(rest);
    if (scale == 2) {  // a divisor that is known costs a multiplication
      to = write_uint64(low / 100, to);
      *to++ = '.';
      return put_two(static_cast<unsigned>(low % 100), to);
    }
    const std::uint64_t one = powers_of_ten[scale];
    to = write_uint64(low / one, to);
    if (scale != 0) {
      *to++ = '.';
      to = write_padded(low % one, scale, to);
    }
    return to;
  }
  std::array<char, 48> digits;
  std::size_t first = digits.size();
  constexpr std::uint64_t chunk = 10'000'000'000'000'000'000U;
  while (rest > 0xFFFFFFFFFFFFFFFFU) {
    first -= 19;
    write_padded(static_cast<std::uint64_t>(rest % chunk), 19, digits.data() + first);
    rest /= chunk;
  }
  for (auto low = static_cast<std::uint64_t>(rest); low != 0; low /= 10) {
    digits[--first] = static_cast<char>('0' + low % 10);
  }
  while (digits.size() - first < scale + std::size_t{1}) {
    digits[--first] = '0';
  }
  const std::string_view all(digits.data() + first, digits.size() - first);
  to = put(all.substr(0, all.size() - scale), to);
  if (scale != 0) {
    *to++ = '.';
    to = put(all.substr(all.size() - scale), to);
  }
  return to;
}

char* write_float64(double value, char* to) {
  return write_floating(value, to);
}

char* write_float32(float value, char* to) {
  return write_floating(value, to);
}

namespace {

char* make_iso_date(std::int32_t days, char* to) {
  if (days == date_infinity || days == date_minus_infinity) {
    return put(days == date_infinity ? "infinity" : "-infinity", to);
  }
  const civil_date date = civil_from_days(days);
  if (date.year >= 0 && date.year <= 9999) {
    to = put_two(static_cast<unsigned>(date.year) / 100, to);
    to = put_two(static_cast<unsigned>(date.year) % 100, to);
  } else {
    *to++ = date.year < 0 ? '-' : '+';
    const auto year = static_cast<std::uint64_t>(date.year < 0 ? -std::int64_t{date.year} : date.year);
    to = year < 10000 ? write_padded(year, 4, to) : write_uint64(year, to);
  }
  *to++ = '-';
  to = put_two(date.month, to);
  *to++ = '-';
  return put_two(date.day, to);
}

/// The dates that most tables have, ready made: 1970 to 2069. Only those in use are in any cache.
class ready_dates {
 public:
  static constexpr std::uint32_t count = 36'525;
  static constexpr std::size_t chars = 10;

  ready_dates() {
    char room[value_chars_max];
    for (std::uint32_t i = 0; i < count; ++i) {
      make_iso_date(static_cast<std::int32_t>(i), room);
      std::memcpy(texts_.data() + i * chars, room, chars);
    }
  }
  char* put(std::uint32_t days, char* to) const {
    std::memcpy(to, texts_.data() + days * chars, chars);
    return to + chars;
  }

 private:
  std::array<char, count * chars> texts_;
};

}  // namespace

char* write_iso_date(std::int32_t days, char* to) {
  static const ready_dates ready;
  const auto from_1970 = static_cast<std::uint32_t>(days);
  return from_1970 < ready_dates::count ? ready.put(from_1970, to) : make_iso_date(days, to);
}

char* write_iso_timestamp(std::int64_t value, time_unit unit, unsigned digits, char separator, char* to) {
  if (value == time_infinity || value == time_minus_infinity) {
    return put(value == time_infinity ? "infinity" : "-infinity", to);
  }
  const floor_parts seconds = floor_divide(value, units_per_second(unit));
  const floor_parts day = floor_divide(seconds.quotient, seconds_per_day);
  if (day.quotient <= date_minus_infinity || day.quotient >= date_infinity) {
    // Beyond the calendar of `date`: only seconds and milliseconds reach there. The count itself is exact.
    to = put("epoch", to);
    *to++ = value < 0 ? '-' : '+';
    to = write_uint64(value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value), to);
    return put(unit == time_unit::second ? "s" : "ms", to);
  }
  to = write_iso_date(static_cast<std::int32_t>(day.quotient), to);
  *to++ = separator;
  to = write_clock(day.remainder, to);
  return write_fraction(seconds.remainder, unit, digits, to);
}

char* write_iso_time(std::int64_t value, time_unit unit, unsigned digits, char* to) {
  const floor_parts seconds = floor_divide(value, units_per_second(unit));
  to = write_clock(seconds.quotient, to);
  return write_fraction(seconds.remainder, unit, digits, to);
}

char* write_duration(std::int64_t value, time_unit unit, unsigned digits, char* to) {
  const std::uint64_t magnitude =
      value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const auto per_second = static_cast<std::uint64_t>(units_per_second(unit));
  const std::uint64_t seconds = magnitude / per_second;
  if (value < 0) {
    *to++ = '-';
  }
  const std::uint64_t hours = seconds / 3600;
  to = hours < 100 ? write_padded(hours, 2, to) : write_uint64(hours, to);
  *to++ = ':';
  to = put_two(static_cast<unsigned>(seconds / 60 % 60), to);
  *to++ = ':';
  to = put_two(static_cast<unsigned>(seconds % 60), to);
  return write_fraction(static_cast<std::int64_t>(magnitude % per_second), unit, digits, to);
}

}  // namespace sluice
