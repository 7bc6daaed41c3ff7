// What the reader of text files changes in the mode `datax` (docs/compat.md), and refuses in the mode
// `exact`.
#include <gtest/gtest.h>

#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using namespace text_reading;  // NOLINT(google-build-using-namespace): the test's own helpers

struct change_case {
  std::string_view type;
  std::string_view format;  ///< Of a DATE; empty: those of common.column.
  std::string_view text;
  std::string_view exact;  ///< The value, or `! code`.
  std::string_view datax;  ///< `value`, `value rule` or `! code`.
};

// clang-format off
constexpr std::array change_cases = std::to_array<change_case>({
    {"LONG", "", "12", "12", "12"},
    {"LONG", "", "12.0", "12", "12"},
    {"LONG", "", "12.5", "! has_fraction", "12 fraction_cut"},
    {"LONG", "", "-0.9", "! has_fraction", "0 fraction_cut"},
    {"LONG", "", "1.25e1", "! has_fraction", "12 fraction_cut"},
    {"LONG", "", "9223372036854775807.9", "! has_fraction", "9223372036854775807 fraction_cut"},
    {"LONG", "", "9223372036854775808.9", "! has_fraction", "! has_fraction"},
    {"LONG", "", "9223372036854775808", "! out_of_range", "! out_of_range"},
    {"LONG", "", "", "! empty", "! empty"},
    {"LONG", "", " 12", "! not_a_number", "! not_a_number"},
    {"LONG", "", "NaN", "! not_finite", "! not_finite"},
    {"LONG", "", "true", "! not_a_number", "! not_a_number"},
    {"DOUBLE", "", "0.12345678901234567890", "0.12345678901234567890", "0.12345678901234567890"},
    {"DOUBLE", "", "1,5", "! not_a_number", "! not_a_number"},
    {"DOUBLE", "", "", "! empty", "! empty"},
    {"BOOLEAN", "", "TRUE", "true", "true"},
    {"BOOLEAN", "", "2", "! not_a_boolean", "! not_a_boolean"},
    {"BOOLEAN", "", "", "! empty", "! empty"},
    {"STRING", "", "12.5", "12.5", "12.5"},
    {"DATE", "", "2025-01-02 10:11:12", "2025-01-02T10:11:12", "2025-01-02T10:11:12"},
    {"DATE", "", "2025-01-02 10:11:12.000", "2025-01-02T10:11:12", "2025-01-02T10:11:12"},
    {"DATE", "", "2025-01-02 10:11:12.987", "! too_precise", "2025-01-02T10:11:12 second_fraction_cut"},
    {"DATE", "", "2025-01-02T10:11:12", "! not_a_date", "2025-01-02T00:00:00 time_cut"},
    {"DATE", "", "2025-01-02 10:11", "! not_a_date", "2025-01-02T00:00:00 time_cut"},
    {"DATE", "", "2025-01-02 10:11:12 CET", "! not_a_date", "2025-01-02T10:11:12 text_cut"},
    {"DATE", "", "2025-02-30", "! not_a_date", "2025-03-02T00:00:00 carried_over"},
    {"DATE", "", "20250230", "! not_a_date", "2025-03-02T00:00:00 carried_over"},
    {"DATE", "", "2025-1-2", "! not_a_date", "2025-01-02T00:00:00 other_digits"},
    {"DATE", "", "0000-00-00", "! not_a_date", "! not_a_date"},
    {"DATE", "", "10:11:12", "! not_a_date", "! not_a_date"},
    {"DATE", "", "", "! empty", "! empty"},
    {"DATE", "yyyy-MM-dd", "2025-01-02", "2025-01-02T00:00:00", "2025-01-02T00:00:00"},
    {"DATE", "yyyy-MM-dd", "2025-01-02 10:11:12", "! not_a_date", "2025-01-02T00:00:00 time_cut"},
    {"DATE", "yyyy-MM-dd", "2025-01-02+01:00", "! not_a_date", "2025-01-02T00:00:00 text_cut"},
    {"DATE", "yyyy-MM-dd", "2025-13-01", "! not_a_date", "2026-01-01T00:00:00 carried_over"},
    {"DATE", "yyyy-MM-dd'T'HH:mm:ss", "2025-01-02T10:11:12Z", "! not_a_date", "2025-01-02T10:11:12 text_cut"},
    {"DATE", "yyyy-MM-dd'T'HH:mm:ss", "2025-01-02 10:11:12", "! not_a_date", "! not_a_date"},
    {"DATE", "yyyy-MM-dd HH:mm:ss.SSS", "2025-01-02 10:11:12.987", "2025-01-02T10:11:12.987", "2025-01-02T10:11:12.987"},
    {"DATE", "yyyy-MM-dd HH:mm:ss.SSS", "2025-01-02 10:11:12.9876", "! not_a_date", "! not_a_date"},
    {"DATE", "yyyy-MM-dd HH:mm:ssXXX", "2025-01-32 10:11:12+02:00", "! not_a_date", "2025-02-01T08:11:12Z carried_over"},
});
// clang-format on

/// The case's text between two good values of its column.
std::string read_as(const change_case& c, bool as_datax, bool json) {
  const temporary_folder folder;
  nlohmann::json column = {{"type", c.type}};
  if (!c.format.empty()) {
    column["format"] = c.format;
  }
  std::string content;
  if (json) {
    column["name"] = "v";
    content = nlohmann::json{{"at", 0}, {"v", c.text}}.dump() + "\n";
  } else {
    column["index"] = 1;
    content = fmt::format("0,\"{}\"\n", c.text);
  }
  const nlohmann::json at = json ? nlohmann::json{{"name", "at"}, {"type", "LONG"}}
                                 : nlohmann::json{{"index", 0}, {"type", "LONG"}};
  reading r{.parameter = {{"path", folder.file("in", content)},
                          {"fileFormat", json ? "json" : "csv"},
                          {"column", {at, column}}}};
  r.formats.as_datax = as_datax;
  const auto out = r.read();
  if (!out) {
    return out.error().message;
  }
  if (!out->dirty.empty()) {
    EXPECT_TRUE(out->changes.empty()) << "a refused value is not counted as changed";
    return "! " + out->dirty.at(0).code;
  }
  std::string said = out->rows.at(0).values.at(1).value_or("NULL");
  for (const std::string& change : out->changes) {
    EXPECT_EQ(change.substr(0, 4), "0.1 ");
    said += change.substr(3);
  }
  return said;
}

TEST(text_reader_as_datax, changes_what_datax_s_reader_changes_and_names_the_rule) {
  for (const change_case& c : change_cases) {
    for (const bool json : {false, true}) {
      const std::string what =
          fmt::format("{} {} \"{}\"{}", c.type, c.format, c.text, json ? " in JSON" : "");
      EXPECT_EQ(read_as(c, false, json), c.exact) << what;
      EXPECT_EQ(read_as(c, true, json), c.datax) << what;
    }
  }
}

TEST(text_reader_as_datax, lists_for_each_column_what_it_may_change) {
  const temporary_folder folder;
  const nlohmann::json columns = {
      {{"index", 0}, {"type", "LONG"}},   {{"index", 1}, {"type", "DOUBLE"}},
      {{"index", 2}, {"type", "DATE"}},   {{"index", 3}, {"type", "DATE"}, {"format", "yyyy-MM-dd"}},
      {{"index", 4}, {"type", "STRING"}}, {{"index", 5}, {"type", "BOOLEAN"}},
      {{"value", "7"}, {"type", "LONG"}}};
  reading r{
      .parameter = {{"path", folder.file("in", "1,1,20250101,2025-01-01,a,true\n")}, {"column", columns}}};
  const auto listed = [&r] {
    const auto out = r.read();
    EXPECT_TRUE(out);
    std::string all;
    for (const field& f : out->columns) {
      for (const change_rule rule : f.changed_as_read) {
        all += fmt::format("{} ", to_string(rule));
      }
      all += "| ";
    }
    return all;
  };
  EXPECT_EQ(listed(), "| | | | | | | ") << "exact";
  r.formats.as_datax = true;
  EXPECT_EQ(listed(),
            "fraction_cut | | second_fraction_cut time_cut text_cut carried_over other_digits | time_cut "
            "text_cut carried_over other_digits | | | | ");
}

TEST(text_reader_as_datax, notes_changes_of_the_rows_that_are_kept_however_batches_are_cut) {
  const temporary_folder folder;
  std::string content;
  std::vector<std::string> expected;
  std::size_t kept = 0;
  for (int i = 0; i < 3000; ++i) {
    const bool bad = i % 7 == 3;
    content += fmt::format("{},{},{}\n", i % 3 == 0 ? "1.5" : "2", bad ? "x" : "8.5",
                           i % 5 == 0 ? "2025-2-1" : "20250201");
    if (bad) {
      continue;
    }
    if (i % 3 == 0) {
      expected.push_back(fmt::format("{}.0 fraction_cut", kept));
    }
    expected.push_back(fmt::format("{}.1 fraction_cut", kept));
    if (i % 5 == 0) {
      expected.push_back(fmt::format("{}.2 other_digits", kept));
    }
    ++kept;
  }
  for (const std::uint32_t rows_max : {1U, 100U, 65536U}) {
    reading r{.parameter = {{"path", folder.file("in", content)},
                            {"column",
                             {{{"index", 0}, {"type", "LONG"}},
                              {{"index", 1}, {"type", "LONG"}},
                              {{"index", 2}, {"type", "DATE"}}}}}};
    r.limits.rows_max = rows_max;
    r.formats.as_datax = true;
    const auto out = r.read();
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(out->rows.size(), kept);
    EXPECT_EQ(out->changes, expected) << rows_max;
  }
}

}  // namespace
}  // namespace sluice
