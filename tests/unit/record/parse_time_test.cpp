#include <gtest/gtest.h>

#include <array>
#include <random>

#include "transport/record/calendar.h"
#include "transport/record/format.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

struct date_case {
  std::string_view text;
  std::string_view seen;  ///< The date written again, or the refusal.
};

constexpr std::array date_cases = std::to_array<date_case>({
    {"1970-01-01", "1970-01-01"},         {"2024-02-29", "2024-02-29"},
    {"2000-02-29", "2000-02-29"},         {"0000-02-29", "0000-02-29"},
    {"9999-12-31", "9999-12-31"},         {"+10000-01-01", "+10000-01-01"},
    {"-0001-12-31", "-0001-12-31"},       {"-5877641-06-24", "-5877641-06-24"},
    {"+5881580-07-10", "+5881580-07-10"}, {"-5877641-06-23", "out_of_range"},
    {"+5881580-07-11", "out_of_range"},   {"infinity", "infinity"},
    {"-infinity", "-infinity"},           {"2023-02-29", "not_a_date"},
    {"1900-02-29", "not_a_date"},         {"2024-00-01", "not_a_date"},
    {"2024-13-01", "not_a_date"},         {"2024-04-31", "not_a_date"},
    {"2024-01-00", "not_a_date"},         {"2024-1-01", "not_a_date"},
    {"24-01-01", "not_a_date"},           {"10000-01-01", "not_a_date"},
    {"2024-01-01 ", "not_a_date"},        {" 2024-01-01", "not_a_date"},
    {"2024/01/01", "not_a_date"},         {"2024-01-01T00:00:00", "not_a_date"},
    {"2024-01-0x", "not_a_date"},         {"", "empty"},
});

TEST(parse_time, an_iso_date_is_read_strictly) {
  for (const date_case& c : date_cases) {
    const auto days = parse_iso_date(c.text);
    EXPECT_EQ(days ? text_of(write_iso_date, days.value) : to_string(days.code), c.seen) << c.text;
  }
}

TEST(parse_time, the_calendar_agrees_with_itself_over_its_whole_range) {
  std::int64_t expected = days_from_civil(-4, 1, 1);
  for (int year = -4; year <= 2804; ++year) {
    for (unsigned month = 1; month <= 12; ++month) {
      for (unsigned day = 1; day <= days_in_month(year, month); ++day, ++expected) {
        ASSERT_EQ(days_from_civil(year, month, day), expected);
        const civil_date back = civil_from_days(static_cast<std::int32_t>(expected));
        ASSERT_TRUE(back.year == year && back.month == month && back.day == day)
            << year << '-' << month << '-' << day;
        ASSERT_EQ(parse_iso_date(text_of(write_iso_date, static_cast<std::int32_t>(expected))).value,
                  expected);
      }
    }
  }
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    const auto days = static_cast<std::int32_t>(random());
    ASSERT_EQ(parse_iso_date(text_of(write_iso_date, days)).value, days);
  }
  EXPECT_EQ(iso_weekday(0), 4U);
  EXPECT_EQ(iso_weekday(static_cast<std::int32_t>(days_from_civil(2024, 2, 29))), 4U);
  EXPECT_EQ(iso_weekday(-3), 1U);
  EXPECT_EQ(iso_weekday(-4), 7U);
}

struct time_case {
  std::string_view text;
  time_unit unit;
  unsigned digits;
  std::string_view seen;
};

constexpr auto s = time_unit::second;
constexpr auto ms = time_unit::milli;
constexpr auto us = time_unit::micro;
constexpr auto ns = time_unit::nano;

constexpr std::array timestamp_cases = std::to_array<time_case>({
    {"2024-02-29 23:59:59", s, 0, "2024-02-29 23:59:59"},
    {"2024-02-29T23:59:59", s, 0, "2024-02-29 23:59:59"},
    {"2024-02-29 23:59:59.000", s, 0, "2024-02-29 23:59:59"},
    {"2024-02-29 23:59:59.001", s, 0, "too_precise"},
    {"2024-02-29 23:59:59.25", ms, 3, "2024-02-29 23:59:59.250"},
    {"2024-02-29 23:59:59.1234567", us, 6, "too_precise"},
    {"2024-02-29 23:59:59.123456", us, 3, "too_precise"},
    {"2024-02-29 23:59:59.123000", us, 3, "2024-02-29 23:59:59.123"},
    {"1969-12-31 23:59:59.999999999", ns, 9, "1969-12-31 23:59:59.999999999"},
    {"1677-09-21 00:12:43.145224193", ns, 9, "1677-09-21 00:12:43.145224193"},
    {"1677-09-21 00:12:43.145224192", ns, 9, "out_of_range"},
    {"2262-04-11 23:47:16.854775807", ns, 9, "out_of_range"},
    {"+294247-01-10 04:00:54.775806", us, 6, "+294247-01-10 04:00:54.775806"},
    {"+294247-01-10 04:00:54.775807", us, 6, "out_of_range"},
    {"infinity", us, 6, "infinity"},
    {"-infinity", us, 6, "-infinity"},
    {"2024-02-29", s, 0, "not_a_date"},
    {"2024-02-29 24:00:00", s, 0, "not_a_date"},
    {"2024-02-29 23:60:00", s, 0, "not_a_date"},
    {"2024-02-29 23:59:60", s, 0, "not_a_date"},
    {"2024-02-29 23:59", s, 0, "not_a_date"},
    {"2024-02-29 23:59:59.", ms, 3, "not_a_date"},
    {"2024-02-29 23:59:59,5", ms, 3, "not_a_date"},
    {"2024-02-29 23:59:59Z", ms, 3, "not_a_date"},
    {"2024-02-30 23:59:59", ms, 3, "not_a_date"},
    {"2024-02-29x23:59:59", ms, 3, "not_a_date"},
    {"", ms, 3, "empty"},
});

TEST(parse_time, an_iso_timestamp_keeps_its_digits_or_is_refused) {
  for (const time_case& c : timestamp_cases) {
    const auto value = parse_iso_timestamp(c.text, c.unit, c.digits);
    EXPECT_EQ(
        value ? text_of(write_iso_timestamp, value.value, c.unit, c.digits, ' ') : to_string(value.code),
        c.seen)
        << c.text;
  }
}

constexpr std::array clock_cases = std::to_array<time_case>({
    {"00:00:00", s, 0, "00:00:00"},
    {"23:59:59.5", ms, 3, "23:59:59.500"},
    {"24:00:00", us, 6, "24:00:00.000000"},
    {"24:00:00.1", us, 6, "not_a_date"},
    {"24:00:01", us, 6, "not_a_date"},
    {"25:00:00", us, 6, "not_a_date"},
    {"1:00:00", us, 6, "not_a_date"},
    {"-01:00:00", us, 6, "not_a_date"},
    {"", us, 6, "empty"},
});

TEST(parse_time, a_time_of_day_may_be_the_end_of_the_day) {
  for (const time_case& c : clock_cases) {
    const auto value = parse_iso_time(c.text, c.unit, c.digits);
    EXPECT_EQ(value ? text_of(write_iso_time, value.value, c.unit, c.digits) : to_string(value.code), c.seen)
        << c.text;
  }
}

constexpr std::array duration_cases = std::to_array<time_case>({
    {"00:00:00", s, 0, "00:00:00"},
    {"-838:59:59.5", ms, 1, "-838:59:59.5"},
    {"100:00:00", s, 0, "100:00:00"},
    {"-00:00:01", us, 6, "-00:00:01.000000"},
    {"2562047788015:12:55.807", ms, 3, "2562047788015:12:55.807"},
    {"2562047788015:12:55.808", ms, 3, "out_of_range"},
    {"2562047788:00:54.775807", us, 6, "2562047788:00:54.775807"},
    {"-2562047788:00:54.775808", us, 6, "-2562047788:00:54.775808"},
    {"2562047788:00:54.775808", us, 6, "out_of_range"},
    {"00:60:00", s, 0, "not_a_duration"},
    {"1:00:00", s, 0, "not_a_duration"},
    {"01:00", s, 0, "not_a_duration"},
    {"00:00:00.5", s, 0, "too_precise"},
    {"--01:00:00", s, 0, "not_a_duration"},
    {"", s, 0, "empty"},
});

TEST(parse_time, a_duration_is_hours_minutes_and_seconds) {
  for (const time_case& c : duration_cases) {
    const auto value = parse_duration(c.text, c.unit, c.digits);
    EXPECT_EQ(value ? text_of(write_duration, value.value, c.unit, c.digits) : to_string(value.code), c.seen)
        << c.text;
  }
}

TEST(format, a_timestamp_beyond_the_calendar_is_written_as_its_count) {
  EXPECT_EQ(text_of(write_iso_timestamp, std::int64_t{1} << 62, s, 0U, 'T'), "epoch+4611686018427387904s");
}

}  // namespace
}  // namespace sluice
