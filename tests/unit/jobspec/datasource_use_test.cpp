#include "jobspec/datasource_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobspec/job.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const char* const registry_text = R"({"version": 1, "datasources": [
  {"name": "shop", "type": "sqlite", "envType": "Prod", "connectionProperties": {"path": "/data/shop.db"}},
  {"name": "shop", "type": "sqlite", "envType": "Dev", "connectionProperties": {"path": "/data/dev.db"}},
  {"name": "dw", "type": "mysql", "connectionProperties": {
     "address": [{"host": "h", "port": 3306}], "database": "dw", "username": "loader", "password": "${env:DW_PW}"}},
  {"name": "broken", "type": "sqlite", "connectionProperties": {}},
  {"name": "pg", "type": "postgresql", "connectionProperties": {
     "address": [{"host": "h", "port": 5432}], "database": "dw", "username": "loader", "password": "p"}},
  {"name": "files", "type": "localfile", "connectionProperties": {"baseDir": "/data/in"}}
]})";

/// A plugin for each of the types above.
plugin_lookup plugins() {
  static const std::vector<option> datasource = {{.name = "datasource", .meaning = "."},
                                                 {.name = "envType", .meaning = "."}};
  static const auto with = [](std::vector<option> more) {
    more.insert(more.end(), datasource.begin(), datasource.end());
    return more;
  };
  static const std::vector<option> sqlite =
      with({{.name = "jdbcUrl", .type = option_type::text_list, .meaning = "."},
            {.name = "connection",
             .type = option_type::object_list,
             .meaning = ".",
             .members = with({{.name = "jdbcUrl", .type = option_type::text_list, .meaning = "."},
                              {.name = "table", .type = option_type::text_list, .meaning = "."}})},
            {.name = "table", .type = option_type::text_list, .meaning = "."}});
  static const std::vector<option> mysql =
      with({{.name = "address", .type = option_type::object_list, .meaning = "."},
            {.name = "database", .meaning = "."},
            {.name = "username", .meaning = "."},
            {.name = "password", .meaning = ".", .secret = true},
            {.name = "table", .type = option_type::text_list, .meaning = "."}});
  static const std::vector<option> text =
      with({{.name = "path", .type = option_type::text_list, .meaning = ".", .required = true}});
  static const std::vector<option> none;
  plugin_lookup lookup;
  lookup.find = [](std::string_view type, bool, dialect) -> std::optional<known_side> {
    if (type == "sqlite") {
      return known_side{"sqlite", &sqlite};
    }
    if (type == "mysql" || type == "postgresql") {
      return known_side{std::string(type), &mysql};
    }
    if (type == "text") {
      return known_side{"text", &text};
    }
    return type == "stream" ? std::optional(known_side{"stream", &none}) : std::nullopt;
  };
  lookup.names = [](bool, dialect) { return std::vector<std::string>{"sqlite", "mysql", "text", "stream"}; };
  return lookup;
}

struct data_sources_of_a_job : ::testing::Test {
  load_options options;
  int asked = 0;

  void SetUp() override {
    options.datasources.registry = [this]() -> result<std::shared_ptr<const datasource_registry>> {
      ++asked;
      auto read = datasource_registry::parse("d.json", registry_text, "/etc");
      EXPECT_TRUE(read);
      return std::make_shared<const datasource_registry>(std::move(*read));
    };
  }
  static std::string text_of(const char* reader, const json& reads, const char* writer, const json& writes) {
    return json{{"type", "job"},
                {"version", "2.0"},
                {"steps",
                 {{{"stepType", reader}, {"category", "reader"}, {"name", "R"}, {"parameter", reads}},
                  {{"stepType", writer}, {"category", "writer"}, {"name", "W"}, {"parameter", writes}}}},
                {"setting", {{"speed", {{"concurrent", 1}}}}}}
        .dump();
  }
  [[nodiscard]] job parsed(const char* type, const json& parameter) const {
    auto answer = parse_job("j.json", text_of(type, parameter, "stream", json::object()), options, plugins());
    EXPECT_TRUE(answer) << ::testing::PrintToString(answer ? std::vector<std::string>()
                                                           : answer.error().lines);
    return answer ? std::move(*answer) : job();
  }
  [[nodiscard]] std::vector<std::string> errors(const char* type, const json& parameter) const {
    auto answer = parse_job("j.json", text_of(type, parameter, "stream", json::object()), options, plugins());
    return answer ? std::vector<std::string>() : answer.error().lines;
  }
  [[nodiscard]] static std::string url(const job& j) {
    return j.reader.parameter.text("jdbcUrl").value().value_or("");
  }
};

TEST_F(data_sources_of_a_job, come_from_the_registry_in_the_plugins_words) {
  const job j = parsed("sqlite", {{"datasource", "shop"}, {"table", "t"}});
  EXPECT_EQ(url(j), "jdbc:sqlite:/data/shop.db");
  EXPECT_THAT(j.warnings, IsEmpty());
  ASSERT_EQ(j.reader.datasources.size(), 1u);
  EXPECT_EQ(j.reader.datasources[0].name, "shop");
  EXPECT_EQ(j.reader.datasources[0].env, datasource_env::production);
  EXPECT_EQ(j.reader.datasources[0].type, "sqlite");
  EXPECT_THAT(j.writer.datasources, IsEmpty());
  EXPECT_THAT(j.document, AllOf(HasSubstr("\"datasource\": \"shop\""), Not(HasSubstr("/data/shop.db"))))
      << "the job is shown as it names its ends";
  EXPECT_THAT(j.reader.parameter.place("jdbcUrl"), AllOf(HasSubstr("steps[0].parameter.datasource"),
                                                         HasSubstr("data source \"shop\" (production)")));
  EXPECT_THAT(j.reader.parameter.place("table"), Not(HasSubstr("data source")));
}

TEST_F(data_sources_of_a_job, stand_in_entries_of_connection_too) {
  const job j = parsed("sqlite", {{"connection", {{{"datasource", "shop"}, {"table", {"t"}}}}}});
  EXPECT_EQ(j.reader.parameter.object_list("connection")->front().text("jdbcUrl").value(),
            "jdbc:sqlite:/data/shop.db");
  EXPECT_THAT(j.warnings, IsEmpty());
  EXPECT_EQ(j.reader.datasources.size(), 1u);
  const job as_object = parsed("sqlite", {{"connection", {{"datasource", "shop"}, {"table", {"t"}}}}});
  EXPECT_EQ(as_object.reader.parameter.object_list("connection")->front().text("jdbcUrl").value(),
            "jdbc:sqlite:/data/shop.db");
}

TEST_F(data_sources_of_a_job, are_chosen_by_the_flag_then_by_the_step_then_production) {
  const json dev = {{"datasource", "shop"}, {"envType", 1}};
  const json prod = {{"datasource", "shop"}, {"envType", "0"}};
  EXPECT_EQ(url(parsed("sqlite", dev)), "jdbc:sqlite:/data/dev.db");
  EXPECT_EQ(url(parsed("sqlite", prod)), "jdbc:sqlite:/data/shop.db");
  EXPECT_EQ(parsed("sqlite", dev).reader.datasources[0].env_origin, "envType");
  EXPECT_EQ(parsed("sqlite", {{"datasource", "shop"}}).reader.datasources[0].env_origin, "default");
  options.datasources.env = datasource_env::development;
  EXPECT_EQ(url(parsed("sqlite", prod)), "jdbc:sqlite:/data/dev.db");
  EXPECT_EQ(parsed("sqlite", prod).reader.datasources[0].env_origin, "--env");
  options.datasources.env = datasource_env::production;
  EXPECT_EQ(url(parsed("sqlite", dev)), "jdbc:sqlite:/data/shop.db");
  options.datasources.env = std::nullopt;
  EXPECT_THAT(
      errors("sqlite", {{"datasource", "shop"}, {"envType", 2}}),
      ElementsAre(AllOf(HasSubstr("envType"), HasSubstr("expected 0 (production) or 1 (development)"))));
}

TEST_F(data_sources_of_a_job, may_be_named_by_a_parameter) {
  options.parameters = {{"source", "shop"}};
  EXPECT_EQ(url(parsed("sqlite", {{"datasource", "${source}"}})), "jdbc:sqlite:/data/shop.db");
}

TEST_F(data_sources_of_a_job, bring_secrets_that_stay_out_of_the_options) {
  const job j = parsed("mysql", {{"datasource", "dw"}, {"table", "t"}});
  EXPECT_EQ(j.reader.parameter.json()["password"], "***");
  const auto written = j.reader.parameter.secret_of("password").value();
  ASSERT_TRUE(written);
  EXPECT_EQ(written->shown(), "${env:DW_PW}");
  EXPECT_THAT(written->place(), HasSubstr("d.json:5:"));
  EXPECT_EQ(j.reader.parameter.text("username").value(), "loader");
}

TEST_F(data_sources_of_a_job, rule_over_what_the_job_says_of_the_connection) {
  const json both = {{"datasource", "shop"}, {"jdbcUrl", "jdbc:sqlite:/other.db"}, {"table", "t"}};
  const job j = parsed("sqlite", both);
  EXPECT_EQ(url(j), "jdbc:sqlite:/data/shop.db");
  EXPECT_THAT(j.warnings, ElementsAre(AllOf(HasSubstr("steps[0].parameter.jdbcUrl: has no effect"),
                                            HasSubstr("data source \"shop\""))));
  options.strict = true;
  EXPECT_THAT(errors("sqlite", both), ElementsAre(HasSubstr("has no effect")));
  EXPECT_THAT(errors("sqlite", {{"datasource", "shop"}, {"jdbcUrl", "jdbc:sqlite:/data/shop.db"}}), IsEmpty())
      << "the same said twice is no conflict";
}

TEST_F(data_sources_of_a_job, give_their_password_to_no_address_of_the_job) {
  const job j = parsed(
      "mysql", {{"datasource", "dw"}, {"address", {{{"host", "evil"}, {"port", 1}}}}, {"username", "root"}});
  EXPECT_EQ(j.reader.parameter.object_list("address")->front().text("host").value(), "h");
  EXPECT_EQ(j.reader.parameter.text("username").value(), "loader");
  EXPECT_EQ(j.warnings.size(), 2u);
  const job by_url = parsed("mysql", {{"datasource", "dw"}, {"jdbcUrl", "jdbc:mysql://evil/dw"}});
  EXPECT_FALSE(by_url.reader.parameter.json().contains("jdbcUrl"));
  EXPECT_THAT(by_url.warnings, ElementsAre(HasSubstr("steps[0].parameter.jdbcUrl: has no effect")));
  const job by_host = parsed("mysql", {{"datasource", "dw"}, {"host", "evil"}});
  EXPECT_FALSE(by_host.reader.parameter.json().contains("host"));
  const job by_replica =
      parsed("postgresql", {{"datasource", "pg"}, {"readOnlyDBInstance", {{{"host", "evil"}, {"port", 1}}}}});
  EXPECT_FALSE(by_replica.reader.parameter.json().contains("readOnlyDBInstance"));
  const job nested = parsed(
      "sqlite",
      {{"datasource", "shop"}, {"connection", {{{"jdbcUrl", "jdbc:sqlite:/evil.db"}, {"table", "t"}}}}});
  EXPECT_FALSE(nested.reader.parameter.object_list("connection")->front().has("jdbcUrl"));
  EXPECT_THAT(nested.warnings, ElementsAre(HasSubstr("connection[0].jdbcUrl: has no effect")));
}

TEST_F(data_sources_of_a_job, of_files_say_where_relative_paths_begin) {
  const job j = parsed("text", {{"datasource", "files"}, {"path", {"a.csv", "/b.csv", "sub/*.csv"}}});
  EXPECT_THAT(j.reader.parameter.text_list("path").value(),
              ElementsAre("/data/in/a.csv", "/b.csv", "/data/in/sub/*.csv"));
  EXPECT_THAT(j.reader.parameter.place("path[0]"), HasSubstr("data source \"files\""));
  EXPECT_THAT(j.reader.parameter.place("path[1]"), Not(HasSubstr("data source")));
  EXPECT_EQ(
      parsed("text", {{"datasource", "files"}, {"path", "c.csv"}}).reader.parameter.text("path").value(),
      "/data/in/c.csv");
  EXPECT_THAT(j.warnings, IsEmpty());
}

TEST_F(data_sources_of_a_job, that_cannot_be_used_are_told_at_the_place_that_names_them) {
  const auto only = [&](const char* type, const json& parameter) {
    const auto lines = errors(type, parameter);
    EXPECT_EQ(lines.size(), 1u) << ::testing::PrintToString(lines);
    return lines.empty() ? std::string() : lines.front();
  };
  EXPECT_THAT(only("sqlite", {{"datasource", "shp"}}),
              AllOf(HasSubstr("j.json:1:"),
                    HasSubstr("steps[0].parameter.datasource: there is no data source \"shp\""),
                    HasSubstr("did you mean \"shop\"?")));
  EXPECT_THAT(only("sqlite", {{"connection", {{{"datasource", "nosuchthing"}}}}}),
              HasSubstr("steps[0].parameter.connection[0].datasource: there is no data source"));
  EXPECT_THAT(
      only("sqlite", {{"datasource", "dw"}}),
      AllOf(HasSubstr("is of the type mysql (d.json:4:3 datasources[2]), which serves mysql, mariadb"),
            HasSubstr("this step is sqlite")));
  EXPECT_THAT(
      only("sqlite", {{"datasource", "broken"}}),
      AllOf(HasSubstr("the data source \"broken\" is wrong: d.json:6:"), HasSubstr("has none of \"path\"")));
  EXPECT_THAT(only("sqlite", {{"datasource", 5}}), HasSubstr("expected a text: the name of a data source"));
  options.datasources.registry = []() -> result<std::shared_ptr<const datasource_registry>> {
    return fail(error_kind::bad_option, "there is no registry of data sources; looked at: X");
  };
  EXPECT_THAT(only("sqlite", {{"datasource", "shop"}}),
              HasSubstr("is not known: there is no registry of data sources"));
  options.datasources.registry = nullptr;
  EXPECT_THAT(only("sqlite", {{"datasource", "shop"}}), HasSubstr("write the address into the job"));
}

TEST_F(data_sources_of_a_job, are_not_looked_for_where_no_step_names_one) {
  (void)parsed("sqlite", {{"jdbcUrl", "jdbc:sqlite:a.db"}, {"envType", 0}, {"datasource", ""}});
  EXPECT_EQ(asked, 0);
  const job unknown = parsed("stream", {{"datasource", "shop"}});
  EXPECT_EQ(asked, 0);
  EXPECT_THAT(unknown.warnings, ElementsAre(HasSubstr("this key is not known")));
}

TEST_F(data_sources_of_a_job, are_in_the_job_key_with_their_environment_and_without_their_address) {
  const std::string prod = parsed("sqlite", {{"datasource", "shop"}}).key;
  EXPECT_EQ(parsed("sqlite", {{"datasource", "shop"}, {"envType", 0}}).key, prod) << "the same variant";
  EXPECT_NE(parsed("sqlite", {{"datasource", "shop"}, {"envType", 1}}).key, prod);
  const std::string dev = parsed("sqlite", {{"datasource", "shop"}, {"envType", 1}}).key;
  options.datasources.env = datasource_env::development;
  EXPECT_EQ(parsed("sqlite", {{"datasource", "shop"}}).key, dev) << "whoever chose it";
  EXPECT_NE(parsed("sqlite", {{"jdbcUrl", "jdbc:sqlite:/data/dev.db"}}).key, dev);
  options.datasources.env = std::nullopt;
  options.datasources.registry = []() -> result<std::shared_ptr<const datasource_registry>> {
    return std::make_shared<const datasource_registry>(*datasource_registry::parse(
        "e.json",
        R"({"datasources": [{"name": "shop", "type": "sqlite", "connectionProperties": {"path": "/m"}}]})",
        ""));
  };
  EXPECT_EQ(parsed("sqlite", {{"datasource", "shop"}}).key, prod) << "a move of the file is no other job";
}

TEST_F(data_sources_of_a_job, references_outside_of_secrets_are_refused) {
  EXPECT_THAT(errors("sqlite", {{"jdbcUrl", "jdbc:sqlite:${env:HOME}/a.db"}}),
              ElementsAre(AllOf(HasSubstr("jdbcUrl"), HasSubstr("looked up in secrets only"))));
  const job inline_secret = parsed("mysql", {{"username", "u"}, {"password", "${cmd:vault read}"}});
  EXPECT_EQ(inline_secret.reader.parameter.secret_of("password").value()->shown(), "${cmd:vault …}");
  EXPECT_THAT(inline_secret.document, HasSubstr("${cmd:vault …}"));
  EXPECT_THAT(errors("mysql", {{"password", "${env:"}}), ElementsAre(HasSubstr("has no closing brace")));
}

}  // namespace
}  // namespace sluice
