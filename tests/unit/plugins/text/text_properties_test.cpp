#include <gtest/gtest.h>

#include <random>

#include "plugins/text/newline_pass.h"
#include "plugins/text/text_file_reader.h"
#include "tests/support/csv_reference.h"
#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using namespace text_reading;  // NOLINT(google-build-using-namespace): the test's own helpers

/// Texts of CSV-like pieces: tidy ones, broken quotes, all kinds of line ends, now and then something long.
std::string random_file(std::mt19937& random, std::size_t records) {
  static const std::vector<std::string> pieces = {"a",        "bc",         "1234567890",
                                                  "\"\"",     "\"x\"",      "\"a,b\"",
                                                  "\"a\nb\"", "\"a\r\nb\"", "\"say \"\"hi\"\"\"",
                                                  "\"\"\"\"", "\xC3\xBC",   "",
                                                  "\"open",   "a\"b",       "\"a\"b",
                                                  "\"",       "\"\r\"",     "  ",
                                                  "\"a\rb\""};
  static const std::vector<std::string> ends = {"\n", "\r\n", "\r", "\n\n"};
  const bool tidy = random() % 2 == 0;
  std::string text;
  for (std::size_t i = 0; i < records; ++i) {
    const std::size_t fields = random() % 8 == 0 ? random() % 5 : 3;
    for (std::size_t f = 0; f < fields; ++f) {
      text += f == 0 ? "" : ",";
      text += random() % 200 == 0 ? std::string(random() % 3000, 'x')
                                  : pieces[random() % (tidy ? 12 : pieces.size())];
    }
    text += tidy ? "\n" : ends[random() % ends.size()];
  }
  if (random() % 2 == 0 && !text.empty()) {
    text.pop_back();
  }
  return text;
}

struct expectation {
  std::vector<row> rows;
  std::vector<std::pair<std::size_t, std::string>> dirty;  ///< Line and code.
};

/// What three text columns of the reference's records are.
expectation expected_of(const std::string& text, const csv_reference::dialect& d) {
  expectation e;
  for (const auto& r : csv_reference::read(text, d)) {
    const std::string code = csv_reference::refusal(r, 3);
    if (code.empty()) {
      e.rows.push_back({{r.fields.begin(), r.fields.begin() + 3}, 0, r.offset, r.line});
    } else {
      e.dirty.emplace_back(r.line, code);
    }
  }
  return e;
}

void expect_equal(const outcome& actual, const expectation& expected, bool lines, const std::string& text) {
  ASSERT_EQ(actual.rows.size(), expected.rows.size()) << ::testing::PrintToString(text);
  for (std::size_t i = 0; i < actual.rows.size(); ++i) {
    ASSERT_EQ(actual.rows[i].values, expected.rows[i].values) << i << ::testing::PrintToString(text);
    ASSERT_EQ(actual.rows[i].byte_offset, expected.rows[i].byte_offset)
        << i << ::testing::PrintToString(text);
    if (lines) {
      ASSERT_EQ(actual.rows[i].line, expected.rows[i].line) << i << ::testing::PrintToString(text);
    }
  }
  std::string dirty;
  for (const auto& [line, code] : expected.dirty) {
    dirty += (dirty.empty() ? "" : " ") + std::to_string(line) + ":" + code;
  }
  ASSERT_EQ(shown_dirty(actual), dirty) << ::testing::PrintToString(text);
}

/// Three text columns, of records whose first three fields are right.
nlohmann::json three_columns(const std::string& path) {
  return {{"path", path},
          {"column",
           {{{"index", 0}, {"type", "string"}},
            {{"index", 1}, {"type", "string"}},
            {{"index", 2}, {"type", "string"}}}}};
}

TEST(text_properties, a_file_is_read_as_the_slow_reference_reads_it) {
  const temporary_folder folder;
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    csv_reference::dialect d;
    d.quoting = round % 5 != 0;
    if (round % 3 == 0) {
      d.null_text = round % 2 == 0 ? "" : "a";
    }
    const std::string text = random_file(random, random() % 400);
    reading r{.parameter = three_columns(folder.file("a.csv", text))};
    r.parameter["fileFormat"] = d.quoting ? "csv" : "text";
    if (d.null_text) {
      r.parameter["nullFormat"] = *d.null_text;
    }
    // A small window and small batches put records on every kind of border.
    r.memory_bytes = 1;
    r.limits.bytes_target = 200 + random() % 20000;
    r.limits.rows_max = 1 + static_cast<std::uint32_t>(random() % 300);
    const auto out = r.read();
    ASSERT_TRUE(out) << out.error().message;
    ASSERT_NO_FATAL_FAILURE(expect_equal(*out, expected_of(text, d), true, text)) << round;
  }
}

/// Reads the parts between the places, in order.
result<outcome> read_parts(reading& r, const std::string& path, const std::vector<record_place>& places) {
  SLUICE_TRY(auto from, r.make_source());
  SLUICE_TRY(const auto description, from->open({}));
  SLUICE_TRY(auto reader, from->make_reader());
  SLUICE_TRY(const auto file, file_handle::open(path));
  SLUICE_TRY(const auto identity, file.identity());
  outcome out;
  for (std::size_t i = 0; i <= places.size(); ++i) {
    file_part part{path, i == 0 ? 0 : places[i - 1].offset,
                   i == places.size() ? identity.size : places[i].offset, i == 0 ? 1 : places[i - 1].line,
                   identity};
    SLUICE_CHECK(reader->open(part.description(), std::nullopt, {}));
    SLUICE_CHECK(r.read_split(*reader, description.columns, out));
  }
  return out;
}

TEST(text_properties, parts_of_a_file_have_the_records_and_refusals_of_the_whole) {
  const temporary_folder folder;
  std::mt19937 random(12);
  for (int round = 0; round < 300; ++round) {
    csv_reference::dialect d;
    d.quoting = round % 4 != 0;
    const std::string text = random_file(random, random() % 300);
    const std::string path = folder.file("a.csv", text);
    reading r{.parameter = three_columns(path)};
    r.parameter["fileFormat"] = d.quoting ? "csv" : "text";
    const auto whole = r.read();
    ASSERT_TRUE(whole) << whole.error().message;

    csv_grammar grammar;
    grammar.quoting = d.quoting;
    const csv_scanner scanner(grammar);
    const auto file = file_handle::open(path);
    const std::uint64_t split_bytes = 1 + random() % 2000;
    const auto places = d.quoting ? find_record_places(scanner, *file, text.size(), split_bytes, {})
                                  : guess_record_places(scanner, *file, text.size(), split_bytes);
    ASSERT_TRUE(places) << places.error().message;
    const auto parts = read_parts(r, path, *places);
    ASSERT_TRUE(parts) << parts.error().message;
    ASSERT_EQ(parts->rows.size(), whole->rows.size()) << ::testing::PrintToString(text) << split_bytes;
    for (std::size_t i = 0; i < whole->rows.size(); ++i) {
      ASSERT_EQ(parts->rows[i].values, whole->rows[i].values);
      ASSERT_EQ(parts->rows[i].byte_offset, whole->rows[i].byte_offset);
      ASSERT_EQ(parts->rows[i].position, whole->rows[i].position);
      if (d.quoting) {
        ASSERT_EQ(parts->rows[i].line, whole->rows[i].line);
      }
    }
    ASSERT_EQ(parts->dirty.size(), whole->dirty.size());
    for (std::size_t i = 0; i < whole->dirty.size(); ++i) {
      ASSERT_EQ(parts->dirty[i], whole->dirty[i]);
    }
  }
}

TEST(text_properties, a_part_begins_at_the_first_record_behind_each_multiple) {
  const temporary_folder folder;
  std::string text;
  for (int i = 0; i < 200000; ++i) {
    text += "\"a\nb\"," + std::to_string(i) + "\n";
  }
  const auto file = file_handle::open(folder.file("a.csv", text));
  const csv_scanner scanner{csv_grammar{}};
  const auto places = find_record_places(scanner, *file, text.size(), 300'000, {});
  ASSERT_TRUE(places);
  ASSERT_GE(places->size(), text.size() / 300'000 - 1);
  for (std::size_t i = 0; i < places->size(); ++i) {
    const auto& [offset, line] = (*places)[i];
    EXPECT_EQ(text.substr(offset - 1, 2), "\n\"");
    EXPECT_EQ(line, 1 + static_cast<std::uint64_t>(
                            std::count(text.begin(), text.begin() + static_cast<long>(offset), '\n')));
    EXPECT_LT(offset - (i + 1) * 300'000, 20U);
  }
}

TEST(text_properties, reading_goes_on_behind_every_cursor) {
  const temporary_folder folder;
  std::mt19937 random(13);
  for (int round = 0; round < 20; ++round) {
    const std::string text = random_file(random, 150);
    reading r{.parameter = three_columns(folder.file("a.csv", text))};
    r.limits.rows_max = 1 + static_cast<std::uint32_t>(random() % 20);
    const auto whole = r.read();
    ASSERT_TRUE(whole) << whole.error().message;
    for (std::size_t i = 0; i < whole->cursors.size(); ++i) {
      // As it comes back from the destination.
      const auto stored = scalars_from_json(to_json(whole->cursors[i]));
      ASSERT_TRUE(stored);
      r.after = *stored;
      const auto rest = r.read();
      ASSERT_TRUE(rest) << rest.error().message;
      ASSERT_EQ(rest->rows.size() + whole->rows_at_cursor[i], whole->rows.size());
      ASSERT_EQ(rest->dirty.size() + whole->dirty_at_cursor[i], whole->dirty.size());
      for (std::size_t k = 0; k < rest->rows.size(); ++k) {
        const row& expected = whole->rows[whole->rows_at_cursor[i] + k];
        ASSERT_EQ(rest->rows[k].values, expected.values);
        ASSERT_EQ(rest->rows[k].line, expected.line);
        ASSERT_EQ(rest->rows[k].byte_offset, expected.byte_offset);
      }
      for (std::size_t k = 0; k < rest->dirty.size(); ++k) {
        ASSERT_EQ(rest->dirty[k].line, whole->dirty[whole->dirty_at_cursor[i] + k].line);
      }
    }
    r.after.reset();
  }
}

}  // namespace
}  // namespace sluice
