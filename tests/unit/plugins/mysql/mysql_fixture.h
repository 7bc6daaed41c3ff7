#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_plugin.h"
#include "tests/conformance/plugin_fixture.h"

namespace sluice::testing {

/// A real server of the tests (tests/servers/README.md).
struct test_server {
  std::string system;    ///< `mariadb`, `mysql`
  nlohmann::json facts;  ///< Null: there is none, the test is skipped.
};
std::vector<test_server> test_servers();

/// A test on each server, in a database of its own.
class mysql_test : public ::testing::TestWithParam<test_server> {
 protected:
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] bool is_mariadb() const { return GetParam().system == "mariadb"; }
  [[nodiscard]] const nlohmann::json& facts() const { return GetParam().facts; }
  [[nodiscard]] mysql::connection_plan plan_for(const std::string& user,
                                                mysql::session_role role = mysql::session_role::manage) const;
  std::unique_ptr<mysql::connection> connect(const std::string& user = "admin");
  /// Runs statements as the administrator, each by itself.
  void sql(const std::vector<std::string>& statements);
  /// All rows of a query, each `value|value`, NULL as `<null>`.
  std::vector<std::string> rows(const std::string& query);
  /// `{"jdbcUrl": …, "username": …, "password": …, <more>}` of the administrator.
  [[nodiscard]] std::string parameter(const std::string& more) const;

  /// What a source reads of one table, as `rows_of` shows it; codes of dirty records are added to `dirty`.
  std::vector<std::string> read(const std::string& more, std::vector<std::string>* dirty = nullptr);
  error source_refused(const std::string& more);
  error target_refused(const std::string& more, const schema& columns);

  /// A target opened, claimed, frozen with `splits` splits and its steps run, as the engine does it.
  struct begun_run {
    std::unique_ptr<target> object;
    target_description description;
    run_row row;
    std::unique_ptr<writer> out;
  };
  begun_run begin(const std::string& more, const schema& columns, std::uint32_t splits = 1,
                  std::uint8_t run_number = 1);
  /// Opens the split, hands the batches over and commits them as a whole.
  write_answer write(begun_run& run, const std::vector<std::shared_ptr<batch>>& batches);

  std::string database_;
  std::unique_ptr<mysql::connection> admin_;
};

std::string server_test_name(const ::testing::TestParamInfo<test_server>& info);

}  // namespace sluice::testing

/// Makes the tests of a fixture run on every server.
#define SLUICE_ON_ALL_SERVERS(fixture)                                                               \
  INSTANTIATE_TEST_SUITE_P(servers, fixture, ::testing::ValuesIn(::sluice::testing::test_servers()), \
                           ::sluice::testing::server_test_name)
