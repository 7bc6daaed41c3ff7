#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "transport/base/int128.h"
#include "transport/record/dirty_codes.h"
#include "transport/record/type.h"

/// Exact reading of single values from text: used by file readers and by conversions. Pure, independent of
/// the locale, without allocation unless said. The whole text must be the value: no spaces, no trailing
/// characters. Nothing is rounded unless the call says so; what does not fit is a failure.
namespace sluice {

/// A value, or why there is none. `value` is meaningful only where `ok()`.
template <class T>
struct parsed {
  T value{};
  dirty_code code = dirty_code::none;

  [[nodiscard]] bool ok() const { return code == dirty_code::none; }
  explicit operator bool() const { return ok(); }
};

/// A failed `parsed`: `return refuse(dirty_code::empty);`
struct refuse {
  dirty_code code;
  explicit constexpr refuse(dirty_code c) : code(c) {}
  template <class T>
  constexpr operator parsed<T>()
      const {  // NOLINT(google-explicit-constructor): so that one word serves all types
    return {T{}, code};
  }
};

// Numbers in text. Grammar of all of them: `[+-] (digits [. [digits]] | . digits) [(e|E) [+-] digits]`. All
// fail with `empty` and `not_a_number`.

/// A whole number: also `1.0` and `1e3`, whose value is whole. `has_fraction`, `out_of_range`.
parsed<std::int64_t> parse_int64(std::string_view text);
parsed<std::uint64_t> parse_uint64(std::string_view text);

/// The nearest double, ties to even; also `NaN`, `Infinity`, `-Infinity`. `out_of_range` beyond the largest.
parsed<double> parse_float64(std::string_view text);
/// The double whose shortest text is equal to the number given: always so up to 15 significant digits of
/// normal size. `not_exact` where it would read back as another number, `out_of_range`.
parsed<double> parse_float64_exact(std::string_view text);
/// Likewise for float: always so up to 6 significant digits.
parsed<float> parse_float32_exact(std::string_view text);

/// The unscaled value at `scale` of a number of at most `precision` digits in all (1 to 38). Zeros behind the
/// scale do no harm. `too_precise`, `out_of_range`, and `not_finite` for `NaN` and `Infinity`.
parsed<int128> parse_decimal(std::string_view text, unsigned precision, unsigned scale);
/// The same of the texts that most are, `[-]digits[.digits]` with at most 15 digits; false: `parse_decimal`
/// says what it is.
bool parse_small_decimal(std::string_view text, unsigned precision, unsigned scale, std::int64_t& unscaled);

/// Whether the text stands in the grammar of `type_id::decimal_text` as it is.
bool is_decimal_text(std::string_view text);
/// The number as `decimal_text`: `text` itself where it is one, else rewritten in `scratch` (`+5`, `.5`,
/// `5.`, `1E5` become `5`, `0.5`, `5`, `1e5`): the value and all other digits stay as they are.
parsed<std::string_view> parse_decimal_text(std::string_view text, std::string& scratch);

/// `true` or `false` in any case; `not_a_boolean`, `empty`. Numbers are no booleans (job-formats 6.7).
parsed<bool> parse_bool(std::string_view text);

/// A number taken apart: (-1)^negative x 0.head tail x 10^point, where `head` and `tail` together are the
/// significant digits without leading and trailing zeros (both empty for zero). Views into the text.
struct number_parts {
  enum class form : std::uint8_t { finite, nan, infinity };
  form what = form::finite;
  bool negative = false;
  std::string_view head;
  std::string_view tail;
  std::int64_t point = 0;  ///< Clamped to +-10^15 where the exponent is beyond.

  [[nodiscard]] std::size_t digits() const { return head.size() + tail.size(); }
};
parsed<number_parts> split_number(std::string_view text);
/// Whether two numbers are numerically equal, whatever their form; NaN equals NaN, -0 equals 0.
bool equal_numbers(const number_parts& a, const number_parts& b);
/// Their order; unordered where one is NaN.
std::partial_ordering compare_numbers(const number_parts& a, const number_parts& b);

/// The unscaled value of a number taken apart, as `parse_decimal`.
parsed<int128> to_decimal(const number_parts& number, unsigned precision, unsigned scale);

/// 10^n, n at most 38.
int128 power_of_ten(unsigned n);

// Times in ISO 8601. All fail with `empty`, `not_a_date`, `too_precise` (a digit other than 0 beyond
// `fraction_digits`) and `out_of_range`. `infinity` and `-infinity` are the extreme values where the type has
// them.

/// `yyyy-MM-dd` as days since 1970-01-01; years beyond 0000 to 9999 with a sign: `+12345-01-01`.
parsed<std::int32_t> parse_iso_date(std::string_view text);
/// `yyyy-MM-dd` and `T` or a space and `HH:mm:ss` and `.` with digits if any, as units since 1970.
parsed<std::int64_t> parse_iso_timestamp(std::string_view text, time_unit unit, unsigned fraction_digits);
/// `HH:mm:ss[.f]` as units since midnight; `24:00:00` is the end of the day.
parsed<std::int64_t> parse_iso_time(std::string_view text, time_unit unit, unsigned fraction_digits);
/// `[-]hours:mm:ss[.f]`, two or more digits of hours. `not_a_duration` in place of `not_a_date`.
parsed<std::int64_t> parse_duration(std::string_view text, time_unit unit, unsigned fraction_digits);

}  // namespace sluice
