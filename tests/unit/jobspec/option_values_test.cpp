#include "jobspec/option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<option>& described() {
  static const std::vector<option> options = {
      {.name = "table", .type = option_type::text_list, .meaning = "Tables."},
      {.name = "where", .meaning = "A condition."},
      {.name = "skipHeader", .type = option_type::boolean, .meaning = "Skips.", .default_text = "false"},
      {.name = "batchSize",
       .type = option_type::integer,
       .meaning = "Rows.",
       .default_text = "256",
       .datax_default_text = "2048",
       .number_min = 1,
       .number_max = 100000},
      {.name = "share", .type = option_type::number, .meaning = "A share.", .number_min = 0, .number_max = 1},
      {.name = "writeMode", .meaning = "How.", .allowed = {"truncate", "append", "nonConflict"}},
      {.name = "nullFormat", .meaning = "NULL.", .blank_is_value = true},
      {.name = "fieldDelimiter",
       .type = option_type::delimiter,
       .meaning = "Between fields.",
       .default_text = ","},
      {.name = "quoteChar",
       .type = option_type::character,
       .meaning = "A quote.",
       .default_text = "\"",
       .aliases = {"textQualifier"}},
      {.name = "password", .meaning = "A secret.", .secret = true},
      {.name = "formats",
       .type = option_type::text_list,
       .meaning = "Formats.",
       .default_text = "[\"yyyy\", \"MM\"]"},
      {.name = "connection",
       .type = option_type::object_list,
       .meaning = "Ends.",
       .members = {{.name = "jdbcUrl", .meaning = "Where.", .required = true}}},
      {.name = "csvReaderConfig",
       .type = option_type::object,
       .meaning = "CSV.",
       .members =
           {{.name = "trim", .type = option_type::boolean, .meaning = "Trims.", .default_text = "true"}}},
  };
  return options;
}

option_values values(const char* text, dialect d = dialect::script2) {
  auto places = std::make_shared<json_places>();
  (*places)[""] = {1, 1};
  (*places)["steps[0].parameter"] = {3, 5};
  (*places)["steps[0].parameter.skipHeader"] = {14, 22};
  (*places)["steps[0].parameter.textQualifier"] = {15, 3};
  (*places)["steps[0].parameter.where"] = {0, 0};
  return {"orders.json", "steps[0].parameter", json::parse(text), places, described(), d};
}

TEST(OptionValues, NumbersAndBooleansAreTakenFromTexts) {
  const auto v = values(R"({"skipHeader": " True ", "batchSize": "1000", "share": "0.5"})");
  EXPECT_EQ(v.boolean("skipHeader").value(), true);
  EXPECT_EQ(v.integer("batchSize").value(), 1000);
  EXPECT_EQ(v.number("share").value(), 0.5);
  EXPECT_EQ(values(R"({"batchSize": 1e3})").integer("batchSize").value(), 1000);
  EXPECT_EQ(values(R"({"batchSize": "+7"})").integer("batchSize").value(), 7);
}

TEST(OptionValues, BlankAndNullMeanUnsetSoTheDialectsDefaultHolds) {
  for (const char* text :
       {R"({"batchSize": ""})", R"({"batchSize": null})", R"({"batchSize": "  "})", "{}"}) {
    EXPECT_EQ(values(text).integer("batchSize").value(), 256) << text;
    EXPECT_EQ(values(text, dialect::datax).integer("batchSize").value(), 2048) << text;
    EXPECT_FALSE(values(text).has("batchSize")) << text;
  }
  EXPECT_EQ(values(R"({"where": " "})").text("where").value(), std::nullopt);
}

TEST(OptionValues, BlankIsAValueWhereTheDescriptionSaysSo) {
  EXPECT_EQ(values(R"({"nullFormat": ""})").text("nullFormat").value(), "");
  EXPECT_EQ(values(R"({"nullFormat": null})").text("nullFormat").value(), std::nullopt);
  EXPECT_EQ(values(R"({"fieldDelimiter": " "})").text("fieldDelimiter").value(), " ");
  EXPECT_EQ(values(R"({"fieldDelimiter": ""})").text("fieldDelimiter").value(), ",");
}

TEST(OptionValues, CharactersAndDelimitersUnderstandEscapes) {
  EXPECT_EQ(values(R"({"fieldDelimiter": "\\u0001"})").text("fieldDelimiter").value(), "\x01");
  EXPECT_EQ(values(R"({"fieldDelimiter": "\u0001"})").text("fieldDelimiter").value(), "\x01");
  EXPECT_EQ(values(R"({"fieldDelimiter": "\\t||"})").text("fieldDelimiter").value(), "\t||");
  EXPECT_EQ(values(R"({"fieldDelimiter": "\\q"})").text("fieldDelimiter").value(), "\\q");
  EXPECT_EQ(values(R"({"fieldDelimiter": "\\ud83d\\ude00"})").text("fieldDelimiter").value(), "\U0001F600");
  EXPECT_EQ(values(R"({"quoteChar": "\\x27"})").text("quoteChar").value(), "'");
  EXPECT_EQ(values(R"({"quoteChar": 34})").text("quoteChar").value(), "\"");
  EXPECT_EQ(values(R"({"quoteChar": "ß"})").text("quoteChar").value(), "ß");
  // A text is not a character: what looks like an escape is the value.
  EXPECT_EQ(values(R"({"nullFormat": "\\N"})").text("nullFormat").value(), "\\N");
}

TEST(OptionValues, AliasesAreTheSameOption) {
  const auto v = values(R"({"textQualifier": "'"})");
  EXPECT_TRUE(v.has("quoteChar"));
  EXPECT_EQ(v.text("quoteChar").value(), "'");
  EXPECT_EQ(v.place("quoteChar"), "orders.json:15:3 steps[0].parameter.textQualifier");
}

TEST(OptionValues, OneTextStandsForAListAndAListOfOneForAText) {
  EXPECT_THAT(values(R"({"table": "t"})").text_list("table").value(), ElementsAre("t"));
  EXPECT_THAT(values(R"({"table": ["a", 2]})").text_list("table").value(), ElementsAre("a", "2"));
  EXPECT_EQ(values(R"({"where": ["id > 1"]})").text("where").value(), "id > 1");
  EXPECT_THAT(values("{}").text_list("formats").value(), ElementsAre("yyyy", "MM"));
  EXPECT_THAT(values("{}").text_list("table").value(), ElementsAre());
}

TEST(OptionValues, MembersAreValuesOfTheirOwn) {
  const auto one = values(R"({"connection": {"jdbcUrl": ["u"]}})").object_list("connection").value();
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].text("jdbcUrl").value(), "u");
  EXPECT_EQ(one[0].place("jdbcUrl"), "orders.json:3:5 steps[0].parameter.connection.jdbcUrl");
  const auto two =
      values(R"({"connection": [{"jdbcUrl": "u"}, {"jdbcUrl": "w"}]})").object_list("connection").value();
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1].place("jdbcUrl"), "orders.json:3:5 steps[0].parameter.connection[1].jdbcUrl");
  EXPECT_EQ(values("{}").object("csvReaderConfig").value().boolean("trim").value(), true);
}

TEST(OptionValues, AllowedWordsIgnoreCaseAndComeBackAsDescribed) {
  EXPECT_EQ(values(R"({"writeMode": "NONCONFLICT"})").text("writeMode").value(), "nonConflict");
}

TEST(OptionValues, PlacesNameTheNearestParentAndSetByName) {
  const auto v = values(R"({"skipHeader": "maybe"})");
  EXPECT_EQ(v.place("skipHeader"), "orders.json:14:22 steps[0].parameter.skipHeader");
  EXPECT_EQ(v.place("column[3].type"), "orders.json:3:5 steps[0].parameter.column[3].type");
  EXPECT_EQ(v.place(""), "orders.json:3:5 steps[0].parameter");
  EXPECT_EQ(v.place("where"), "--set steps[0].parameter.where");
  EXPECT_EQ(option_values().place("x"), " x");
}

struct mismatch_case {
  const char* text;
  const char* name;
  enum { text_, integer_, number_, boolean_, list_, object_, objects_ } how;
  const char* message;
};

class OptionMismatch : public ::testing::TestWithParam<mismatch_case> {};

TEST_P(OptionMismatch, SaysWhereWhatWasFoundAndWhatWasExpected) {
  const auto& c = GetParam();
  const auto v = values(c.text);
  const auto failure = [&]() -> error {
    switch (c.how) {
      case mismatch_case::text_:
        return v.text(c.name).error();
      case mismatch_case::integer_:
        return v.integer(c.name).error();
      case mismatch_case::number_:
        return v.number(c.name).error();
      case mismatch_case::boolean_:
        return v.boolean(c.name).error();
      case mismatch_case::list_:
        return v.text_list(c.name).error();
      case mismatch_case::object_:
        return v.object(c.name).error();
      case mismatch_case::objects_:
        return v.object_list(c.name).error();
    }
    return {};
  }();
  EXPECT_EQ(failure.kind, error_kind::bad_option);
  EXPECT_EQ(failure.message, c.message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OptionMismatch,
    ::testing::Values(
        mismatch_case{
            R"({"skipHeader": "maybe"})", "skipHeader", mismatch_case::boolean_,
            "orders.json:14:22 steps[0].parameter.skipHeader: found \"maybe\", expected true or false"},
        mismatch_case{R"({"skipHeader": 1})", "skipHeader", mismatch_case::boolean_,
                      "orders.json:14:22 steps[0].parameter.skipHeader: found 1, expected true or false"},
        mismatch_case{R"({"batchSize": 0})", "batchSize", mismatch_case::integer_,
                      "orders.json:3:5 steps[0].parameter.batchSize: found 0, expected a whole number from 1 "
                      "to 100000"},
        mismatch_case{R"({"batchSize": "9223372036854775808"})", "batchSize", mismatch_case::integer_,
                      "orders.json:3:5 steps[0].parameter.batchSize: found \"9223372036854775808\", expected "
                      "a whole number "
                      "from 1 to 100000"},
        mismatch_case{
            R"({"batchSize": 18446744073709551615})", "batchSize", mismatch_case::integer_,
            "orders.json:3:5 steps[0].parameter.batchSize: found 18446744073709551615, expected a whole "
            "number from 1 to 100000"},
        mismatch_case{R"({"batchSize": 1.5})", "batchSize", mismatch_case::integer_,
                      "orders.json:3:5 steps[0].parameter.batchSize: found 1.5, expected a whole number from "
                      "1 to 100000"},
        mismatch_case{
            R"({"share": "nan"})", "share", mismatch_case::number_,
            "orders.json:3:5 steps[0].parameter.share: found \"nan\", expected a number from 0 to 1"},
        mismatch_case{
            R"({"share": "0,5"})", "share", mismatch_case::number_,
            "orders.json:3:5 steps[0].parameter.share: found \"0,5\", expected a number from 0 to 1"},
        mismatch_case{
            R"({"writeMode": "apend"})", "writeMode", mismatch_case::text_,
            "orders.json:3:5 steps[0].parameter.writeMode: found \"apend\", expected one of \"truncate\", "
            "\"append\", \"nonConflict\"; did you mean \"append\"?"},
        mismatch_case{R"({"quoteChar": "ab"})", "quoteChar", mismatch_case::text_,
                      "orders.json:3:5 steps[0].parameter.quoteChar: found \"ab\", expected one character, "
                      "or an escape "
                      "such as \"\\t\" or \"\\u0001\""},
        mismatch_case{
            R"({"quoteChar": 55296})", "quoteChar", mismatch_case::text_,
            "orders.json:3:5 steps[0].parameter.quoteChar: found 55296, expected one character or its code "
            "point"},
        mismatch_case{R"({"where": {"a": 1}})", "where", mismatch_case::text_,
                      "--set steps[0].parameter.where: found an object, expected a text"},
        mismatch_case{R"({"table": ["a", []]})", "table", mismatch_case::list_,
                      "orders.json:3:5 steps[0].parameter.table[1]: found a list of 0, expected a text"},
        mismatch_case{R"({"csvReaderConfig": "x"})", "csvReaderConfig", mismatch_case::object_,
                      "orders.json:3:5 steps[0].parameter.csvReaderConfig: found \"x\", expected an object"},
        mismatch_case{R"({"connection": [{"jdbcUrl": "u"}, 5]})", "connection", mismatch_case::objects_,
                      "orders.json:3:5 steps[0].parameter.connection[1]: found 5, expected an object"}));

TEST(OptionValues, ASecretIsNeverPartOfAMessage) {
  const auto v = values(R"({"password": ["hunter2", "x"], "where": ["jdbc:x://h?password=hunter2", []]})");
  EXPECT_THAT(v.text("password").error().message, Not(HasSubstr("hunter2")));
  EXPECT_THAT(v.text("where").error().message, Not(HasSubstr("hunter2")));
  const auto w = values(R"({"batchSize": "jdbc:x://h?password=hunter2", "skipHeader": "x://u:hunter2@h"})");
  EXPECT_THAT(w.integer("batchSize").error().message, HasSubstr("password=***"));
  EXPECT_THAT(w.boolean("skipHeader").error().message, HasSubstr("x://u:***@h"));
}

}  // namespace
}  // namespace sluice
