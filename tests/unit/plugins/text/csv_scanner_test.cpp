#include "plugins/text/csv_scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "plugins/text/csv_scan_bytes.h"
#include "plugins/text/csv_sinks.h"

namespace sluice {
namespace {

struct found {
  std::vector<std::uint32_t> fields;
  std::vector<std::uint32_t> records;
  std::vector<std::uint32_t> inner;
  scan_state state;
  friend bool operator==(const found&, const found&) = default;
};

found take(const csv_index& index, const scan_state& state) {
  return {{index.field_ends(), index.field_ends() + index.fields()},
          {index.record_fields(), index.record_fields() + index.records()},
          {index.inner_lines(), index.inner_lines() + index.inner_line_count()},
          state};
}

std::string padded(const std::string& text) {
  return text + std::string(64, '"');
}

found by_bytes(const csv_grammar& g, const std::string& text) {
  csv_index index(text.size() + 64);
  scan_state state;
  csv_index_sink sink{index};
  csv_byte_scan<csv_index_sink>(g, text.data(), text.size(), true, state, sink).run(0);
  csv_scanner(g).finish(text.size(), state, index);
  return take(index, state);
}

/// Scans in pieces of random length, each a call of its own that goes on in the state of the last.
found by_pieces(const csv_grammar& g, const std::string& text, std::mt19937& random, std::uint64_t& lines) {
  const csv_scanner scanner(g);
  csv_index index(text.size() + 128);
  scan_state state;
  scan_state line_state;
  const std::string buffer = padded(text);
  std::size_t at = 0;
  std::size_t line_at = 0;
  std::size_t size = 0;
  while (at < text.size()) {
    size = std::min(text.size(), size + 1 + random() % 200);
    at = scanner.index(buffer.data(), at, size, size == text.size(), state, index);
    line_at = scanner.advance(buffer.data(), line_at, size, size == text.size(), line_state, lines);
    EXPECT_EQ(at, line_at);
    EXPECT_EQ(state, line_state);
  }
  scanner.finish(text.size(), state, index);
  return take(index, state);
}

std::string random_text(std::mt19937& random, const std::string& alphabet, std::size_t length_max) {
  std::string text;
  const std::size_t length = random() % length_max;
  while (text.size() < length) {
    text += alphabet[random() % alphabet.size()];
  }
  return text;
}

struct grammar_case {
  const char* name;
  csv_grammar grammar;
};

std::vector<grammar_case> grammars() {
  std::vector<grammar_case> all;
  all.push_back({"csv", {}});
  csv_grammar g;
  g.quoting = false;
  all.push_back({"text", g});
  g.delimiter.clear();
  all.push_back({"lines", g});
  g = {};
  g.record_end = ';';
  all.push_back({"other record end", g});
  g = {};
  g.delimiter = ",;";
  all.push_back({"two-byte delimiter", g});
  g = {};
  g.comment = '#';
  all.push_back({"comments", g});
  g = {};
  g.backslash = true;
  all.push_back({"backslash", g});
  g = {};
  g.trim = true;
  all.push_back({"trim", g});
  g = {};
  g.wide_characters = true;
  g.lead_bytes[0x81] = true;
  all.push_back({"wide characters", g});
  return all;
}

TEST(csv_scanner, vectors_and_pieces_find_what_the_byte_scan_finds_in_one_go) {
  std::mt19937 random(7);
  for (const auto& [name, grammar] : grammars()) {
    for (int round = 0; round < 3000; ++round) {
      // Mostly letters or mostly structure, so that quotes stand well and badly over block borders.
      const std::string alphabet = round % 3 == 0   ? "a,\"\n"
                                   : round % 3 == 1 ? "abcdefghij \"\",,\r\n\n"
                                                    : ",;\"\r\n#\\ \x81\t x";
      const std::string text = random_text(random, alphabet, 400);
      std::uint64_t lines = 0;
      const found expected = by_bytes(grammar, text);
      const found actual = by_pieces(grammar, text, random, lines);
      ASSERT_EQ(expected, actual) << name << ": " << ::testing::PrintToString(text);
      const bool ended =
          !text.empty() && expected.records.size() > 0 && expected.fields.back() == text.size();
      ASSERT_EQ(lines, expected.records.size() + expected.inner.size() - (ended ? 1 : 0)) << name;
    }
  }
}

struct csv_case {
  const char* text;
  std::vector<std::uint32_t> fields;
  std::vector<std::uint32_t> records;
};

TEST(csv_scanner, ends_fields_and_records_where_the_grammar_says) {
  const std::vector<csv_case> cases = {
      {"", {}, {}},
      {"\n", {0}, {1}},
      {"a,b\nc\n", {1, 3, 5}, {2, 3}},
      {"a,b", {1, 3}, {2}},
      {"a,", {1, 2}, {2}},
      {"a\r\nb\rc\n\r\n", {1, 4, 6, 7}, {1, 2, 3, 4}},
      {"\"a,\n\"\"b\",c\n", {8, 10}, {2}},
      {"a\"b,\"\n", {3, 6}, {2}},  // the lone quote that begins the second field reaches to the end
      {"\"a\"b\"c\nd", {6, 8}, {1, 2}},
      {"\"open\n", {6}, {1}},
      {"\"\"\n\"\"\"\"", {2, 7}, {1, 2}},
  };
  for (const auto& c : cases) {
    const found actual = by_bytes({}, c.text);
    EXPECT_EQ(actual.fields, c.fields) << c.text;
    EXPECT_EQ(actual.records, c.records) << c.text;
  }
}

TEST(csv_scanner, stops_when_the_index_is_full_and_goes_on_from_there) {
  const std::string text(1000, ',');
  const std::string buffer = padded(text);
  const csv_scanner scanner{csv_grammar{}};
  csv_index index(200);
  scan_state state;
  std::size_t at = 0;
  std::size_t fields = 0;
  while (at < text.size()) {
    index.clear();
    const std::size_t before = at;
    at = scanner.index(buffer.data(), at, text.size(), true, state, index);
    ASSERT_GT(at, before);
    fields += index.fields();
  }
  EXPECT_EQ(fields, text.size());
}

}  // namespace
}  // namespace sluice
