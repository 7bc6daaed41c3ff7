#include "plugins/text/column_guess.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using type = declared_type;

std::vector<sampled_field> fields(std::initializer_list<const char*> texts) {
  std::vector<sampled_field> out;
  for (const char* text : texts) {
    // A text that begins with a quote was quoted in the file.
    const bool quoted = *text == '"';
    out.push_back({quoted ? text + 1 : text, quoted});
  }
  return out;
}

struct guess_case {
  const char* about;
  std::initializer_list<const char*> texts;
  std::optional<std::string> null_text;
  type expected;
  const char* format = "";
};

const guess_case guess_cases[] = {
    {"whole numbers", {"1", "-20", "0"}, {}, type::long_number},
    {"quoted whole numbers", {"\"1", "\"2"}, {}, type::long_number},
    {"the largest whole number", {"9223372036854775807"}, {}, type::long_number},
    {"beyond 64 bits it stays an exact number", {"9223372036854775808"}, {}, type::double_number},
    {"a leading zero is a code", {"1", "007"}, {}, type::string_text},
    {"a plus would be lost", {"+1"}, {}, type::string_text},
    {"minus zero would lose its sign", {"-0"}, {}, type::string_text},
    {"minus zero with a point", {"-0.00"}, {}, type::string_text},
    {"a negative fraction", {"-0.01"}, {}, type::double_number},
    {"blanks would be lost", {" 1"}, {}, type::string_text},
    {"numbers with a point", {"1.50", "2"}, {}, type::double_number},
    {"trailing zeros stay in an exact number", {"1.0"}, {}, type::double_number},
    {"a leading zero before the point of a larger number", {"01.5"}, {}, type::string_text},
    {"no digit before the point", {".5"}, {}, type::string_text},
    {"an exponent would be written otherwise or not", {"1e5"}, {}, type::string_text},
    {"a decimal comma", {"1,5"}, {}, type::string_text},
    {"version numbers", {"1.2.3"}, {}, type::string_text},
    {"a telephone number", {"030-1234"}, {}, type::string_text},
    {"not a number", {"NaN"}, {}, type::string_text},
    {"booleans", {"true", "false"}, {}, type::boolean},
    {"booleans in capitals would change", {"TRUE"}, {}, type::string_text},
    {"bytes as PostgreSQL writes them", {"\\x00ff", "\\x"}, {}, type::bytes, "pgHex"},
    {"what looks like bytes is text in quotes", {"\\x00ff", "\"\\x4142"}, {}, type::string_text},
    {"half a byte", {"\\x00ff", "\\x0"}, {}, type::string_text},
    {"bytes in capitals would be written otherwise", {"\\xFF"}, {}, type::string_text},
    {"0 and 1 are numbers", {"0", "1"}, {}, type::long_number},
    {"yes and no", {"yes", "no"}, {}, type::string_text},
    {"times", {"2024-02-29 23:59:59"}, {}, type::date, "yyyy-MM-dd HH:mm:ss"},
    {"times with a fraction", {"2024-02-29 23:59:59.250"}, {}, type::date, "yyyy-MM-dd HH:mm:ss.SSS"},
    {"times of two precisions", {"2024-02-29 23:59:59.250", "2024-02-29 23:59:59"}, {}, type::string_text},
    {"ISO 8601", {"2024-02-29T23:59:59"}, {}, type::date, "yyyy-MM-dd'T'HH:mm:ss"},
    {"a day that is none", {"2023-02-29 00:00:00"}, {}, type::string_text},
    {"a date alone would get a time", {"2024-02-29"}, {}, type::string_text},
    {"an offset would be lost", {"2024-02-29T23:59:59+02:00"}, {}, type::string_text},
    {"day and month that cannot be told apart", {"03/04/2024 00:00:00"}, {}, type::string_text},
    {"a day above 12 says which is which",
     {"03/04/2024 00:00:00", "13/04/2024 00:00:00"},
     {},
     type::date,
     "dd/MM/yyyy HH:mm:ss"},
    {"a zero date", {"0000-00-00 00:00:00"}, {}, type::string_text},
    {"NULL among numbers", {"1", "", "3"}, "", type::long_number},
    {"a quoted empty text is no NULL", {"1", "\"", "3"}, "", type::string_text},
    {"an empty text where nothing is NULL", {"1", ""}, {}, type::string_text},
    {"nothing but NULL", {"", ""}, "", type::string_text},
    {"no value at all", {}, {}, type::string_text},
};

TEST(column_guess, a_type_is_chosen_only_where_every_value_reads_back_as_it_is) {
  for (const guess_case& c : guess_cases) {
    SCOPED_TRACE(c.about);
    const column_guess guess = guess_column(fields(c.texts), c.null_text);
    EXPECT_EQ(to_string(guess.type), to_string(c.expected)) << guess.reason;
    EXPECT_EQ(guess.format.value_or(""), c.format);
  }
}

TEST(column_guess, what_stays_text_against_its_looks_says_why) {
  EXPECT_NE(guess_column(fields({"007"}), {}).reason.find("as numbers"), std::string::npos);
  EXPECT_NE(guess_column(fields({"2024-02-29"}), {}).reason.find("time of day"), std::string::npos);
  EXPECT_NE(guess_column(fields({"03/04/2024 00:00:00"}), {}).reason.find("may be read as"),
            std::string::npos);
  EXPECT_EQ(guess_column(fields({"hello"}), {}).reason, "");
}

TEST(column_guess, the_text_of_null_is_the_one_that_makes_most_columns_more_than_text) {
  EXPECT_EQ(guess_null_text({fields({"1", ""}), fields({"a", ""})}).text, "");
  EXPECT_EQ(guess_null_text({fields({"1", "NULL"}), fields({"2", "NULL"}), fields({"3", ""})}).text, "NULL");
  EXPECT_EQ(guess_null_text({fields({"a", "\\N"}), fields({"b", "c"})}).text, "\\N");
  EXPECT_EQ(guess_null_text({fields({"a", ""}), fields({"b", "c"})}).text, std::nullopt);
  EXPECT_EQ(guess_null_text({fields({"1", "\""})}).text, std::nullopt);
}

TEST(column_guess, the_text_of_null_is_no_word_in_quotes_and_not_what_is_seen_once_among_empty_fields) {
  EXPECT_EQ(guess_null_text({fields({"a", "\"\\N"}), fields({"b", ""})}).text, std::nullopt);
  EXPECT_EQ(guess_null_text({fields({"1", "\"NA"})}).text, std::nullopt);
  const null_guess guess = guess_null_text({fields({"", "", "a"}), fields({"\\N", "b", "c"})});
  EXPECT_EQ(guess.text, std::nullopt);
  EXPECT_TRUE(guess.unsure);
  EXPECT_TRUE(guess_null_text({fields({"1", "NA"})}).unsure);
  EXPECT_FALSE(guess_null_text({fields({"1", ""})}).unsure);
  EXPECT_FALSE(guess_null_text({fields({"a", "\\N"})}).unsure);
}

TEST(column_guess, a_heading_is_told_from_a_record) {
  const auto sure = guess_heading({fields({"id", "1", "2"}), fields({"name", "a", "b"})});
  EXPECT_TRUE(sure.is_heading);
  EXPECT_FALSE(sure.unsure);
  EXPECT_FALSE(guess_heading({fields({"1", "2"}), fields({"a", "b"})}).is_heading);
  EXPECT_FALSE(guess_heading({fields({"a", "b", "a"}), fields({"c", "d", "e"})}).is_heading);
  EXPECT_FALSE(guess_heading({fields({"2024-01-01", "2024-01-02"}), fields({"x", "y"})}).is_heading);
  EXPECT_FALSE(guess_heading({fields({"true", "false"}), fields({"x", "y"})}).is_heading);
  EXPECT_TRUE(guess_heading({fields({"N/A", "1"}), fields({"Ann", "Bob"})}).unsure);
  const auto looks = guess_heading({fields({"first", "Ann"}), fields({"last", "Lee"})});
  EXPECT_TRUE(looks.is_heading);
  EXPECT_TRUE(looks.unsure);
}

TEST(column_guess, a_heading_may_lack_a_name_or_have_one_twice) {
  for (const char* second : {"", "id"}) {
    const auto guess = guess_heading({fields({"id", "1"}), fields({second, "b"})});
    EXPECT_TRUE(guess.is_heading) << second;
    EXPECT_FALSE(guess.unsure) << second;
  }
  EXPECT_FALSE(guess_heading({fields({"", "1"}), fields({"", "b"})}).is_heading);
}

TEST(column_guess, a_heading_above_numbers_with_gaps_is_still_one) {
  EXPECT_FALSE(guess_heading({fields({"id", "1", ""})}).unsure);
}

TEST(column_guess, a_text_that_may_be_taken_for_null_or_bytes_is_known_as_such) {
  for (const std::string_view mark :
       {"\\N", "NULL", "null", "NA", "N/A", "#N/A", "None", "nil", "-", "\\x41"}) {
    EXPECT_TRUE(is_mark_unquoted(mark)) << mark;
  }
  for (const std::string_view text : {"N", "n", "NONE", "NAN", "Name", "-1", "#1", "\\", "a"}) {
    EXPECT_FALSE(is_mark_unquoted(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
