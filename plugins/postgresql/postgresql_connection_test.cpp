#include "plugins/postgresql/postgresql_connection_test.h"

#include <fmt/format.h>

#include "plugins/postgresql/postgresql_options.h"
#include "plugins/postgresql/postgresql_session.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using outcome = connection_step::outcome;

class connection_trial {
 public:
  connection_trial(session_plan plan, const stop_signal& stop) : plan_(std::move(plan)), stop_(stop) {}

  std::vector<connection_step> run() {
    if (find_hosts() && log_in()) {
      look_at_rights();
    }
    return std::move(steps_);
  }

 private:
  void add(connection_stage stage, outcome what, std::string found, std::string advice = {}) {
    steps_.push_back({stage, what, std::move(found), std::move(advice)});
  }

  bool find_hosts() {
    std::string found;
    for (const relational::server_address& server : plan_.options.servers) {
      const auto addresses = addresses_of(server);
      if (!addresses) {
        add(connection_stage::name_resolution, outcome::failed, addresses.error().message,
            "correct the host's name, or its entry in the DNS");
        return false;
      }
      found += fmt::format("{}{} is {}", found.empty() ? "" : "; ", server.host, fmt::join(*addresses, ", "));
    }
    add(connection_stage::name_resolution, outcome::passed, found);
    return true;
  }

  /// Which step a failed connection failed at.
  void add_failure(const error& why) {
    const std::string_view code = why.code;
    const bool tls =
        why.kind == error_kind::denied && code.empty() && why.message.find("password") == std::string::npos;
    if (why.kind == error_kind::not_connected && code.empty()) {
      add(connection_stage::connect, outcome::failed, why.message);
      return;
    }
    add(connection_stage::connect, outcome::passed, "the server answers");
    if (tls) {
      add(connection_stage::tls, outcome::failed, why.message);
      return;
    }
    const bool asked = plan_.options.tls != relational::tls_mode::prefer_none &&
                       plan_.options.tls != relational::tls_mode::off;
    add(connection_stage::tls, asked ? outcome::passed : outcome::not_needed,
        std::string(to_string(plan_.options.tls)));
    if (code == "3D000" || code == "42501") {
      add(connection_stage::login, outcome::passed, "the account is accepted");
      add(connection_stage::database, outcome::failed, why.message);
      return;
    }
    add(connection_stage::login, outcome::failed, why.message);
  }

  bool log_in() {
    auto made = open_session(plan_, session_role::source, "test", stop_);
    if (!made) {
      add_failure(made.error());
      return false;
    }
    connection_ = std::move(*made);
    add(connection_stage::connect, outcome::passed, "the server answers");
    const std::string tls = connection_->tls_text();
    add(connection_stage::tls, tls.empty() ? outcome::not_needed : outcome::passed,
        tls.empty() ? "not used" : tls);
    add(connection_stage::login, outcome::passed,
        fmt::format("the account {} is accepted", in_quotes(plan_.options.user)));
    const bool standby = connection_->parameter("in_hot_standby") == "on";
    add(connection_stage::database, outcome::passed,
        fmt::format("{}, encoding {}{}",
                    connection_->is_plain() ? escaped(connection_->product().says)
                                            : "PostgreSQL " + connection_->parameter("server_version"),
                    connection_->parameter("server_encoding"), standby ? ", a standby" : ""));
    return true;
  }

  /// As far as the catalogue of another product than PostgreSQL tells.
  void look_at_rights_plainly() {
    const auto rows = connection_->ask(
        "SELECT count(CASE WHEN pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 1 END), count(CASE WHEN "
        "pg_catalog.has_table_privilege(c.oid, 'INSERT') THEN 1 END), count(*) FROM pg_catalog.pg_class c "
        "JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname !~ "
        "'^pg_' AND n.nspname <> 'information_schema'");
    if (!rows) {
      add(connection_stage::rights, outcome::failed, rows.error().message);
      return;
    }
    const auto& row = rows->at(0);
    add(connection_stage::rights, outcome::limited,
        fmt::format("of {} tables {} can be read and {} written", row.at(2).value_or("0"),
                    row.at(0).value_or("0"), row.at(1).value_or("0")),
        "it is not PostgreSQL itself, and is read and written in plain SQL: without COPY and one snapshot "
        "for "
        "all connections");
  }

  void look_at_rights() {
    if (connection_->is_plain()) {
      look_at_rights_plainly();
      return;
    }
    const auto rows = connection_->ask(
        "SELECT count(*) FILTER (WHERE pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT "
        "pg_catalog.row_security_active(c.oid)), count(*) FILTER (WHERE "
        "pg_catalog.has_table_privilege(c.oid, 'INSERT')), count(*), "
        "pg_catalog.has_schema_privilege(coalesce(pg_catalog.current_schema(), 'public'), 'CREATE'), "
        "pg_catalog.current_setting('transaction_read_only'), "
        "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'), "
        "pg_catalog.quote_ident(current_user), "
        "pg_catalog.quote_ident(coalesce(pg_catalog.current_schema(), 'public')), "
        "pg_catalog.quote_ident(pg_catalog.current_database()), count(*) FILTER (WHERE "
        "pg_catalog.row_security_active(c.oid)), "
        "pg_catalog.array_to_string((pg_catalog.array_agg(pg_catalog.quote_ident(n.nspname) || '.' || "
        "pg_catalog.quote_ident(c.relname) ORDER BY n.nspname, c.relname) FILTER (WHERE NOT "
        "pg_catalog.has_table_privilege(c.oid, 'SELECT')))[1:10], ', '), count(*) FILTER (WHERE NOT "
        "pg_catalog.has_table_privilege(c.oid, 'SELECT')) FROM pg_catalog.pg_class c JOIN "
        "pg_catalog.pg_namespace n "
        "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> "
        "'information_schema'");
    if (!rows) {
      add(connection_stage::rights, outcome::failed, rows.error().message);
      return;
    }
    const auto& row = rows->at(0);
    const std::string found =
        fmt::format("of {} tables {} can be read and {} written", row.at(2).value_or("0"),
                    row.at(0).value_or("0"), row.at(1).value_or("0"));
    if (row.at(4) == "on") {
      add(connection_stage::rights, outcome::limited, found + "; the server is read-only",
          "as a source it serves; as a destination name the primary");
      return;
    }
    const std::string user = row.at(6).value_or("");
    const std::string schema = row.at(7).value_or("");
    const bool there = row.at(2) != "0";
    std::string lost;
    const auto without = [&](bool has, std::string_view use, const std::string& grant) {
      lost += has ? "" : fmt::format("{}{}: GRANT {} TO {}", lost.empty() ? "" : "; ", use, grant, user);
    };
    without(!there || row.at(0) != "0", "as a source", "SELECT ON <table>");
    const std::string hidden = row.at(10).value_or("");
    without(row.at(0) == "0" || hidden.empty(),
            fmt::format("to read the other {}, {}", row.at(11).value_or(""),
                        row.at(11).value_or("").size() > 1 ? "of which these are the first" : "too"),
            fmt::format("SELECT ON {}", hidden));
    without(!there || row.at(1) != "0", "as a destination", "INSERT ON <table>");
    without(row.at(3) == "t",
            "as a destination, for the tables of marks unless they are made beforehand, and for createTable",
            fmt::format("CREATE ON SCHEMA {}", schema));
    without(row.at(5) == "t", "for writeMode update, replace and ignore",
            fmt::format("TEMPORARY ON DATABASE {}", row.at(8).value_or("")));
    if (row.at(9) != "0") {
      lost += fmt::format(
          "{}to read tables whose row security applies to this account ({} of them), and to write them by "
          "writeMode insert and copy: as a superuser ALTER ROLE {} BYPASSRLS",
          lost.empty() ? "" : "; ", row.at(9).value_or(""), user);
    }
    add(connection_stage::rights, lost.empty() ? outcome::passed : outcome::limited, found, lost);
  }

  const session_plan plan_;
  const stop_signal& stop_;
  std::unique_ptr<connection> connection_;
  std::vector<connection_step> steps_;
};

}  // namespace

std::vector<connection_step> try_connection(const option_values& options, const plugin_context& context,
                                            const stop_signal& stop) {
  auto connect = relational::read_connect_options(options, options_dialect(), context.warn);
  if (!connect) {
    return {{connection_stage::name_resolution, outcome::failed, connect.error().message,
             "correct the data source"}};
  }
  return connection_trial({std::move(*connect), {}, "datasource test", "", context.resolve_secret}, stop)
      .run();
}

}  // namespace sluice::postgresql
