#include "jobspec/loose_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using place = std::pair<std::uint32_t, std::uint32_t>;

TEST(LooseJson, EveryValueHasItsLineAndColumn) {
  const auto read = read_loose_json("a.json",
                                    "{\"a\": [1, -2.5e3,\n  true ,{\"b\":null}],\r\n"
                                    "\t\"c\" : \"x\\\"y\", \"größe\": /* } */ 7}");
  ASSERT_TRUE(read) << read.error().message;
  const json_places& places = *read->places;
  EXPECT_EQ(places.at(""), place(1, 1));
  EXPECT_EQ(places.at("a"), place(1, 7));
  EXPECT_EQ(places.at("a[0]"), place(1, 8));
  EXPECT_EQ(places.at("a[1]"), place(1, 11));
  EXPECT_EQ(places.at("a[2]"), place(2, 3));
  EXPECT_EQ(places.at("a[3]"), place(2, 9));
  EXPECT_EQ(places.at("a[3].b"), place(2, 14));
  EXPECT_EQ(places.at("c"), place(3, 8));
  EXPECT_EQ(places.at("größe"), place(3, 33)) << "columns count characters";
  EXPECT_EQ(places.size(), 9u);
  EXPECT_EQ(read->root,
            nlohmann::json::parse(R"({"a": [1, -2500.0, true, {"b": null}], "c": "x\"y", "größe": 7})"));
}

TEST(LooseJson, ABomIsNoColumn) {
  const auto read = read_loose_json("a.json", "\xEF\xBB\xBF[1]");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->places->at("[0]"), place(1, 2));
  EXPECT_EQ(read_loose_json("a.json", "\xEF\xBB\xBF[x]").error().message.substr(0, 11), "a.json:1:2:");
}

TEST(LooseJson, TextsAreUntouched) {
  const std::string text = R"(["a, ]", "// no", "/* no */", "，", "$x", "\\", ",}"])";
  const auto read = read_loose_json("a.json", text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->root, nlohmann::json::parse(text));
}

TEST(LooseJson, AVariableOutsideOfTextsIsKeptOnlyWhereItIsAskedFor) {
  const std::string text = "{\"a\": ${x}, \"b\": [1${y}0, $z],\n\"c\": \"${t}\"}";
  EXPECT_THAT(read_loose_json("a.json", text).error().message,
              HasSubstr("a.json:1:7: found the variable ${x} outside a text"));
  const auto read = read_loose_json("a.json", text, bare_variables::kept);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->bare, ElementsAre("a", "b[0]", "b[1]"));
  EXPECT_EQ(read->root["b"][0], "1${y}0");
  EXPECT_EQ(read->places->at("c"), place(2, 6));
  for (const char* wrong : {"{${a}: 1}", "{${a}}", "[${a]", "[$]", "[\"x\" ${a}]"}) {
    EXPECT_FALSE(read_loose_json("a.json", wrong, bare_variables::kept)) << wrong;
  }
}

TEST(LooseJson, ADuplicateKeyTakesItsOldPlacesWithIt) {
  const auto read = read_loose_json("a.json", "{\"a\": {\"b\": 1, \"c\": [2]},\n\"a\": {\"b\": 3}}");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->root, nlohmann::json::parse(R"({"a": {"b": 3}})"));
  EXPECT_EQ(read->places->at("a.b"), place(2, 12));
  EXPECT_FALSE(read->places->contains("a.c"));
  EXPECT_FALSE(read->places->contains("a.c[0]"));
  EXPECT_THAT(
      read->warnings,
      ElementsAre("a.json:2:1 a: this key is given twice; the last one counts, not the one in line 1"));
}

TEST(LooseJson, LimitsAreStated) {
  EXPECT_TRUE(read_loose_json("a", std::string(json_depth_max, '[') + std::string(json_depth_max, ']')));
  EXPECT_THAT(read_loose_json("a", std::string(json_depth_max + 1, '[')).error().message,
              HasSubstr("deeper than 200"));

  std::string many = "[0";
  for (std::size_t i = 2; i < json_values_max; ++i) {
    many += ",0";
  }
  EXPECT_TRUE(read_loose_json("a", many + "]")) << "the list and its entries are as many as allowed";
  EXPECT_THAT(read_loose_json("a", many + ",0]").error().message, HasSubstr("at most 200,000 values"));

  EXPECT_THAT(read_loose_json("a", std::string(job_bytes_max + 1, ' ')).error().message,
              HasSubstr("a job file has at most 64 MiB"));
}

TEST(LooseJson, DeepFilesWithLongKeysTakeNoMemoryForPaths) {
  const std::string key(2000, 'k');
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "{\"" + key + "\":";
  }
  text += "1" + std::string(100, '}');
  const auto read = read_loose_json("a", text);
  ASSERT_TRUE(read) << read.error().message;
  for (const auto& [path, where] : *read->places) {
    EXPECT_LE(path.size(), json_path_bytes_max);
  }
}

TEST(LooseJson, AnyDamageIsAnErrorWithAPlaceOrReadsOn) {
  const std::string good =
      R"({"type": "job", /* c */ "steps": [{"a": [1, 2.5, true, null, "ü\u00e4"],},], // x
 "b": {"c": "${d}"}})";
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, 1 + random() % 4);
          break;
        default:
          text.insert(at, 1, good[random() % good.size()]);
      }
      if (text.empty()) {
        break;
      }
    }
    const auto read = read_loose_json("a.json", text);
    if (!read) {
      ++refused;
      EXPECT_EQ(read.error().kind, error_kind::bad_option);
      EXPECT_TRUE(read.error().message.starts_with("a.json:")) << read.error().message;
      EXPECT_GT(read.error().message.size(), 20u);
    }
  }
  EXPECT_GT(refused, 5'000);
}

TEST(LooseJsonSecrets, AreNotShownByAMistakeThatTheyAre) {
  for (const char* text :
       {"{\"password\": hunter2}", "{\"password\": \"a\" \"hunter2\"}", "{\"a\": 1, \"apiKey\": 12hunter2}",
        "{\n\"token\" hunter2}", "{\"password\":\n'hunter2'}", "{\"password\": \n\t hunter2}",
        "{password: 'hunter2'}", "{\"pwd\": 'hunter2'}"}) {
    const auto read = read_loose_json("j.json", text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message.find("hunter2"), std::string::npos) << read.error().message;
  }
  EXPECT_NE(
      read_loose_json("j.json", "{\"password\": \"x\",\n \"table\": orders}").error().message.find("orders"),
      std::string::npos)
      << "other lines are shown";
}

}  // namespace
}  // namespace sluice
