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
  planned.assigns = false;
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

TEST(scheduling_parameters,
     a_planned_time_that_is_given_assigns_bizdate_and_cyctime_unless_they_have_values) {
  planned_time planned = planned_at("2025-07-20 00:00:00");
  planned.assigns = true;
  planned.origin = "--bizdate 20250719";
  EXPECT_EQ(substituted("${bizdate}", {}, planned).text, "20250719");
  EXPECT_EQ(substituted("${bizdate}", {}, planned).found.uses[0].value.origin, "--bizdate 20250719");
  EXPECT_EQ(substituted("${bizdate}", {{"bizdate", {"x"}}}, planned).text, "x");
  EXPECT_EQ(substituted("${bizdate}", {}, planned, dialect::datax).text, "20250719");
  EXPECT_EQ(substituted("${cyctime}", {}, planned).text, "20250720000000");
  for (const planned_flags& flags : {planned_flags{.cyctime = "2025-07-20 10:30:00"},
                                     planned_flags{.bizdate = "20250719"}, planned_flags{.at = "02:30"}}) {
    EXPECT_TRUE(planned_for(planned_times(flags).value().front(), {}, "UTC").assigns);
  }
  EXPECT_FALSE(planned_for(planned_times({}).value().front(), {}, "UTC").assigns)
      << "from the clock nothing is assigned";
}

TEST(scheduling_parameters, blanks_inside_the_brackets_of_an_expression_do_not_count) {
  EXPECT_EQ(substituted("$[ yyyymmdd ] ${ yyyymmdd } $[ 0 ]").text, "20250720 20250719 $[ 0 ]");
}

TEST(scheduling_parameters, parameters_that_go_in_a_circle_are_named_in_their_order) {
  const answer a = substituted("${a}", {{"a", {"${b}"}}, {"b", {"${c}"}}, {"c", {"${a}"}}});
  ASSERT_EQ(a.errors.size(), 1U);
  EXPECT_THAT(a.errors[0], HasSubstr("a names b names c names a"));
}

TEST(scheduling_parameters, without_a_planned_time_a_date_is_an_error_and_a_value_is_not) {
  json document = {{"a", "${x}"}, {"b", "$[yyyy]"}, {"c", "$bizdate"}};
  findings out("j", nullptr, false);
  const given_parameters given = {{"x", {"1"}}};
  substitute(document, dialect::script2, {given, nullptr}, out);
  EXPECT_EQ(document["a"], "1");
  EXPECT_EQ(out.take_errors().size(), 2U);
}

given_parameter as_datax(const std::string& text) {
  return {text, "-p", true};
}

TEST(datax_parameters, a_word_outside_of_texts_becomes_the_json_that_its_values_make) {
  auto read = read_loose_json("j", R"({"n": ${n}, "k": -$n, "list": [1, ${cols}, {"last": "${n}"}]})",
                              bare_variables::kept);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->bare, ElementsAre("k", "list[1]", "n"));
  findings out("j", read->places, false);
  const given_parameters given = {{"n", as_datax("2")}, {"cols", as_datax(R"("a","b")")}};
  const substitution done = substitute(read->root, dialect::datax, {given, nullptr}, out, read->bare);
  EXPECT_EQ(read->root, json::parse(R"({"n": 2, "k": -2, "list": [1, "a", "b", {"last": "2"}]})"));
  EXPECT_THAT(out.take_errors(), IsEmpty());
  std::vector<std::string> paths;
  for (const auto& use : done.uses) {
    paths.push_back(use.path);
  }
  EXPECT_THAT(paths, ElementsAre("k", "list[1]", "list[3].last", "n")) << "as they are afterwards";
  const auto before = *read->places;
  move_places(*read->places, done.growths);
  EXPECT_EQ(read->places->at("list[3].last"), before.at("list[2].last"));
  EXPECT_EQ(read->places->at("list[2]"), before.at("list[1]"));
  EXPECT_FALSE(read->places->contains("list[2].last"));
}

TEST(datax_parameters, a_value_given_as_datax_does_may_close_the_text_it_stands_in) {
  json document = {{"columns", {"${cols}"}}, {"where", "x=\"${q}\""}, {"w", "${more}"}};
  findings out("j", nullptr, false);
  const given_parameters given = {
      {"cols", as_datax(R"(id","name)")}, {"q", as_datax("a\"b")}, {"more", as_datax(R"(1","extra":"2)")}};
  substitute(document, dialect::datax, {given, nullptr}, out);
  EXPECT_EQ(document,
            json({{"columns", {"id", "name"}}, {"where", "x=\"a\"b\""}, {"w", "1"}, {"extra", "2"}}))
      << "one that would break the JSON is taken as text";
  EXPECT_THAT(out.take_errors(), IsEmpty());
  EXPECT_EQ(
      substituted("a${q}", {{"q", as_datax(R"(\t\\)")}}, planned_at("2025-07-20 10:30:00"), dialect::datax)
          .text,
      "a\t\\")
      << "its escapes are JSON's";
  EXPECT_EQ(
      substituted("${q}", {{"q", {R"(id","name)"}}}, planned_at("2025-07-20 10:30:00"), dialect::datax).text,
      R"(id","name)")
      << "a value of Sluice's own form stays a value";
}

TEST(datax_parameters, a_word_outside_of_texts_without_a_value_or_json_is_an_error) {
  auto read = read_loose_json("j", R"({"a": ${none}, "b": ${word}, "password": ${s}})", bare_variables::kept);
  ASSERT_TRUE(read);
  findings out("j", read->places, false);
  const given_parameters given = {{"word", as_datax("x y")}, {"s", as_datax("SEKRET 1")}};
  substitute(read->root, dialect::datax, {given, nullptr}, out, read->bare);
  const auto errors = out.take_errors();
  EXPECT_THAT(errors, ElementsAre(HasSubstr("j:1:7 a: the parameter ${none} has no value"),
                                  HasSubstr("j:1:21 b: found \"x y\""), HasSubstr("not shown")));
  EXPECT_EQ(errors[2].find("SEKRET"), std::string::npos);
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
