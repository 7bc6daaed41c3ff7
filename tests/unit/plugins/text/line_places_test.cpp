#include "plugins/text/line_places.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using namespace text_reading;  // NOLINT(google-build-using-namespace): the test's own helpers

/// Where each line of the text begins, by the plainest way to say it.
std::vector<std::uint64_t> starts_of_lines(const std::string& text) {
  std::vector<std::uint64_t> starts = {0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if ((text[i] == '\n' || text[i] == '\r') && !pair && i + 1 < text.size()) {
      starts.push_back(i + 1);
    }
  }
  return starts;
}

TEST(line_places, tell_the_line_of_any_place_asked_in_any_order) {
  std::mt19937 random(7);
  std::string text;
  const std::string_view ends[] = {"\n", "\r\n", "\r"};
  while (text.size() < std::size_t{3} << 20) {
    text += std::string(random() % 300, 'x');
    text += ends[random() % 3];
  }
  const temporary_folder folder;
  const std::string path = folder.file("lines.txt", text);
  const auto starts = starts_of_lines(text);
  csv_grammar grammar;
  grammar.quoting = false;
  auto opened = file_handle::open(path);
  ASSERT_TRUE(opened) << opened.error().message;
  line_places places(grammar, std::move(*opened));
  // Two splits at once, each in rising order, then anything.
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < starts.size() / 2; i += 1 + random() % 40) {
    asked.push_back(i);
    asked.push_back(starts.size() / 2 + i);
  }
  for (int i = 0; i < 200; ++i) {
    asked.push_back(random() % starts.size());
  }
  for (const std::size_t line : asked) {
    ASSERT_EQ(places.line_at(starts[line], {}), line + 1) << "byte " << starts[line];
  }
}

TEST(line_places, count_only_the_character_that_ends_records) {
  const temporary_folder folder;
  const std::string path = folder.file("semicolons.txt", "a\nb;c;d\n;e");
  csv_grammar grammar;
  grammar.quoting = false;
  grammar.record_end = ';';
  auto opened = file_handle::open(path);
  ASSERT_TRUE(opened);
  line_places places(grammar, std::move(*opened));
  EXPECT_EQ(places.line_at(4, {}), 2u);
  EXPECT_EQ(places.line_at(0, {}), 1u);
  EXPECT_EQ(places.line_at(9, {}), 4u);
}

}  // namespace
}  // namespace sluice
