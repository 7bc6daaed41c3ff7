#include "jobspec/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "jobspec/json_path.h"
#include "jobspec/secrets.h"
#include "jobspec/settings.h"
#include "tests/unit/jobspec/fake_plugins.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const char* const sample = R"({
  "type": "job", "version": "2.0",
  "steps": [
    {"stepType": "csv", "category": "reader", "name": "Reader",
     "parameter": {"path": ["in_${day}.csv"], "column": ["*"]}},
    {"stepType": "sqlite", "category": "writer", "name": "Writer",
     "parameter": {"jdbcUrl": "jdbc:sqlite:out.db", "table": "t", "column": ["*"], "password": "${pw}"}}
  ],
  "setting": {"errorLimit": {"record": "0"}, "speed": {"concurrent": 2}}
})";

load_options given(std::vector<std::pair<std::string, std::string>> set = {}) {
  load_options options;
  options.parameters = {{"day", "20250719"}, {"pw", "hunter2"}};
  options.set = std::move(set);
  return options;
}

job parsed(const std::string& text, const load_options& options) {
  auto answer = parse_job("orders.json", text, options, fake_plugins());
  EXPECT_TRUE(answer) << ::testing::PrintToString(answer.error().lines);
  return answer ? *answer : job();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string changed(const std::string& from, const std::string& to) {
  return replaced(sample, from, to);
}

TEST(JobKey, HasGoldenValuesBecauseUnfinishedRunsAreFoundByIt) {
  const job j = parsed(sample, given());
  EXPECT_EQ(j.key, "a3af0e0097385be44286d0419d95bd47");
  EXPECT_EQ(j.instance, "a349551c81c72d836ab2bd583091d69b");
}

TEST(JobKey, CoversWhatDecidesTheDataAndNothingElse) {
  const job base = parsed(sample, given());
  const std::pair<const char*, const char*> same[] = {
      {"\"record\": \"0\"", "\"record\": 7"},
      {"\"concurrent\": 2", "\"concurrent\": 9, \"throttle\": true, \"mbps\": 3"},
      {"\"password\": \"${pw}\"",
       "\"password\": \"x${pw}\", \"username\": \"u\", \"batchSize\": 5, \"guid\": \"g\""},
      {"\"name\": \"Reader\"", "\"name\": \"Source\""},
      {"\"csv\"", "\"text\""},
      {"\"table\": \"t\"", "\"table\": \"t\", \"writeMode\": null"},
      {"\"table\": \"t\"", "\"table\": \"t\", \"postSql\": [\"delete from t\"]"},
      {"out.db", "out.db?password=x"},
  };
  for (const auto& [from, to] : same) {
    if (std::string_view(from) == "out.db") {
      // Only the password itself is left out.
      EXPECT_EQ(parsed(changed(from, to), given()).key,
                parsed(changed(from, "out.db?password=y"), given()).key);
      continue;
    }
    EXPECT_EQ(parsed(changed(from, to), given()).key, base.key) << to;
  }
  const std::pair<const char*, const char*> other[] = {
      {"in_${day}.csv", "in_${day}.txt"},
      {"out.db", "other.db"},
      {"\"table\": \"t\"", "\"table\": \"u\""},
      {"\"table\": \"t\"", "\"table\": \"t\", \"writeMode\": \"replace\""},
      {"[\"*\"]", "[\"a\"]"},
      {"\"setting\": {", "\"setting\": {\"common\": {\"column\": {\"timeZone\": \"UTC\"}}, "},
  };
  for (const auto& [from, to] : other) {
    EXPECT_NE(parsed(changed(from, to), given()).key, base.key) << to;
  }
}

TEST(Settings, SayWhatIsPromisedAndWhereMarksStandWithoutAnotherKey) {
  const job plain = parsed(sample, given());
  EXPECT_EQ(plain.delivery.mode, delivery_mode::automatic);
  EXPECT_EQ(plain.delivery.mode_place, "");
  const job asked =
      parsed(changed("\"setting\": {",
                     "\"setting\": {\"delivery\": \"exactly_once\", \"progressTable\": \"ops.x\", "),
             given());
  EXPECT_EQ(asked.delivery.mode, delivery_mode::exactly_once);
  EXPECT_EQ(asked.delivery.progress_table, "ops.x");
  EXPECT_FALSE(asked.delivery.no_marks);
  EXPECT_EQ(asked.key, plain.key);
  const job none =
      parsed(changed("\"setting\": {",
                     "\"setting\": {\"delivery\": \"at_least_once\", \"progressTable\": \"none\", "),
             given());
  EXPECT_EQ(none.delivery.mode, delivery_mode::at_least_once);
  EXPECT_TRUE(none.delivery.no_marks);
  EXPECT_EQ(none.delivery.progress_table, "");
}

TEST(JobKey, IsAnotherWhereValuesAreChangedAsDataxDoes) {
  const job exact = parsed(sample, given());
  const std::string with_datax = changed("\"setting\": {", "\"setting\": {\"compat\": \"datax\", ");
  EXPECT_NE(parsed(with_datax, given()).key, exact.key);
  auto options = given();
  options.compat = compat_mode::datax;
  EXPECT_EQ(parsed(sample, options).key, parsed(with_datax, given()).key)
      << "--compat is the same as the setting";
  options.compat = compat_mode::exact;
  EXPECT_EQ(parsed(with_datax, options).compat, compat_mode::exact) << "--compat goes before the setting";
  EXPECT_EQ(parsed(with_datax, options).key, exact.key);
}

TEST(JobKey, IsTakenBeforeSubstitutionAndTheInstanceAfter) {
  const job base = parsed(sample, given());
  auto tomorrow = given();
  tomorrow.parameters["day"] = "20250720";
  EXPECT_EQ(parsed(sample, tomorrow).key, base.key);
  EXPECT_NE(parsed(sample, tomorrow).instance, base.instance);
  auto rotated = given();
  rotated.parameters["pw"] = "other";
  EXPECT_EQ(parsed(sample, rotated).instance, base.instance) << "a secret is not part of the instance";
  EXPECT_NE(parsed(sample, given({{"steps[1].parameter.table", "u"}})).key, base.key);
}

TEST(JobKey, IsTheSameWhateverPostSqlIsAndSoIsTheInstance) {
  const job base = parsed(sample, given());
  auto options = given();
  options.parameters["tag"] = "a";
  options.parameters["bizdate"] = "20250719";
  const auto with = [&](const std::string& sql) {
    return parsed(changed("\"table\": \"t\"", "\"table\": \"t\", \"postSql\": [" + sql + "]"), options);
  };
  for (const char* sql : {"\"analyze t\"", "\"analyze t\", \"delete from t where d = '${day}'\"",
                          "\"insert into log values ('${tag}', '${bizdate}')\"", ""}) {
    EXPECT_EQ(with(sql).key, base.key) << sql;
    EXPECT_EQ(with(sql).key_parts, base.key_parts) << sql;
    EXPECT_EQ(with(sql).instance, base.instance) << sql;
  }
  const std::string tagged =
      changed("\"table\": \"t\"", "\"table\": \"t\", \"preSql\": [\"${tag}\"], \"postSql\": [\"${tag}\"]");
  const job first = parsed(tagged, options);
  options.parameters["tag"] = "b";
  EXPECT_NE(parsed(tagged, options).instance, first.instance) << "it stands elsewhere, too";
}

const char* const between_servers = R"({
  "type": "job", "version": "2.0",
  "steps": [
    {"stepType": "fakedb", "category": "reader", "name": "Reader",
     "parameter": {"connection": [{"jdbcUrl": ["jdbc:fake://one:3306/shop?x=1"], "table": ["t"]}],
                   "column": ["*"], "where": "d = '${day}'"}},
    {"stepType": "sqlite", "category": "writer", "name": "Writer",
     "parameter": {"jdbcUrl": "jdbc:sqlite:/data/out.db", "table": "t", "column": ["*"]}}
  ]
})";

TEST(SameEnds, AreTheSameWithOtherServersAndNothingElse) {
  const job base = parsed(between_servers, given());
  const auto with = [&](const std::string& from, const std::string& to) {
    return parsed(replaced(between_servers, from, to), given());
  };
  for (const char* url :
       {"jdbc:fake://two/shop?x=1", "jdbc:fake://two:3306,three:3307/shop?x=1",
        "jdbc:fake:replication://a,b/shop?x=1", "jdbc:fake://address=(host=two)(port=1)/shop?x=1",
        R"(jdbc:fake://a/shop?x=1", "jdbc:fake://b/shop?x=1)"}) {
    const job other = with("jdbc:fake://one:3306/shop?x=1", url);
    EXPECT_NE(other.key, base.key) << url;
    EXPECT_NE(other.instance, base.instance) << url;
    EXPECT_EQ(other.ends.key, base.ends.key) << url;
    EXPECT_EQ(other.ends.instance, base.ends.instance) << url;
    EXPECT_NE(other.ends.reader_address, base.ends.reader_address) << url;
  }
  const job moved = with("/data/out.db", "/srv/new.db");
  EXPECT_EQ(moved.ends.key, base.ends.key);
  EXPECT_EQ(moved.ends.reader_address, base.ends.reader_address) << "of the reader";
  for (const auto& [from, to] : {std::pair{"one:3306/shop", "one:3306/other"},
                                 {"?x=1", "?x=2"},
                                 {"[\"t\"]", "[\"u\"]"},
                                 {"\"table\": \"t\"", "\"table\": \"u\""},
                                 {"d = ", "e = "}}) {
    EXPECT_NE(with(from, to).ends.key, base.ends.key) << to;
  }
  auto tomorrow = given();
  tomorrow.parameters["day"] = "20250720";
  const job other_day = parsed(between_servers, tomorrow);
  EXPECT_EQ(other_day.ends.key, base.ends.key);
  EXPECT_NE(other_day.ends.instance, base.ends.instance);
}

TEST(SameEnds, LeaveAParameterOutThatIsAnAddressAlone) {
  const auto with = [](const std::string& from, const std::string& to, const std::string& value) {
    auto options = given();
    options.parameters["where_to"] = value;
    return parsed(replaced(between_servers, from, to), options);
  };
  const auto as_server = [&](const char* value) { return with("one:3306", "${where_to}", value); };
  EXPECT_NE(as_server("a").instance, as_server("b").instance);
  EXPECT_EQ(as_server("a").ends.instance, as_server("b").ends.instance);
  EXPECT_NE(as_server("a").ends.reader_address, as_server("b").ends.reader_address);
  const auto as_database = [&](const char* value) { return with("3306/shop", "3306/${where_to}", value); };
  EXPECT_NE(as_database("a").ends.instance, as_database("b").ends.instance);
  const auto as_file = [&](const char* value) { return with("/data/out.db", "/data/${where_to}.db", value); };
  EXPECT_NE(as_file("a").ends.instance, as_file("b").ends.instance) << "another file each day";
}

TEST(JobStep, TakesADefaultFromTheNameItGoesBy) {
  const auto format_of = [](const std::string& type) {
    return parsed(changed("\"csv\"", type), given()).reader.parameter.text("fileFormat").value();
  };
  EXPECT_EQ(format_of("\"csv\""), "csv");
  EXPECT_EQ(format_of("\"json\""), "json");
  EXPECT_EQ(format_of("\"text\""), "csv");
  const std::string with_jsonl = replaced(changed("\"csv\"", "\"JSON\""), "\"path\": [\"in",
                                          "\"fileFormat\": \"jsonl\", \"path\": [\"in");
  EXPECT_EQ(parsed(with_jsonl, given()).reader.parameter.text("fileFormat").value(), "jsonl")
      << "the same format under another name is no contradiction";
}

TEST(JobStep, IsAnotherJobUnderANameThatMeansAnotherFormat) {
  const job as_csv = parsed(sample, given());
  const job as_json = parsed(changed("\"csv\"", "\"json\""), given());
  EXPECT_NE(as_json.key, as_csv.key);
  const job spelled_out = parsed(replaced(changed("\"csv\"", "\"text\""), "\"path\": [\"in",
                                          "\"fileFormat\": \"json\", \"path\": [\"in"),
                                 given());
  EXPECT_EQ(as_json.key, spelled_out.key);
}

TEST(JobKey, SaysInWhichOfItsPartsTwoJobsDiffer) {
  const job base = parsed(sample, given());
  std::vector<std::string> names;
  for (const auto& [name, digest] : base.key_parts) {
    names.push_back(name);
    EXPECT_EQ(digest.size(), 16u);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"compat", "conversion", "dialect", "reader", "transformers",
                                             "writer"}));
  const job other = parsed(changed("\"table\": \"t\"", "\"table\": \"u\""), given());
  for (const auto& [name, digest] : other.key_parts) {
    EXPECT_EQ(digest == base.key_parts.at(name), name != "writer") << name;
  }
  const job same = parsed(changed("\"record\": \"0\"", "\"record\": 7"), given());
  EXPECT_EQ(same.key_parts, base.key_parts);
}

TEST(JobDocument, HidesEverySecretWhereverItWent) {
  auto options = given({{"steps[1].parameter.key", "hunter3"}});
  const std::string text =
      replaced(changed("out.db", "out.db?user=u&password=hunter4&x=1"), "\"table\": \"t\"",
               "\"table\": \"t_${pw}\", \"preSql\": [\"select 'http://u:hunter5@h/'\"], \"accessKeySecret\": "
               "\"hunter6\"");
  const job j = parsed(text, options);
  EXPECT_THAT(j.document, Not(HasSubstr("hunter")));
  const json shown = json::parse(j.document);
  const json& writer = shown["steps"][1]["parameter"];
  EXPECT_EQ(writer["password"], "***");
  EXPECT_EQ(writer["key"], "***");
  EXPECT_EQ(writer["table"], "t_***");
  EXPECT_EQ(writer["jdbcUrl"], "jdbc:sqlite:out.db?user=u&password=***&x=1");
  EXPECT_EQ(writer["preSql"][0], "select 'http://u:***@h/'");
  EXPECT_EQ(shown["steps"][0]["parameter"]["path"][0], "in_20250719.csv") << "the job as run";
  EXPECT_EQ(j.parameters, (std::map<std::string, std::string>{{"day", "20250719"}, {"pw", "***"}}));
  EXPECT_EQ(j.writer.parameter.text("password").value(), "***") << "out of the options";
  EXPECT_EQ(j.writer.parameter.secret_of("password").value()->parts().front().text, "hunter2")
      << "the writer still has it";
}

TEST(SqlWarnings, NameTheValueThatMayEndItsTextAndQuoteTheStatement) {
  const auto warnings_of = [](const std::string& value, const std::string& writer_key) {
    auto options = given();
    options.parameters["day"] = value;
    return parsed(replaced(sample, "\"table\": \"t\"", writer_key), options).warnings;
  };
  const std::string pre_sql = R"("table": "t", "preSql": ["x", "delete from t where d = '${day}' -- ${pw}"])";
  EXPECT_THAT(
      warnings_of("a'b", pre_sql),
      ElementsAre("orders.json:7:83 steps[1].parameter.preSql[1]: the value of ${day} holds a quote and "
                  "becomes part of SQL: \"delete from t where d = 'a'b' -- ***\""));
  for (const auto& [value, part] :
       std::initializer_list<std::pair<const char*, const char*>>{{"a\\", "a backslash"},
                                                                  {"a\nb", "a line's end"},
                                                                  {"a;\"", "a quote and a semicolon"},
                                                                  {"`", "a quote"}}) {
    EXPECT_THAT(warnings_of(value, pre_sql), ElementsAre(HasSubstr(part))) << value;
  }
  EXPECT_THAT(warnings_of("a'b", R"("table": "t_${day}")"),
              ElementsAre(HasSubstr("steps[1].parameter.table")));
  EXPECT_THAT(warnings_of("20250719", pre_sql), ::testing::IsEmpty());
  EXPECT_THAT(warnings_of("a'b", R"("table": "t")"), ::testing::IsEmpty()) << "a path is no SQL";
}

TEST(Instance, CoversThePlannedTimeWhereOneWasGivenAndTheClockNowhere) {
  const auto with = [](const std::string& time, bool is_given, const std::string& day) {
    auto options = given();
    options.parameters["day"] = day;
    options.plan = [=](dialect, const std::optional<std::string>&) -> result<planned_time> {
      SLUICE_TRY(const auto asked, planned_times({.cyctime = time}));
      planned_time planned = planned_for(asked.front(), {}, "UTC");
      planned.given = is_given;
      return planned;
    };
    return parsed(sample, options);
  };
  const std::string first = "2025-07-20 10:30:00", second = "2025-07-21 10:30:00";
  EXPECT_EQ(with(first, false, "$bizdate").instance, with(second, false, "$bizdate").instance);
  EXPECT_NE(with(first, false, "$bizdate").instance, with(first, false, "$gmtdate").instance);
  EXPECT_NE(with(first, true, "$bizdate").instance, with(second, true, "$bizdate").instance);
  EXPECT_NE(with(first, true, "x").instance, with(second, true, "x").instance);
  EXPECT_EQ(with(first, false, "20250719").instance, "a349551c81c72d836ab2bd583091d69b") << "as before";
  EXPECT_EQ(with(first, true, "$bizdate").instance, with(first, true, "20250719").instance);
  EXPECT_THAT(with(first, false, "$bizdate").date_place, HasSubstr("steps[0].parameter.path"));
  EXPECT_EQ(with(first, false, "x").date_place, "");
}

TEST(PlannedTime, IsAskedForInTheZoneOfTheJob) {
  for (const auto& [zone, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"Asia/Tokyo", "Asia/Tokyo"}, {"${zone}", "UTC"}, {"", "none"}}) {
    auto options = given();
    options.parameters["zone"] = "UTC";
    std::string asked;
    options.plan = [&asked](dialect, const std::optional<std::string>& of_job) -> result<planned_time> {
      asked = of_job.value_or("none");
      return planned_time{};
    };
    parsed(
        changed("\"setting\": {",
                fmt::format("\"setting\": {{\"common\": {{\"column\": {{\"timeZone\": \"{}\"}}}}, ", zone)),
        options);
    EXPECT_EQ(asked, expected);
  }
}

TEST(Secrets, AreKnownByTheNamesOfTheirKeys) {
  for (const char* key : {"password", "Password", "userPassword", "pwd", "access_key", "accessKeySecret",
                          "securityToken", "api-key", "private.key", "clientSecret"}) {
    EXPECT_TRUE(looks_secret(key)) << key;
  }
  for (const char* key : {"table", "splitPk", "primaryKey", "keyIndex", "path", "username", "passable"}) {
    EXPECT_FALSE(looks_secret(key)) << key;
  }
  EXPECT_EQ(mask_addresses("password=x"), "password=x") << "no address";
  EXPECT_EQ(mask_addresses("jdbc:x;user=a;PASSWORD=b c"), "jdbc:x;user=a;PASSWORD=*** c");
  EXPECT_EQ(mask_addresses("s://u@h/p:q@r"), "s://u@h/p:***@r") << "q may be the password of u@h/p";
}

TEST(DataxArithmetic, FollowsTheTableOfTheFacts) {
  const auto answer = [](datax_speed asked) { return datax_arithmetic(asked); };
  EXPECT_EQ(answer({.channel = 5}).channels, 5u);
  EXPECT_EQ(answer({.channel = 5}).bytes_per_second, std::nullopt);
  EXPECT_EQ(answer({.byte = 10485760, .channel_byte = 1048576}).channels, 10u);
  EXPECT_THAT(answer({.byte = 10485760, .channel_byte = -1}).message,
              HasSubstr("core.transport.channel.speed.byte"));
  EXPECT_EQ(answer({.byte = 500000, .channel_byte = 1048576}).channels, 1u);
  EXPECT_EQ(answer({.byte = 500000, .channel_byte = 1048576}).bytes_per_second, 1048576u);
  EXPECT_EQ(answer({.channel = 2, .byte = 5242880, .channel_byte = 1048576}).channels, 5u);
  EXPECT_EQ(
      answer({.byte = 10485760, .record = 30000, .channel_byte = 1048576, .channel_record = 10000}).channels,
      3u);
  EXPECT_THAT(answer({}).message, HasSubstr("the speed is missing"));
  EXPECT_EQ(answer({.channel = INT64_MAX, .channel_byte = INT64_MAX}).bytes_per_second, std::nullopt)
      << "saturates";
}

TEST(JsonPath, IsTakenApartOrRefused) {
  EXPECT_THAT(
      parse_path("steps[0].parameter.where").value(),
      ElementsAre(path_step("steps"), path_step(std::size_t{0}), path_step("parameter"), path_step("where")));
  EXPECT_THAT(parse_path("a[1][2]").value(),
              ElementsAre(path_step("a"), path_step(std::size_t{1}), path_step(std::size_t{2})));
  for (const char* path :
       {"", ".", "a.", ".a", "a..b", "[0]", "a[", "a[]", "a[x]", "a[0]b", "a[-1]", "a[1"}) {
    EXPECT_FALSE(parse_path(path)) << path;
  }
}

class LoadJob : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "sluice job ü XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(LoadJob, ReadsTheFileAndIsNamedAfterIt) {
  const auto path = folder_ / "orders daily.json";
  std::ofstream(path) << sample;
  const auto answer = load_job(path.string(), given(), fake_plugins());
  ASSERT_TRUE(answer) << ::testing::PrintToString(answer.error().lines);
  EXPECT_EQ(answer->name, "orders daily");
  EXPECT_EQ(answer->file, path.string());
  EXPECT_EQ(answer->key, parsed(sample, given()).key) << "the file's name is not part of the key";
}

TEST_F(LoadJob, SaysWhyAFileCannotBeRead) {
  const auto missing = load_job((folder_ / "none.json").string(), {}, fake_plugins());
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().lines,
              ElementsAre(HasSubstr("none.json: cannot be opened: No such file or directory")));
  const auto is_folder = load_job(folder_.string(), {}, fake_plugins());
  ASSERT_FALSE(is_folder);
  EXPECT_THAT(is_folder.error().lines, ElementsAre(HasSubstr("this is a folder")));
}

TEST(ParseJob, RefusesParametersThatAreNotUtf8) {
  auto options = given();
  options.parameters["day"] = "\xff";
  const auto answer = parse_job("a.json", sample, options, fake_plugins());
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().lines,
              ElementsAre(HasSubstr("the value of the parameter \"day\" is not UTF-8")));
}

}  // namespace
}  // namespace sluice
