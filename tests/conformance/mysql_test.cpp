#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_plugin.h"
#include "tests/conformance/claim_suite.h"
#include "tests/conformance/source_suite.h"
#include "tests/conformance/target_suite.h"
#include "tests/support/database_server.h"

// The shared suites against real servers, which SLUICE_TEST_MARIADB and SLUICE_TEST_MYSQL name
// (tests/servers/README.md).
namespace sluice::testing {
namespace {

/// Runs statements as admin, each by itself; the rows of the last one, columns parted by `|`.
std::vector<std::string> sql(const std::string& system, const std::vector<std::string>& statements) {
  const database_server server = *find_database_server(system);
  mysql::connection_plan plan;
  plan.connect.servers = {{server.host, server.port}};
  plan.connect.database = server.database;
  plan.connect.user = server.admin.user;
  plan.connect.password = *secret_text::parse(server.admin.password, "test");
  plan.role = mysql::session_role::manage;
  plan.name = "sluice conformance";
  plan.resolve_secret = plain_secret;
  const auto c = mysql::connection::open(plan, {});
  EXPECT_TRUE(c) << c.error().message;
  std::vector<std::string> out;
  for (const std::string& statement : statements) {
    const auto answer = (*c)->ask(statement, {});
    EXPECT_TRUE(answer) << statement << ": " << answer.error().message;
    out.clear();
    for (const auto& row : answer.value_or(std::vector<relational::sql_row>())) {
      std::string text;
      for (std::size_t i = 0; i < row.size(); ++i) {
        text += (i == 0 ? "" : "|") + row[i].value_or("<null>");
      }
      out.push_back(std::move(text));
    }
  }
  return out;
}

std::string parameter(const std::string& system, const std::string& table, const std::string& more) {
  const database_server server = *find_database_server(system);
  return fmt::format(R"({{{}, "table": "{}"{}}})", server.connecting_keys("jdbc:mysql:", server.admin), table,
                     more);
}

source_quirks source_of(const std::string& system, const std::string& name, const std::string& key,
                        const std::string& more) {
  return {
      .name = system + name,
      .make_plugin = mysql_plugin,
      .fill =
          [=](const temporary_folder&) {
            sql(system,
                {"DROP TABLE IF EXISTS conformance_in", "SET sql_mode = ''",
                 fmt::format("CREATE TABLE conformance_in (id BIGINT {}, name TEXT, d DATE)", key),
                 "INSERT INTO conformance_in VALUES (1,'a','2024-02-29'),(3,NULL,NULL),(4,'','1000-01-01'),"
                 "(9,'\xC3\xBC',NULL),(12,'bad','0000-00-00'),(40,'e',NULL)"});
            return parameter(system, "conformance_in", R"(, "column": ["id", "name", "d"])" + more);
          },
      .rows = std::vector<std::string>{"1|a|2024-02-29", "3|<null>|<null>", "4||1000-01-01",
                                       "9|\xC3\xBC|<null>", "40|e|<null>"},
      .dirty_codes = {"not_a_date"}};
}

target_quirks target_of(const std::string& system) {
  return {.name = system,
          .make_plugin = mysql_plugin,
          .make_ready =
              [=](const temporary_folder&) {
                sql(system, {"DROP TABLE IF EXISTS conformance_out, sluice_run, sluice_progress",
                             "CREATE TABLE conformance_out (id VARCHAR(20) NOT NULL, name VARCHAR(20))"});
                return parameter(system, "conformance_out", R"(, "column": ["id", "name"])");
              },
          .read_back =
              [=](const temporary_folder&) { return sql(system, {"SELECT id, name FROM conformance_out"}); },
          .bad_row = {nullptr, "b"},
          .bad_code = "ER_BAD_NULL_ERROR"};
}

std::vector<std::string> systems() {
  std::vector<std::string> out;
  for (const char* system : {"mariadb", "mysql"}) {
    if (find_database_server(system)) {
      out.emplace_back(system);
    }
  }
  return out;
}

std::vector<source_quirks> sources() {
  std::vector<source_quirks> out;
  for (const std::string& system : systems()) {
    out.push_back(source_of(system, "WithKey", "PRIMARY KEY", ""));
    out.push_back(source_of(system, "Split", "PRIMARY KEY", R"(, "splitPk": "id")"));
    out.push_back(source_of(system, "WithoutKey", "", R"(, "splitPk": "id")"));
  }
  return out;
}

std::vector<target_quirks> targets() {
  std::vector<target_quirks> out;
  for (const std::string& system : systems()) {
    out.push_back(target_of(system));
  }
  return out;
}

std::vector<claim_quirks> claims() {
  std::vector<claim_quirks> out;
  for (const std::string& system : systems()) {
    const auto target = target_of(system);
    out.push_back({.name = system,
                   .make_plugin = mysql_plugin,
                   .make_ready = [target] { return target.make_ready(temporary_folder()); },
                   .run = [system](const std::string& statement) { sql(system, {statement}); },
                   .rows = [target] { return target.read_back(temporary_folder()); },
                   .slow_step = "DO SLEEP(3)"});
  }
  return out;
}

template <class Quirks>
std::string name_of(const ::testing::TestParamInfo<Quirks>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(MySql, ClaimSuite, ::testing::ValuesIn(claims()), name_of<claim_quirks>);
INSTANTIATE_TEST_SUITE_P(MySql, SourceSuite, ::testing::ValuesIn(sources()), name_of<source_quirks>);
INSTANTIATE_TEST_SUITE_P(MySql, TargetSuite, ::testing::ValuesIn(targets()), name_of<target_quirks>);

TEST(Server, is_named_by_the_environment) {
  if (systems().empty()) {
    GTEST_SKIP() << "SLUICE_TEST_MARIADB names no server; python3 tests/servers/start.py mariadb starts one";
  }
}

}  // namespace
}  // namespace sluice::testing
