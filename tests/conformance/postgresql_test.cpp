#include <fmt/format.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/postgresql/postgresql_plugin.h"
#include "tests/conformance/claim_suite.h"
#include "tests/conformance/source_suite.h"
#include "tests/conformance/target_suite.h"

// The shared suites against a real PostgreSQL, which SLUICE_TEST_POSTGRESQL names (tests/servers/README.md).
namespace sluice::testing {
namespace {

const nlohmann::json* server() {
  static const nlohmann::json found = [] {
    const char* path = std::getenv("SLUICE_TEST_POSTGRESQL");
    return path == nullptr ? nlohmann::json() : nlohmann::json::parse(std::ifstream(path));
  }();
  return found.is_null() ? nullptr : &found;
}

/// Runs statements as admin; the rows of the last one, columns parted by `|`.
std::vector<std::string> sql(const std::string& text) {
  const nlohmann::json& s = *server();
  const auto value = [&](const nlohmann::json& v) { return v.get<std::string>(); };
  const std::string host = value(s["host"]), port = fmt::to_string(s["port"].get<int>()),
                    db = value(s["database"]), user = value(s["admin"]["user"]),
                    password = value(s["admin"]["password"]);
  const char* names[] = {"host", "port", "dbname", "user", "password", nullptr};
  const char* values[] = {host.c_str(), port.c_str(), db.c_str(), user.c_str(), password.c_str(), nullptr};
  PGconn* c = PQconnectdbParams(names, values, 0);
  PGresult* r = PQexec(c, text.c_str());
  EXPECT_TRUE(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK)
      << PQerrorMessage(c);
  std::vector<std::string> rows;
  for (int i = 0; i < PQntuples(r); ++i) {
    std::string row;
    for (int column = 0; column < PQnfields(r); ++column) {
      row += fmt::format("{}{}", column == 0 ? "" : "|", PQgetvalue(r, i, column));
    }
    rows.push_back(std::move(row));
  }
  PQclear(r);
  PQfinish(c);
  return rows;
}

/// `parameter` with where and who; `more` begins with a comma where there is more.
std::string parameter(const std::string& table, const std::string& more) {
  const nlohmann::json& s = *server();
  return fmt::format(
      R"({{"jdbcUrl":"jdbc:postgresql://{}:{}/{}","username":{},"password":{},"table":"{}"{}}})",
      s["host"].get<std::string>(), s["port"].get<int>(), s["database"].get<std::string>(),
      s["admin"]["user"].dump(), s["admin"]["password"].dump(), table, more);
}

constexpr const char* make_source_table =
    "DROP TABLE IF EXISTS conformance_in; CREATE TABLE conformance_in (id bigint {}, name text, n "
    "numeric(5,2));"
    "INSERT INTO conformance_in VALUES (1,'a',1),(3,NULL,2),(4,'',3),(9,'ü',4),(12,'bad','NaN'),(40,'e',5);"
    "ANALYZE conformance_in";

source_quirks source_of(const std::string& name, const std::string& key, const std::string& more) {
  return {.name = name,
          .make_plugin = postgresql_plugin,
          .fill =
              [key, more](const temporary_folder&) {
                sql(fmt::format(fmt::runtime(make_source_table), key));
                return parameter("conformance_in", R"(,"column":["id","name","n"])" + more);
              },
          .rows = std::vector<std::string>{"1|a|1.00", "3|<null>|2.00", "4||3.00", "9|ü|4.00", "40|e|5.00"},
          .dirty_codes = {"not_finite"}};
}

target_quirks target_of(const std::string& name, const std::string& types) {
  return {.name = name,
          .make_plugin = postgresql_plugin,
          .make_ready =
              [types](const temporary_folder&) {
                sql("DROP TABLE IF EXISTS conformance_out, sluice_run, sluice_progress; CREATE TABLE "
                    "conformance_out " +
                    types);
                return parameter("conformance_out", R"(,"column":["id","name"])");
              },
          .read_back = [](const temporary_folder&) { return sql("SELECT id, name FROM conformance_out"); }};
}

template <class Quirks>
std::string name_of(const ::testing::TestParamInfo<Quirks>& info) {
  return info.param.name;
}

std::vector<source_quirks> sources() {
  if (server() == nullptr) {
    return {};
  }
  return {source_of("WithKey", "PRIMARY KEY", ""), source_of("Split", "PRIMARY KEY", R"(,"splitPk":"id")"),
          source_of("WithoutKey", "", R"(,"splitPk":"id","snapshot":"none")")};
}
std::vector<target_quirks> targets() {
  if (server() == nullptr) {
    return {};
  }
  return {target_of("Binary", "(id text NOT NULL, name text)"),
          target_of("Text", "(id text NOT NULL, name refcursor)")};
}

std::vector<claim_quirks> claims() {
  if (server() == nullptr) {
    return {};
  }
  const auto target = target_of("Claims", "(id text NOT NULL, name text)");
  return {{.name = "Claims",
           .make_plugin = postgresql_plugin,
           .make_ready = [target] { return target.make_ready(temporary_folder()); },
           .run = [](const std::string& statement) { sql(statement); },
           .rows = [target] { return target.read_back(temporary_folder()); },
           .slow_step = "SELECT pg_sleep(3)"}};
}

INSTANTIATE_TEST_SUITE_P(PostgreSQL, ClaimSuite, ::testing::ValuesIn(claims()), name_of<claim_quirks>);
INSTANTIATE_TEST_SUITE_P(PostgreSQL, SourceSuite, ::testing::ValuesIn(sources()), name_of<source_quirks>);
INSTANTIATE_TEST_SUITE_P(PostgreSQL, TargetSuite, ::testing::ValuesIn(targets()), name_of<target_quirks>);

TEST(Server, is_named_by_the_environment) {
  if (server() == nullptr) {
    GTEST_SKIP()
        << "SLUICE_TEST_POSTGRESQL names no server; python3 tests/servers/start.py postgresql starts one";
  }
}

}  // namespace
}  // namespace sluice::testing
