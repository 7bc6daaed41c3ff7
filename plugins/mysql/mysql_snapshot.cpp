#include "plugins/mysql/mysql_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "plugins/mysql/mysql_catalogue.h"
#include "plugins/mysql/mysql_grants.h"
#include "plugins/mysql/mysql_sessions.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

using connections = std::vector<std::unique_ptr<connection>>;
using clock = std::chrono::steady_clock;

/// On a server that is written to all the time more tries are no more likely to do.
constexpr int tries_without_lock = 3;
/// A transaction is seen by others an instant before its GTID counts as executed.
constexpr std::chrono::milliseconds until_executed{50};
/// The server itself lets go of tables whose locker says nothing for so long: its machine may have died.
constexpr int locker_idles_s = 1;
/// Beyond the server's own limit, which counts for each table.
constexpr std::chrono::milliseconds locker_waits_more{200};

result<std::string> one_value(connection& c, const std::string& sql, const stop_signal& stop) {
  SLUICE_TRY(const auto rows, c.ask(sql, stop));
  return rows.empty() || rows[0].empty() ? std::string() : rows[0][0].value_or("");
}

result<void> begin_one(connection& c, const stop_signal& stop) {
  c.rollback();  // of a try before
  SLUICE_CHECK(c.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop));
  SLUICE_TRY(const auto done, c.run("START TRANSACTION WITH CONSISTENT SNAPSHOT", stop));
  if (done.warnings != 0) {
    SLUICE_TRY(const auto warnings, c.warnings(stop));
    return fail(no_snapshot(c, warnings.empty() ? "the server warns" : escaped(warnings[0].message)));
  }
  return {};
}

/// Why beginning without a lock did not do, and may the next time.
constexpr const char* others_committed = "others committed while the connections began";

result<void> begin_all(const connections& all, const stop_signal& stop) {
  for (const auto& c : all) {
    SLUICE_CHECK(begin_one(*c, stop));
  }
  return {};
}

/// `binlog.000001 4074`: the place in MariaDB's binary log at which the transaction has begun; empty where it
/// has none. Both are taken under one lock of the server (LOCK_commit_ordered).
result<std::string> begun_at(connection& c, const stop_signal& stop) {
  SLUICE_TRY(const auto rows, c.ask("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", stop));
  std::string at;
  for (const relational::sql_row& row : rows) {
    const std::string value = row.size() < 2 ? "" : row[1].value_or("");
    at += value.empty() ? "" : " " + value;
  }
  return at;
}

/// Why MariaDB's binary log may not have every commit; empty where it has (but for sessions that turn it
/// off).
result<std::string> missing_in_log(connection& watch, const stop_signal& stop) {
  const auto shown = [&](const char* sql) -> result<std::string> {
    SLUICE_TRY(const auto rows, watch.ask(sql, stop));
    return rows.empty() || rows[0].size() < 2 ? std::string() : rows[0][1].value_or("");
  };
  SLUICE_TRY(const std::string logs, one_value(watch, "SELECT @@global.log_slave_updates", stop));
  SLUICE_TRY(const std::string replays, shown("SHOW GLOBAL STATUS LIKE 'Slaves_running'"));
  SLUICE_TRY(const std::string cluster, shown("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'"));
  if (logs != "1" && ((!replays.empty() && replays != "0") || cluster == "ON")) {
    return std::string("its binary log has nothing of what it replays from other servers");
  }
  const auto place = watch.ask("SHOW MASTER STATUS", stop);
  if (!place) {
    return place.error().kind == error_kind::denied
               ? result<std::string>(std::string("without the right BINLOG MONITOR it is not known whether "
                                                 "its binary log has all databases"))
               : fail(place.error());
  }
  for (std::size_t i = 2; !place->empty() && i < (*place)[0].size(); ++i) {
    if (!(*place)[0][i].value_or("").empty()) {
      return std::string("its binary log leaves databases out");
    }
  }
  return std::string();
}

/// What keeps the server from ever showing that nothing was committed; empty: it may show it.
result<std::string> why_it_shows_nothing(connection& watch, const stop_signal& stop) {
  if (watch.server().product == server_product::mariadb) {
    SLUICE_TRY(const std::string logs, one_value(watch, "SELECT @@global.log_bin", stop));
    return logs != "1" ? result<std::string>("its binary log is off, which would show what was committed")
                       : missing_in_log(watch, stop);
  }
  constexpr std::uint32_t has_gtids = 50600;
  if (watch.server().version < has_gtids) {
    return std::string("it has no GTIDs, which would show what was committed");
  }
  SLUICE_TRY(const std::string mode, one_value(watch, "SELECT @@global.gtid_mode", stop));
  return std::string(mode != "ON" ? "its gtid_mode is not ON, which would show what was committed" : "");
}

/// Whether all have begun at the same moment, by what the server shows: nothing, or why not.
result<std::string> begin_unlocked(connection& watch, const connections& all, const stop_signal& stop) {
  SLUICE_TRY(std::string why, why_it_shows_nothing(watch, stop));
  if (!why.empty()) {
    return why;
  }
  if (watch.server().product == server_product::mariadb) {
    SLUICE_CHECK(begin_all(all, stop));
    SLUICE_TRY(const std::string first, begun_at(*all[0], stop));
    if (first.empty()) {
      return std::string("it does not say where in its binary log a transaction began");
    }
    for (const auto& c : all) {
      SLUICE_TRY(const std::string at, begun_at(*c, stop));
      if (at != first) {
        return std::string(others_committed);
      }
    }
    return std::string();
  }
  const std::string executed = "SELECT @@global.gtid_executed";
  SLUICE_TRY(const std::string before, one_value(watch, executed, stop));
  SLUICE_CHECK(begin_all(all, stop));
  SLUICE_CHECK(wait(-1, wait_for::readable, clock::now() + until_executed, stop));
  SLUICE_TRY(const std::string after, one_value(watch, executed, stop));
  return std::string(before == after ? "" : others_committed);
}

}  // namespace

error no_snapshot(const connection& c, const std::string& why) {
  return {error_kind::not_supported,
          fmt::format("{}: there is no snapshot for all connections: {}; run the job with one pipeline "
                      "(\"concurrent\": 1) and one table, or with \"snapshot\": \"none\"",
                      c.place(), why),
          "no_shared_snapshot", false};
}

result<snapshot_prospect> prospect_of(const snapshot_end& end, connection& c, const stop_signal& stop) {
  snapshot_prospect out;
  SLUICE_TRY(out.why_locked, why_it_shows_nothing(c, stop));
  if (!end.no_lock.empty()) {
    out.why_no_lock = end.no_lock + " cannot be locked";
    return out;
  }
  SLUICE_TRY(const account_rights rights, rights_of(c, stop));
  for (const std::string& table : end.tables) {
    const auto name = parse_table_name(table);
    const std::string database = name ? name->database : "";
    if (!rights.has("LOCK TABLES", database)) {
      SLUICE_TRY(const std::string grant, grant_text(c, "LOCK TABLES", database, stop));
      out.why_no_lock = fmt::format("this account has not the right LOCK TABLES on database {} ({})",
                                    in_quotes(database), grant);
      return out;
    }
  }
  return out;
}

shared_snapshot::shared_snapshot(std::vector<snapshot_end> ends, snapshot_note note)
    : ends_(std::move(ends)), note_(std::move(note)), begun_(ends_.size()) {}

void shared_snapshot::expect_reader() {
  const std::lock_guard lock(mutex_);
  ++readers_;
}

result<std::unique_ptr<connection>> shared_snapshot::take(std::size_t end, const stop_signal& stop) {
  const std::lock_guard lock(mutex_);
  begun_end& here = begun_.at(end);
  if (!here.begun) {
    SLUICE_CHECK(begin(end, stop));
    here.begun = true;
  }
  if (here.free.empty()) {
    // Final: another try in this run would find no snapshot either.
    return fail({error_kind::not_connected,
                 fmt::format("{}: the run's snapshot is gone with a connection that was lost: run the job "
                             "again, which continues it under a new one",
                             ends_[end].connect.connect.place),
                 {},
                 true});
  }
  std::unique_ptr<connection> c = std::move(here.free.back());
  here.free.pop_back();
  return c;
}

void shared_snapshot::give_back(std::size_t end, std::unique_ptr<connection> c) {
  const std::lock_guard lock(mutex_);
  begun_.at(end).free.push_back(std::move(c));
}

void shared_snapshot::end(const stop_signal& stop) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    begun_end& here = begun_[i];
    for (const auto& c : here.free) {
      c->rollback();
      if (const auto name = c->session_name(stop)) {
        here.sessions.erase(*name);
      }
    }
    here.free.clear();
    if (here.sessions.empty()) {
      continue;
    }
    // A reader that failed in mid split, and got none anew, still has it.
    connection_plan look = ends_[i].connect;
    look.role = session_role::look;
    const auto watch = connection::open(look, stop);
    for (const std::string& name : here.sessions) {
      if (watch) {
        (void)end_session(**watch, name, stop);
      }
    }
    here.sessions.clear();
  }
}

result<void> shared_snapshot::begin(std::size_t end, const stop_signal& stop) {
  const snapshot_end& what = ends_[end];
  connections all;
  connection_plan locker = what.connect;
  locker.role = session_role::look;
  locker.connect.socket_timeout = lock_wait + locker_waits_more;
  SLUICE_TRY(const auto watch, connection::open(locker, stop));
  if (watch->server().product == server_product::other) {
    return fail(no_snapshot(*watch, "the server is neither MariaDB nor MySQL"));
  }
  connection_plan holder = what.connect;
  holder.role = session_role::snapshot;
  const std::string which_server = "SELECT CONCAT_WS('/', @@server_id, @@hostname, @@port)";
  SLUICE_TRY(const std::string server, one_value(*watch, which_server, stop));
  for (std::size_t i = 0; i < std::max<std::size_t>(readers_, 1); ++i) {
    SLUICE_TRY(auto made, connection::open(holder, stop));
    SLUICE_TRY(const std::string its, one_value(*made, which_server, stop));
    if (its != server) {
      return fail(no_snapshot(*made, "the connections come to several servers"));
    }
    all.push_back(std::move(made));
  }
  SLUICE_CHECK(begin_together(what, *watch, all, stop));
  for (const auto& c : all) {
    SLUICE_CHECK(c->run(fmt::format("SAVEPOINT {}", between_splits), stop));
    // Some clusters have no GET_LOCK: then nobody else can end these.
    if (auto name = c->session_name(stop); name && !name->empty()) {
      begun_[end].sessions.insert(std::move(*name));
    } else if (!name && (name.error().kind == error_kind::not_connected ||
                         name.error().kind == error_kind::cancelled)) {
      return fail(std::move(name).error());
    }
  }
  begun_[end].free = std::move(all);
  return {};
}

result<void> shared_snapshot::begin_together(const snapshot_end& what, connection& watch,
                                             const connections& all, const stop_signal& stop) {
  if (all.size() == 1) {
    return begin_one(*all[0], stop);
  }
  std::string why;
  for (int i = 0; i < tries_without_lock; ++i) {
    SLUICE_TRY(why, begin_unlocked(watch, all, stop));
    if (why != others_committed && !why.empty()) {
      break;  // another try would find the same
    }
    if (why.empty()) {
      note_(fmt::format("{}: {} connections began one snapshot without a lock", watch.place(), all.size()));
      return {};
    }
  }
  return begin_locked(what, watch, all, why, stop);
}

result<void> shared_snapshot::begin_locked(const snapshot_end& what, connection& watch,
                                           const connections& all, const std::string& why_locked,
                                           const stop_signal& stop) {
  if (!what.no_lock.empty()) {
    return fail(no_snapshot(watch, fmt::format("{}, and {} cannot be locked", why_locked, what.no_lock)));
  }
  SLUICE_CHECK(watch.run(fmt::format("SET SESSION lock_wait_timeout = {}, wait_timeout = {}",
                                     lock_wait.count() / 1000, locker_idles_s),
                         stop));
  const auto asked = clock::now();
  if (auto got = watch.run(fmt::format("LOCK TABLES {} READ", fmt::join(what.tables, " READ, ")), stop);
      !got) {
    if (got.error().kind == error_kind::cancelled) {
      return fail(std::move(got).error());
    }
    const bool waited = got.error().kind == error_kind::busy || got.error().kind == error_kind::not_connected;
    return fail(no_snapshot(
        watch,
        fmt::format("{}, and LOCK TABLES … READ {}: {}", why_locked,
                    waited ? "had to wait longer than 2 s, for a transaction that writes" : "is refused",
                    got.error().message)));
  }
  const auto locked = clock::now();
  const auto begun = begin_all(all, stop);
  // Its success shows that the tables were locked all the while.
  const auto unlocked = watch.run("UNLOCK TABLES", stop);
  SLUICE_CHECK(begun);
  if (!unlocked) {
    return fail(no_snapshot(
        watch, fmt::format("{}, and the connections took too long to begin under LOCK TABLES", why_locked)));
  }
  const auto ms = [](clock::duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  };
  note_(fmt::format(
      "{}: {} connections began one snapshot under LOCK TABLES of {} table{}: waited {} ms, held {} ms",
      watch.place(), all.size(), what.tables.size(), what.tables.size() == 1 ? "" : "s", ms(locked - asked),
      ms(clock::now() - locked)));
  return {};
}

}  // namespace sluice::mysql
