#include "plugins/mysql/mysql_replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sluice::mysql {
namespace {

/// Aurora's readers say so by InnoDB alone.
result<bool> reads_only(connection& c, const stop_signal& stop) {
  constexpr std::uint32_t has_innodb_read_only = 50600;
  SLUICE_TRY(const auto rows, c.ask(c.server().version < has_innodb_read_only
                                        ? "SELECT @@global.read_only, 0"
                                        : "SELECT @@global.read_only, @@global.innodb_read_only",
                                    stop));
  return rows.at(0).at(0).value_or("0") != "0" || rows.at(0).at(1).value_or("0") != "0";
}

/// All sources at once where there can be several; the statement's old name where it still has no other.
std::string status_sql(const server_info& server) {
  constexpr std::uint32_t has_all_slaves = 100000;
  constexpr std::uint32_t has_replica_status = 80022;
  if (server.product == server_product::mariadb) {
    return server.version < has_all_slaves ? "SHOW SLAVE STATUS" : "SHOW ALL SLAVES STATUS";
  }
  return server.version < has_replica_status ? "SHOW SLAVE STATUS" : "SHOW REPLICA STATUS";
}

/// The longest delay of all sources; nothing where the server replays from none.
result<std::optional<relational::replica_state>> replays(connection& c, const stop_signal& stop) {
  const std::string sql = status_sql(c.server());
  auto columns = c.select(sql, stop);
  if (!columns) {
    error e = std::move(columns).error();
    if (e.kind == error_kind::denied) {
      e.message += fmt::format(
          ": GRANT {} ON *.* shows how far the replica is behind; \"checkSlave\": false does without",
          c.server().product == server_product::mariadb ? "REPLICA MONITOR" : "REPLICATION CLIENT");
    }
    return fail(std::move(e));
  }
  const auto behind = std::find_if(columns->begin(), columns->end(), [](const result_column& column) {
    return column.name == "Seconds_Behind_Master" || column.name == "Seconds_Behind_Source";
  });
  const auto at = static_cast<std::size_t>(behind - columns->begin());
  std::optional<relational::replica_state> state;
  row_view row;
  for (;;) {
    SLUICE_TRY(const bool more, c.fetch(row, stop));
    if (!more) {
      return state;
    }
    const bool tells = at < columns->size() && !row.is_null(at);
    const double seconds = tells ? std::strtod(std::string(row.at(at)).c_str(), nullptr) : 0;
    if (!state) {
      state = {.behind_s = seconds};
    }
    state->behind_s =
        tells && state->behind_s ? std::optional(std::max(*state->behind_s, seconds)) : std::nullopt;
  }
}

}  // namespace

result<std::optional<relational::replica_state>> replica_state_of(connection& c, const stop_signal& stop) {
  SLUICE_TRY(auto state, replays(c, stop));
  if (!state) {
    SLUICE_TRY(const bool only, reads_only(c, stop));
    return only ? std::optional(relational::replica_state{.behind_s = 0}) : std::nullopt;
  }
  SLUICE_TRY(
      const auto rows,
      c.ask("SELECT TIME_TO_SEC(TIME(CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', @@global.time_zone)))", stop));
  // Without the tables of time zones the server's may be unknown: then today is UTC's.
  const auto& since = rows.at(0).at(0);
  if (since) {
    state->since_midnight_s = std::strtod(since->c_str(), nullptr);
  }
  return state;
}

result<bool> is_of_role(connection& c, relational::server_role role, const stop_signal& stop) {
  if (role == relational::server_role::any) {
    return true;
  }
  SLUICE_TRY(const bool only, reads_only(c, stop));
  if (only || role == relational::server_role::primary) {
    return only == (role == relational::server_role::standby);
  }
  // A replica need not be read-only; an account that may not see it has to take it for a primary.
  auto state = replays(c, stop);
  return state                                      ? state->has_value()
         : state.error().kind == error_kind::denied ? result<bool>(false)
                                                    : fail(state.error());
}

result<std::string> note_of_replica(connection& c, const stop_signal& stop) {
  auto state = replica_state_of(c, stop);
  if (!state && state.error().kind == error_kind::denied) {
    SLUICE_TRY(const bool only, reads_only(c, stop));
    return relational::replica_note(c.place(),
                                    only ? std::optional(relational::replica_state{}) : std::nullopt);
  }
  return state ? result<std::string>(relational::replica_note(c.place(), *state)) : fail(state.error());
}

}  // namespace sluice::mysql
