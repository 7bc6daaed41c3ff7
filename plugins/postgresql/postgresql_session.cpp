#include "plugins/postgresql/postgresql_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "plugins/postgresql/postgresql_lock_wait.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

constexpr int version_least = 100'000;
constexpr int version_least_plain = 90'100;
constexpr std::string_view lock_timeout = "30s";
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
  auto asked = process_of(c);
  if (!asked && c.is_plain() && !c.is_lost()) {
    return {};  // it does not tell
  }
  SLUICE_TRY(const std::string own, std::move(asked));
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

bool is_of(const session_setting& s, bool reads, const connection& c) {
  return (reads ? s.reads : s.writes) && c.version() >= s.version_min;
}

std::string value_of(const session_setting& s, const connection& c) {
  const std::string_view name = s.name;
  if (name == "client_encoding" && c.parameter("server_encoding") == "SQL_ASCII") {
    // Bytes of any encoding: one text that is no UTF-8 would end the statement, where it is but a bad
    // record.
    return "SQL_ASCII";
  }
  return name == "DateStyle" ? std::string(s.value) : quote_text(s.value);
}

/// One by one, so that the server may lack some.
result<void> apply_plainly(connection& c, bool reads, bool yielding) {
  server_product product = c.product();
  for (const session_setting& s : session_settings()) {
    if (!is_of(s, reads, c) || s.yields != yielding) {
      continue;
    }
    auto done = c.run_script(fmt::format("SET {} = {}", s.name, value_of(s, c)));
    if (done) {
      continue;
    }
    if (c.is_lost() || s.needed) {
      return done;
    }
    product.settings_missing.emplace_back(s.name);
  }
  c.know_product(std::move(product));
  return {};
}

/// Those that yield, or the others.
result<void> apply_settings(connection& c, bool reads, bool yielding) {
  if (c.is_plain()) {
    return apply_plainly(c, reads, yielding);
  }
  std::string script;
  for (const session_setting& s : session_settings()) {
    if (!is_of(s, reads, c) || s.yields != yielding) {
      continue;
    }
    const std::string set = fmt::format("SET {} = {};", s.name, value_of(s, c));
    if (!s.may_fail) {
      script += set;
    } else if (auto done = c.run_script(set); !done && c.is_lost()) {
      return fail(std::move(done).error());
    }
  }
  return c.run_script(script);
}

/// Of each setting that does not yield, in order.
result<std::vector<relational::sql_row>> values_now(connection& c, bool reads) {
  std::string names;
  for (const session_setting& s : session_settings()) {
    if (is_of(s, reads, c) && !s.yields) {
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", s.name);
    }
  }
  return c.ask(
      fmt::format("SELECT n, pg_catalog.current_setting(n, true) FROM pg_catalog.unnest(ARRAY[{}]) WITH "
                  "ORDINALITY u(n, i) ORDER BY i",
                  names));
}

/// What the job asks for.
result<void> apply_job(connection& c, const session_plan& plan) {
  for (const auto& [name, value] : plan.options.session_settings) {
    SLUICE_CHECK(c.ask("SELECT pg_catalog.set_config($1, $2, false)", {name, value}));
  }
  for (const relational::placed_text& statement : plan.statements) {
    if (auto done = c.run_script(statement.text); !done) {
      error e = std::move(done).error();
      e.message = fmt::format("{}: {}", statement.place, e.message);
      return fail(std::move(e));
    }
  }
  return {};
}

/// Settings before the job's, with these, and as they are in the end.
void tell_overruled(const session_plan& plan, const std::vector<relational::sql_row>& before,
                    const std::vector<relational::sql_row>& asked,
                    const std::vector<relational::sql_row>& now) {
  std::vector<std::string> overruled;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (asked[i] == before[i] || asked[i] == now[i]) {
      continue;
    }
    const std::string name = now[i].at(0).value_or("");
    const auto of = std::find_if(session_settings().begin(), session_settings().end(),
                                 [&](const session_setting& s) { return s.name == name; });
    overruled.push_back(
        fmt::format("{} = {} has no effect: it is {} in each session of a run ({}); take it "
                    "out",
                    name, asked[i].at(1).value_or(""), now[i].at(1).value_or(""), of->why));
  }
  (*plan.warn)(plan.statements.empty() ? plan.options.place : plan.statements.front().place, overruled);
}

}  // namespace

const std::vector<session_setting>& session_settings() {
  static const std::vector<session_setting> settings = {
      {"client_encoding", "UTF8", true, true, 0,
       "texts are sent as what they are; of a server of SQL_ASCII, which knows no characters, that", false,
       false, true},
      {"standard_conforming_strings", "on", true, true, 0, "a backslash in a text is one", false, false,
       true},
      {"DateStyle", "ISO, MDY", true, true, 0, "dates and times as text have one form", false, false, true},
      {"IntervalStyle", "postgres", true, true, 0, "so have intervals, which travel as text"},
      {"extra_float_digits", "3", true, true, 0, "floating-point numbers in arrays and such are exact"},
      {"bytea_output", "hex", true, true, 0, "so are bytes there"},
      {"client_min_messages", "warning", true, true, 0, "warnings are seen, notices are not sent"},
      {"row_security", "off", true, false, 0,
       "a policy that would hide rows from the account is an error, not fewer rows"},
      {"synchronize_seqscans", "off", true, false, 0, "a table is read from its beginning"},
      {"lock_timeout", lock_timeout, true, true, 0,
       "a lock of somebody else is waited for so long; then the run is busy", false, true},
      {"statement_timeout", "0", true, true, 0,
       "a throttled reader's COPY and a step of preSql last as long as they must", false, true},
      {"idle_in_transaction_session_timeout", "0", true, false, 0,
       "a throttled reader and the snapshot's holder wait as long as they must"},
      {"idle_in_transaction_session_timeout", "15min", false, true, 0,
       "a writer that hangs lets go of what it holds"},
      {"idle_session_timeout", "0", true, true, 140'000,
       "whoever holds a claim, or waits for the other end, stays"},
      {"transaction_timeout", "0", true, false, 170'000, "so does its transaction"},
      {"client_connection_check_interval", "10s", true, true, 140'000,
       "a process that is killed leaves no statement running, where the server's system can tell", true},
      {"default_transaction_isolation", "read committed", false, true, 0,
       "a statement sees what others have committed before it"},
      {"array_nulls", "on", false, true, 0, "NULL in an array that travels as text is one, not a text"},
      {"xmloption", "content", false, true, 0, "what is XML at the source is XML there"},
  };
  return settings;
}

namespace {

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 10'000, version / 100 % 100);
}

/// What it says that it is; `not_supported` where it is too old for anything.
result<server_product> product_of(connection& c) {
  const int version = c.version();
  auto rows = c.ask("SELECT version()");
  if (!rows && (version == 0 || version >= version_least)) {
    return fail(std::move(rows).error());
  }
  server_product product;
  product.says = rows ? rows->at(0).at(0).value_or("") : std::string("PostgreSQL ");
  product.plain = !is_postgresql(product.says);
  if (product.plain && version != 0 && version < version_least_plain) {
    return fail(
        error_kind::not_supported,
        "{}: the server says that it is {}, with the catalogue of PostgreSQL {}; that of 9.1 or later "
        "is needed",
        c.place(), in_quotes(product.says), version_text(version));
  }
  if (!product.plain && version < version_least) {
    return fail(error_kind::not_supported, "{}: the server is PostgreSQL {}; version 10 or later is needed",
                c.place(), version_text(version));
  }
  return product;
}

}  // namespace

result<std::unique_ptr<connection>> open_session(const session_plan& plan, session_role role,
                                                 const std::string& part, const stop_signal& stop) {
  SLUICE_TRY(auto made,
             connection::open(plan.options, connection_name(plan.job, plan.run, part), plan.look_up, stop));
  const bool is_first = role == session_role::source || role == session_role::target;
  server_product product;
  if (plan.product && !is_first) {
    product = *plan.product;
    product.settings_missing.clear();
  } else {
    SLUICE_TRY(product, product_of(*made));
  }
  made->know_product(std::move(product));
  if (is_first) {
    SLUICE_CHECK(check_no_pooler(*made, plan, stop));  // before it, settings would be left to others
  }
  const bool reads = role == session_role::source || role == session_role::reader;
  SLUICE_CHECK(apply_settings(*made, reads, true));
  if (plan.options.statement_timeout.count() != 0) {
    SLUICE_CHECK(
        made->run_script(fmt::format("SET statement_timeout = {}", plan.options.statement_timeout.count())));
  }
  const bool says = !plan.options.session_settings.empty() || !plan.statements.empty();
  if (!says || plan.warn == nullptr || !is_first || made->is_plain()) {
    SLUICE_CHECK(apply_job(*made, plan));
    SLUICE_CHECK(apply_settings(*made, reads, false));
  } else {
    SLUICE_TRY(const auto before, values_now(*made, reads));
    SLUICE_CHECK(apply_job(*made, plan));
    SLUICE_TRY(const auto asked, values_now(*made, reads));
    SLUICE_CHECK(apply_settings(*made, reads, false));
    SLUICE_TRY(const auto now, values_now(*made, reads));
    tell_overruled(plan, before, asked, now);
  }
  const bool limits = says || plan.options.statement_timeout.count() != 0;
  if (made->is_plain()) {
    if (limits) {  // it may lack the setting
      const auto shown = made->ask("SELECT pg_catalog.current_setting('statement_timeout')");
      if (!shown && made->is_lost()) {
        return fail(shown.error());
      }
      made->know_time_limit(shown && shown->at(0).at(0) != "0");
    }
    return made;  // who holds what is told by views that it may not have
  }
  // With nothing said it is the engine's own.
  std::string limit(lock_timeout);
  if (limits) {
    SLUICE_TRY(const auto shown, made->ask("SELECT pg_catalog.current_setting('statement_timeout'), "
                                           "pg_catalog.current_setting('lock_timeout')"));
    made->know_time_limit(shown.at(0).at(0) != "0");
    limit = shown.at(0).at(1).value_or("");
  }
  made->know_lock_limit(fmt::format(
      "lock_timeout is {}{}", limit,
      limit == lock_timeout ? ", where \"session\" sets no other"
                            : ", by the job's \"session\" or \"options\" of its address: raise it there"));
  watch_locks(*made, plan, limit, role == session_role::target);
  return made;
}

result<std::optional<relational::replica_state>> replica_state_of(connection& c) {
  auto asked = c.ask(replica_sql);
  if (!asked && asked.error().kind == error_kind::bad_option) {  // functions of PostgreSQL 10 and later
    return fail(error_kind::not_supported,
                "{}; this server does not tell what it replicates: leave \"useReadOnly\", \"checkSlave\" and "
                "\"slaveDelayLimit\" out",
                asked.error().message);
  }
  SLUICE_TRY(const auto rows, std::move(asked));
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
  auto asked = c.ask(
      fmt::format("SELECT {} FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())", name_sql));
  if (!asked && c.is_plain() && !c.is_lost()) {
    return std::string();
  }
  SLUICE_TRY(const auto rows, std::move(asked));
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
