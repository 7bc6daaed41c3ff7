#include "transport/record/decimal_form.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace sluice {
namespace {

/// An exponent of more digits than any system has leaves no room for arithmetic on it.
constexpr std::size_t exponent_digits_max = 15;
/// A coefficient of this many digits fits 128 bits, and 38 may not be exceeded by much.
constexpr std::size_t digits_in_128_bits = 38;

template <class T>
std::byte* store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

std::byte* store_tag(std::byte* to, canonical_tag tag) {
  return store(to, static_cast<std::uint8_t>(tag));
}

bool fits_int64(int128 value) {
  return value == static_cast<std::int64_t>(value);
}

/// The number as an int64, where it is one.
std::optional<std::int64_t> as_integer(int128 coefficient, std::int64_t exponent) {
  if (exponent < 0 || exponent > 18) {
    return std::nullopt;
  }
  for (; exponent > 0 && fits_int64(coefficient); --exponent) {
    coefficient *= 10;
  }
  return fits_int64(coefficient) ? std::optional(static_cast<std::int64_t>(coefficient)) : std::nullopt;
}

std::byte* put_digits(std::byte* to, bool negative, std::string_view whole, std::string_view fraction,
                      std::int64_t exponent) {
  to = store_tag(to, canonical_tag::number_digits);
  to = store(to, exponent);
  to = store(to, static_cast<std::uint8_t>(negative ? 1 : 0));
  to = store(to, static_cast<std::uint32_t>(whole.size() + fraction.size()));
  for (const std::string_view part : {whole, fraction}) {
    if (!part.empty()) {
      std::memcpy(to, part.data(), part.size());
      to += part.size();
    }
  }
  return to;
}

/// Form of a number that is normal: the coefficient is not 0 and does not end in 0.
std::byte* put_normal(std::byte* to, int128 coefficient, std::int8_t exponent) {
  if (fits_int64(coefficient)) {
    to = store(store_tag(to, canonical_tag::number_64), exponent);
    return store(to, static_cast<std::int64_t>(coefficient));
  }
  to = store(store_tag(to, canonical_tag::number_128), exponent);
  return store(to, coefficient);
}

struct number_parts {
  bool negative = false;
  std::string_view whole;     ///< No leading zeros.
  std::string_view fraction;  ///< Neither part has trailing zeros where it is the last with digits.
  std::int64_t exponent = 0;  ///< Of the last digit.
};

std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; });
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

std::string_view without_leading_zeros(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

std::string_view without_trailing_zeros(std::string_view digits) {
  const std::size_t last = digits.find_last_not_of('0');
  return digits.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// Nothing where the text is not of the grammar of decimal_text (type.h), or its exponent is beyond all
/// reason.
std::optional<number_parts> parse(std::string_view text) {
  number_parts n;
  n.negative = text.starts_with('-');
  text.remove_prefix(n.negative ? 1 : 0);
  n.whole = take_digits(text);
  bool good = !n.whole.empty();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    n.fraction = take_digits(text);
    good = good && !n.fraction.empty();
  }
  if (text.starts_with('e')) {
    text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative || text.starts_with('+') ? 1 : 0);
    const std::string_view written = take_digits(text);
    const std::string_view digits = without_leading_zeros(written);
    good = good && !written.empty() && digits.size() <= exponent_digits_max;
    if (good) {
      std::from_chars(digits.data(), digits.data() + digits.size(), n.exponent);
      n.exponent = negative ? -n.exponent : n.exponent;
    }
  }
  if (!good || !text.empty()) {
    return std::nullopt;
  }
  n.whole = without_leading_zeros(n.whole);
  n.fraction = without_trailing_zeros(n.fraction);
  n.exponent -= static_cast<std::int64_t>(n.fraction.size());
  if (n.fraction.empty()) {
    const std::string_view kept = without_trailing_zeros(n.whole);
    n.exponent += static_cast<std::int64_t>(n.whole.size() - kept.size());
    n.whole = kept;
  } else if (n.whole.empty()) {
    n.fraction = without_leading_zeros(n.fraction);
  }
  return n;
}

}  // namespace

std::byte* put_number(std::byte* to, int128 coefficient, std::int64_t exponent) {
  if (coefficient == 0) {
    return store(store_tag(to, canonical_tag::integer), std::int64_t{0});
  }
  while (coefficient % 10 == 0) {
    coefficient /= 10;
    ++exponent;
  }
  if (const auto integer = as_integer(coefficient, exponent)) {
    return store(store_tag(to, canonical_tag::integer), *integer);
  }
  return put_normal(to, coefficient, static_cast<std::int8_t>(exponent));
}

std::byte* put_decimal_text(std::byte* to, std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    const std::uint8_t which = text == "NaN" ? 0 : text == "Infinity" ? 1 : 2;
    return store(store_tag(to, canonical_tag::number_special), which);
  }
  const auto number = parse(text);
  if (!number) {
    to = store(store_tag(to, canonical_tag::number_other), static_cast<std::uint32_t>(text.size()));
    if (!text.empty()) {
      std::memcpy(to, text.data(), text.size());
    }
    return to + text.size();
  }
  const bool near_one = number->exponent >= std::numeric_limits<std::int8_t>::min() &&
                        number->exponent <= std::numeric_limits<std::int8_t>::max();
  const std::size_t digits = number->whole.size() + number->fraction.size();
  if (digits == 0) {
    return put_number(to, 0, 0);
  }
  if (digits > digits_in_128_bits || !near_one) {
    return put_digits(to, number->negative, number->whole, number->fraction, number->exponent);
  }
  int128 coefficient = 0;
  for (const std::string_view part : {number->whole, number->fraction}) {
    for (const char c : part) {
      coefficient = coefficient * 10 + (c - '0');
    }
  }
  return put_number(to, number->negative ? -coefficient : coefficient, number->exponent);
}

}  // namespace sluice
