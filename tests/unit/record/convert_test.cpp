#include "transport/record/convert.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>

#include "tests/support/source_dir.h"
#include "tests/unit/record/column_texts.h"
#include "transport/record/batch_builder.h"
#include "transport/record/conversion_table.h"

namespace sluice {
namespace {

using test::converted;
using test::texts;

constexpr data_type boolean{.id = type_id::boolean};
constexpr data_type int64{.id = type_id::int64};
constexpr data_type uint64{.id = type_id::uint64};
constexpr data_type float32{.id = type_id::float32};
constexpr data_type float64{.id = type_id::float64};
constexpr data_type decimal_text{.id = type_id::decimal_text};
constexpr data_type utf8{.id = type_id::utf8};
constexpr data_type binary{.id = type_id::binary};
constexpr data_type date{.id = type_id::date};

constexpr data_type bits(type_id id, std::uint8_t n) {
  return {.id = id, .integer_bits = n};
}
constexpr data_type dec(std::uint8_t precision, std::uint8_t scale) {
  return {.id = type_id::decimal, .precision = precision, .scale = scale};
}
constexpr data_type dec_text(std::uint8_t precision, std::uint8_t scale) {
  return {.id = type_id::decimal_text, .precision = precision, .scale = scale};
}
constexpr data_type time(type_id id, time_unit unit, std::uint8_t digits) {
  return {.id = id, .unit = unit, .fraction_digits = digits};
}
constexpr data_type chars(std::uint64_t n, length_in unit = length_in::characters,
                          charset set = charset::unicode) {
  return {.id = type_id::utf8, .length_unit = unit, .characters = set, .length_max = n};
}
constexpr data_type bytes(std::uint64_t n) {
  return {.id = type_id::binary, .length_max = n};
}

constexpr data_type stamp_s = time(type_id::timestamp, time_unit::second, 0);
constexpr data_type stamp_ms = time(type_id::timestamp, time_unit::milli, 3);
constexpr data_type stamp_us = time(type_id::timestamp, time_unit::micro, 6);
constexpr data_type stamp_us3 = time(type_id::timestamp, time_unit::micro, 3);
constexpr data_type stamp_ns = time(type_id::timestamp, time_unit::nano, 9);
constexpr data_type inst_s = time(type_id::instant, time_unit::second, 0);
constexpr data_type inst_us = time(type_id::instant, time_unit::micro, 6);
constexpr data_type clock_us = time(type_id::time_of_day, time_unit::micro, 6);
constexpr data_type clock_s = time(type_id::time_of_day, time_unit::second, 0);
constexpr data_type span_us = time(type_id::duration, time_unit::micro, 6);
constexpr data_type span_s = time(type_id::duration, time_unit::second, 0);

struct convert_case {
  data_type from;
  std::string_view text;
  data_type to;
  std::string_view seen;
};

// clang-format off
constexpr std::array cases = std::to_array<convert_case>({
  {boolean, "true", int64, "1"}, {boolean, "false", uint64, "0"}, {boolean, "true", float64, "1"},
  {boolean, "true", dec(3, 2), "1.00"}, {boolean, "true", dec(2, 2), "! out_of_range"}, {boolean, "false", dec(2, 2), "0.00"},
  {boolean, "true", decimal_text, "1"}, {boolean, "true", utf8, "true"}, {boolean, "false", utf8, "false"},
  {boolean, "false", chars(4), "! too_long"}, {boolean, "true", chars(4), "true"},

  {int64, "0", boolean, "false"}, {int64, "1", boolean, "true"}, {int64, "2", boolean, "! not_a_boolean"}, {int64, "-1", boolean, "! not_a_boolean"},
  {int64, "127", bits(type_id::int64, 8), "127"}, {int64, "128", bits(type_id::int64, 8), "! out_of_range"},
  {int64, "-128", bits(type_id::int64, 8), "-128"}, {int64, "-129", bits(type_id::int64, 8), "! out_of_range"},
  {int64, "8388607", bits(type_id::int64, 24), "8388607"}, {int64, "8388608", bits(type_id::int64, 24), "! out_of_range"},
  {int64, "-1", uint64, "! out_of_range"}, {int64, "9223372036854775807", uint64, "9223372036854775807"},
  {int64, "256", bits(type_id::uint64, 8), "! out_of_range"}, {int64, "255", bits(type_id::uint64, 8), "255"},
  {uint64, "18446744073709551615", int64, "! out_of_range"}, {uint64, "9223372036854775807", int64, "9223372036854775807"},
  {uint64, "18446744073709551615", bits(type_id::uint64, 32), "! out_of_range"},
  {int64, "9007199254740992", float64, "9007199254740992"}, {int64, "9007199254740993", float64, "! not_exact"},
  {int64, "9223372036854775807", float64, "! not_exact"}, {int64, "4611686018427387904", float64, "! not_exact"},
  {int64, "1000000000000000000", float64, "1000000000000000000"}, {uint64, "18446744073709551615", float64, "! not_exact"},
  {int64, "16777217", float32, "! not_exact"}, {int64, "16777216", float32, "16777216"},
  {int64, "999", dec(5, 2), "999.00"}, {int64, "1000", dec(5, 2), "! out_of_range"}, {int64, "-1000", dec(5, 2), "! out_of_range"},
  {uint64, "18446744073709551615", dec(38, 18), "18446744073709551615.000000000000000000"},
  {int64, "-9223372036854775808", utf8, "-9223372036854775808"}, {int64, "-12", chars(2), "! too_long"},
  {int64, "1234", dec_text(3, 0), "! out_of_range"},

  {float64, "1.5", int64, "! has_fraction"}, {float64, "-3", int64, "-3"}, {float64, "-3", uint64, "! out_of_range"},
  {float64, "1e19", int64, "! out_of_range"}, {float64, "1e19", uint64, "10000000000000000000"}, {float64, "NaN", int64, "! not_finite"},
  {float64, "Infinity", int64, "! not_finite"}, {float64, "1e300", int64, "! out_of_range"}, {float64, "4611686018427388000", int64, "! not_exact"},
  {float64, "0.1", float32, "! not_exact"}, {float64, "0.5", float32, "0.5"}, {float64, "NaN", float32, "NaN"}, {float64, "-Infinity", float32, "-Infinity"},
  {float64, "1e39", float32, "! out_of_range"}, {float32, "0.1", float64, "0.10000000149011612"},
  {float64, "0.1", dec(5, 1), "0.1"}, {float64, "0.12", dec(5, 1), "! too_precise"}, {float64, "12345", dec(5, 1), "! out_of_range"},
  {float64, "NaN", dec(5, 1), "! not_finite"}, {float64, "1e-7", decimal_text, "1e-7"}, {float64, "100000", utf8, "100000"}, {float64, "NaN", utf8, "NaN"},
  {float64, "NaN", dec_text(3, 1), "! not_finite"}, {float32, "0.1", utf8, "0.1"},

  {dec(10, 2), "3.00", int64, "3"}, {dec(10, 2), "3.01", int64, "! has_fraction"}, {dec(38, 0), "9223372036854775808", int64, "! out_of_range"},
  {dec(38, 0), "9223372036854775808", uint64, "9223372036854775808"}, {dec(10, 2), "-3.00", uint64, "! out_of_range"},
  {dec(10, 2), "0.10", float64, "0.1"}, {dec(38, 20), "0.12345678901234567890", float64, "! not_exact"}, {dec(10, 2), "0.10", float32, "0.1"},
  {dec(10, 2), "12345678.90", float32, "! not_exact"}, {dec(10, 2), "1.50", dec(10, 1), "1.5"}, {dec(10, 2), "1.55", dec(10, 1), "! too_precise"},
  {dec(10, 2), "12345678.00", dec(7, 0), "! out_of_range"}, {dec(10, 2), "1.50", dec(38, 37), "1.5000000000000000000000000000000000000"},
  {dec(10, 2), "10.50", dec(38, 37), "! out_of_range"}, {dec(38, 38), "0.00000000000000000000000000000000000001", dec(38, 0), "! too_precise"},
  {dec(10, 2), "-0.05", utf8, "-0.05"}, {dec(10, 2), "-0.05", decimal_text, "-0.05"}, {dec(10, 2), "-0.05", chars(4), "! too_long"},

  {decimal_text, "12.50", dec(4, 1), "12.5"}, {decimal_text, "12.55", dec(4, 1), "! too_precise"}, {decimal_text, "1e3", int64, "1000"},
  {decimal_text, "1.5", int64, "! has_fraction"}, {decimal_text, "0.1", float64, "0.1"}, {decimal_text, "123456789.123456789", float64, "! not_exact"},
  {decimal_text, "0.30000000000000004", float64, "0.30000000000000004"}, {decimal_text, "NaN", float64, "NaN"},
  {decimal_text, "Infinity", dec(4, 1), "! not_finite"}, {decimal_text, "007.50", utf8, "007.50"}, {decimal_text, "007.50", chars(5), "! too_long"},
  {decimal_text, "007.50", dec_text(2, 1), "007.50"}, {decimal_text, "7.55", dec_text(3, 1), "! too_precise"}, {decimal_text, "77", dec_text(2, 1), "! out_of_range"},

  {utf8, "TRUE", boolean, "true"}, {utf8, "1", boolean, "! not_a_boolean"}, {utf8, "", boolean, "! empty"},
  {utf8, "12", int64, "12"}, {utf8, "12.0", int64, "12"}, {utf8, "12.5", int64, "! has_fraction"}, {utf8, "12x", int64, "! not_a_number"},
  {utf8, "", int64, "! empty"}, {utf8, " 12", int64, "! not_a_number"}, {utf8, "128", bits(type_id::int64, 8), "! out_of_range"},
  {utf8, "-128", bits(type_id::int64, 8), "-128"}, {utf8, "-129", bits(type_id::int64, 8), "! out_of_range"},
  {utf8, "255", bits(type_id::uint64, 8), "255"}, {utf8, "256", bits(type_id::uint64, 8), "! out_of_range"},
  {utf8, "-1", uint64, "! out_of_range"}, {utf8, "0.1", float64, "0.1"}, {utf8, "0.1", float32, "0.1"}, {utf8, "1e400", float64, "! out_of_range"},
  {utf8, "NaN", float64, "NaN"}, {utf8, "nan", float64, "! not_a_number"}, {utf8, "1.25", dec(3, 2), "1.25"}, {utf8, "1.255", dec(3, 2), "! too_precise"},
  {utf8, ".5", decimal_text, "0.5"}, {utf8, "5E3", decimal_text, "5e3"}, {utf8, "5", dec_text(1, 1), "! out_of_range"}, {utf8, "x", decimal_text, "! not_a_number"},
  {utf8, "Grüße", binary, "Grüße"}, {utf8, "Grüße", bytes(6), "! too_long"}, {utf8, "Grüße", bytes(7), "Grüße"},
  {utf8, "Grüße", chars(5), "Grüße"}, {utf8, "Grüße", chars(4), "! too_long"}, {utf8, "Grüße", chars(6, length_in::bytes), "! too_long"},
  {utf8, "😀", chars(1), "😀"}, {utf8, "😀", chars(1, length_in::utf16_units), "! too_long"}, {utf8, "😀", chars(2, length_in::utf16_units), "😀"},
  {utf8, "ü", chars(0, length_in::bytes, charset::latin1), "ü"}, {utf8, "€", chars(0, length_in::bytes, charset::latin1), "! not_in_charset"},
  {utf8, "ü", chars(0, length_in::bytes, charset::ascii), "! not_in_charset"}, {utf8, "😀", chars(0, length_in::bytes, charset::unicode_bmp), "! not_in_charset"},
  {binary, "Grüße", utf8, "Grüße"}, {binary, "\xff", utf8, "! invalid_utf8"}, {binary, "abc", chars(2), "! too_long"}, {binary, "\xff\xfe", bytes(2), "\xff\xfe"},
  {binary, "\xff\xfe", bytes(1), "! too_long"},

  {utf8, "2024-02-29", date, "2024-02-29"}, {utf8, "20240229", date, "2024-02-29"}, {utf8, "2024-02-29 00:00:00", date, "2024-02-29"},
  {utf8, "2024-02-29 00:00:01", date, "! has_time"}, {utf8, "2024-02-30", date, "! not_a_date"}, {utf8, "29.02.2024", date, "! not_a_date"},
  {utf8, "", date, "! empty"}, {utf8, "infinity", date, "infinity"}, {utf8, "-infinity", date, "-infinity"},
  {utf8, "10:00:00", date, "! not_a_date"}, {utf8, "2024-02-29 10:00:00", stamp_s, "2024-02-29T10:00:00"}, {utf8, "2024-02-29", stamp_s, "2024-02-29T00:00:00"},
  {utf8, "2024-02-29 10:00:00.5", stamp_s, "! too_precise"}, {utf8, "2024-02-29 10:00:00.5", stamp_ms, "2024-02-29T10:00:00.500"},
  {utf8, "2024-02-29 10:00:00.1234567891", stamp_ns, "! too_precise"}, {utf8, "2024-02-29 10:00:00.1234", stamp_us3, "! too_precise"},
  {utf8, "10:00:00", stamp_s, "! not_a_date"}, {utf8, "2024-02-29T10:00:00", stamp_s, "! not_a_date"}, {utf8, "infinity", stamp_us, "infinity"},
  {utf8, "9999-12-31 00:00:00", stamp_ns, "! out_of_range"},
  {utf8, "10:00:00", clock_us, "10:00:00.000000"}, {utf8, "24:00:00", clock_s, "24:00:00"}, {utf8, "24:00:01", clock_s, "! not_a_date"},
  {utf8, "10:00:00.25", clock_us, "10:00:00.250000"}, {utf8, "2024-02-29 10:00:00", clock_us, "! not_a_date"}, {utf8, "10:00", clock_us, "! not_a_date"},
  {utf8, "-838:59:59.5", span_us, "-838:59:59.500000"}, {utf8, "1:00", span_us, "! not_a_duration"}, {utf8, "00:00:00.5", span_s, "! too_precise"},

  {date, "2024-02-29", utf8, "2024-02-29"}, {date, "infinity", utf8, "infinity"}, {date, "+10000-01-01", utf8, "! out_of_range"}, {date, "0000-12-31", utf8, "! out_of_range"},
  {date, "2024-02-29", chars(8), "! too_long"}, {date, "2024-02-29", stamp_us, "2024-02-29T00:00:00.000000"}, {date, "infinity", stamp_us, "infinity"}, {date, "2300-01-01", stamp_ns, "! out_of_range"}, {date, "+5881580-07-10", stamp_s, "+5881580-07-10T00:00:00"},
  {stamp_us, "2024-02-29T00:00:00", date, "2024-02-29"}, {stamp_us, "2024-02-29T00:00:00.000001", date, "! has_time"}, {stamp_us, "-infinity", date, "-infinity"},
  {stamp_us, "2024-02-29T10:00:00", utf8, "2024-02-29 10:00:00"}, {stamp_us, "2024-02-29T10:00:00.25", utf8, "2024-02-29 10:00:00.250000"},
  {stamp_us3, "2024-02-29T10:00:00.25", utf8, "2024-02-29 10:00:00.250"}, {stamp_ms, "1969-12-31T23:59:59.999", utf8, "1969-12-31 23:59:59.999"},
  {stamp_us, "infinity", utf8, "infinity"}, {stamp_us, "+10000-01-01T00:00:00", utf8, "! out_of_range"}, {stamp_us, "2024-02-29T10:00:00", chars(18), "! too_long"},
  {stamp_us, "2024-02-29T10:00:00.25", stamp_s, "! too_precise"}, {stamp_us, "2024-02-29T10:00:00.25", stamp_ms, "2024-02-29T10:00:00.250"},
  {stamp_us, "2024-02-29T10:00:00.2501", stamp_us3, "! too_precise"}, {stamp_us, "1969-12-31T23:59:59.5", stamp_ms, "1969-12-31T23:59:59.500"},
  {stamp_s, "9999-12-31T00:00:00", stamp_ns, "! out_of_range"}, {stamp_s, "2000-01-01T00:00:00", stamp_ns, "2000-01-01T00:00:00.000000000"}, {stamp_us, "infinity", stamp_ns, "infinity"},
  {clock_us, "24:00:00", utf8, "24:00:00"}, {clock_us, "01:02:03.5", utf8, "01:02:03.500000"}, {clock_us, "01:02:03.5", clock_s, "! too_precise"}, {clock_us, "01:02:03", clock_s, "01:02:03"},
  {clock_us, "24:00:00", span_s, "24:00:00"}, {span_s, "24:00:00", clock_us, "24:00:00.000000"}, {span_s, "24:00:01", clock_us, "! out_of_range"}, {span_s, "-00:00:01", clock_us, "! out_of_range"},
  {span_us, "-838:59:59.5", utf8, "-838:59:59.500000"}, {span_us, "00:00:00.5", span_s, "! too_precise"}, {span_s, "2562047788015:00:00", span_us, "! out_of_range"},
});
// clang-format on

TEST(convert, a_value_arrives_exactly_or_its_row_says_why_not) {
  for (const convert_case& c : cases) {
    EXPECT_EQ(converted(c.from, {std::string(c.text)}, c.to)[0], c.seen)
        << c.text << " of " << to_string(c.from) << " to " << to_string(c.to);
  }
}

struct zone_case {
  data_type from;
  std::string_view text;
  data_type to;
  std::string_view berlin;
};

constexpr std::array zone_cases = std::to_array<zone_case>({
    {utf8, "2024-07-01 12:00:00", inst_s, "2024-07-01T10:00:00Z"},
    {utf8, "2024-03-31 02:30:00", inst_s, "! wall_time_missing"},
    {utf8, "2024-10-27 02:30:00", inst_s, "! wall_time_twice"},
    {utf8, "-infinity", inst_s, "-infinity"},
    {stamp_us, "2024-01-01T00:00:00.000001", inst_us, "2023-12-31T23:00:00.000001Z"},
    {stamp_us, "2024-03-31T02:00:00", inst_us, "! wall_time_missing"},
    {stamp_us, "2024-10-27T02:00:00", inst_us, "! wall_time_twice"},
    {stamp_us, "2024-01-01T00:00:00.5", inst_s, "! too_precise"},
    {inst_us, "2024-07-01T10:00:00Z", stamp_us, "2024-07-01T12:00:00.000000"},
    {inst_us, "2024-10-27T00:30:00Z", stamp_us, "! wall_time_twice"},
    {inst_us, "2024-10-27T01:30:00Z", stamp_us, "! wall_time_twice"},
    {inst_us, "2024-10-27T02:00:00Z", stamp_us, "2024-10-27T03:00:00.000000"},
    {inst_us, "infinity", stamp_us, "infinity"},
    {inst_us, "2024-07-01T10:00:00.5Z", utf8, "2024-07-01 12:00:00.500000"},
    {inst_us, "2024-10-27T00:30:00Z", utf8, "! wall_time_twice"},
    {inst_us, "2024-06-30T22:00:00Z", date, "2024-07-01"},
    {inst_us, "2024-07-01T00:00:00Z", date, "! has_time"},
    {date, "-infinity", inst_us, "-infinity"},
    {date, "2024-07-01", inst_us, "2024-06-30T22:00:00.000000Z"},
});

TEST(convert, points_in_time_and_wall_clocks_meet_on_the_zone) {
  const conversion_context context{.zone = *time_zone::find("Europe/Berlin")};
  for (const zone_case& c : zone_cases) {
    EXPECT_TRUE(lookup_conversion(c.from, c.to).needs_zone);
    EXPECT_EQ(converted(c.from, {std::string(c.text)}, c.to, context)[0], c.berlin)
        << c.text << " of " << to_string(c.from) << " to " << to_string(c.to);
  }
}

TEST(convert, points_in_time_with_their_offset_and_signed_years_are_read_whatever_the_formats) {
  const conversion_context context{.zone = *time_zone::find("GMT+8"),
                                   .datetime_format = "dd.MM.yyyy HH:mm:ss"};
  EXPECT_EQ(converted(utf8,
                      {"2024-02-29 10:00:00+00:00", "2024-02-29T10:00:00.25Z", "2024-02-29 10:00:00-0330",
                       "2024-02-29 10:00:00+02", "+12345-01-01 00:00:00Z", "-0043-03-15 12:00:00+00"},
                      inst_us, context),
            (std::vector<std::string>{"2024-02-29T10:00:00.000000Z", "2024-02-29T10:00:00.250000Z",
                                      "2024-02-29T13:30:00.000000Z", "2024-02-29T08:00:00.000000Z",
                                      "+12345-01-01T00:00:00.000000Z", "-0043-03-15T12:00:00.000000Z"}));
  EXPECT_EQ(converted(utf8,
                      {"2024-02-29 10:00:00", "2024-02-29 10:00:00+2", "2024-02-29 10:00:00+02:60",
                       "2024-02-29 10:00:00+19", "2024-02-29+02", "infinityZ", "Z", "+08", ":+08"},
                      inst_us, context),
            std::vector<std::string>(9, "! not_a_date"));
  EXPECT_EQ(converted(utf8, {"2024-02-29 10:00:00.5Z"}, inst_s, context)[0], "! too_precise");
  EXPECT_EQ(converted(utf8, {"-0043-03-15", "+12345-01-01", "-0043-02-30", "+1-01-01"}, date, context),
            (std::vector<std::string>{"-0043-03-15", "+12345-01-01", "! not_a_date", "! not_a_date"}));
  EXPECT_EQ(
      converted(utf8, {"-0043-03-15 12:00:00", "-0043-03-15 12:00:00Z", "-0043-03-15"}, stamp_s, context),
      (std::vector<std::string>{"-0043-03-15T12:00:00", "! not_a_date", "! not_a_date"}));
}

TEST(convert, years_before_1_and_beyond_9999_are_read_as_they_are_written) {
  const conversion_context context{.zone = *time_zone::find("GMT+8")};
  EXPECT_EQ(converted(utf8, {"0000-06-01", "0000-00-00", "0000-13-01"}, date, context),
            (std::vector<std::string>{"0000-06-01", "! not_a_date", "! not_a_date"}));
  EXPECT_EQ(converted(utf8, {"0000-06-01 00:00:01", "0000-00-00 00:00:00"}, stamp_s, context),
            (std::vector<std::string>{"0000-06-01T00:00:01", "! not_a_date"}));
  EXPECT_EQ(converted(utf8,
                      {"-0043-03-15 00:00:00", "+10000-01-01 00:00:00", "0000-06-01 08:00:00.5",
                       "0000-00-00 00:00:00", "2024-02-29 25:00:00"},
                      inst_us, context),
            (std::vector<std::string>{"-0043-03-14T16:00:00.000000Z", "9999-12-31T16:00:00.000000Z",
                                      "0000-06-01T00:00:00.500000Z", "! not_a_date", "! not_a_date"}));
}

TEST(convert, formats_of_the_job_are_tried_in_their_order_and_no_other) {
  const conversion_context context{.zone = *time_zone::find("GMT+8"),
                                   .datetime_format = "dd.MM.yyyy HH:mm:ss",
                                   .date_format = "dd.MM.yyyy",
                                   .time_format = "HH.mm",
                                   .extra_formats = {"yyyy/MM/dd", "yyyy-MM-dd'T'HH:mm:ssXXX"}};
  EXPECT_EQ(converted(utf8, {"29.02.2024", "2024/02/29", "2024-02-29"}, date, context),
            (std::vector<std::string>{"2024-02-29", "2024-02-29", "! not_a_date"}));
  const conversion_context day_first{.date_format = "yyyy-dd-MM", .extra_formats = {"yyyy-MM-dd"}};
  EXPECT_EQ(converted(utf8, {"2024-03-04", "2024-03-31"}, date, day_first),
            (std::vector<std::string>{"2024-04-03", "2024-03-31"}));
  // An offset in the text decides for an instant and has no place on a wall clock.
  EXPECT_EQ(converted(utf8, {"2024-02-29T10:00:00Z", "29.02.2024 10:00:00"}, inst_s, context),
            (std::vector<std::string>{"2024-02-29T10:00:00Z", "2024-02-29T02:00:00Z"}));
  EXPECT_EQ(converted(utf8, {"2024-02-29T10:00:00Z"}, stamp_s, context)[0], "! not_a_date");
  EXPECT_EQ(converted(stamp_us, {"2024-02-29T10:00:00.5"}, utf8, context)[0], "29.02.2024 10:00:00.500000");
  EXPECT_EQ(converted(clock_s, {"10:20:00", "10:20:01"}, utf8, context),
            (std::vector<std::string>{"10.20", "! too_precise"}));
  EXPECT_EQ(
      converted(inst_s, {"2024-02-29T10:00:00Z"}, utf8,
                {.zone = *time_zone::find("Europe/Berlin"), .datetime_format = "yyyy-MM-dd HH:mm XXX"})[0],
      "2024-02-29 11:00 +01:00");
  // With the offset beside it, an hour that exists twice is told apart.
  EXPECT_EQ(converted(inst_s, {"2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"}, utf8,
                      {.zone = *time_zone::find("Europe/Berlin"), .datetime_format = "yyyy-MM-dd HH:mm XXX"}),
            (std::vector<std::string>{"2024-10-27 02:30 +02:00", "2024-10-27 02:30 +01:00"}));
  EXPECT_NE(
      converted(stamp_us, {"2024-02-29T10:00:00"}, utf8, {.datetime_format = "yyyy-MM-dd HH:mm XXX"})[0].find(
          "refused"),
      std::string::npos);
  EXPECT_NE(
      converted(utf8, {"x"}, date, {.date_format = "yyyy-mm-dd"})[0].find("character 6: mm is the minute"),
      std::string::npos);
}

TEST(convert, empty_text_is_null_only_where_the_job_says_so_and_the_type_is_not_text) {
  const conversion_context context{.empty_as_null = true};
  for (const data_type& to : {boolean, int64, uint64, float32, float64, dec(5, 2), decimal_text, date,
                              stamp_us, clock_us, span_us}) {
    EXPECT_EQ(converted(utf8, {""}, to, context)[0], "NULL") << to_string(to);
    EXPECT_EQ(converted(utf8, {""}, to)[0], "! empty") << to_string(to);
  }
  EXPECT_EQ(converted(utf8, {""}, binary, context)[0], "");
  EXPECT_EQ(converted(utf8, {""}, chars(3), context)[0], "");
  EXPECT_EQ(converted(binary, {""}, utf8, context)[0], "");

  // A column that takes texts as they come and yet holds dates.
  const field text{.name = "d", .type = utf8};
  field date_text{.name = "d", .type = utf8};
  date_text.holds_text = false;
  const auto made = make_converter(text, date_text, context);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_NE(*made, nullptr);
  const auto pool = buffer_pool::make(1 << 20);
  column_builder from(utf8, pool);
  from.append_bytes("");
  from.append_bytes("2024-02-29");
  from.append_null();
  column_builder to(utf8, pool);
  std::vector<conversion_failure> failures;
  (*made)->convert(from.seal(), 0, 3, to, failures);
  const column out = to.seal();
  EXPECT_TRUE(failures.empty());
  EXPECT_TRUE(out.is_null(0));
  EXPECT_EQ(out.get_bytes(1), "2024-02-29");
  EXPECT_TRUE(out.is_null(2));
  EXPECT_EQ(*make_converter(text, text, context), nullptr);
  EXPECT_EQ(*make_converter(text, date_text, {}), nullptr);
}

TEST(convert, null_stays_null_and_is_refused_where_the_column_takes_none) {
  const auto pool = buffer_pool::make(1 << 20);
  for (const type_id from : all_types) {
    for (const type_id to : all_types) {
      const data_type from_type = from == type_id::decimal ? dec(10, 2) : type_of(from);
      const data_type to_type = to == type_id::decimal ? dec(12, 3) : type_of(to);
      if (rule_of(from, to).kind == conversion_kind::refused) {
        continue;
      }
      const column nulls = test::column_of(from_type, {std::nullopt, std::nullopt}, pool);
      for (const bool nullable : {true, false}) {
        const auto converter = make_converter({.type = from_type}, {.type = to_type, .nullable = nullable},
                                              {.zone = *time_zone::find("UTC")});
        ASSERT_TRUE(converter) << converter.error().message;
        if (*converter == nullptr) {
          EXPECT_TRUE(nullable && from == to);
          continue;
        }
        column_builder builder(to_type, pool);
        std::vector<conversion_failure> failures;
        (*converter)->convert(nulls, 0, 2, builder, failures);
        EXPECT_EQ(builder.size(), 2U);
        EXPECT_EQ(failures.size(), nullable ? 0U : 2U) << to_string(from) << " to " << to_string(to);
        if (!failures.empty()) {
          EXPECT_EQ(failures[1].row, 1U);
          EXPECT_EQ(failures[1].code, "null_not_allowed");
        }
        EXPECT_EQ(builder.seal().null_count, 2U);
      }
    }
  }
}

TEST(convert, a_part_of_a_column_is_converted_behind_what_stands_already) {
  const auto pool = buffer_pool::make(1 << 20);
  const column in = test::column_of(utf8, {"1", "x", std::nullopt, "4", "y", "6"}, pool);
  for (const data_type& to : {int64, float64, decimal_text, binary}) {
    const auto converter = *make_converter({.type = utf8}, {.type = to}, {});
    column_builder builder(to, pool);
    std::vector<conversion_failure> failures;
    converter->convert(in, 3, 6, builder, failures);
    converter->convert(in, 0, 3, builder, failures);
    const texts seen = test::texts_of(builder.seal(), to, 6);
    const bool is_binary = to.id == type_id::binary;
    EXPECT_EQ(seen[0], "4");
    EXPECT_EQ(seen[1], is_binary ? std::optional<std::string>("y") : std::nullopt);
    EXPECT_EQ(seen[3], "1");
    EXPECT_EQ(seen[5], std::nullopt);
    ASSERT_EQ(failures.size(), is_binary ? 0U : 2U);
    if (!is_binary) {
      EXPECT_EQ(failures[0].row, 4U);
      EXPECT_EQ(failures[1].row, 1U);
    }
  }
}

TEST(convert, a_failure_names_value_type_and_reason) {
  const auto pool = buffer_pool::make(1 << 20);
  const column in = test::column_of(utf8, {"12\n"}, pool);
  column_builder builder(int64, pool);
  std::vector<conversion_failure> failures;
  (*make_converter({.type = utf8}, {.type = bits(type_id::int64, 32)}, {}))
      ->convert(in, 0, 1, builder, failures);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].message,
            R"("12\n" is not taken as int64(32 bits). The text is not a decimal number.)");
}

TEST(convert, a_refused_pair_is_an_error_of_the_job_with_both_types) {
  const auto refused = make_converter({.name = "at", .type = stamp_us, .source_type_name = "DATETIME"},
                                      {.name = "n", .type = int64}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, error_kind::bad_option);
  EXPECT_EQ(refused.error().message,
            "timestamp(6) (DATETIME) cannot become int64: a time has no unit as a number; select the number "
            "wanted at the "
            "source.");
}

TEST(convert, binary_and_text_become_each_other_in_utf8_only) {
  conversion_context context;
  context.bytes_encoding = "GBK";
  const auto made = [&](const data_type& from, const data_type& to) {
    return make_converter({"a", from, true, {}}, {"b", to, true, {}}, context);
  };
  for (const auto& [from, to] : {std::pair{binary, utf8}, std::pair{utf8, binary}}) {
    const auto refused = made(from, to);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, error_kind::bad_option);
    EXPECT_NE(refused.error().message.find("in \"GBK\" (common.column.encoding)"), std::string::npos);
  }
  EXPECT_TRUE(made(binary, binary));
  EXPECT_TRUE(made(binary, bytes(3)));
  EXPECT_TRUE(made(utf8, chars(3)));
  context.bytes_encoding.clear();
  EXPECT_TRUE(made(binary, utf8));
}

TEST(convert, wider_modifiers_pass_as_they_are_and_narrower_ones_are_checked) {
  const auto kind = [](const data_type& from, const data_type& to) {
    return lookup_conversion(from, to).kind;
  };
  EXPECT_EQ(kind(int64, int64), conversion_kind::same);
  EXPECT_EQ(kind(bits(type_id::int64, 32), int64), conversion_kind::same);
  EXPECT_EQ(kind(int64, bits(type_id::int64, 32)), conversion_kind::checked);
  EXPECT_EQ(kind(dec(10, 2), dec(12, 2)), conversion_kind::same);
  EXPECT_EQ(kind(dec(10, 2), dec(12, 4)), conversion_kind::exact);
  EXPECT_EQ(kind(dec(10, 2), dec(11, 4)), conversion_kind::checked);
  EXPECT_EQ(kind(chars(20), utf8), conversion_kind::same);
  EXPECT_EQ(kind(utf8, chars(20)), conversion_kind::checked);
  EXPECT_EQ(kind(chars(20), chars(20, length_in::bytes)), conversion_kind::checked);
  EXPECT_EQ(kind(chars(0, length_in::bytes, charset::ascii), chars(0, length_in::bytes, charset::latin1)),
            conversion_kind::same);
  EXPECT_EQ(kind(stamp_us3, stamp_us), conversion_kind::same);
  EXPECT_EQ(kind(stamp_us, stamp_us3), conversion_kind::checked);
  EXPECT_EQ(kind(stamp_ms, stamp_us), conversion_kind::checked);
  EXPECT_EQ(kind(clock_s, clock_us), conversion_kind::exact);
  EXPECT_EQ(kind(date, stamp_ms), conversion_kind::exact);
  EXPECT_EQ(kind(date, stamp_us), conversion_kind::checked);
  EXPECT_EQ(kind(int64, dec(19, 0)), conversion_kind::exact);
  EXPECT_EQ(kind(int64, dec(18, 0)), conversion_kind::checked);
  EXPECT_EQ(kind(bits(type_id::int64, 8), dec(3, 0)), conversion_kind::exact);
  EXPECT_EQ(kind(boolean, dec(2, 2)), conversion_kind::checked);
  EXPECT_EQ(kind(int64, utf8), conversion_kind::exact);
  EXPECT_EQ(kind(int64, chars(20)), conversion_kind::checked);
  EXPECT_EQ(kind(utf8, int64), conversion_kind::checked);
  EXPECT_EQ(kind(stamp_us, int64), conversion_kind::refused);
  // Modifiers that a type does not use do not count.
  EXPECT_EQ(kind(date, time(type_id::date, time_unit::nano, 9)), conversion_kind::same);
  EXPECT_TRUE(is_same_type(date, time(type_id::date, time_unit::nano, 9)));
  EXPECT_FALSE(is_same_type(chars(20), utf8));
}

TEST(convert, the_page_of_conversions_has_the_table_of_the_code) {
  std::ifstream file(testing::in_source_tree("docs/conversions.md"));
  std::stringstream page;
  page << file.rdbuf();
  if (page.str().find(conversion_table_page()) != std::string::npos) {
    return;
  }
  if (const char* path = std::getenv("SLUICE_CONVERSION_TABLE")) {
    std::ofstream(path) << conversion_table_page();
  }
  FAIL() << "docs/conversions.md is behind the code. Run this test with "
            "SLUICE_CONVERSION_TABLE=/tmp/table.md and put "
            "that file under `## The table` in the page.";
}

}  // namespace
}  // namespace sluice
