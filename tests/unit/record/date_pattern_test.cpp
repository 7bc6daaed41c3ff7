#include "transport/record/date_pattern.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/support/source_dir.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"

namespace sluice {
namespace {

std::string shown(const wall_time& t) {
  std::string out =
      text_of(write_iso_date, t.days) + " " + text_of(write_iso_time, t.nanos_of_day, time_unit::nano, 9U);
  if (t.has_offset) {
    out += " " + std::to_string(t.offset_s);
  }
  return out;
}

std::string written(const date_pattern& p, const wall_time& t, unsigned fraction_digits = 0) {
  std::string room(p.chars_max(), '#');
  char* to = room.data();
  const dirty_code code = p.write(t, fraction_digits, to);
  return code == dirty_code::none ? room.substr(0, static_cast<std::size_t>(to - room.data()))
                                  : "! " + std::string(to_string(code));
}

struct pattern_case {
  std::string_view pattern;
  std::string_view text;
  std::string_view value;  ///< `days time [offset]`, or the refusal. A value is written back as the text.
};

// clang-format off
constexpr std::array pattern_cases = std::to_array<pattern_case>({
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:58", "2024-02-29 23:59:58.000000000"},
  {"yyyy-MM-dd HH:mm:ss", "2023-02-29 23:59:58", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 24:00:00", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:60:00", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:60", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:5", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:58 ", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29T23:59:58", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 23:59:58.5", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "0000-01-01 00:00:00", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss", "", "empty"},
  {"yyyy-MM-dd", "0001-01-01", "0001-01-01 00:00:00.000000000"},
  {"yyyy-MM-dd", "9999-12-31", "9999-12-31 00:00:00.000000000"},
  {"yyyy-MM-dd", "2024-13-01", "not_a_date"},
  {"yyyy-MM-dd", "2024-1-01", "not_a_date"},
  {"yyyy-MM-dd", "2024-01-01x", "not_a_date"},
  {"yyyy-MM-dd", "x024-01-01", "not_a_date"},
  {"yyyyMMdd", "20240229", "2024-02-29 00:00:00.000000000"},
  {"yyyyMMdd", "20240230", "not_a_date"},
  {"yyyyMMdd", "2024022", "not_a_date"},
  {"yyyyMMddHHmmssSSS", "20240229235958123", "2024-02-29 23:59:58.123000000"},
  {"yyyyMMddHHmmss", "2024022923595", "not_a_date"},
  {"y-M-d", "2024-2-9", "2024-02-09 00:00:00.000000000"},
  {"y-M-d", "12024-12-31", "+12024-12-31 00:00:00.000000000"},
  {"y-M-d", "2024-2-32", "not_a_date"},
  {"yy/MM/dd", "24/02/29", "2024-02-29 00:00:00.000000000"},
  {"yy/MM/dd", "99/12/31", "2099-12-31 00:00:00.000000000"},
  {"uuuu-MM-dd", "0000-02-29", "0000-02-29 00:00:00.000000000"},
  {"yyyyyy-MM-dd", "002024-02-29", "2024-02-29 00:00:00.000000000"},
  {"G yyyy-MM-dd", "AD 2024-02-29", "2024-02-29 00:00:00.000000000"},
  {"yyyy-MM-dd G", "0001-02-29 BC", "0000-02-29 00:00:00.000000000"},
  {"yyyy-MM-dd G", "0002-01-01 BC", "-0001-01-01 00:00:00.000000000"},
  {"yyyy-MM-dd G", "0000-01-01 AD", "not_a_date"},
  {"yyyy-MM-dd G", "2024-01-01 CE", "not_a_date"},
  {"yyyy-LL-dd", "2024-02-29", "2024-02-29 00:00:00.000000000"},
  {"dd MMM yyyy", "29 Feb 2024", "2024-02-29 00:00:00.000000000"},
  {"dd MMM yyyy", "29 Fev 2024", "not_a_date"},
  {"d MMMM yyyy", "1 September 2024", "2024-09-01 00:00:00.000000000"},
  {"d MMMM yyyy", "1 Sep 2024", "not_a_date"},
  {"EEE, dd MMM yyyy", "Thu, 29 Feb 2024", "2024-02-29 00:00:00.000000000"},
  {"EEE, dd MMM yyyy", "Fri, 29 Feb 2024", "not_a_date"},
  {"EEEE dd.MM.yyyy", "Sunday 03.03.2024", "2024-03-03 00:00:00.000000000"},
  {"u yyyy-MM-dd", "4 2024-02-29", "2024-02-29 00:00:00.000000000"},
  {"u yyyy-MM-dd", "0 2024-02-29", "not_a_date"},
  {"yyyy-DDD", "2024-366", "2024-12-31 00:00:00.000000000"},
  {"yyyy-DDD", "2023-366", "not_a_date"},
  {"yyyy-DDD", "2023-000", "not_a_date"},
  {"yyyy-D", "2024-60", "2024-02-29 00:00:00.000000000"},
  {"yyyy", "2024", "2024-01-01 00:00:00.000000000"},
  {"yyyyMM", "202402", "2024-02-01 00:00:00.000000000"},
  {"HH:mm:ss", "23:59:58", "1970-01-01 23:59:58.000000000"},
  {"H:m:s", "3:4:5", "1970-01-01 03:04:05.000000000"},
  {"HH:mm", "24:00", "not_a_date"},
  {"hh:mm a", "12:00 AM", "1970-01-01 00:00:00.000000000"},
  {"hh:mm a", "12:30 PM", "1970-01-01 12:30:00.000000000"},
  {"h:mm a", "1:30 PM", "1970-01-01 13:30:00.000000000"},
  {"hh:mm a", "13:30 PM", "not_a_date"},
  {"hh:mm a", "00:30 AM", "not_a_date"},
  {"hh:mm a", "01:30 XM", "not_a_date"},
  {"KK:mm a", "00:30 PM", "1970-01-01 12:30:00.000000000"},
  {"KK:mm a", "12:30 PM", "not_a_date"},
  {"kk:mm", "24:30", "1970-01-01 00:30:00.000000000"},
  {"kk:mm", "00:30", "not_a_date"},
  {"kk:mm", "25:30", "not_a_date"},
  {"HH:mm:ss.S", "01:02:03.4", "1970-01-01 01:02:03.400000000"},
  {"HH:mm:ss.SSSSSSSSS", "01:02:03.123456789", "1970-01-01 01:02:03.123456789"},
  {"HH:mm:ss.SSS", "01:02:03.4", "not_a_date"},
  {"HH.mm.ss", "10.20.30", "1970-01-01 10:20:30.000000000"},
  {"yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-29T10:00:00+08:00", "2024-02-29 10:00:00.000000000 28800"},
  {"yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-29T10:00:00Z", "2024-02-29 10:00:00.000000000 0"},
  {"yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-29T10:00:00+0800", "not_a_date"},
  {"yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-29T10:00:00+19:00", "not_a_date"},
  {"yyyy-MM-dd HHX", "2024-02-29 10-03", "2024-02-29 10:00:00.000000000 -10800"},
  {"yyyy-MM-dd HHX", "2024-02-29 10+0530", "2024-02-29 10:00:00.000000000 19800"},
  {"yyyy-MM-dd HHXX", "2024-02-29 10-0330", "2024-02-29 10:00:00.000000000 -12600"},
  {"yyyy-MM-dd HHx", "2024-02-29 10+00", "2024-02-29 10:00:00.000000000 0"},
  {"yyyy-MM-dd HHxxx", "2024-02-29 10+00:00", "2024-02-29 10:00:00.000000000 0"},
  {"yyyy-MM-dd HHx", "2024-02-29 10Z", "not_a_date"},
  {"yyyy-MM-dd HH:mm:ss Z", "2024-02-29 10:00:00 +0800", "2024-02-29 10:00:00.000000000 28800"},
  {"yyyy-MM-dd HH ZZZZZ", "2024-02-29 10 Z", "2024-02-29 10:00:00.000000000 0"},
  {"yyyy'年'MM'月'dd'日'", "2024年02月29日", "2024-02-29 00:00:00.000000000"},
  {"yyyy年MM月dd日", "2024年02月29日", "2024-02-29 00:00:00.000000000"},
  {"'it''s' yyyy", "it's 2024", "2024-01-01 00:00:00.000000000"},
  {"yyyy''MM", "2024'02", "2024-02-01 00:00:00.000000000"},
  {"yyyy-MM-dd HH:mm:ss", "２０２４-02-29 00:00:00", "not_a_date"},
});
// clang-format on

TEST(date_pattern, a_text_matches_wholly_and_is_written_back_as_it_was) {
  for (const pattern_case& c : pattern_cases) {
    SCOPED_TRACE(std::string(c.pattern) + " of " + std::string(c.text));
    const auto pattern = date_pattern::make(c.pattern);
    ASSERT_TRUE(pattern) << pattern.error().message;
    const parsed<wall_time> value = pattern->parse(c.text);
    ASSERT_EQ(value ? shown(value.value) : to_string(value.code), c.value);
    if (value) {
      EXPECT_EQ(written(*pattern, value.value), c.text);
    }
  }
}

TEST(date_pattern, names_are_read_in_any_case) {
  EXPECT_TRUE(date_pattern::make("dd MMM yyyy")->parse("29 FEB 2024"));
  EXPECT_TRUE(date_pattern::make("dd MMMM yyyy hh:mm a")->parse("01 aPRIL 2024 11:00 pm"));
  // Under a Turkish locale a lower-case I is another letter; here it never is.
  EXPECT_TRUE(date_pattern::make("dd MMM yyyy")->parse("29 APRIL 2024").code == dirty_code::not_a_date);
  EXPECT_TRUE(date_pattern::make("EEEE yyyy-MM-dd")->parse("FRIDAY 2024-03-01"));
}

struct refusal_case {
  std::string_view pattern;
  std::string_view says;
};

constexpr std::array refusal_cases = std::to_array<refusal_case>({
    {"", "empty"},
    {"YYYY-MM-dd", "character 1: Y: is the year of the week"},
    {"yyyy-mm-dd", "character 6: mm is the minute"},
    {"yyyy-MM-dd hh:mm:ss", "character 12: hh counts half a day"},
    {"yyyy-MM-dd KK", "character 12: KK counts half a day"},
    {"HH:mm a", "character 7: a needs an hour in hh"},
    {"yyyyMd", "character 5: M has no width of its own"},
    {"yyyyM'7'", "character 5: M has no width of its own"},
    {"yMM", "character 1: y has no width of its own"},
    {"yyyy-MM-dd yyyy", "character 12: yyyy says again"},
    {"MMM MM yyyy", "character 5: MM says again"},
    {"HH kk", "character 4: kk says again"},
    {"MM-dd", "character 1: MM needs a year"},
    {"yyyy-dd", "character 6: dd needs a month"},
    {"yyyy-MM-DDD", "character 9: DDD is the day of the year"},
    {"EEE yyyy", "character 1: EEE needs a day"},
    {"HH:ss", "character 4: ss needs minutes"},
    {"HH:mm.SSS", "character 7: SSS needs seconds"},
    {"HH:mm:ssXXX", "character 9: XXX needs a date"},
    {"G", "character 1: G needs a year"},
    {"G uuuu", "character 3: uuuu counts without eras"},
    {"'x'", "neither a year"},
    {"yyyy 'open", "character 6: the quote"},
    {"yyyy 'it''s", "character 6: the quote"},
    {"yyyy[-MM]", "character 5: brackets"},
    {"yyyy-MM-ddTHH:mm", "character 11: the letter T has no meaning"},
    {"yyyy-MMMMM", "character 6: 5 letters M"},
    {"yyyy-DD", "character 6: 2 letters D"},
    {"uu-MM", "character 1: 2 letters u"},
    {"HH:mm:sss", "character 7: 3 letters s"},
    {"yyyyyyyyyy", "character 1: 10 letters y"},
});

TEST(date_pattern, what_cannot_be_exact_is_refused_with_its_place) {
  for (const refusal_case& c : refusal_cases) {
    const auto pattern = date_pattern::make(c.pattern);
    ASSERT_FALSE(pattern) << c.pattern;
    EXPECT_EQ(pattern.error().kind, error_kind::bad_option);
    EXPECT_NE(pattern.error().message.find(c.says), std::string::npos) << pattern.error().message;
  }
}

TEST(date_pattern, every_letter_of_java_is_either_supported_or_refused_with_advice) {
  std::string seen;
  for (const pattern_letter& l : pattern_letters()) {
    seen += l.letter;
    const auto pattern = date_pattern::make(std::string(1, l.letter), date_pattern::use::display);
    EXPECT_EQ(pattern.has_value(), l.supported) << l.letter;
    if (!pattern) {
      EXPECT_NE(pattern.error().message.find(l.meaning), std::string::npos);
    }
  }
  for (const char letter : std::string_view("GyYuUMLwWDdFEeacHkKhmsSnNAzZXxVvOQqBgp")) {
    if (letter != 'U') {  // U has a meaning in neither class
      EXPECT_NE(seen.find(letter), std::string::npos) << letter;
    }
  }
}

TEST(date_pattern, the_page_of_conversions_lists_every_letter) {
  std::ifstream file(testing::in_source_tree("docs/conversions.md"));
  std::stringstream page;
  page << file.rdbuf();
  for (const pattern_letter& l : pattern_letters()) {
    const std::string row = "| `" + std::string(1, l.letter) + "` | " + std::string(l.meaning) + " |";
    EXPECT_NE(page.str().find(row), std::string::npos) << "docs/conversions.md lacks the row " << row;
  }
}

TEST(date_pattern, a_value_that_the_pattern_cannot_hold_is_not_written) {
  const wall_time t{static_cast<std::int32_t>(days_from_civil(1999, 12, 31)), 86'399'250'000'000};
  EXPECT_EQ(written(*date_pattern::make("yyyy-MM-dd HH:mm:ss"), t), "! too_precise");
  EXPECT_EQ(written(*date_pattern::make("yyyy-MM-dd HH:mm:ss"), t, 3), "1999-12-31 23:59:59.250");
  EXPECT_EQ(written(*date_pattern::make("dd.MM.yyyy HH:mm:ss"), t, 6), "31.12.1999 23:59:59.250000");
  EXPECT_EQ(written(*date_pattern::make("yyyy-MM-dd HH:mm:ss.S"), t), "! too_precise");
  EXPECT_EQ(written(*date_pattern::make("yyyy-MM-dd HH:mm:ss.SSS"), t), "1999-12-31 23:59:59.250");
  EXPECT_EQ(written(*date_pattern::make("yyyy-MM-dd HH:mm"), t, 3), "! too_precise");
  EXPECT_EQ(written(*date_pattern::make("yyyy-MM-dd"), t, 3), "! too_precise");
  EXPECT_EQ(written(*date_pattern::make("yyyyMM"), {t.days, 0}), "! too_precise");
  EXPECT_EQ(written(*date_pattern::make("yyyy"), {t.days, 0}), "! too_precise");
  EXPECT_EQ(written(*date_pattern::make("yy-MM-dd"), {t.days, 0}), "! out_of_range");
  EXPECT_EQ(written(*date_pattern::make("kk:mm"), {0, 86'400'000'000'000}), "! out_of_range");
  EXPECT_EQ(written(*date_pattern::make("HH:mm"), {0, 86'400'000'000'000}), "24:00");
  for (const std::string_view pattern : {"yyyy-MM-dd", "yyyyMMdd", "yyyy/MM/dd", "uuuu-MM-dd"}) {
    EXPECT_EQ(written(*date_pattern::make(pattern), {4'000'000, 0}), "! out_of_range") << pattern;
    EXPECT_EQ(written(*date_pattern::make(pattern), {-4'000'000, 0}), "! out_of_range") << pattern;
  }
}

TEST(date_pattern, what_is_only_shown_may_leave_parts_out) {
  const wall_time t{static_cast<std::int32_t>(days_from_civil(1999, 12, 31)), 86'399'250'000'000};
  EXPECT_EQ(written(*date_pattern::make("yy-MM-dd", date_pattern::use::display), t), "99-12-31");
  EXPECT_EQ(written(*date_pattern::make("MM/dd", date_pattern::use::display), t), "12/31");
  EXPECT_EQ(written(*date_pattern::make("hh:mm", date_pattern::use::display), t), "11:59");
}

TEST(date_pattern, a_fraction_behind_the_seconds_is_read_where_it_was_asked_for) {
  const auto pattern = *date_pattern::make("yyyy-MM-dd HH:mm:ss");
  const auto read = [&](std::string_view text) {
    const auto value = pattern.parse(text, {.fraction = true});
    return value ? shown(value.value) : std::string(to_string(value.code));
  };
  EXPECT_EQ(read("2024-01-01 10:00:00"), "2024-01-01 10:00:00.000000000");
  EXPECT_EQ(read("2024-01-01 10:00:00.5"), "2024-01-01 10:00:00.500000000");
  EXPECT_EQ(read("2024-01-01 10:00:00.123456789000"), "2024-01-01 10:00:00.123456789");
  EXPECT_EQ(read("2024-01-01 10:00:00.1234567891"), "too_precise");
  EXPECT_EQ(read("2024-01-01 10:00:00."), "not_a_date");
  EXPECT_EQ(read("2024-01-01 10:00:00,5"), "not_a_date");
  EXPECT_EQ(read("2024-01-01 10:00:00.5x"), "not_a_date");
  EXPECT_EQ(date_pattern::make("HH:mm")->parse("10:00.5", {.fraction = true}).code, dirty_code::not_a_date);
  EXPECT_EQ(date_pattern::make("HH.mm.ss")->parse("10.20.30.5", {.fraction = true}).value.nanos_of_day,
            37'230'500'000'000);
}

TEST(date_pattern, the_end_of_the_day_is_read_where_it_was_asked_for) {
  const auto pattern = *date_pattern::make("HH:mm:ss");
  EXPECT_EQ(pattern.parse("24:00:00").code, dirty_code::not_a_date);
  EXPECT_EQ(pattern.parse("24:00:00", {.end_of_day = true}).value.nanos_of_day, 86'400'000'000'000);
  EXPECT_EQ(pattern.parse("24:00:01", {.end_of_day = true}).code, dirty_code::not_a_date);
}

TEST(date_pattern, the_fast_paths_agree_with_the_general_one) {
  // A literal in quotes takes the general path for the same text.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> pairs = {
      {{"yyyy-MM-dd HH:mm:ss", "yyyy'-'MM-dd HH:mm:ss"},
       {"yyyy-MM-dd", "yyyy'-'MM-dd"},
       {"yyyyMMdd", "yyyyMMdd''"}}};
  std::mt19937_64 random(11);
  for (const auto& [fast_text, general_text] : pairs) {
    const auto fast = *date_pattern::make(fast_text);
    const auto general = *date_pattern::make(general_text);
    const std::string_view tail = fast_text == "yyyyMMdd" ? "'" : "";
    for (int i = 0; i < 20000; ++i) {
      const wall_time t{static_cast<std::int32_t>(random() % 2'932'896),
                        fast.has_time() ? static_cast<std::int64_t>(random() % 86400) * 1'000'000'000 : 0};
      std::string text = written(fast, t);
      ASSERT_EQ(text + std::string(tail), written(general, t));
      ASSERT_EQ(fast.parse(text).value, t);
      // A character changed at random: both read it alike.
      text[random() % text.size()] = "0123456789- :/x"[random() % 15];
      const auto a = fast.parse(text);
      const auto b = general.parse(text + std::string(tail));
      ASSERT_EQ(a.code, b.code) << text;
      if (a) {
        ASSERT_EQ(a.value, b.value) << text;
      }
    }
  }
}

TEST(date_pattern, takes_no_second_fraction_behind_its_seconds) {
  const auto pattern = date_pattern::make("yyyyMMddSHHmmss");
  ASSERT_TRUE(pattern) << pattern.error().message;
  EXPECT_FALSE(pattern->ends_with_seconds());
  const auto read = pattern->parse("202402293101112", {.fraction = true, .end_of_day = false});
  ASSERT_TRUE(read);
  EXPECT_EQ(shown(read.value), "2024-02-29 10:11:12.300000000");
  EXPECT_EQ(written(*pattern, read.value, 9), "202402293101112");
  EXPECT_FALSE(pattern->parse("202402293101112.5", {.fraction = true, .end_of_day = false}));
}

struct java_case {
  std::string_view pattern;
  std::string_view text;
  std::string_view read;  ///< The value, `carried`, `digits`, and the rest in quotes; or `nothing`.
};

// clang-format off
constexpr std::array java_cases = std::to_array<java_case>({
  {"yyyy-MM-dd", "2024-02-29", "2024-02-29 00:00:00.000000000"},
  {"yyyy-MM-dd", "2023-02-30", "2023-03-02 00:00:00.000000000 carried"},
  {"yyyy-MM-dd", "2024-13-01", "2025-01-01 00:00:00.000000000 carried"},
  {"yyyy-MM-dd", "2024-00-10", "2023-12-10 00:00:00.000000000 carried"},
  {"yyyy-MM-dd", "2024-03-00", "2024-02-29 00:00:00.000000000 carried"},
  {"yyyy-MM-dd", "2024-1-2", "2024-01-02 00:00:00.000000000 digits"},
  {"yyyy-MM-dd", "24-1-2", "0024-01-02 00:00:00.000000000 digits"},
  {"yyyy-MM-dd", "2024-01-02 10:11:12", "2024-01-02 00:00:00.000000000 \" 10:11:12\""},
  {"yyyy-MM-dd", "2024-01-02x", "2024-01-02 00:00:00.000000000 \"x\""},
  {"yyyy-MM-dd", "0000-00-00", "nothing"},
  {"yyyy-MM-dd", "0001-00-01", "nothing"},
  {"yyyy-MM-dd", "2024/01/02", "nothing"},
  {"yyyy-MM-dd", " 2024-01-02", "nothing"},
  {"yyyy-MM-dd", "2024--1-02", "nothing"},
  {"yyyy-MM-dd", "2024-01-", "nothing"},
  {"yyyy-MM-dd", "2024-01-1234567890", "nothing"},
  {"yyyy-MM-dd", "", "nothing"},
  {"yyyyMMdd", "20240230", "2024-03-01 00:00:00.000000000 carried"},
  {"yyyyMMdd", "2024010", "2023-12-31 00:00:00.000000000 carried digits"},
  {"yyyyMMdd", "20240102", "2024-01-02 00:00:00.000000000"},
  {"yyyyMMdd", "2024010203", "2024-07-21 00:00:00.000000000 carried digits"},
  {"yyyyMMdd", "202401", "nothing"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 24:00:00", "2024-03-01 00:00:00.000000000 carried"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 25:61:61", "2024-03-01 02:02:01.000000000 carried"},
  {"yyyy-MM-dd HH:mm:ss", "6814-02-29 24:544444449:59", "7849-05-01 10:09:59.000000000 carried digits"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 1:2:3", "2024-02-29 01:02:03.000000000 digits"},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 01:02:03.456", "2024-02-29 01:02:03.000000000 \".456\""},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29 01:02:03+02:00", "2024-02-29 01:02:03.000000000 \"+02:00\""},
  {"yyyy-MM-dd HH:mm:ss", "2024-02-29", "nothing"},
  {"yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 01:02:03.456", "2024-02-29 01:02:03.456000000"},
  {"yyyy-MM-dd HH:mm:ss.SSS", "2024-02-30 01:02:03.456", "2024-03-01 01:02:03.456000000 carried"},
  {"yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 01:02:03.4567", "nothing"},
  {"yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 01:02:03.4", "nothing"},
  {"yy-MM-dd", "24-01-02", "2024-01-02 00:00:00.000000000"},
  {"yy-MM-dd", "2024-01-02", "2024-01-02 00:00:00.000000000 digits"},
  {"yyyy-DDD", "2023-366", "2024-01-01 00:00:00.000000000 carried"},
  {"dd MMM yyyy", "31 Feb 2024 x", "2024-03-02 00:00:00.000000000 carried \" x\""},
  {"E dd MM yyyy", "Mon 01 01 2024", "2024-01-01 00:00:00.000000000"},
  {"E dd MM yyyy", "Tue 01 01 2024", "nothing"},
  {"hh:mm a, yyyy-MM-dd", "13:00 AM, 2024-01-02", "2024-01-02 13:00:00.000000000 carried"},
  {"yyyy-MM-dd HH:mmXXX", "2024-01-32 10:00+02:00", "2024-02-01 10:00:00.000000000 7200 carried"},
  {"HH:mm:ss", "10:11:12", "nothing"},
});
// clang-format on

TEST(date_pattern, reads_a_text_s_beginning_as_java_s_lenient_parsers_do) {
  for (const java_case& c : java_cases) {
    const auto pattern = date_pattern::make(c.pattern);
    ASSERT_TRUE(pattern) << pattern.error().message;
    const auto read = pattern->parse_as_java(c.text);
    std::string said = "nothing";
    if (read) {
      said = shown(read->at) + (read->carried ? " carried" : "") + (read->other_digits ? " digits" : "") +
             (read->rest.empty() ? "" : " \"" + std::string(read->rest) + "\"");
      const bool strict = !read->carried && !read->other_digits && read->rest.empty();
      EXPECT_EQ(pattern->parse(c.text).ok(), strict) << c.pattern << " reads " << c.text;
    }
    EXPECT_EQ(said, c.read) << c.pattern << " reads " << c.text;
  }
}

}  // namespace
}  // namespace sluice
