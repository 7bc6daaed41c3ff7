#include "plugins/postgresql/postgresql_session.h"

#include <fmt/format.h>

#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

constexpr int version_least = 100'000;
/// NULL where this user may not see the session's start. In UTC, so that each session writes the same.
constexpr std::string_view name_sql = "pid || '/' || (backend_start AT TIME ZONE 'UTC')";

}  // namespace

const std::vector<session_setting>& session_settings() {
  static const std::vector<session_setting> settings = {
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
  if (made->parameter("server_encoding") == "SQL_ASCII") {
    // Bytes of any encoding: one text that is no UTF-8 would end the statement, where it is but a bad record.
    SLUICE_CHECK(made->run_script("SET client_encoding = 'SQL_ASCII'"));
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
  std::string script;
  for (const session_setting& s : session_settings()) {
    if ((reads ? s.reads : s.writes) && made->version() >= s.version_min) {
      const std::string set = fmt::format("SET {} = {};", s.name,
                                          s.name == "DateStyle" ? std::string(s.value) : quote_text(s.value));
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
  return made;
}

result<std::string> session_name_of(connection& c) {
  SLUICE_TRY(const auto rows, c.ask(fmt::format("SELECT {} FROM pg_catalog.pg_stat_activity WHERE pid = "
                                                "pg_catalog.pg_backend_pid()",
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
