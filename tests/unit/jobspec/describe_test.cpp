#include "jobspec/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using nlohmann::json;

const std::vector<option>& described() {
  static const std::vector<option> options = {
      {.name = "path", .type = option_type::text_list, .meaning = "Files | globs.", .required = true},
      {.name = "fieldDelimiter",
       .type = option_type::delimiter,
       .meaning = "Between fields.",
       .default_text = "\t",
       .datax_default_text = "|"},
      {.name = "batchSize",
       .type = option_type::integer,
       .meaning = "Rows.",
       .default_text = "256",
       .aliases = {"batch"},
       .number_min = 1,
       .number_max = 1000},
      {.name = "writeMode", .meaning = "How.", .allowed = {"insert", "replace"}},
      {.name = "connection",
       .type = option_type::object_list,
       .meaning = "Ends.",
       .members = {{.name = "password", .meaning = "A word.", .secret = true}}},
  };
  return options;
}

TEST(OptionsMarkdown, HasARowForEachOptionAndMember) {
  EXPECT_EQ(options_markdown(described()),
            "| Option | Type | Required | Default | Meaning |\n"
            "|---|---|---|---|---|\n"
            "| `path` | list of texts | yes |  | Files \\| globs. |\n"
            "| `fieldDelimiter` | text (delimiter) |  | `\\t`; DataX: `\\|` | Between fields. |\n"
            "| `batchSize` | whole number, 1 to 1000 |  | `256` | Rows. Also written `batch`. |\n"
            "| `writeMode` | text |  |  | How. One of `insert`, `replace`. |\n"
            "| `connection` | list of objects |  |  | Ends. |\n"
            "| `connection[].password` | text |  |  | A word. Secret: never shown. |\n");
  EXPECT_EQ(options_markdown({}), "");
}

TEST(OptionsSchema, IsAsLooseAsTheParser) {
  const json schema = options_schema(described());
  EXPECT_EQ(schema["type"], "object");
  EXPECT_EQ(schema["allOf"], json::parse(R"([{"anyOf": [{"required": ["path"]}]}])"));
  const json& number = schema["properties"]["batchSize"]["anyOf"];
  EXPECT_EQ(number[0], json::parse(R"({"type": "integer", "minimum": 1.0, "maximum": 1000.0})"));
  const auto as_text = testing::ContainsRegex(number[1]["pattern"].get<std::string>());
  for (const char* text : {"", " 12 ", "+3", "-5", "${n}"}) {
    EXPECT_THAT(text, as_text);
  }
  for (const char* text : {"x", "1e3", "2.0", "1 2"}) {
    EXPECT_THAT(text, testing::Not(as_text)) << "the parser refuses it, too";
  }
  EXPECT_EQ(schema["properties"]["batchSize"]["default"], 256) << "an editor puts a number in";
  EXPECT_EQ(schema["properties"]["fieldDelimiter"]["default"], "\t");
  const json& word = schema["properties"]["writeMode"]["anyOf"];
  EXPECT_EQ(word[0]["enum"], json({"insert", "replace"})) << "editors offer these";
  const auto in_any_case = testing::ContainsRegex(word[1]["pattern"].get<std::string>());
  EXPECT_THAT(" Insert ", in_any_case);
  EXPECT_THAT("upsert", testing::Not(in_any_case));
  const auto with_brackets = testing::ContainsRegex(any_case_pattern({"insert", "update(…)"}));
  for (const char* text : {"update(v)", " Update (a, b)", "INSERT"}) {
    EXPECT_THAT(text, with_brackets);
  }
  for (const char* text : {"update", "update(v", "insert(v)"}) {
    EXPECT_THAT(text, testing::Not(with_brackets));
  }
  EXPECT_EQ(schema["properties"]["batch"], schema["properties"]["batchSize"]);
  const json& member = schema["properties"]["connection"]["anyOf"][0]["properties"]["password"];
  EXPECT_EQ(member["writeOnly"], true);
}

}  // namespace
}  // namespace sluice
