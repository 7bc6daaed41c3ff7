#include "plugins/postgresql/postgresql_session.h"

#include <fmt/format.h>

#include <cstdlib>

#include "plugins/postgresql/postgresql_lock_wait.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

constexpr int version_least = 100'000;
/// NULL where this user may not see the session's start. In UTC, so that each session writes the same.
constexpr std::string_view name_sql = "pid || '/' || (backend_start AT TIME ZONE 'UTC')";

/// A standby that has replayed all that came is behind by nothing, as long as somebody sends (of others than
/// pg_read_all_stats only the receiver's process number is seen); else by the age of what it replayed last.
constexpr const char* replica_sql = R"(
SELECT pg_catalog.pg_is_in_recovery(),
  CASE WHEN pg_catalog.pg_last_wal_receive_lsn() <= pg_catalog.pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver) THEN 0
    ELSE extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END,
  extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.date_trunc('day', pg_catalog.clock_timestamp())))";

result<std::string> process_of(connection& c) {
  SLUICE_TRY(const auto rows, c.ask("SELECT pg_catalog.pg_backend_pid()"));
  return rows.at(0).at(0).value_or("");
}

/// `not_supported` where the statements of one session go to several processes of the server. Behind a pooler
/// the process is another one than the login said; whether it is this session's own shows in that no other
/// session gets it.
result<void> check_no_pooler(connection& c, const session_plan& plan, const stop_signal& stop) {
  SLUICE_TRY(const std::string own, process_of(c));
  if (own == fmt::to_string(c.backend())) {
    return {};
  }
  constexpr std::chrono::seconds patience(3);  // a pool of sessions may be used up
  constexpr int tries = 20;                    // of a pool that gives its processes in turn
  relational::connect_options options = plan.options;
  options.connect_timeout = patience;
  options.socket_timeout = patience;
  auto other = connection::open(options, connection_name(plan.job, plan.run, "look"), plan.look_up, stop);
  for (int i = 0; other && i < tries; ++i) {
    const auto its = process_of(**other);
    if (!its) {
      break;
    }
    if (*its == own) {
      return fail(error_kind::not_supported,
                  "{}: what answers there is a pooler that moves the statements of a session between the "
                  "server's processes (PgBouncer with pool_mode = transaction, and the like), which loses "
                  "settings, locks and temporary tables; name the server itself, or a pool with pool_mode = "
                  "session",
                  c.place());
    }
  }
  return {};
}

}  // namespace

const std::vector<session_setting>& session_settings() {
  static const std::vector<session_setting> settings = {
      {"client_encoding", "UTF8", true, true, 0,
       "texts are sent as what they are; of a server of SQL_ASCII, which knows no characters, that"},
      {"standard_conforming_strings", "on", true, true, 0, "a backslash in a text is one"},
      {"DateStyle", "ISO, MDY", true, true, 0, "dates and times as text have one form"},
      {"IntervalStyle", "postgres", true, true, 0, "so have intervals, which travel as text"},
      {"extra_float_digits", "3", true, true, 0, "floating-point numbers in arrays and such are exact"},
      {"bytea_output", "hex", true, true, 0, "so are bytes there"},
      {"client_min_messages", "warning", true, true, 0, "warnings are seen, notices are not sent"},
      {"row_security", "off", true, false, 0,
       "a policy that would hide rows from the account is an error, not fewer rows"},
      {"synchronize_seqscans", "off", true, false, 0, "a table is read from its beginning"},
      {"lock_timeout", "30s", true, true, 0,
       "a lock of somebody else is waited for so long; then the run is busy"},
      {"idle_in_transaction_session_timeout", "0", true, false, 0,
       "a throttled reader and the snapshot's holder wait as long as they must"},
      {"idle_in_transaction_session_timeout", "15min", false, true, 0,
       "a writer that hangs lets go of what it holds"},
      {"transaction_timeout", "0", true, false, 170'000, "so does its transaction"},
      {"client_connection_check_interval", "10s", true, true, 140'000,
       "a process that is killed leaves no statement running, where the server's system can tell", true},
  };
  return settings;
}

result<std::unique_ptr<connection>> open_session(const session_plan& plan, session_role role,
                                                 const std::string& part, const stop_signal& stop) {
  SLUICE_TRY(auto made,
             connection::open(plan.options, connection_name(plan.job, plan.run, part), plan.look_up, stop));
  if (made->version() < version_least) {
    return fail(error_kind::not_supported,
                "{}: the server is PostgreSQL {}.{}; version 10 or later is needed", made->place(),
                made->version() / 10'000, made->version() / 100 % 100);
  }
  if (role == session_role::source || role == session_role::target) {
    SLUICE_CHECK(check_no_pooler(*made, plan, stop));  // before it, settings would be left to others
  }
  for (const auto& [name, value] : plan.options.session_settings) {
    SLUICE_CHECK(made->ask("SELECT set_config($1, $2, false)", {name, value}));
  }
  for (const relational::placed_text& statement : plan.statements) {
    if (auto done = made->run_script(statement.text); !done) {
      error e = std::move(done).error();
      e.message = fmt::format("{}: {}", statement.place, e.message);
      return fail(std::move(e));
    }
  }
  const bool reads = role == session_role::source || role == session_role::reader;
  const auto value_of = [&](const session_setting& s) {
    const std::string_view name = s.name;
    if (name == "client_encoding" && made->parameter("server_encoding") == "SQL_ASCII") {
      // Bytes of any encoding: one text that is no UTF-8 would end the statement, where it is but a bad
      // record.
      return std::string("SQL_ASCII");
    }
    return name == "DateStyle" ? std::string(s.value) : quote_text(s.value);
  };
  std::string script;
  for (const session_setting& s : session_settings()) {
    if ((reads ? s.reads : s.writes) && made->version() >= s.version_min) {
      const std::string set = fmt::format("SET {} = {};", s.name, value_of(s));
      if (!s.may_fail) {
        script += set;
      } else if (auto done = made->run_script(set); !done && made->is_lost()) {
        return fail(std::move(done).error());
      }
    }
  }
  if (plan.options.statement_timeout.count() != 0) {
    script += fmt::format("SET statement_timeout = {};", plan.options.statement_timeout.count());
  }
  if (!reads) {
    script += "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;";
  }
  SLUICE_CHECK(made->run_script(script));
  watch_locks(*made, plan);
  return made;
}

result<std::optional<relational::replica_state>> replica_state_of(connection& c) {
  SLUICE_TRY(const auto rows, c.ask(replica_sql));
  const relational::sql_row& row = rows.at(0);
  if (row.at(0) != "t") {
    return std::optional<relational::replica_state>();
  }
  relational::replica_state state;
  if (row.at(1)) {
    state.behind_s = std::strtod(row[1]->c_str(), nullptr);
  }
  state.since_midnight_s = std::strtod(row.at(2).value_or("0").c_str(), nullptr);
  return std::optional(state);
}

result<std::string> session_name_of(connection& c) {
  // The view over it would have the server look up databases and roles as well.
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT {} FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())",
                               name_sql)));
  return rows.empty() ? std::string() : rows[0].at(0).value_or("");
}

result<std::optional<bool>> session_lives(connection& c, const std::string& name) {
  SLUICE_TRY(const auto rows, c.ask(fmt::format("SELECT {} = $1 FROM pg_catalog.pg_stat_activity WHERE pid = "
                                                "pg_catalog.split_part($1, '/', 1)::int",
                                                name_sql),
                                    {name}));
  if (rows.empty()) {
    return std::optional<bool>(false);
  }
  return rows[0].at(0) ? std::optional<bool>(rows[0][0] == "t") : std::optional<bool>();
}

result<bool> session_works(connection& c, const std::string& name) {
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = "
                               "pg_catalog.split_part($1, '/', 1)::int AND {} = $1 AND state = 'active'",
                               name_sql),
                   {name}));
  return !rows.empty();
}

result<void> end_session(connection& c, const std::string& name) {
  SLUICE_CHECK(
      c.ask(fmt::format("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE "
                        "pid = pg_catalog.split_part($1, '/', 1)::int AND {} = $1",
                        name_sql),
            {name}));
  return {};
}

}  // namespace sluice::postgresql
