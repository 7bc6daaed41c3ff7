#include "tools/cli/registry_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobspec/loose_json.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

struct removal {
  const char* about;
  const char* before;
  std::size_t index;
  const char* after;
};

TEST(registry_text, an_entry_goes_and_the_rest_stays_as_it_was_written) {
  const removal cases[] = {
      {"the first of lines", "{\"datasources\": [\n  {\"name\": \"a\"},\n  {\"name\": \"b\"}\n]}\n", 0,
       "{\"datasources\": [\n  {\"name\": \"b\"}\n]}\n"},
      {"the last of lines takes the comma before it",
       "{\"datasources\": [\n  {\"name\": \"a\"},\n  {\"name\": \"b\"}\n]}\n", 1,
       "{\"datasources\": [\n  {\"name\": \"a\"}\n]}\n"},
      {"the only one", "{\"datasources\": [{\"name\": \"a\"}]}", 0, "{\"datasources\": []}"},
      {"the only one with a comma too many", "{\"datasources\": [\n  {\"name\": \"a\"}, // mine\n]}", 0,
       "{\"datasources\": [\n   // mine\n]}"},
      {"the last with a comma too many", "{\"datasources\": [\n  {\"a\": 1},\n  {\"b\": 1},\n]}", 1,
       "{\"datasources\": [\n  {\"a\": 1},\n]}"},
      {"comments around stay, those inside go",
       "// head\n{\"datasources\": [\n  // of a\n  {\"a\": 1, // in a }\n   \"x\": [\"}\"]},\n  /* of b, */ "
       "{\"b\": 1} // end,\n]}",
       0, "// head\n{\"datasources\": [\n  // of a\n  /* of b, */ {\"b\": 1} // end,\n]}"},
      {"a comment between entry and comma", "{\"datasources\": [{\"a\": 1} /* , */, {\"b\": 2}]}", 0,
       "{\"datasources\": [ /* , */ {\"b\": 2}]}"},
      {"braces and quotes inside texts", R"({"datasources": [{"a": "}\"]{"}, {"b": "{"}], "version": 1})", 0,
       R"({"datasources": [ {"b": "{"}], "version": 1})"},
      {"commas in front", "{\"datasources\": [\n  {\"ä\": 1}\n, {\"b\": 2}\n]}", 1,
       "{\"datasources\": [\n  {\"ä\": 1}\n \n]}"},
      {"letters of two bytes before it in the line", R"({"ü": "é", "datasources": [{"ö": 1}, {"b": 2}]})", 1,
       R"({"ü": "é", "datasources": [{"ö": 1} ]})"},
      {"a byte order mark in the same line", "\xEF\xBB\xBF{\"datasources\": [{\"a\": 1}, {\"b\": 2}]}", 0,
       "\xEF\xBB\xBF{\"datasources\": [ {\"b\": 2}]}"},
      {"line ends of Windows", "{\"datasources\": [\r\n  {\"a\": 1},\r\n  {\"b\": 2}\r\n]}\r\n", 0,
       "{\"datasources\": [\r\n  {\"b\": 2}\r\n]}\r\n"},
      {"an entry that is no object", "{\"datasources\": [\n  {\"a\": 1},\n  [2],\n  {\"c\": 3}]}", 1,
       "{\"datasources\": [\n  {\"a\": 1},\n  {\"c\": 3}]}"},
  };
  for (const removal& one : cases) {
    const auto after = without_entry("d.json", one.before, one.index);
    ASSERT_TRUE(after.has_value()) << one.about << ": " << after.error().message;
    EXPECT_EQ(*after, one.after) << one.about;
    EXPECT_TRUE(read_loose_json("d.json", *after).has_value()) << one.about;
  }
}

TEST(registry_text, a_text_that_is_no_json_is_refused) {
  const auto after = without_entry("d.json", "{\"datasources\": [", 0);
  ASSERT_FALSE(after.has_value());
  EXPECT_EQ(after.error().kind, error_kind::bad_option);
  EXPECT_THAT(after.error().message, HasSubstr("d.json"));
}

}  // namespace
}  // namespace sluice
