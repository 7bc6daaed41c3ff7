#include "transport/record/utf8.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sluice {
namespace {

struct utf8_case {
  std::string_view bytes;
  bool valid;
};

constexpr std::array utf8_cases = std::to_array<utf8_case>({
    {"", true},
    {"plain", true},
    {"Grüße", true},
    {"\xe4\xb8\xad", true},
    {"\xf0\x9f\x98\x80", true},
    {"\xf4\x8f\xbf\xbf", true},
    {std::string_view("\0", 1), true},
    {"\xff", false},
    {"\x80", false},
    {"\xc3", false},
    {"\xc0\xaf", false},
    {"\xe0\x80\x80", false},
    {"\xed\xa0\x80", false},
    {"\xf4\x90\x80\x80", false},
    {"\xf0\x9f\x98", false},
    {"a\xe4\xb8", false},
});

TEST(utf8, only_well_formed_bytes_are_text) {
  for (const utf8_case& c : utf8_cases) {
    EXPECT_EQ(is_utf8(c.bytes), c.valid) << ::testing::PrintToString(c.bytes);
    for (const std::size_t before : {1U, 7U, 63U, 64U, 200U}) {
      EXPECT_EQ(is_utf8(std::string(before, 'x') + std::string(c.bytes)), c.valid);
    }
  }
}

TEST(utf8, a_text_is_as_long_as_its_unit_counts) {
  constexpr std::string_view text = "aü中😀";
  EXPECT_EQ(text_length(text, length_in::bytes), 10U);
  EXPECT_EQ(text_length(text, length_in::characters), 4U);
  EXPECT_EQ(text_length(text, length_in::utf16_units), 5U);
}

TEST(utf8, a_character_set_holds_its_characters_only) {
  struct row {
    std::string_view text;
    bool ascii, latin1, bmp;
  };
  for (const row& r :
       {row{"abc", true, true, true}, row{"ÿ", false, true, true}, row{"Ā", false, false, true},
        row{"中", false, false, true}, row{"😀", false, false, false}}) {
    EXPECT_EQ(is_in_charset(r.text, charset::ascii), r.ascii) << r.text;
    EXPECT_EQ(is_in_charset(r.text, charset::latin1), r.latin1) << r.text;
    EXPECT_EQ(is_in_charset(r.text, charset::unicode_bmp), r.bmp) << r.text;
    EXPECT_TRUE(is_in_charset(r.text, charset::unicode)) << r.text;
  }
}

}  // namespace
}  // namespace sluice
