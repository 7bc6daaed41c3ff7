// What a statement of ours that stands still waits for.
#include <fmt/format.h>
#include <mysql.h>

#include <array>

#include "plugins/mysql/mysql_connection_state.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

using relational::sql_row;

/// Who is in the way, by what this server keeps of locks: a query for each way of keeping it, `{}` for our
/// connection. Each answers with connection, user and seconds in what it does; the first that answers with
/// rows counts, and those that the server does not have, or this account may not run, are passed over.
constexpr auto definition_holders = std::to_array<const char*>(
    {// MariaDB, where the plugin metadata_lock_info is there: it does not say who waits for what.
     "SELECT DISTINCT h.ID, h.USER, h.TIME FROM information_schema.PROCESSLIST w JOIN "
     "information_schema.METADATA_LOCK_INFO l ON w.INFO LIKE CONCAT('%`', l.TABLE_NAME, '`%') JOIN "
     "information_schema.PROCESSLIST h ON h.ID = l.THREAD_ID WHERE w.ID = {0} AND h.ID <> {0} ORDER BY "
     "h.TIME DESC LIMIT 4",
     // MySQL 8.
     "SELECT DISTINCT h.PROCESSLIST_ID, h.PROCESSLIST_USER, h.PROCESSLIST_TIME FROM "
     "performance_schema.threads w JOIN performance_schema.metadata_locks p ON p.OWNER_THREAD_ID = "
     "w.THREAD_ID AND p.LOCK_STATUS = 'PENDING' JOIN performance_schema.metadata_locks l ON l.OBJECT_SCHEMA "
     "= p.OBJECT_SCHEMA AND l.OBJECT_NAME = p.OBJECT_NAME AND l.LOCK_STATUS = 'GRANTED' AND "
     "l.OWNER_THREAD_ID <> w.THREAD_ID JOIN performance_schema.threads h ON h.THREAD_ID = l.OWNER_THREAD_ID "
     "WHERE w.PROCESSLIST_ID = {0} LIMIT 4"});
constexpr auto row_holders = std::to_array<const char*>(
    {"SELECT b.trx_mysql_thread_id, h.USER, h.TIME FROM information_schema.INNODB_TRX w JOIN "
     "information_schema.INNODB_LOCK_WAITS l ON l.requesting_trx_id = w.trx_id JOIN "
     "information_schema.INNODB_TRX b ON b.trx_id = l.blocking_trx_id LEFT JOIN "
     "information_schema.PROCESSLIST h ON h.ID = b.trx_mysql_thread_id WHERE w.trx_mysql_thread_id = {0} "
     "LIMIT 4",
     "SELECT h.PROCESSLIST_ID, h.PROCESSLIST_USER, h.PROCESSLIST_TIME FROM performance_schema.threads w "
     "JOIN performance_schema.data_lock_waits l ON l.REQUESTING_THREAD_ID = w.THREAD_ID JOIN "
     "performance_schema.threads h ON h.THREAD_ID = l.BLOCKING_THREAD_ID WHERE w.PROCESSLIST_ID = {0} LIMIT "
     "4"});

std::string holder_text(const sql_row& row) {
  std::string text = fmt::format("connection {}", row[0].value_or(""));
  if (row[1]) {
    text += fmt::format(" (user {}{})", escaped(*row[1]), row[2] ? fmt::format(", {} s", *row[2]) : "");
  }
  return text;
}

}  // namespace

void connection::state::look_into_wait(connection_clock::duration waited, const stop_signal& stop) {
  if (!plan.locks->may_look(connection_clock::now())) {
    return;
  }
  const std::uint64_t id = session_number;
  state look(plan);
  look.plan.guard = nullptr;
  look.plan.role = session_role::look;
  look.plan.tell = nullptr;
  look.kills = false;
  look.plan.locks = nullptr;
  look.plan.connect.connect_timeout = look.plan.connect.socket_timeout = relational::lock_watch::look_time;
  look.at = at;
  look.password.emplace(password ? password->reveal() : std::string_view());
  look.key_password = secret(key_password.reveal());
  // With the session that the statement has: its limits are the same.
  if (!look.connect(server_at, encrypted, stop) || !look.set_session(stop)) {
    return;
  }
  const auto holders = [&](const auto& queries) {
    for (const char* query : queries) {
      const auto found = look.ask(fmt::format(fmt::runtime(query), id), stop);
      std::string all;
      for (std::size_t i = 0; found && i < found->size(); ++i) {
        all += (i == 0 ? "" : " and ") + holder_text((*found)[i]);
      }
      if (!all.empty()) {
        return all;
      }
    }
    return std::string();
  };
  const auto seen = look.ask(
      fmt::format("SELECT STATE, LEFT(INFO, 600), @@lock_wait_timeout, @@innodb_lock_wait_timeout FROM "
                  "information_schema.PROCESSLIST WHERE ID = {}",
                  id),
      stop);
  if (!seen || seen->empty()) {
    return;
  }
  const sql_row& now = seen->front();
  relational::lock_wait what;
  const std::string statement = relational::statement_head(now[1].value_or(""));
  const std::string doing = now[0].value_or("");
  if (doing.find("Waiting for") != std::string::npos && doing.find("lock") != std::string::npos) {
    what = {"the table of " + statement, holders(definition_holders),
            fmt::format("lock_wait_timeout ({} s)", now[2].value_or(""))};
  } else if (auto who = holders(row_holders); !who.empty()) {
    what = {"rows that another transaction has changed, for " + statement, std::move(who),
            fmt::format("innodb_lock_wait_timeout ({} s)", now[3].value_or(""))};
  } else {
    return;
  }
  plan.locks->tell(at, what, waited);
}

}  // namespace sluice::mysql
