#include "transport/record/compat.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>

#include "tests/support/source_dir.h"
#include "tests/unit/record/column_texts.h"

namespace sluice {
namespace {

conversion_context context_in(std::string_view zone) {
  conversion_context context;
  context.zone = *time_zone::find(zone);
  context.empty_as_null = true;
  return context;
}

/// What the mode `datax` makes of a value: `value rule`, `value`, `NULL rule`, or `! code`.
std::string as_datax(const data_type& from, const std::optional<std::string>& value, const data_type& to,
                     const conversion_context& context) {
  const auto made = make_changing_converter({"c", from, true, ""}, {"c", to, true, ""}, context);
  if (!made) {
    return made.error().message;
  }
  const auto pool = buffer_pool::make(1 << 16);
  const column c = test::column_of(from, {std::nullopt, value, std::nullopt}, pool);
  column_builder builder(to, pool);
  std::vector<conversion_failure> failures;
  std::vector<value_change> changes;
  (*made)->convert(c, 0, 3, builder, failures, changes);
  const test::texts out = test::texts_of(builder.seal(), to, 3);
  EXPECT_FALSE(out[0] || out[2]) << "NULL stays NULL";
  if (!failures.empty()) {
    EXPECT_TRUE(changes.empty()) << "a refused value is not counted as changed";
    EXPECT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].row, 1U);
    return "! " + std::string(failures[0].code);
  }
  std::string said = out[1].value_or("NULL");
  for (const value_change& change : changes) {
    EXPECT_EQ(change.row, 1U);
    said += fmt::format(" {}", to_string(change.rule));
  }
  return said;
}

struct compat_case {
  data_type from;
  std::string value;
  data_type to;
  std::string_view exact;  ///< `converted`'s word; `refused` where the table refuses the pair.
  std::string_view datax;
};

const data_type text = type_of(type_id::utf8);
const data_type whole = type_of(type_id::int64);
const data_type real = type_of(type_id::float64);

data_type small_whole() {
  data_type t = whole;
  t.integer_bits = 16;
  return t;
}
data_type stamp(time_unit unit) {
  return time_type(type_id::timestamp, unit);
}

std::vector<compat_case> cases() {
  const data_type day = type_of(type_id::date);
  const data_type flag = type_of(type_id::boolean);
  const auto milli = time_unit::milli;
  const auto micro = time_unit::micro;
  const auto second = time_unit::second;
  return {
      // fraction_cut
      {text, "12.7", whole, "! has_fraction", "12 fraction_cut"},
      {text, "-12.7", whole, "! has_fraction", "-12 fraction_cut"},
      {text, "0.9", whole, "! has_fraction", "0 fraction_cut"},
      {text, "1.25e1", whole, "! has_fraction", "12 fraction_cut"},
      {text, "12.0", whole, "12", "12"},
      {text, "12", whole, "12", "12"},
      {text, "9223372036854775807.5", whole, "! has_fraction", "9223372036854775807 fraction_cut"},
      {text, "9223372036854775808.5", whole, "! has_fraction", "! has_fraction"},
      {text, "70000.5", small_whole(), "! has_fraction", "! has_fraction"},
      {text, "99999999999999999999999", whole, "! out_of_range", "! out_of_range"},
      {text, "twelve", whole, "! not_a_number", "! not_a_number"},
      {decimal_type(10, 2), "12.75", whole, "! has_fraction", "12 fraction_cut"},
      {type_of(type_id::decimal_text), "-0.5", whole, "! has_fraction", "0 fraction_cut"},
      {real, "2.5", whole, "! has_fraction", "2 fraction_cut"},
      {real, "2.5", type_of(type_id::uint64), "! has_fraction", "2 fraction_cut"},
      {real, "-2.5", type_of(type_id::uint64), "! has_fraction", "! has_fraction"},
      // rounded
      {text, "0.12345678901234567890", real, "! not_exact", "0.12345678901234568 rounded"},
      {text, "0.1", real, "0.1", "0.1"},
      {text, "1e999", real, "! out_of_range", "! out_of_range"},
      {whole, "9007199254740993", real, "! not_exact", "9007199254740992 rounded"},
      {decimal_type(38, 0), "90071992547409931", real, "! not_exact", "90071992547409940 rounded"},
      // nonzero_is_true
      {whole, "2", flag, "! not_a_boolean", "true nonzero_is_true"},
      {whole, "-1", flag, "! not_a_boolean", "true nonzero_is_true"},
      {whole, "1", flag, "true", "true"},
      {whole, "0", flag, "false", "false"},
      {text, "2", flag, "! not_a_boolean", "! not_a_boolean"},
      // empty_is_null
      {text, "", whole, "! empty", "NULL empty_is_null"},
      {text, "", real, "! empty", "NULL empty_is_null"},
      {text, "", flag, "! empty", "NULL empty_is_null"},
      {text, "", day, "! empty", "NULL empty_is_null"},
      {text, "", stamp(second), "! empty", "NULL empty_is_null"},
      {text, " ", whole, "! not_a_number", "! not_a_number"},
      // second_fraction_cut
      {text, "2024-02-29 10:00:00.987", stamp(second), "! too_precise",
       "2024-02-29T10:00:00 second_fraction_cut"},
      {text, "2024-02-29 10:00:00.9876", stamp(milli), "! too_precise",
       "2024-02-29T10:00:00.987 second_fraction_cut"},
      {text, "2024-02-29 10:00:00.123456789", stamp(milli), "! too_precise",
       "2024-02-29T10:00:00.123 second_fraction_cut"},
      {text, "2024-02-29 10:00:00.5", stamp(milli), "2024-02-29T10:00:00.500", "2024-02-29T10:00:00.500"},
      {stamp(micro), "2024-02-29 10:00:00.987654", stamp(second), "! too_precise",
       "2024-02-29T10:00:00 second_fraction_cut"},
      {stamp(micro), "1969-12-31 23:59:59.987654", stamp(milli), "! too_precise",
       "1969-12-31T23:59:59.987 second_fraction_cut"},
      {stamp(micro), "2024-02-29 10:00:00.987654", text, "2024-02-29 10:00:00.987654",
       "2024-02-29 10:00:00 second_fraction_cut"},
      {stamp(micro), "2024-02-29 10:00:00.000000", text, "2024-02-29 10:00:00", "2024-02-29 10:00:00"},
      {stamp(micro), "2024-02-29T10:00:00.987654", stamp(micro), "2024-02-29T10:00:00.987654",
       "2024-02-29T10:00:00.987000 second_fraction_cut"},
      // time_cut
      {text, "2024-02-29 10:00:00", day, "! has_time", "2024-02-29 time_cut"},
      {stamp(second), "2024-02-29 10:00:00", day, "! has_time", "2024-02-29 time_cut"},
      {stamp(second), "1969-12-31 00:00:01", day, "! has_time", "1969-12-31 time_cut"},
      {stamp(second), "2024-02-29 00:00:00", day, "2024-02-29", "2024-02-29"},
      {time_type(type_id::instant, second), "2024-02-28 20:00:00Z", day, "! has_time", "2024-02-29 time_cut"},
      // text_cut, carried_over, other_digits: of points in time in text
      {text, "2024-02-29 10:00:00+02:00", stamp(second), "! not_a_date", "2024-02-29T10:00:00 text_cut"},
      {text, "2024-02-29 10:00:00+02:00", time_type(type_id::instant, second), "2024-02-29T08:00:00Z",
       "2024-02-29T02:00:00Z text_cut"},
      {text, "2024-02-29x", day, "! not_a_date", "2024-02-29 text_cut"},
      {text, "2024-02-30", day, "! not_a_date", "2024-03-01 carried_over"},
      {text, "20240230", stamp(second), "! not_a_date", "2024-03-01T00:00:00 carried_over"},
      {text, "2024-02-29 24:00:00", stamp(second), "! not_a_date", "2024-03-01T00:00:00 carried_over"},
      {text, "2024-02-30 10:00:00", day, "! not_a_date", "2024-03-01 carried_over"},
      {text, "2024-2-9", day, "! not_a_date", "2024-02-09 other_digits"},
      {text, "2024-2-9 1:2:3", stamp(second), "! not_a_date", "2024-02-09T01:02:03 other_digits"},
      {text, "2024-2-9 1:2:3", day, "! not_a_date", "2024-02-09 time_cut"},
      {text, "2024-02-29 10", stamp(second), "! not_a_date", "2024-02-29T00:00:00 time_cut"},
      {text, "2024-02-30 10:00:00", time_type(type_id::instant, second), "! not_a_date",
       "2024-03-01T02:00:00Z carried_over"},
      // zone_applied
      {time_type(type_id::instant, second), "2024-02-28 20:00:00Z", stamp(second), "2024-02-29T04:00:00",
       "2024-02-29T04:00:00 zone_applied"},
      {time_type(type_id::instant, micro), "2024-02-28 20:00:00.5Z", stamp(micro),
       "2024-02-29T04:00:00.500000", "2024-02-29T04:00:00.500000 zone_applied"},
      {time_type(type_id::instant, micro), "2024-02-28 20:00:00.987654Z", stamp(micro),
       "2024-02-29T04:00:00.987654", "2024-02-29T04:00:00.987000 second_fraction_cut"},
      {time_type(type_id::instant, second), "2024-02-28 20:00:00Z", text, "2024-02-29 04:00:00",
       "2024-02-29 04:00:00 zone_applied"},
      {time_type(type_id::instant, second), "2024-02-28 16:00:00Z", day, "2024-02-29",
       "2024-02-29 zone_applied"},
      {stamp(second), "2024-02-29 04:00:00", time_type(type_id::instant, second), "2024-02-28T20:00:00Z",
       "2024-02-28T20:00:00Z zone_applied"},
      {stamp(second), "infinity", time_type(type_id::instant, second), "infinity", "infinity"},
      {day, "2024-02-29", time_type(type_id::instant, second), "2024-02-28T16:00:00Z",
       "2024-02-28T16:00:00Z zone_applied"},
      {text, "2024-02-29 04:00:00", time_type(type_id::instant, second), "2024-02-28T20:00:00Z",
       "2024-02-28T20:00:00Z zone_applied"},
      {text, "infinity", time_type(type_id::instant, second), "infinity", "infinity"},
      {text, "0000-00-00", day, "! not_a_date", "! not_a_date"},
      {text, "tomorrow", day, "! not_a_date", "! not_a_date"},
      {text, "10:00:00", stamp(second), "! not_a_date", "! not_a_date"},
      {text, "25:00:00", type_of(type_id::time_of_day), "! not_a_date", "! not_a_date"},
      // milliseconds
      {whole, "1709200800000", stamp(second), "refused", "2024-02-29T18:00:00 milliseconds"},
      {whole, "1709200800987", stamp(milli), "refused", "2024-02-29T18:00:00.987 milliseconds"},
      {whole, "1709200800987", stamp(second), "refused", "2024-02-29T18:00:00 milliseconds"},
      {whole, "-1", stamp(milli), "refused", "1970-01-01T07:59:59.999 milliseconds"},
      {whole, "1709200800000", day, "refused", "2024-02-29 milliseconds"},
      {whole, "9223372036854775807", stamp(micro), "refused", "! out_of_range"},
      {stamp(milli), "2024-02-29 18:00:00.987", whole, "refused", "1709200800987 milliseconds"},
      {day, "1970-01-02", whole, "refused", "57600000 milliseconds"},
  };
}

TEST(compat, each_rule_changes_what_exact_refuses_and_names_itself) {
  for (const compat_case& c : cases()) {
    conversion_context exact = context_in("GMT+8");
    exact.empty_as_null = false;
    const std::string what = fmt::format("{} {} to {}", to_string(c.from), c.value, to_string(c.to));
    const std::string_view refused = "refused";
    if (lookup_conversion(c.from, c.to).kind == conversion_kind::refused) {
      EXPECT_EQ(refused, c.exact) << what;
    } else if (c.from == c.to) {
      EXPECT_EQ(c.value, c.exact) << what;
    } else {
      EXPECT_EQ(test::converted(c.from, {c.value}, c.to, exact)[0], c.exact) << what;
    }
    EXPECT_EQ(as_datax(c.from, c.value, c.to, context_in("GMT+8")), c.datax) << what;
  }
}

TEST(compat, a_text_with_its_own_offset_has_no_zone_applied) {
  conversion_context context = context_in("GMT+8");
  context.datetime_format = "yyyy-MM-dd HH:mm:ssXXX";
  const data_type instant = time_type(type_id::instant, time_unit::second);
  EXPECT_EQ(as_datax(text, "2024-02-29 04:00:00+02:00", instant, context), "2024-02-29T02:00:00Z");
}

TEST(compat, every_rule_that_a_case_shows_is_listed_for_its_pair_and_every_rule_has_cases) {
  std::vector<change_rule> shown;
  for (const compat_case& c : cases()) {
    for (const change_rule_entry& entry : change_rules) {
      if (c.datax.ends_with(fmt::format(" {}", entry.name))) {
        const auto listed = possible_changes(c.from, c.to);
        EXPECT_NE(std::find(listed.begin(), listed.end(), entry.rule), listed.end()) << entry.name << c.value;
        shown.push_back(entry.rule);
      }
    }
  }
  for (const change_rule_entry& entry : change_rules) {
    EXPECT_EQ(std::find(shown.begin(), shown.end(), entry.rule) != shown.end(), entry.of_datax) << entry.name;
  }
  EXPECT_TRUE(possible_changes(whole, text).empty());
  EXPECT_TRUE(possible_changes(text, text).empty());
  EXPECT_TRUE(possible_changes(decimal_type(10, 0), whole).empty());
}

TEST(compat, an_empty_text_stays_dirty_where_the_job_says_so_and_where_null_has_no_place) {
  conversion_context context = context_in("UTC");
  context.empty_as_null = false;
  EXPECT_EQ(as_datax(text, "", whole, context), "! empty");
  const auto made =
      make_changing_converter({"c", text, false, ""}, {"c", whole, false, ""}, context_in("UTC"));
  ASSERT_TRUE(made);
  const auto pool = buffer_pool::make(1 << 16);
  column_builder to(whole, pool);
  std::vector<conversion_failure> failures;
  std::vector<value_change> changes;
  (*made)->convert(test::column_of(text, {""}, pool), 0, 1, to, failures, changes);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].code, "empty");
  EXPECT_TRUE(changes.empty());
}

TEST(compat, changed_good_and_refused_rows_keep_their_order) {
  const auto made = make_changing_converter({"c", text, true, ""}, {"c", whole, true, ""}, context_in("UTC"));
  ASSERT_TRUE(made);
  const auto pool = buffer_pool::make(1 << 16);
  column_builder to(whole, pool);
  to.append(std::int64_t{7});  // what an earlier call has appended
  std::vector<conversion_failure> failures;
  std::vector<value_change> changes;
  const column c = test::column_of(text, {"9.9", "1", "2.5", "x", "3", "", std::nullopt, "4.5", "5"}, pool);
  (*made)->convert(c, 1, 9, to, failures, changes);
  const test::texts expected = {"7", "1", "2", std::nullopt, "3", std::nullopt, std::nullopt, "4", "5"};
  EXPECT_EQ(test::texts_of(to.seal(), whole, 9), expected);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].row, 3U);
  std::string changed;
  for (const value_change& change : changes) {
    changed += fmt::format("{} {}, ", change.row, to_string(change.rule));
  }
  EXPECT_EQ(changed, "2 fraction_cut, 5 empty_is_null, 7 fraction_cut, ");
}

TEST(compat, the_page_says_what_the_rules_say) {
  std::ifstream in(testing::in_source_tree("docs/compat.md"));
  std::ostringstream page;
  page << in.rdbuf();
  for (const change_rule_entry& entry : change_rules) {
    EXPECT_NE(page.str().find(fmt::format("| `{}` | {} |", entry.name, entry.meaning)), std::string::npos)
        << entry.name;
  }
}

}  // namespace
}  // namespace sluice
