#include "transport/record/parse.h"

#include <fast_float/fast_float.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "transport/record/digits.h"

namespace sluice {
namespace {

constexpr bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

constexpr std::array<double, 23> double_powers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

constexpr std::array<int128, 39> make_powers() {
  std::array<int128, 39> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) {
    powers[i] = powers[i - 1] * 10;
  }
  return powers;
}

constexpr std::int64_t exponent_max = 1'000'000'000'000'000;

const char* skip_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) {
    ++at;
  }
  return at;
}

constexpr unsigned short_digits_max = 15;
constexpr unsigned small_digits_max = 18;

constexpr std::array<std::uint64_t, small_digits_max + 1> make_small_powers() {
  std::array<std::uint64_t, small_digits_max + 1> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) {
    powers[i] = powers[i - 1] * 10;
  }
  return powers;
}
constexpr auto small_powers = make_small_powers();
constexpr std::uint64_t eight_digits_end = small_powers[8];

/// The number where the text is `[-]digits[.digits]` with at most 15 digits: numerator and power of ten are
/// then exact doubles, and their quotient is the correctly rounded value.
struct short_number {
  bool ok = false;
  bool negative = false;
  std::uint64_t numerator = 0;
  std::size_t fraction_digits = 0;
};

/// Takes the point out of sixteen characters, in two words, and moves what is in front of it one on. Returns
/// how many follow it; nothing where there is none.
std::optional<std::size_t> take_point(std::uint64_t& high, std::uint64_t& low) {
  constexpr unsigned byte_bits = 8;
  const auto without = [](std::uint64_t word, unsigned at, std::uint64_t first) {
    const std::uint64_t in_front = (std::uint64_t{1} << at) - 1;
    const std::uint64_t behind = ~(in_front << byte_bits | 0xFF);
    return (word & behind) | (word & in_front) << byte_bits | first;
  };
  const auto place = [](std::uint64_t marks) {
    return static_cast<unsigned>(std::countr_zero(marks)) / byte_bits * byte_bits;
  };
  constexpr std::uint64_t zero = digits::zeros & 0xFF;
  if (const std::uint64_t marks = digits::bytes_equal(low, '.'); marks != 0) {
    const unsigned at = place(marks);
    low = without(low, at, high >> (7 * byte_bits));
    high = high << byte_bits | zero;
    return 7 - at / byte_bits;
  }
  if (const std::uint64_t marks = digits::bytes_equal(high, '.'); marks != 0) {
    const unsigned at = place(marks);
    high = without(high, at, zero);
    return 15 - at / byte_bits;
  }
  return std::nullopt;
}

short_number read_short(std::string_view text) {
  short_number n;
  n.negative = text.starts_with('-');
  text.remove_prefix(n.negative ? 1 : 0);
  if (text.empty() || text.size() > 16) {
    return n;
  }
  const bool is_long = text.size() > 8;
  std::uint64_t high = is_long ? digits::load(text.data(), text.size() - 8) : digits::zeros;
  std::uint64_t low =
      is_long ? digits::load_eight(text.data() + text.size() - 8) : digits::load(text.data(), text.size());
  const auto point = take_point(high, low);
  const std::size_t count = text.size() - (point ? 1 : 0);
  n.fraction_digits = point.value_or(0);
  if (count == n.fraction_digits || count > short_digits_max || !digits::are_digits(low)) {
    return n;
  }
  n.numerator = digits::number_of(low);
  if (is_long) {
    if (!digits::are_digits(high)) {
      return n;
    }
    n.numerator += digits::number_of(high) * eight_digits_end;
  }
  n.ok = true;
  return n;
}

/// Whether just `scale` characters, 1 to 7, follow a point, and in front of it are some, of at most 16 in
/// all: what a column of numbers with so many places has. The point needs no search then.
bool has_point_for(std::string_view text, unsigned scale) {
  return scale - 1 < 7 && text.size() >= scale + std::size_t{2} && text.size() <= 16 &&
         text[text.size() - 1 - scale] == '.';
}

/// The digits of such a text, without the point, as a number.
bool read_with_point(std::string_view text, unsigned scale, std::uint64_t& value) {
  const bool is_long = text.size() > 8;
  const std::uint64_t high = is_long ? digits::load(text.data(), text.size() - 8) : digits::zeros;
  std::uint64_t low =
      is_long ? digits::load_eight(text.data() + text.size() - 8) : digits::load(text.data(), text.size());
  // What is in front of the point moves one on, over it.
  const std::uint64_t behind = ~std::uint64_t{0} << 8 * (8 - scale);
  low = (low & behind) | (low << 8 & ~behind) | high >> 56;
  value = digits::number_of(low);
  if (!is_long) {
    return digits::are_digits(low);
  }
  const std::uint64_t rest = high << 8 | '0';
  value += digits::number_of(rest) * eight_digits_end;
  return digits::are_digits(low) && digits::are_digits(rest);
}

/// `NaN`, `Infinity`, `-Infinity` and no other spelling.
template <class Float>
bool read_special(std::string_view text, Float& value) {
  if (text == "NaN") {
    value = std::numeric_limits<Float>::quiet_NaN();
  } else if (text == "Infinity") {
    value = std::numeric_limits<Float>::infinity();
  } else if (text == "-Infinity") {
    value = -std::numeric_limits<Float>::infinity();
  } else {
    return false;
  }
  return true;
}

/// The nearest value through fast_float, which would also take `inf`, `nan(x)` and the like.
template <class Float>
parsed<Float> read_nearest(std::string_view text) {
  if (text.empty()) {
    return refuse(dirty_code::empty);
  }
  parsed<Float> out;
  if (read_special(text, out.value)) {
    return out;
  }
  if (text.front() == '+') {
    text.remove_prefix(1);
    if (text.empty() || text.front() == '-') {
      return refuse(dirty_code::not_a_number);
    }
  }
  const char first = text.front() == '-' && text.size() > 1 ? text[1] : text.front();
  if (!is_digit(first) && first != '.') {
    return refuse(dirty_code::not_a_number);
  }
  const char* const end = text.data() + text.size();
  const auto answer = fast_float::from_chars(text.data(), end, out.value);
  if (answer.ptr != end || (answer.ec != std::errc() && answer.ec != std::errc::result_out_of_range)) {
    return refuse(dirty_code::not_a_number);
  }
  if (std::isinf(out.value)) {
    return refuse(dirty_code::out_of_range);
  }
  return out;
}

/// Whether the shortest text of `value`, a finite nearest value of `text`, is the same number.
template <class Float>
bool reads_back(std::string_view text, Float value) {
  const parsed<number_parts> given = split_number(text);
  if (!given) {
    return false;
  }
  std::array<char, 64> shortest;
  const auto answer =
      std::to_chars(shortest.data(), shortest.data() + shortest.size(), value, std::chars_format::scientific);
  const parsed<number_parts> back =
      split_number({shortest.data(), static_cast<std::size_t>(answer.ptr - shortest.data())});
  return back && equal_numbers(given.value, back.value);
}

template <class Float>
parsed<Float> read_exact(std::string_view text) {
  parsed<Float> nearest = read_nearest<Float>(text);
  if (nearest && std::isfinite(nearest.value) && !reads_back(text, nearest.value)) {
    return refuse(dirty_code::not_exact);
  }
  return nearest;
}

/// The whole number as magnitude of at most 20 digits.
parsed<uint128> to_magnitude(const number_parts& n) {
  if (n.what != number_parts::form::finite) {
    return refuse(dirty_code::not_finite);
  }
  if (n.point > 20) {
    return refuse(dirty_code::out_of_range);
  }
  if (n.point < static_cast<std::int64_t>(n.digits())) {
    return refuse(dirty_code::has_fraction);
  }
  uint128 value = 0;
  for (const std::string_view part : {n.head, n.tail}) {
    for (const char c : part) {
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
  }
  const auto zeros =
      n.digits() == 0 ? 0U : static_cast<unsigned>(n.point - static_cast<std::int64_t>(n.digits()));
  return {value * static_cast<uint128>(power_of_ten(zeros))};
}

/// Digits only, 1 to 18 of them, which no 64-bit number overflows.
bool read_plain(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.size() > small_digits_max) {
    return false;
  }
  const char* at = text.data();
  const std::size_t first = (text.size() - 1) % 8 + 1;
  const std::uint64_t head = digits::load(at, first);
  bool ok = digits::are_digits(head);
  value = digits::number_of(head);
  for (const char *const end = at + text.size(), *next = at + first; next != end; next += 8) {
    const std::uint64_t word = digits::load_eight(next);
    ok = ok && digits::are_digits(word);
    value = value * eight_digits_end + digits::number_of(word);
  }
  return ok;
}

}  // namespace

int128 power_of_ten(unsigned n) {
  static constexpr std::array<int128, 39> powers = make_powers();
  return powers[n];
}

parsed<number_parts> split_number(std::string_view text) {
  if (text.empty()) {
    return refuse(dirty_code::empty);
  }
  parsed<number_parts> out;
  number_parts& n = out.value;
  double special = 0;
  if (read_special(text, special)) {
    n.what = std::isnan(special) ? number_parts::form::nan : number_parts::form::infinity;
    n.negative = special < 0;
    return out;
  }
  const char* at = text.data();
  const char* const end = at + text.size();
  if (*at == '+' || *at == '-') {
    n.negative = *at == '-';
    ++at;
  }
  const char* whole = at;
  at = skip_digits(at, end);
  const char* whole_end = at;
  const char* fraction = at;
  const char* fraction_end = at;
  if (at != end && *at == '.') {
    fraction = ++at;
    at = skip_digits(at, end);
    fraction_end = at;
  }
  if (whole == whole_end && fraction == fraction_end) {
    return refuse(dirty_code::not_a_number);
  }
  std::int64_t exponent = 0;
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    const bool negative = at != end && *at == '-';
    at += at != end && (*at == '-' || *at == '+') ? 1 : 0;
    if (at == end) {
      return refuse(dirty_code::not_a_number);
    }
    for (; at != end && is_digit(*at); ++at) {
      exponent = std::min(exponent * 10 + (*at - '0'), exponent_max);
    }
    exponent = negative ? -exponent : exponent;
  }
  if (at != end) {
    return refuse(dirty_code::not_a_number);
  }
  const std::int64_t whole_digits = whole_end - whole;
  const char* const whole_first = std::find_if(whole, whole_end, [](char c) { return c != '0'; });
  std::int64_t leading = whole_first - whole;
  if (whole_first == whole_end) {
    const char* const first = std::find_if(fraction, fraction_end, [](char c) { return c != '0'; });
    leading += first - fraction;
    fraction = first;
  }
  while (fraction_end != fraction && fraction_end[-1] == '0') {
    --fraction_end;
  }
  if (fraction == fraction_end) {
    while (whole_end != whole_first && whole_end[-1] == '0') {
      --whole_end;
    }
  }
  n.head = {whole_first, static_cast<std::size_t>(whole_end - whole_first)};
  n.tail = {fraction, static_cast<std::size_t>(fraction_end - fraction)};
  n.point = n.digits() == 0 ? 0 : std::clamp(whole_digits - leading + exponent, -exponent_max, exponent_max);
  return out;
}

bool equal_numbers(const number_parts& a, const number_parts& b) {
  if (a.what != b.what || a.digits() != b.digits() || a.point != b.point) {
    return false;
  }
  if (a.what == number_parts::form::nan || (a.what == number_parts::form::finite && a.digits() == 0)) {
    return true;
  }
  if (a.negative != b.negative) {
    return false;
  }
  const auto digit = [](const number_parts& n, std::size_t i) {
    return i < n.head.size() ? n.head[i] : n.tail[i - n.head.size()];
  };
  for (std::size_t i = 0; i < a.digits(); ++i) {
    if (digit(a, i) != digit(b, i)) {
      return false;
    }
  }
  return true;
}

std::partial_ordering compare_numbers(const number_parts& a, const number_parts& b) {
  using form = number_parts::form;
  if (a.what == form::nan || b.what == form::nan) {
    return std::partial_ordering::unordered;
  }
  const auto sign = [](const number_parts& n) {
    return n.what == form::finite && n.digits() == 0 ? 0 : (n.negative ? -1 : 1);
  };
  if (sign(a) != sign(b) || sign(a) == 0) {
    return sign(a) <=> sign(b);
  }
  std::partial_ordering magnitude = std::partial_ordering::equivalent;
  if (a.what != b.what) {
    magnitude = a.what == form::infinity ? std::partial_ordering::greater : std::partial_ordering::less;
  } else if (a.point != b.point) {
    magnitude = a.point <=> b.point;
  } else {
    const auto digit = [](const number_parts& n, std::size_t i) {
      return i < n.head.size() ? n.head[i] : (i < n.digits() ? n.tail[i - n.head.size()] : '0');
    };
    for (std::size_t i = 0; i < std::max(a.digits(), b.digits()) && magnitude == 0; ++i) {
      magnitude = digit(a, i) <=> digit(b, i);
    }
  }
  if (!a.negative || magnitude == 0) {
    return magnitude;
  }
  return magnitude < 0 ? std::partial_ordering::greater : std::partial_ordering::less;
}

parsed<std::int64_t> parse_int64(std::string_view text) {
  const bool minus = !text.empty() && text.front() == '-';
  std::uint64_t plain = 0;
  if (read_plain(text.substr(minus ? 1 : 0), plain)) {
    return {minus ? -static_cast<std::int64_t>(plain) : static_cast<std::int64_t>(plain)};
  }
  const parsed<number_parts> n = split_number(text);
  if (!n) {
    return refuse(n.code);
  }
  const parsed<uint128> magnitude = to_magnitude(n.value);
  if (!magnitude) {
    return refuse(magnitude.code);
  }
  const int128 value =
      n.value.negative ? -static_cast<int128>(magnitude.value) : static_cast<int128>(magnitude.value);
  if (value < std::numeric_limits<std::int64_t>::min() || value > std::numeric_limits<std::int64_t>::max()) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int64_t>(value)};
}

parsed<std::uint64_t> parse_uint64(std::string_view text) {
  std::uint64_t plain = 0;
  if (read_plain(text, plain)) {
    return {plain};
  }
  const parsed<number_parts> n = split_number(text);
  if (!n) {
    return refuse(n.code);
  }
  const parsed<uint128> magnitude = to_magnitude(n.value);
  if (!magnitude) {
    return refuse(magnitude.code);
  }
  if (magnitude.value > std::numeric_limits<std::uint64_t>::max() ||
      (n.value.negative && magnitude.value != 0)) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::uint64_t>(magnitude.value)};
}

parsed<double> parse_float64(std::string_view text) {
  if (const short_number n = read_short(text); n.ok) {
    const double value = static_cast<double>(n.numerator) / double_powers[n.fraction_digits];
    return {n.negative ? -value : value};
  }
  return read_nearest<double>(text);
}

parsed<double> parse_float64_exact(std::string_view text) {
  if (const short_number n = read_short(text); n.ok) {
    const double value = static_cast<double>(n.numerator) / double_powers[n.fraction_digits];
    return {n.negative ? -value : value};
  }
  return read_exact<double>(text);
}

parsed<float> parse_float32_exact(std::string_view text) {
  return read_exact<float>(text);
}

parsed<int128> to_decimal(const number_parts& n, unsigned precision, unsigned scale) {
  if (n.what != number_parts::form::finite) {
    return refuse(dirty_code::not_finite);
  }
  const auto digits = static_cast<std::int64_t>(n.digits());
  if (digits == 0) {
    return {};
  }
  if (n.point > static_cast<std::int64_t>(precision) - static_cast<std::int64_t>(scale)) {
    return refuse(dirty_code::out_of_range);
  }
  if (digits - n.point > static_cast<std::int64_t>(scale)) {
    return refuse(dirty_code::too_precise);
  }
  int128 value = 0;
  for (const std::string_view part : {n.head, n.tail}) {
    for (const char c : part) {
      value = value * 10 + (c - '0');
    }
  }
  value *= power_of_ten(static_cast<unsigned>(n.point + static_cast<std::int64_t>(scale) - digits));
  return {n.negative ? -value : value};
}

bool parse_small_decimal(std::string_view text, unsigned precision, unsigned scale, std::int64_t& unscaled) {
  const bool minus = text.starts_with('-');
  if (const std::string_view plain = text.substr(minus ? 1 : 0); has_point_for(plain, scale)) {
    std::uint64_t value = 0;
    if (!read_with_point(plain, scale, value) ||
        (precision < small_digits_max && value >= small_powers[precision])) {
      return false;
    }
    unscaled = minus ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
    return true;
  }
  const short_number n = read_short(text);
  if (!n.ok || n.fraction_digits > scale || scale > precision) {
    return false;
  }
  const auto missing = scale - static_cast<unsigned>(n.fraction_digits);
  if (missing > small_digits_max - short_digits_max) {
    return false;
  }
  const std::uint64_t value = n.numerator * small_powers[missing];
  if (precision < small_digits_max && value >= small_powers[precision]) {
    return false;
  }
  unscaled = n.negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
  return true;
}

parsed<int128> parse_decimal(std::string_view text, unsigned precision, unsigned scale) {
  const parsed<number_parts> n = split_number(text);
  return n ? to_decimal(n.value, precision, scale) : refuse(n.code);
}

bool is_decimal_text(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const char* start = at + (at != end && *at == '-' ? 1 : 0);
  at = skip_digits(start, end);
  if (at == start) {
    return text == "NaN" || text == "Infinity" || text == "-Infinity";
  }
  if (at != end && *at == '.') {
    start = at + 1;
    at = skip_digits(start, end);
    if (at == start) {
      return false;
    }
  }
  if (at != end && *at == 'e') {
    start = at + 1;
    start += start != end && (*start == '+' || *start == '-') ? 1 : 0;
    at = skip_digits(start, end);
    if (at == start) {
      return false;
    }
  }
  return at == end;
}

parsed<std::string_view> parse_decimal_text(std::string_view text, std::string& scratch) {
  if (is_decimal_text(text)) {
    return {text};
  }
  if (const parsed<number_parts> n = split_number(text); !n) {
    return refuse(n.code);
  }
  // It is a number, so that only the optional parts of its grammar are to be put right.
  scratch.clear();
  if (text.front() == '-') {
    scratch += '-';
  }
  text.remove_prefix(text.front() == '-' || text.front() == '+' ? 1 : 0);
  const std::size_t mantissa = std::min(text.find_first_of("eE"), text.size());
  const std::size_t point = std::min(text.substr(0, mantissa).find('.'), mantissa);
  scratch.append(point == 0 ? "0" : text.substr(0, point));
  if (point + 1 < mantissa) {
    scratch.append(text.substr(point, mantissa - point));
  }
  if (mantissa != text.size()) {
    scratch += 'e';
    scratch.append(text.substr(mantissa + 1));
  }
  return {std::string_view(scratch)};
}

parsed<bool> parse_bool(std::string_view text) {
  if (text.empty()) {
    return refuse(dirty_code::empty);
  }
  const auto is = [text](std::string_view word) {
    return text.size() == word.size() &&
           std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) {
             return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
           });
  };
  if (is("true")) {
    return {true};
  }
  return is("false") ? parsed<bool>{false} : refuse(dirty_code::not_a_boolean);
}

}  // namespace sluice
