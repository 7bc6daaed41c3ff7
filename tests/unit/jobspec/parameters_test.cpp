// Scheduling parameters in a 2.0 job. tests/data/parameters/values.tsv: planned time, text, value;
// refused.tsv: text, message; assignments.tsv: parameters as given (separated by " | "), text, result.
#include "jobspec/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "jobspec/date_expression.h"
#include "tests/support/source_dir.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using row = std::vector<std::string>;

std::vector<row> rows_of(const char* name) {
  std::ifstream in(testing::in_source_tree(std::string("tests/data/parameters/") + name));
  EXPECT_TRUE(in) << name;
  std::vector<row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) {
      continue;
    }
    row fields;
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t tab = std::min(line.find('\t', at), line.size());
      fields.push_back(line.substr(at, tab - at));
      at = tab + 1;
    }
    rows.push_back(std::move(fields));
  }
  return rows;
}

planned_time planned_at(const std::string& text) {
  const auto asked = planned_times({.cyctime = text});
  EXPECT_TRUE(asked) << text;
  planned_time planned = planned_for(asked.value().front(), {}, "UTC");
  planned.assigns.clear();
  return planned;
}

struct answer {
  std::string text;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  substitution found;
};

answer substituted(const std::string& text, const given_parameters& given = {},
                   const planned_time& planned = planned_at("2025-07-20 10:30:00"),
                   dialect form = dialect::script2) {
  json document = {{"x", text}};
  findings out("j", nullptr, false);
  answer a;
  a.found = substitute(document, form, {given, &planned}, out);
  a.text = document["x"];
  a.errors = out.take_errors();
  a.warnings = out.take_warnings();
  return a;
}

TEST(scheduling_parameters, every_row_of_the_table_has_its_value) {
  const auto rows = rows_of("values.tsv");
  EXPECT_GE(rows.size(), 200U);
  for (const auto& fields : rows) {
    ASSERT_EQ(fields.size(), 4U) << fields[0];
    const answer a = substituted(fields[2], {}, planned_at(fields[1]));
    EXPECT_EQ(a.text, fields[3]) << fields[2] << " at " << fields[1];
    EXPECT_THAT(a.errors, IsEmpty()) << fields[2];
  }
}

TEST(scheduling_parameters, what_is_wrong_is_refused_with_its_message) {
  for (const auto& fields : rows_of("refused.tsv")) {
    ASSERT_EQ(fields.size(), 3U) << fields[0];
    EXPECT_THAT(substituted(fields[1]).errors, ElementsAre("j x: " + fields[2])) << fields[1];
  }
}

TEST(scheduling_parameters, assignments_are_evaluated_and_put_in) {
  for (const auto& fields : rows_of("assignments.tsv")) {
    ASSERT_EQ(fields.size(), 4U) << fields[0];
    given_parameters given;
    for (std::size_t at = 0; at < fields[1].size();) {
      const std::size_t end = std::min(fields[1].find(" | ", at), fields[1].size());
      const std::string one = fields[1].substr(at, end - at);
      given[one.substr(0, one.find('='))] = {one.substr(one.find('=') + 1)};
      at = end + 3;
    }
    const answer a = substituted(fields[2], given);
    EXPECT_EQ(a.errors.empty() ? a.text : a.errors.front(), fields[3]) << fields[1] << " in " << fields[2];
  }
}

TEST(scheduling_parameters, an_offset_of_days_where_years_or_hours_are_meant_is_reported) {
  for (const auto& [text, part] :
       std::initializer_list<std::pair<const char*, const char*>>{{"$[yyyy-1]", "$[add_months(yyyy,-12*1)]"},
                                                                  {"$[yyyy+2]", "$[add_months(yyyy,12*2)]"},
                                                                  {"$[yyyymm-1]", "$[add_months(yyyymm,-1)]"},
                                                                  {"$[mm-1]", "$[add_months(mm,-1)]"},
                                                                  {"$[hh24mi-1]", "$[hh24mi-1/24]"},
                                                                  {"$[hh24+2]", "$[hh24+2/24]"}}) {
    EXPECT_THAT(substituted(text).warnings, ElementsAre(HasSubstr(part))) << text;
  }
  for (const char* text : {"$[yyyymmdd-1]", "$[yyyy-15/24/60]", "$[add_months(yyyy,-12)]", "${yyyy-1}",
                           "${yyyymm-1}", "$[dd-1]"}) {
    EXPECT_THAT(substituted(text).warnings, IsEmpty()) << text;
  }
}

TEST(scheduling_parameters, a_value_is_put_into_a_text_and_cannot_break_the_document) {
  const std::string value = "\", \"y\": {\"z\\\n";
  const answer a = substituted("<${v}>", {{"v", {value}}});
  EXPECT_EQ(a.text, "<" + value + ">");
}

TEST(scheduling_parameters, a_value_put_in_is_not_looked_at_again) {
  const answer a = substituted("${dollar}[yyyymmdd]${dollar}{x}", {{"dollar", {"$"}}});
  EXPECT_EQ(a.text, "$[yyyymmdd]${x}");
  EXPECT_THAT(a.errors, IsEmpty());
}

TEST(scheduling_parameters, secrets_and_literal_values_are_taken_as_they_are) {
  const answer a = substituted("${password}", {{"password", {"a$[b]${c}$bizdate"}}});
  EXPECT_EQ(a.text, "a$[b]${c}$bizdate");
  const answer b = substituted("${x}", {{"x", {"$[yyyymmdd]", "-p", true}}});
  EXPECT_EQ(b.text, "$[yyyymmdd]");
}

TEST(scheduling_parameters, no_message_shows_the_text_of_a_secret) {
  json document = {{"password", "hunter${2"}, {"apiKey", "$[hunter2]"}, {"secret", "${x}"}};
  findings out("j", nullptr, false);
  const given_parameters given = {{"x", {"hunter${2"}}};
  const planned_time planned = planned_at("2025-07-20 10:30:00");
  substitute(document, dialect::script2, {given, &planned}, out);
  const auto errors = out.take_errors();
  EXPECT_EQ(errors.size(), 3U);
  for (const auto& line : errors) {
    EXPECT_THAT(line, ::testing::Not(HasSubstr("hunter")));
  }
}

TEST(scheduling_parameters, parameters_that_name_each_other_many_times_cost_one_reading_each) {
  given_parameters given;
  for (char c = 'a'; c < 'n'; ++c) {
    std::string text;
    for (int i = 0; i < 50; ++i) {
      text += std::string("${") + static_cast<char>(c + 1) + "}";
    }
    given[std::string("p") + c] = {};
    given[std::string(1, c)] = {text};
  }
  given["n"] = {""};
  EXPECT_THAT(substituted("${a}", given).errors, IsEmpty());
  given["n"] = {"full"};
  EXPECT_THAT(substituted("${a}", given).errors, ElementsAre(HasSubstr("its value is longer than 1 MiB")));
}

TEST(scheduling_parameters, what_was_used_says_where_and_where_it_comes_from) {
  const answer a = substituted("${day} $[hh24] ${yyyymmdd}", {{"day", {"$bizdate", "days.txt:3"}}});
  ASSERT_EQ(a.found.uses.size(), 3U);
  EXPECT_EQ(a.found.uses[0].name, "day");
  EXPECT_EQ(a.found.uses[0].path, "x");
  EXPECT_EQ(a.found.uses[0].written, "${day}");
  EXPECT_EQ(a.found.uses[0].value.expression, "$bizdate");
  EXPECT_EQ(a.found.uses[0].value.origin, "days.txt:3");
  EXPECT_TRUE(a.found.uses[0].value.uses_date);
  EXPECT_EQ(a.found.uses[1].name, "");
  EXPECT_EQ(a.found.uses[1].value.origin, "the job");
}

TEST(scheduling_parameters, a_flag_assigns_the_built_in_of_its_name_unless_a_value_is_given) {
  planned_time planned = planned_at("2025-07-20 00:00:00");
  planned.assigns = "bizdate";
  planned.origin = "--bizdate 20250719";
  EXPECT_EQ(substituted("${bizdate}", {}, planned).text, "20250719");
  EXPECT_EQ(substituted("${bizdate}", {}, planned).found.uses[0].value.origin, "--bizdate 20250719");
  EXPECT_EQ(substituted("${bizdate}", {{"bizdate", {"x"}}}, planned).text, "x");
  EXPECT_EQ(substituted("${bizdate}", {}, planned, dialect::datax).text, "20250719");
}

TEST(scheduling_parameters, without_a_planned_time_a_date_is_an_error_and_a_value_is_not) {
  json document = {{"a", "${x}"}, {"b", "$[yyyy]"}, {"c", "$bizdate"}};
  findings out("j", nullptr, false);
  const given_parameters given = {{"x", {"1"}}};
  substitute(document, dialect::script2, {given, nullptr}, out);
  EXPECT_EQ(document["a"], "1");
  EXPECT_EQ(out.take_errors().size(), 2U);
}

TEST(datax_parameters, dates_in_the_text_stay_as_written_with_a_warning_and_work_as_values) {
  const answer a = substituted("$[yyyymmdd-1] ${yyyymmdd} $bizdate $[0]", {},
                               planned_at("2025-07-20 10:30:00"), dialect::datax);
  EXPECT_EQ(a.text, "$[yyyymmdd-1] ${yyyymmdd} $bizdate $[0]");
  EXPECT_THAT(a.warnings,
              ElementsAre(HasSubstr("-p 'day=$[yyyymmdd-1]'"), HasSubstr("-p 'yyyymmdd=${yyyymmdd}'"),
                          HasSubstr("-p 'bizdate=$bizdate'")));
  const answer b = substituted("$day ${yyyymmdd} ${bdp.system.bizdate} ${biz_date_dash}",
                               {{"day", {"$[yyyymmdd-1]"}}, {"yyyymmdd", {"${yyyymmdd}"}}},
                               planned_at("2025-07-20 10:30:00"), dialect::datax);
  EXPECT_EQ(b.text, "20250719 20250719 20250719 2025-07-19");
  EXPECT_THAT(b.warnings, IsEmpty());
}

}  // namespace
}  // namespace sluice
