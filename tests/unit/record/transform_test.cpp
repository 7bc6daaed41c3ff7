#include "transport/record/transform.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <span>

#include "tests/unit/record/column_texts.h"
#include "transport/record/regex.h"

namespace sluice {
namespace {

using test::texts;

/// The values that a filter keeps, or its error.
std::string kept(const data_type& type, const texts& values, const std::vector<std::string>& paras,
                 const time_zone_ptr& zone = nullptr) {
  const schema s = {{.name = "other"}, {.name = "c", .type = type}};
  conversion_context context;
  context.zone = zone;
  const auto made = make_step("dx_filter", 1, paras, "job.json:3:5 transformer[0]", s, context);
  if (!made) {
    EXPECT_EQ(made.error().kind, error_kind::bad_option);
    EXPECT_EQ(made.error().message.find("job.json:3:5 transformer[0]: "), 0U) << made.error().message;
    return made.error().message;
  }
  const column c = test::column_of(type, values, buffer_pool::make(1 << 16));
  std::vector<std::uint8_t> keep(values.size() / 8 + 1, 0xFF);
  made->filter->apply(c, 0, static_cast<std::uint32_t>(values.size()), keep);
  std::string out;
  bool first = true;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if ((keep[row / 8] >> (row % 8) & 1) != 0) {
      out += (first ? "" : "|") + values[row].value_or("NULL");
      first = false;
    }
  }
  return out;
}

struct filter_case {
  std::string_view op;
  std::string_view value;
  std::string_view kept;
};

void check(const data_type& type, const texts& values, std::span<const filter_case> cases,
           const time_zone_ptr& zone = nullptr) {
  for (const filter_case& c : cases) {
    EXPECT_EQ(kept(type, values, {std::string(c.op), std::string(c.value)}, zone), c.kept)
        << to_string(type) << ' ' << c.op << ' ' << c.value;
  }
}

TEST(transform, a_record_is_dropped_where_its_whole_number_meets_the_condition) {
  const texts values = {"-3", "2", "3", std::nullopt};
  constexpr std::array cases = std::to_array<filter_case>({
      {">", "2", "-3|2|NULL"},    {"<", "2", "2|3|NULL"},     {">=", "2", "-3|NULL"},
      {"<=", "2", "3|NULL"},      {"=", "2", "-3|3|NULL"},    {"==", "2.0", "-3|3|NULL"},
      {"!=", "2", "2"},           {">", "2.5", "-3|2|NULL"},  {"=", "2.5", "-3|2|3|NULL"},
      {"<", "-2.5", "2|3|NULL"},  {"<", "-3", "-3|2|3|NULL"}, {"<=", "-3", "2|3|NULL"},
      {"<", "1e40", "NULL"},      {">", "-1e40", "NULL"},     {"<", "Infinity", "NULL"},
      {">", "-Infinity", "NULL"}, {"=", "null", "-3|2|3"},    {"==", "NULL", "-3|2|3"},
      {"!=", "Null", "NULL"},     {"like", "-?3", "2|NULL"},  {"not like", "-?3", "-3|3"},
      {"NOT LIKE", "2", "2"},
  });
  check(type_of(type_id::int64), values, cases);
  EXPECT_EQ(kept(type_of(type_id::uint64), {"18446744073709551615", "7"}, {">", "18446744073709551614"}),
            "7");
  EXPECT_EQ(kept(type_of(type_id::int64), {"-9223372036854775808", "9223372036854775807"},
                 {"=", "-9223372036854775808"}),
            "9223372036854775807");
}

TEST(transform, other_numbers_are_compared_as_numbers) {
  constexpr std::array cases = std::to_array<filter_case>({
      {">", "1.5", "1.50|-2|NULL"},
      {"=", "1.5", "10.25|-2|NULL"},
      {"<=", "1.5", "10.25|NULL"},
      {"!=", "15e-1", "1.50"},
      {"=", "null", "1.50|10.25|-2"},
      {"<", "1e99", "NULL"},
  });
  const texts values = {"1.50", "10.25", "-2", std::nullopt};
  check(type_of(type_id::decimal_text), values, cases);
  check(decimal_type(20, 2), values, cases);
  check(type_of(type_id::float64), values, cases);
  EXPECT_EQ(kept(type_of(type_id::decimal_text), {"9007199254740993.1", "9007199254740993"},
                 {">", "9007199254740993"}),
            "9007199254740993");
  EXPECT_EQ(kept(type_of(type_id::float64), {"NaN", "1", "Infinity"}, {">", "0"}), "NaN");
  EXPECT_EQ(kept(type_of(type_id::float64), {"NaN", "1", "Infinity"}, {"!=", "1"}), "1");
  EXPECT_EQ(kept(type_of(type_id::decimal_text), {"NaN", "-Infinity", "5"}, {"<", "6"}), "NaN");
}

TEST(transform, text_is_compared_by_its_bytes_and_matched_as_a_whole) {
  const texts values = {"ab", "b", "null", "", std::nullopt};
  constexpr std::array cases = std::to_array<filter_case>({
      {"=", "b", "ab|null||NULL"},
      {"!=", "b", "b"},
      {">", "b", "ab|b||NULL"},
      {"<", "b", "b|null|NULL"},
      {"=", "null", "ab|b|"},
      {"!=", "null", "null|NULL"},
      {"like", "a.*", "b|null||NULL"},
      {"like", "a", "ab|b|null||NULL"},
      {"not like", ".*b", "ab|b"},
      {"like", "a?b|null", "|NULL"},
  });
  check(type_of(type_id::utf8), values, cases);
  EXPECT_EQ(kept(type_of(type_id::boolean), {"true", "false"}, {"=", "true"}), "false");
  EXPECT_EQ(kept(type_of(type_id::binary), {"\xff", "a"}, {"=", "a"}), "\xff");
}

TEST(transform, times_are_compared_as_points_on_their_clock) {
  const data_type stamp = time_type(type_id::timestamp, time_unit::milli);
  const texts stamps = {"2024-01-01T00:00:00", "2024-01-01T08:00:00.5", "-infinity", std::nullopt};
  const std::string first = "2024-01-01T00:00:00";
  const std::string second = "2024-01-01T08:00:00.5";
  EXPECT_EQ(kept(stamp, stamps, {">", "2024-01-01"}), first + "|-infinity|NULL");
  EXPECT_EQ(kept(stamp, stamps, {"<=", "2024-01-01 00:00:00"}), second + "|NULL");
  EXPECT_EQ(kept(stamp, stamps, {"=", "2024-01-01 08:00:00.5"}), first + "|-infinity|NULL");
  EXPECT_EQ(kept(stamp, stamps, {"=", "2024-01-01 08:00:00.500001"}),
            first + "|" + second + "|-infinity|NULL");
  EXPECT_EQ(kept(stamp, stamps, {"=", "null"}), first + "|" + second + "|-infinity");
  EXPECT_EQ(kept(stamp, stamps, {"like", "2024-01-01 00:00:00"}), second + "|-infinity|NULL");
  // DataX gives milliseconds since 1970 UTC: 2024-01-01 00:00:00 in GMT+8.
  EXPECT_EQ(kept(stamp, stamps, {">", "1704038400000"}, *time_zone::find("GMT+8")),
            first + "|-infinity|NULL");
  EXPECT_NE(kept(stamp, stamps, {">", "1704038400000"}).find("give a date"), std::string::npos);

  const data_type instant = time_type(type_id::instant, time_unit::micro);
  const auto berlin = *time_zone::find("Europe/Berlin");
  EXPECT_EQ(kept(instant, {"2023-12-31T23:00:00Z", "2024-01-01T00:00:00Z"}, {"=", "2024-01-01"}, berlin),
            "2024-01-01T00:00:00Z");
  EXPECT_EQ(kept(instant, {"2023-12-31T23:00:00Z", "2024-01-01T00:00:00Z"}, {"=", "1704067200000"}),
            "2023-12-31T23:00:00Z");
  EXPECT_EQ(kept(instant, {"2023-12-31T23:00:00Z"}, {"like", "2024-01-01 00:00:00"}, berlin), "");
  EXPECT_NE(kept(instant, {}, {"=", "2024-10-27 02:30:00"}, berlin).find("existing once"), std::string::npos);

  const texts days = {"2023-12-31", "2024-01-01", "2024-01-02"};
  EXPECT_EQ(kept(type_of(type_id::date), days, {"<", "2024-01-01"}), "2024-01-01|2024-01-02");
  EXPECT_EQ(kept(type_of(type_id::date), days, {"<=", "2024-01-01 12:00:00"}), "2024-01-02");
  EXPECT_EQ(kept(type_of(type_id::date), days, {"=", "2024-01-01 12:00:00"}),
            "2023-12-31|2024-01-01|2024-01-02");
  EXPECT_EQ(
      kept(time_type(type_id::time_of_day, time_unit::second), {"09:59:59", "10:00:00"}, {">=", "10:00:00"}),
      "09:59:59");
  EXPECT_EQ(
      kept(time_type(type_id::duration, time_unit::second), {"-30:00:00", "10:00:00"}, {"<", "00:00:00"}),
      "10:00:00");
}

TEST(transform, a_record_dropped_before_stays_dropped) {
  const schema s = {{.name = "c", .type = type_of(type_id::int64)}};
  const auto step = make_step("dx_filter", 0, {"=", "1"}, "here", s, {});
  ASSERT_TRUE(step);
  const column c = test::column_of(s[0].type, {"1", "2", "1"}, buffer_pool::make(1 << 16));
  std::vector<std::uint8_t> keep = {0b101};
  step->filter->apply(c, 0, 3, keep);
  EXPECT_EQ(keep[0], 0);
}

/// What a function makes of a value: the text, `NULL`, or `! message`.
std::string changed(const std::string& name, const std::vector<std::string>& paras, const data_type& type,
                    const std::optional<std::string>& value) {
  const schema s = {{.name = "other"}, {.name = "c", .type = type}};
  conversion_context context;
  context.zone = *time_zone::find("UTC");
  const auto step = make_step(name, 1, paras, "here", s, context);
  if (!step) {
    return step.error().message;
  }
  const auto pool = buffer_pool::make(1 << 16);
  // A row before it, so that row numbers are not all 0.
  const column c = test::column_of(type, {std::nullopt, value}, pool);
  column_builder to(step->becomes.type, pool);
  std::vector<conversion_failure> failures;
  step->change->convert(c, 1, 2, to, failures);
  if (!failures.empty()) {
    EXPECT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].row, 1U);
    EXPECT_EQ(failures[0].code, "bad_parameter");
    return "! " + failures[0].message;
  }
  return test::texts_of(to.seal(), step->becomes.type, 1)[0].value_or("NULL");
}

struct function_case {
  std::string name;
  std::vector<std::string> paras;
  std::optional<std::string> value;
  std::string_view result;
};

TEST(transform, texts_are_changed_as_datax_changes_them) {
  const std::array cases = std::to_array<function_case>({
      {"dx_substr", {"0", "3"}, "abcdef", "abc"},
      {"dx_substr", {"2", "2"}, "abcdef", "cd"},
      {"dx_substr", {"4", "10"}, "abcdef", "ef"},
      {"dx_substr", {"1", "2147483647"}, "abc", "bc"},
      {"dx_substr", {"3", "2"}, "abc", ""},
      {"dx_substr", {"1", "0"}, "abc", ""},
      {"dx_substr",
       {"4", "2"},
       "abc",
       "! dx_substr cannot change \"abc\": the start 4 is behind the value's 3 characters."},
      {"dx_substr", {"0", "3"}, "", ""},
      {"dx_substr",
       {"1", "3"},
       "",
       "! dx_substr cannot change \"\": the start 1 is behind the value's 0 characters."},
      {"dx_substr", {"0", "3"}, std::nullopt, "NULL"},
      {"dx_substr", {"1", "1"}, "äöü", "ö"},
      {"dx_substr", {"2", "2"}, "😀ab", "ab"},
      {"dx_substr", {"0", "2"}, "😀ab", "😀"},
      {"dx_pad", {"l", "5", "0"}, "42", "00042"},
      {"dx_pad", {"r", "5", "0"}, "42", "42000"},
      {"dx_pad", {"L", "5", "xyz"}, "42", "xyz42"},
      {"dx_pad", {"R", "6", "xyz"}, "4", "4xyzxy"},
      {"dx_pad", {"l", "3", "0"}, "12345", "123"},
      {"dx_pad", {"r", "0", "0"}, "12345", ""},
      {"dx_pad", {"l", "3", "0"}, std::nullopt, "000"},
      {"dx_pad", {"l", "2", "0"}, "ab", "ab"},
      {"dx_pad", {"l", "4", "ü"}, "ab", "üüab"},
      {"dx_replace", {"3", "4", "****"}, "13800001111", "138****1111"},
      {"dx_replace", {"2", "10", "x"}, "abcd", "abx"},
      {"dx_replace", {"2", "0", "x"}, "abcd", "abxcd"},
      {"dx_replace", {"4", "2", "x"}, "abcd", "abcdx"},
      {"dx_replace",
       {"5", "2", "x"},
       "abcd",
       "! dx_replace cannot change \"abcd\": the start 5 is behind the value's 4 characters."},
      {"dx_replace", {"0", "2", ""}, "abcd", "cd"},
      {"dx_replace", {"0", "2", "x"}, std::nullopt, "NULL"},
      {"dx_digest", {"md5", "toLowerCase"}, "abc", "900150983cd24fb0d6963f7d28e17f72"},
      {"dx_digest", {"md5", "toUpperCase"}, "abc", "900150983CD24FB0D6963F7D28E17F72"},
      {"dx_digest", {"sha1", "toLowerCase"}, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"dx_digest", {"MD5", "toLowerCase"}, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"dx_digest", {"SHA1", "TOUPPERCASE"}, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"dx_digest", {"md5", "toLowerCase"}, std::nullopt, "d41d8cd98f00b204e9800998ecf8427e"},
      {"dx_digest", {"sha1", "toUpperCase"}, "", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"},
      {"dx_digest", {"md5", "toLowerCase"}, "ü", "c03410a5204b21cd8229ff754688d743"},
  });
  for (const function_case& c : cases) {
    EXPECT_EQ(changed(c.name, c.paras, type_of(type_id::utf8), c.value), c.result)
        << c.name << ' ' << c.paras[0] << ' ' << c.paras[1] << ' ' << c.value.value_or("NULL");
  }
  for (const auto& [name, paras] : std::initializer_list<std::pair<std::string, std::vector<std::string>>>{
           {"dx_substr", {"0", "1"}},
           {"dx_substr", {"1", "2"}},
           {"dx_replace", {"1", "5", "x"}},
           {"dx_pad", {"l", "1", "x"}},
           {"dx_pad", {"l", "4", "😀"}}}) {
    EXPECT_NE(changed(name, paras, type_of(type_id::utf8), "😀a").find("the middle of a character"),
              std::string::npos)
        << name << paras[0];
  }
}

TEST(transform, a_column_that_is_no_text_is_made_one_first) {
  EXPECT_EQ(changed("dx_substr", {"0", "2"}, type_of(type_id::int64), "12345"), "12");
  EXPECT_EQ(changed("dx_pad", {"l", "6", "0"}, decimal_type(10, 2), "1.50"), "001.50");
  EXPECT_EQ(changed("dx_replace", {"4", "6", ""}, type_of(type_id::date), "2024-02-29"), "2024");
  EXPECT_EQ(changed("dx_substr", {"0", "4"}, time_type(type_id::timestamp, time_unit::second),
                    "2024-02-29 10:00:00"),
            "2024");
  EXPECT_EQ(changed("dx_digest", {"md5", "toLowerCase"}, type_of(type_id::boolean), "true"),
            "b326b5062b2f0e69046810717534cb09");
}

TEST(transform, wrong_paras_are_refused_with_what_the_function_takes) {
  for (const auto& [name, paras] : std::initializer_list<std::pair<std::string, std::vector<std::string>>>{
           {"dx_substr", {"1"}},
           {"dx_substr", {"-1", "2"}},
           {"dx_substr", {"1", "x"}},
           {"dx_pad", {"m", "1", "0"}},
           {"dx_pad", {"l", "1", ""}},
           {"dx_pad", {"l", "67108865", "0"}},
           {"dx_replace", {"1", "2"}},
           {"dx_digest", {"sha256", "toUpperCase"}},
           {"dx_digest", {"md5", "upper"}}}) {
    const std::string said = changed(name, paras, type_of(type_id::utf8), "x");
    EXPECT_EQ(said.find("here: " + name + " has the paras ["), 0U) << said;
    EXPECT_NE(said.find("; give "), std::string::npos) << said;
  }
}

TEST(transform, steps_run_in_order_and_what_one_refuses_is_nothing_to_the_next) {
  const schema_ptr s = std::make_shared<const schema>(
      schema{{.name = "n", .type = type_of(type_id::int64)}, {.name = "t", .type = type_of(type_id::utf8)}});
  std::vector<transform_step> steps;
  const auto add = [&](const std::string& name, std::uint32_t index, const std::vector<std::string>& paras) {
    auto step = make_step(name, index, paras, "here", *columns_behind(steps, s), {});
    ASSERT_TRUE(step) << step.error().message;
    steps.push_back(std::move(*step));
  };
  add("dx_filter", 0, {">", "50"});  // drops 60
  add("dx_substr", 1, {"2", "2"});   // refuses "x" of 20
  add("dx_filter", 1, {"=", "cd"});  // sees what substr has made: drops 10
  add("dx_pad", 1, {"r", "3", "!"});
  add("dx_pad", 0, {"l", "4", "0"});  // a number becomes text
  const schema_ptr behind = columns_behind(steps, s);
  EXPECT_EQ((*behind)[0].type.id, type_id::utf8);
  const auto pool = buffer_pool::make(1 << 16);
  batch b;
  b.rows = 6;
  b.columns = {
      test::column_of(type_of(type_id::int64), {"0", "10", "20", "30", "60", "40"}, pool),
      test::column_of(type_of(type_id::utf8), {"-", "abcd", "x", "abef", "abcd", std::nullopt}, pool)};
  const transformed_rows rows = run_steps(steps, b, 1, 6, pool);
  EXPECT_EQ(rows.dropped, 2U);
  ASSERT_EQ(rows.failures.size(), 1U);
  EXPECT_EQ(rows.failures[0].why.row, 2U);
  EXPECT_EQ(rows.failures[0].column_index, 1U);
  std::string kept_rows;
  for (std::uint32_t i = 0; i < 5; ++i) {
    if (rows.kept(i)) {
      const auto& [numbers, n] = rows.columns[0];
      const auto& [words, t] = rows.columns[1];
      kept_rows += fmt::format("{}={} ", numbers->get_bytes(n + i), words->get_bytes(t + i));
    }
  }
  EXPECT_EQ(kept_rows, "0030=ef! 0040=!!! ");
}

struct wrong_case {
  type_id type;
  std::vector<std::string> paras;
  std::string_view says;
};

TEST(transform, a_filter_that_no_record_could_pass_through_is_refused_before_data_moves) {
  const std::array cases = std::to_array<wrong_case>({
      {type_id::int64, {">"}, "has 1 paras; give two"},
      {type_id::int64, {">", "1", "2"}, "has 3 paras"},
      {type_id::int64, {">", ""}, "value that is not empty"},
      {type_id::int64, {"=>", "1"}, R"(has the operator "=>"; it must be like)"},
      {type_id::int64, {">", "ten"}, R"(compares column 1 ("c" int64) with "ten"; give a number)"},
      {type_id::int64, {">", "null"}, "give a number"},
      {type_id::float64, {">", "1e999"}, "a number that a double reaches"},
      {type_id::float64, {">", "NaN"}, "give a number"},
      {type_id::decimal_text, {"=", "1,5"}, "give a number"},
      {type_id::date, {">", "yesterday"}, "give a date such as"},
      {type_id::time_of_day, {">", "25:00:00"}, "give a time such as"},
      {type_id::utf8, {"like", "a("}, R"(regular expression "a(")"},
      {type_id::binary, {"like", "a"}, "which is binary"},
  });
  for (const wrong_case& c : cases) {
    EXPECT_NE(kept(type_of(c.type), {}, c.paras).find(c.says), std::string::npos)
        << kept(type_of(c.type), {}, c.paras);
  }
  const schema s = {{.name = "c"}};
  const auto outside = make_step("dx_filter", 1, {"=", "1"}, "here", s, {});
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().message, "here: columnIndex is 1, but the reader has 1 columns, counted from 0.");
  const auto unknown = make_step("dx_fliter", 0, {"=", "1"}, "here", s, {});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("no transformer \"dx_fliter\""), std::string::npos);
}

TEST(whole_regex, the_whole_text_must_match) {
  struct row {
    std::string_view pattern, text;
    bool matches;
  };
  for (const row& r :
       {row{"a+", "aaa", true}, row{"a+", "aab", false}, row{"a|ab", "ab", true}, row{".", "ü", true},
        row{"\\d{4}-\\d\\d", "2024-01", true}, row{"(?i)ABC", "abc", true}, row{".", "\n", false},
        row{"(?s).", "\n", true}, row{"\\Qa.b\\E", "a.b", true}, row{"\\Qa.b\\E", "axb", false},
        row{"[]a]", "]", true}, row{"[^]a]", "b", true}, row{"[a\\]b]+", "a]b", true}, row{"", "", true},
        row{"\\[\\[", "[[", true}, row{"\\p{Lu}", "Ü", true}, row{"İ", "i", false}}) {
    const auto regex = whole_regex::make(r.pattern);
    ASSERT_TRUE(regex) << regex.error().message;
    EXPECT_EQ(regex->matches(r.text), r.matches) << r.pattern << ' ' << r.text;
  }
}

TEST(whole_regex, what_java_has_and_re2_lacks_is_refused_with_its_place) {
  struct row {
    std::string_view pattern, says;
  };
  for (const row& r :
       {row{"ab(?=c)", "character 3"}, row{"a(?!b)", "character 2"}, row{"x(?<=a)", "character 2"},
        row{"(a)\\1", "character 4"}, row{"ab*+", "character 3"}, row{"(?<n>a)", "character 1"},
        row{"[a-z&&[^b]]", "character 5: classes inside classes"},
        row{"[a[bc]]", "character 3: classes inside classes"},
        row{"[[:alpha:]]", "character 2: classes inside classes"}, row{"(?U)a", "character 1: the flag U"},
        row{"a\\C", "character 2: \\C"}, row{"a\\h", "character 2"}, row{"a)", "unexpected )"},
        row{"[a", "missing"}, row{"*a", "character 1"}, row{"\xff", "UTF-8"}}) {
    const auto regex = whole_regex::make(r.pattern);
    ASSERT_FALSE(regex) << r.pattern;
    EXPECT_NE(regex.error().message.find(r.says), std::string::npos) << regex.error().message;
  }
}

}  // namespace
}  // namespace sluice
