#include "plugins/common/relational/text_rule.h"

#include <gtest/gtest.h>

#include "transport/base/utf8.h"

namespace sluice::relational {
namespace {

using namespace std::string_view_literals;

struct rule_case {
  std::string_view text;
  std::string_view removed;
  std::string_view replaced;
};

std::string mended(std::optional<change_rule> (*mend)(std::string_view, text_rule, std::string&),
                   std::string_view text, text_rule rule) {
  std::string out = "untouched";
  const auto changed = mend(text, rule, out);
  EXPECT_EQ(changed.has_value(), out != "untouched");
  return out;
}

TEST(text_rule, bytes_that_are_no_utf8_are_left_out_or_replaced_and_all_others_stay) {
  const std::vector<rule_case> cases = {
      {"a\xFF"
       "b",
       "ab", "a\uFFFDb"},
      {"caf\xE9", "caf", "caf\uFFFD"},
      {"\x80\x80", "", "\uFFFD\uFFFD"},
      {"\xC0\xAF", "", "\uFFFD\uFFFD"},
      {"\xE2\x82", "", "\uFFFD"},
      {"\xE2\x82"
       "x",
       "x", "\uFFFDx"},
      {"\xED\xA0\x80", "", "\uFFFD\uFFFD\uFFFD"},
      {"\xF0\x9F\x98", "", "\uFFFD"},
      {"\xF4\x90\x80\x80", "", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"\xF0\x80\x80\x80", "", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"\xE0\x9F\x80", "", "\uFFFD\uFFFD\uFFFD"},
      {"\u00E9\xC3\xE2\x82\xAC\U0001F600", "\u00E9\u20AC\U0001F600", "\u00E9\uFFFD\u20AC\U0001F600"},
      {"\0\xFF"sv, "\0"sv, "\0\uFFFD"sv},
  };
  for (const rule_case& c : cases) {
    EXPECT_EQ(mended(mend_utf8, c.text, text_rule::remove), c.removed) << c.replaced;
    EXPECT_EQ(mended(mend_utf8, c.text, text_rule::replace), c.replaced);
    EXPECT_TRUE(is_utf8(c.removed) && is_utf8(c.replaced));
    EXPECT_EQ(mended(mend_utf8, c.text, text_rule::dirty), "untouched");
  }
}

TEST(text_rule, a_good_text_is_not_touched) {
  for (const text_rule rule : {text_rule::dirty, text_rule::remove, text_rule::replace}) {
    EXPECT_EQ(mended(mend_utf8, "Gr\u00FC\u00DFe \U0001F600 \uFFFD", rule), "untouched");
    EXPECT_EQ(mended(mend_utf8, "", rule), "untouched");
    EXPECT_EQ(mended(mend_nul, "0", rule), "untouched");
  }
}

TEST(text_rule, nul_characters_are_left_out_or_replaced) {
  EXPECT_EQ(mended(mend_nul, "a\0\0b\0"sv, text_rule::remove), "ab");
  EXPECT_EQ(mended(mend_nul, "a\0b"sv, text_rule::replace), "a\uFFFDb");
  EXPECT_EQ(mended(mend_nul, "a\0b"sv, text_rule::dirty), "untouched");
}

}  // namespace
}  // namespace sluice::relational
