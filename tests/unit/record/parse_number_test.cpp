#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "transport/record/format.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

/// What a parser made of a text: the value's text, or the code of the refusal.
template <class T, class Write>
std::string seen(const parsed<T>& p, Write write) {
  return p ? text_of(write, p.value) : std::string(to_string(p.code));
}

struct number_case {
  std::string_view text;
  std::string_view as_int64;
  std::string_view as_uint64;
  std::string_view as_float64;  ///< parse_float64_exact
  std::string_view as_decimal;  ///< parse_decimal at (10, 3)
  std::string_view as_decimal_text;
};

constexpr std::string_view nan_ = "not_a_number";

// clang-format off
constexpr std::array number_cases = std::to_array<number_case>({
  {"0", "0", "0", "0", "0.000", "0"},
  {"-0", "0", "0", "-0", "0.000", "-0"},
  {"7", "7", "7", "7", "7.000", "7"},
  {"+7", "7", "7", "7", "7.000", "7"},
  {"007", "7", "7", "7", "7.000", "007"},
  {"-12", "-12", "out_of_range", "-12", "-12.000", "-12"},
  {"1.0", "1", "1", "1", "1.000", "1.0"},
  {"1.", "1", "1", "1", "1.000", "1"},
  {".5", "has_fraction", "has_fraction", "0.5", "0.500", "0.5"},
  {"-.5e1", "-5", "out_of_range", "-5", "-5.000", "-0.5e1"},
  {"+.5E+1", "5", "5", "5", "5.000", "0.5e+1"},
  {"1e3", "1000", "1000", "1000", "1000.000", "1e3"},
  {"1.5e-3", "has_fraction", "has_fraction", "0.0015", "too_precise", "1.5e-3"},
  {"1500e-3", "has_fraction", "has_fraction", "1.5", "1.500", "1500e-3"},
  {"0.0e999999999999999999999", "0", "0", "0", "0.000", "0.0e999999999999999999999"},
  {"1e999999999999999999999", "out_of_range", "out_of_range", "out_of_range", "out_of_range", "1e999999999999999999999"},
  {"1e-999999999999999999999", "has_fraction", "has_fraction", "not_exact", "too_precise", "1e-999999999999999999999"},
  {"12345678", "12345678", "12345678", "12345678", "out_of_range", "12345678"},
  {"1234567", "1234567", "1234567", "1234567", "1234567.000", "1234567"},
  {"1234567.1230", "has_fraction", "has_fraction", "1234567.123", "1234567.123", "1234567.1230"},
  {"1234567.1234", "has_fraction", "has_fraction", "1234567.1234", "too_precise", "1234567.1234"},
  {"9223372036854775807", "9223372036854775807", "9223372036854775807", "not_exact", "out_of_range", "9223372036854775807"},
  {"9223372036854775808", "out_of_range", "9223372036854775808", "not_exact", "out_of_range", "9223372036854775808"},
  {"-9223372036854775808", "-9223372036854775808", "out_of_range", "not_exact", "out_of_range", "-9223372036854775808"},
  {"-9223372036854775809", "out_of_range", "out_of_range", "not_exact", "out_of_range", "-9223372036854775809"},
  {"18446744073709551615", "out_of_range", "18446744073709551615", "not_exact", "out_of_range", "18446744073709551615"},
  {"18446744073709551616", "out_of_range", "out_of_range", "not_exact", "out_of_range", "18446744073709551616"},
  {"100000000000000000000", "out_of_range", "out_of_range", "100000000000000000000", "out_of_range", "100000000000000000000"},
  {"0.1", "has_fraction", "has_fraction", "0.1", "0.100", "0.1"},
  {"0.10000000000000001", "has_fraction", "has_fraction", "not_exact", "too_precise", "0.10000000000000001"},
  {"0.10000000000000000", "has_fraction", "has_fraction", "0.1", "0.100", "0.10000000000000000"},
  {"123456789012345.6", "has_fraction", "has_fraction", "123456789012345.6", "out_of_range", "123456789012345.6"},
  {"1.7976931348623157e308", "out_of_range", "out_of_range", "1.7976931348623157e308", "out_of_range", "1.7976931348623157e308"},
  {"1.8e308", "out_of_range", "out_of_range", "out_of_range", "out_of_range", "1.8e308"},
  {"5e-324", "has_fraction", "has_fraction", "5e-324", "too_precise", "5e-324"},
  {"4e-324", "has_fraction", "has_fraction", "not_exact", "too_precise", "4e-324"},
  {"NaN", "not_finite", "not_finite", "NaN", "not_finite", "NaN"},
  {"Infinity", "not_finite", "not_finite", "Infinity", "not_finite", "Infinity"},
  {"-Infinity", "not_finite", "not_finite", "-Infinity", "not_finite", "-Infinity"},
  {"", "empty", "empty", "empty", "empty", "empty"},
  {"-", nan_, nan_, nan_, nan_, nan_}, {"+", nan_, nan_, nan_, nan_, nan_}, {".", nan_, nan_, nan_, nan_, nan_},
  {"-.", nan_, nan_, nan_, nan_, nan_}, {"+-1", nan_, nan_, nan_, nan_, nan_}, {"--1", nan_, nan_, nan_, nan_, nan_},
  {"e5", nan_, nan_, nan_, nan_, nan_}, {"1e", nan_, nan_, nan_, nan_, nan_}, {"1e+", nan_, nan_, nan_, nan_, nan_},
  {"1e5.0", nan_, nan_, nan_, nan_, nan_}, {"1.2.3", nan_, nan_, nan_, nan_, nan_}, {" 1", nan_, nan_, nan_, nan_, nan_},
  {"1 ", nan_, nan_, nan_, nan_, nan_}, {"1,5", nan_, nan_, nan_, nan_, nan_}, {"1_000", nan_, nan_, nan_, nan_, nan_},
  {"0x10", nan_, nan_, nan_, nan_, nan_}, {"nan", nan_, nan_, nan_, nan_, nan_}, {"inf", nan_, nan_, nan_, nan_, nan_},
  {"-NaN", nan_, nan_, nan_, nan_, nan_}, {"nan(1)", nan_, nan_, nan_, nan_, nan_}, {"-inf", nan_, nan_, nan_, nan_, nan_},
  {"infinity", nan_, nan_, nan_, nan_, nan_}, {"+Infinity", nan_, nan_, nan_, nan_, nan_},
  {"12345678901x", nan_, nan_, nan_, nan_, nan_}, {"1234567/", nan_, nan_, nan_, nan_, nan_},
  {"1234567:", nan_, nan_, nan_, nan_, nan_}, {":2345678", nan_, nan_, nan_, nan_, nan_},
  {"１２", nan_, nan_, nan_, nan_, nan_}, {"٣", nan_, nan_, nan_, nan_, nan_},
});
// clang-format on

TEST(parse_number, a_text_is_read_exactly_or_refused_with_its_reason) {
  std::string scratch;
  for (const number_case& c : number_cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(seen(parse_int64(c.text), write_int64), c.as_int64);
    EXPECT_EQ(seen(parse_uint64(c.text), write_uint64), c.as_uint64);
    EXPECT_EQ(seen(parse_float64_exact(c.text), write_float64), c.as_float64);
    const auto decimal = parse_decimal(c.text, 10, 3);
    EXPECT_EQ(decimal ? text_of(write_decimal, decimal.value, 3U) : to_string(decimal.code), c.as_decimal);
    if (std::int64_t small = 0; parse_small_decimal(c.text, 10, 3, small)) {
      EXPECT_EQ(text_of(write_decimal, int128{small}, 3U), c.as_decimal);
    }
    const auto text = parse_decimal_text(c.text, scratch);
    EXPECT_EQ(text ? text.value : to_string(text.code), c.as_decimal_text);
    EXPECT_EQ(is_decimal_text(c.text), text && text.value == c.text);
    if (text) {
      EXPECT_TRUE(is_decimal_text(text.value));
    }
  }
}

TEST(parse_number, small_decimals_with_all_their_places_are_read_in_whatever_length) {
  const std::string digits = "9081726354019283";
  for (unsigned scale = 1; scale <= 8; ++scale) {
    for (std::size_t whole = 1; whole + scale <= 15; ++whole) {
      for (const std::string_view sign : {"", "-"}) {
        const std::string text =
            std::string(sign) + digits.substr(0, whole) + "." + digits.substr(whole, scale);
        std::int64_t small = 0;
        ASSERT_TRUE(parse_small_decimal(text, 38, scale, small)) << text;
        EXPECT_EQ(parse_decimal(text, 38, scale).value, small) << text;
        EXPECT_FALSE(parse_small_decimal(text, static_cast<unsigned>(whole) + scale - 1, scale, small))
            << text;
        for (std::size_t at = sign.size(); at < text.size(); ++at) {
          for (const char other : {'/', ':', '.', ',', ' ', '\xb0'}) {
            std::string bad = text;
            bad[at] = other;
            EXPECT_TRUE(bad == text || !parse_small_decimal(bad, 38, scale, small)) << bad;
          }
        }
      }
    }
  }
}

TEST(parse_number, small_decimals_are_read_the_short_way) {
  for (const std::string_view text : {"0", "-7.5", "9999999.999", "007.00", "12345678901234.5"}) {
    std::int64_t small = 0;
    ASSERT_TRUE(parse_small_decimal(text, 38, 3, small)) << text;
    EXPECT_EQ(parse_decimal(text, 38, 3).value, small) << text;
  }
  std::int64_t small = 0;
  for (const std::string_view text : {"", "1.0005", "10000000", "1e3", "NaN", "1234567890123456"}) {
    EXPECT_FALSE(parse_small_decimal(text, 10, 3, small)) << text;
  }
}

TEST(parse_number, whole_numbers_of_every_length_are_written_with_all_their_digits) {
  for (unsigned digits = 0; digits < 20; ++digits) {
    const auto power = static_cast<std::uint64_t>(power_of_ten(digits));
    for (const std::uint64_t n : {power - 1, power, power + 1, power + power / 2 + 7}) {
      EXPECT_EQ(text_of(write_uint64, n), std::to_string(n));
      const auto half = static_cast<std::int64_t>(n / 2);
      EXPECT_EQ(text_of(write_int64, -half), std::to_string(-half));
      const std::string whole = std::to_string(n / 100);
      EXPECT_EQ(text_of(write_decimal, static_cast<int128>(n), 2U),
                whole + "." + std::to_string(100 + n % 100).substr(1));
    }
  }
}

TEST(parse_number, float32_takes_what_reads_back_as_the_same_number) {
  EXPECT_EQ(seen(parse_float32_exact("0.1"), write_float32), "0.1");
  EXPECT_EQ(seen(parse_float32_exact("16777216"), write_float32), "16777216");
  EXPECT_EQ(seen(parse_float32_exact("16777217"), write_float32), "not_exact");
  EXPECT_EQ(seen(parse_float32_exact("0.123456789"), write_float32), "not_exact");
  EXPECT_EQ(seen(parse_float32_exact("3.5e38"), write_float32), "out_of_range");
  EXPECT_EQ(seen(parse_float32_exact("1e-46"), write_float32), "not_exact");
  EXPECT_EQ(seen(parse_float32_exact("-Infinity"), write_float32), "-Infinity");
}

TEST(parse_number, the_nearest_double_is_taken_where_rounding_was_asked_for) {
  EXPECT_EQ(seen(parse_float64("0.10000000000000001"), write_float64), "0.1");
  EXPECT_EQ(seen(parse_float64("9007199254740993"), write_float64), "9007199254740992");
  EXPECT_EQ(seen(parse_float64("9007199254740993.0000000000000000000001"), write_float64),
            "9007199254740994");
  EXPECT_EQ(seen(parse_float64("1e400"), write_float64), "out_of_range");
  EXPECT_EQ(seen(parse_float64("1e-400"), write_float64), "0");
}

TEST(parse_number, decimals_reach_38_digits_and_no_further) {
  const std::string nines(38, '9');
  EXPECT_EQ(text_of(write_decimal, parse_decimal(nines, 38, 0).value, 0U), nines);
  EXPECT_EQ(text_of(write_decimal, parse_decimal("-0." + nines, 38, 38).value, 38U), "-0." + nines);
  EXPECT_EQ(parse_decimal("1" + std::string(38, '0'), 38, 0).code, dirty_code::out_of_range);
  EXPECT_EQ(parse_decimal("1e-39", 38, 38).code, dirty_code::too_precise);
  EXPECT_EQ(text_of(write_decimal, static_cast<int128>(uint128{1} << 127), 0U),
            "-170141183460469231731687303715884105728");
}

struct float_case {
  double value;
  std::string_view text;
};

constexpr std::array float_cases = std::to_array<float_case>({
    {100000, "100000"},
    {1e20, "100000000000000000000"},
    {1e21, "1e21"},
    {1.5e21, "1.5e21"},
    {123456789012345680000.0, "123456789012345680000"},
    {0.000001, "0.000001"},
    {1.25e-7, "1.25e-7"},
    {1e-7, "1e-7"},
    {1234.5, "1234.5"},
    {-0.0, "-0"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {4.9e-324, "5e-324"},
});

TEST(format, doubles_have_their_shortest_text_in_a_form_people_read) {
  for (const float_case& c : float_cases) {
    EXPECT_EQ(text_of(write_float64, c.value), c.text);
  }
  EXPECT_EQ(text_of(write_float32, 0.1F), "0.1");
  EXPECT_EQ(text_of(write_float32, 16777216.0F), "16777216");
}

class random_numbers : public ::testing::Test {
 protected:
  void SetUp() override {
    seed_ = std::random_device{}();
    if (const char* given = std::getenv("SLUICE_SEED")) {
      std::from_chars(given, given + std::char_traits<char>::length(given), seed_);
    }
    random_.seed(seed_);
    RecordProperty("seed", std::to_string(seed_));
    trace_.emplace(__FILE__, __LINE__, "repeat with SLUICE_SEED=" + std::to_string(seed_));
  }
  std::uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::optional<::testing::ScopedTrace> trace_;
};

TEST_F(random_numbers, every_written_number_reads_back_as_itself) {
  for (int i = 0; i < 20000; ++i) {
    const auto bits = random_() >> (random_() % 64);
    const auto integer = static_cast<std::int64_t>(random_() % 2 == 0 ? bits : ~bits);
    ASSERT_EQ(parse_int64(text_of(write_int64, integer)).value, integer);
    ASSERT_EQ(parse_uint64(text_of(write_uint64, bits)).value, bits);
    const auto number = std::bit_cast<double>(random_());
    const parsed<double> back = parse_float64_exact(text_of(write_float64, number));
    ASSERT_TRUE(back) << text_of(write_float64, number);
    ASSERT_TRUE(std::isnan(number)
                    ? std::isnan(back.value)
                    : std::bit_cast<std::uint64_t>(back.value) == std::bit_cast<std::uint64_t>(number))
        << text_of(write_float64, number);
    const auto narrow = std::bit_cast<float>(static_cast<std::uint32_t>(random_()));
    const parsed<float> narrow_back = parse_float32_exact(text_of(write_float32, narrow));
    ASSERT_TRUE(narrow_back);
    ASSERT_TRUE(std::isnan(narrow) ? std::isnan(narrow_back.value) : narrow_back.value == narrow);
    const auto scale = static_cast<unsigned>(random_() % 39);
    const int128 decimal = ((static_cast<int128>(integer) << 64) | random_()) %
                           power_of_ten(static_cast<unsigned>(random_() % 39));
    ASSERT_EQ(parse_decimal(text_of(write_decimal, decimal, scale), 38, scale).value, decimal);
  }
}

TEST_F(random_numbers, the_fast_path_of_doubles_equals_the_library) {
  for (int i = 0; i < 50000; ++i) {
    std::string text = std::to_string(random_() % 1'000'000'000'000'000 >> (random_() % 50));
    if (random_() % 4 != 0) {
      text.insert(1 + random_() % text.size(), ".");
    }
    if (text.back() == '.') {
      text += '0';
    }
    double expected = 0;
    std::from_chars(text.data(), text.data() + text.size(), expected);
    ASSERT_EQ(parse_float64(text).value, expected) << text;
    ASSERT_EQ(parse_float64_exact(text).value, expected) << text;
  }
}

TEST(parse_bool, only_the_two_words_in_any_case_are_booleans) {
  for (const std::string_view text : {"true", "TRUE", "True", "tRuE"}) {
    EXPECT_TRUE(parse_bool(text) && parse_bool(text).value) << text;
  }
  for (const std::string_view text : {"false", "FALSE", "False"}) {
    EXPECT_TRUE(parse_bool(text) && !parse_bool(text).value) << text;
  }
  for (const std::string_view text : {"1", "0", "t", "yes", " true", "true ", "truE\n", "falsé", "tru"}) {
    EXPECT_EQ(parse_bool(text).code, dirty_code::not_a_boolean) << text;
  }
  EXPECT_EQ(parse_bool("").code, dirty_code::empty);
}

}  // namespace
}  // namespace sluice
