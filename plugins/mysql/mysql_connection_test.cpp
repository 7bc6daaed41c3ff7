#include "plugins/mysql/mysql_connection_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_grants.h"
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

/// Rights, and what is lost without them.
struct use_of_rights {
  std::string_view rights;  ///< As GRANT lists them; those that are missing are granted in one statement.
  std::string_view use;
  bool of_server = false;  ///< Of the whole server.
  bool mysql = true;
  bool mariadb = true;
};
constexpr auto uses = std::to_array<use_of_rights>({
    {"SELECT", "as a source"},
    {"SELECT, INSERT, UPDATE, DELETE", "as a destination, whose tables of marks need all four in any mode"},
    {"CREATE",
     "as a destination, for the tables of marks unless they are made beforehand, and for createTable"},
    {"ALTER", "for tables of marks that an older version has made"},
    {"TRIGGER", "for writeMode ignore, to see triggers that would act on rows that are there"},
    {"LOCK TABLES", "for \"snapshot\": \"shared\" while others write"},
    {"BINLOG MONITOR", "for \"snapshot\": \"shared\" without a lock", true, false, true},
    {"PROCESS", "to notice a table that is emptied (TRUNCATE) while it is read without a shared snapshot",
     true, false, true},
    {"REPLICA MONITOR", "to see how far a replica is behind (\"useReadOnly\")", true, false, true},
    {"REPLICATION CLIENT", "to see how far a replica is behind (\"useReadOnly\")", true, true, false},
});

/// What the account cannot do, with the statements that let it.
result<std::string> lost_without(connection& c, const std::string& database, const stop_signal& stop) {
  SLUICE_TRY(const account_rights has, rights_of(c, stop));
  const bool mariadb = c.server().product == server_product::mariadb;
  std::string text;
  for (const use_of_rights& use : uses) {
    if (!(mariadb ? use.mariadb : use.mysql)) {
      continue;
    }
    std::string missing;
    for (std::string_view rest = use.rights; !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), one.size() + 2));
      if (!has.has_some(one, database)) {
        missing += (missing.empty() ? "" : ", ") + std::string(one);
      }
    }
    if (!missing.empty()) {
      SLUICE_TRY(const std::string grant, grant_text(c, missing, use.of_server ? "*" : database, stop));
      text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", use.use, grant);
    }
  }
  return text;
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
  const std::string found = fmt::format("{} {}; {} tables and views can be seen",
                                        c.server().product == server_product::mariadb ? "MariaDB"
                                        : c.server().product == server_product::mysql ? "MySQL"
                                                                                      : "the server",
                                        escaped(c.server().text), count);
  const auto lost = connect->database.empty() ? result<std::string>(std::string())
                                              : lost_without(c, connect->database, stop);
  if (!lost) {
    add(connection_stage::rights, outcome::failed, lost.error().message);
    return steps;
  }
  add(connection_stage::rights, count == "0" || !lost->empty() ? outcome::limited : outcome::passed, found,
      count == "0" && lost->empty() ? "as a source: make the tables first" : *lost);
  return steps;
}

}  // namespace sluice::mysql
