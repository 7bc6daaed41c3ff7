#include "transport/base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice {
namespace {

TEST(text, a_statement_is_one_line_with_its_quotes) {
  EXPECT_EQ(statement_text("SELECT \"a\\b\"\n\tFROM t"), "SELECT \"a\\b\"  FROM t");
  EXPECT_EQ(statement_text("SELECT \x1b[2J\xc2\x9b\xff"), R"(SELECT \x1b[2J\u009b\xff)");
  EXPECT_EQ(statement_text(std::string(1'000, 'x')), std::string(1'000, 'x'));
}

TEST(text, a_quoted_value_escapes_what_a_terminal_would_obey) {
  EXPECT_EQ(in_quotes("a\n\x1b[2J\"\\\xff"), R"("a\n\x1b[2J\"\\\xff")");
  EXPECT_EQ(in_quotes("\xc2\x9b"), R"("\u009b")");
  EXPECT_EQ(escaped("a\u202eb\u2069\u2028\u200f"), R"(a\u202eb\u2069\u2028\u200f)");
  EXPECT_EQ(escaped("\u2014 \u2020 \u206a \u20ac"), "\u2014 \u2020 \u206a \u20ac");
  EXPECT_EQ(in_quotes("Grüße"), "\"Grüße\"");
}

TEST(text, a_long_value_is_cut_on_a_character_border_and_says_how_long_it_was) {
  const std::string value = std::string(199, 'a') + "ü" + std::string(50, 'b');
  EXPECT_EQ(escaped(value), std::string(199, 'a') + "… (251 bytes)");
}

TEST(text, the_nearest_word_is_a_slip_away_or_there_is_none) {
  const std::array<std::string_view, 3> words = {"writeMode", "where", "column"};
  EXPECT_EQ(nearest("writerMode", words), "writeMode");
  EXPECT_EQ(nearest("wheer", words), "where");
  EXPECT_EQ(nearest("password", words), "");
}

TEST(text, amounts_are_readable) {
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(std::uint64_t{64} << 20), "64 MiB");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
}

}  // namespace
}  // namespace sluice
