#include "plugins/mysql/mysql_connection_test.h"

#include <fmt/format.h>

#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_options.h"
#include "plugins/mysql/mysql_source.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

using outcome = connection_step::outcome;

/// Long enough for a server far away, short enough for somebody who waits.
constexpr std::chrono::milliseconds patience{5000};

connection_stage stage_of(const error& e) {
  if (e.code == "CR_UNKNOWN_HOST") {
    return connection_stage::name_resolution;
  }
  if (e.code == "CR_SSL_CONNECTION_ERROR" || e.code == "ER_SECURE_TRANSPORT_REQUIRED") {
    return connection_stage::tls;
  }
  if (e.code == "ER_BAD_DB_ERROR" || e.code == "ER_DBACCESS_DENIED_ERROR") {
    return connection_stage::database;
  }
  return e.kind == error_kind::denied ? connection_stage::login : connection_stage::connect;
}

}  // namespace

std::vector<connection_step> try_connection(const option_values& options, const plugin_context& context,
                                            const stop_signal& stop) {
  std::vector<connection_step> steps;
  auto connect = relational::read_connect_options(options, options_dialect(), context.warn);
  if (!connect) {
    return {{connection_stage::name_resolution, outcome::failed, connect.error().message, ""}};
  }
  connect->connect_timeout = std::min(connect->connect_timeout, patience);
  connect->socket_timeout = patience;
  connect->place.clear();
  const connection_plan plan = plan_connection(*connect, session_role::look, {}, context);
  auto opened = connection::open(plan, stop);
  const auto add = [&](connection_stage stage, outcome what, std::string found, std::string advice = {}) {
    steps.push_back({stage, what, std::move(found), std::move(advice)});
  };
  const connection_stage failed_at = opened ? connection_stage::rights : stage_of(opened.error());
  const auto passes = [&](connection_stage stage, std::string found, outcome what = outcome::passed) {
    if (!opened && stage == failed_at) {
      add(stage, outcome::failed, opened.error().message);
      return false;
    }
    add(stage, what, std::move(found));
    return true;
  };
  const bool tls =
      connect->tls != relational::tls_mode::off && connect->tls != relational::tls_mode::prefer_none;
  if (!passes(connection_stage::name_resolution,
              fmt::format("{} has an address", relational::to_text(*connect))) ||
      !passes(connection_stage::connect, "the server answers") ||
      !passes(connection_stage::tls, tls ? "both sides agree on TLS" : "not asked for",
              tls ? outcome::passed : outcome::not_needed) ||
      !passes(connection_stage::login, fmt::format("user {} is let in", in_quotes(connect->user)))) {
    return steps;
  }
  if (!passes(connection_stage::database,
              connect->database.empty() ? std::string("none is named")
                                        : fmt::format("database {} is there", in_quotes(connect->database)),
              connect->database.empty() ? outcome::limited : outcome::passed)) {
    return steps;
  }
  connection& c = **opened;
  const auto tables =
      c.ask("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()", stop);
  if (!tables) {
    add(connection_stage::rights, outcome::failed, tables.error().message);
    return steps;
  }
  const std::string count = (*tables)[0][0].value_or("0");
  add(connection_stage::rights, count == "0" ? outcome::limited : outcome::passed,
      fmt::format("{} {}; {} tables and views can be seen",
                  c.server().product == server_product::mariadb ? "MariaDB" : "MySQL",
                  escaped(c.server().text), count),
      count == "0" ? "ask for SELECT on the tables with GRANT" : "");
  return steps;
}

}  // namespace sluice::mysql
