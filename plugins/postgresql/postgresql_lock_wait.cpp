#include "plugins/postgresql/postgresql_lock_wait.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// What the process waits for, with those in its way, who have been there longest first. A row that another
/// transaction has changed is waited for by that transaction. The braces stand for what is the run's own.
constexpr const char* wait_sql = R"(
SELECT w.relation::pg_catalog.regclass, a.query, b.pid, b.application_name, b.usename, b.state,
  pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp() - b.xact_start)),
  w.locktype = 'virtualxid', {}
FROM pg_catalog.pg_locks w
JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = ANY (pg_catalog.pg_blocking_pids(w.pid))
WHERE w.pid = $1::int AND NOT w.granted ORDER BY 9 DESC, b.xact_start LIMIT 4)";

std::string holder_text(const relational::sql_row& row) {
  std::string who = fmt::format("process {}", row[2].value_or(""));
  std::string more;
  const auto add = [&](const std::string& text) { more += (more.empty() ? "" : ", ") + text; };
  if (!row[3].value_or("").empty()) {
    add(in_quotes(*row[3]));
  }
  if (row[4]) {
    add("user " + escaped(*row[4]));
  }
  if (row[5]) {  // nothing: this user may not see it
    add(*row[5] + (row[6] ? fmt::format(", in its transaction for {} s", *row[6]) : std::string()));
  }
  return more.empty() ? who : fmt::format("{} ({})", who, more);
}

relational::lock_wait described(const std::vector<relational::sql_row>& rows) {
  relational::lock_wait what;
  const relational::sql_row& first = rows.front();
  const std::string head = relational::statement_head(first[1].value_or(""));
  what.on = first[0]          ? "table " + *first[0]
            : first[7] == "t" ? "transactions that are older, for " + head
                              : "rows that another transaction has changed, for " + head;
  for (const relational::sql_row& row : rows) {
    if (row[2]) {
      what.holders += (what.holders.empty() ? "" : " and ") + holder_text(row);
    }
  }
  return what;
}

}  // namespace

void watch_locks(connection& c, const session_plan& plan, const std::string& lock_timeout, bool of_steps) {
  if (plan.locks == nullptr) {
    return;
  }
  session_plan other = plan;
  other.options.servers = {c.server()};
  other.options.role = relational::server_role::any;
  other.options.replica = {};
  other.options.connect_timeout = other.options.socket_timeout = relational::lock_watch::look_time;
  const std::string limit = lock_timeout == "0" ? "" : fmt::format("lock_timeout ({})", lock_timeout);
  const std::string sql =
      fmt::format(fmt::runtime(wait_sql),
                  // Of the run's own sessions only those that read stay until its end.
                  of_steps ? of_run_sql(plan.job, plan.run, "b.application_name") +
                                 " AND b.application_name !~ ' (writer split [0-9]+|target|look)$'"
                           : "false");
  c.look_into_waits([other, limit, sql, process = c.backend(), place = c.place()](
                        relational::lock_watch::clock::duration waited, const stop_signal& stop) {
    if (!other.locks->may_look(relational::lock_watch::clock::now())) {
      return std::string();
    }
    auto look =
        connection::open(other.options, connection_name(other.job, other.run, "look"), other.look_up, stop);
    if (!look) {
      return std::string();
    }
    const auto rows = (*look)->ask(sql, {fmt::to_string(process)});
    if (!rows || rows->empty()) {
      return std::string();
    }
    relational::lock_wait what = described(*rows);
    const auto holder = std::find_if(rows->begin(), rows->end(),
                                     [](const relational::sql_row& row) { return row[8] == "t"; });
    if (holder != rows->end()) {
      const auto ended =
          (*look)->ask("SELECT pg_catalog.pg_cancel_backend($1::int)", {fmt::to_string(process)});
      if (ended && ended->at(0).at(0) == "t") {
        return fmt::format(
            "it waited for {}, which reads for this run until its end: run the statement by itself "
            "before the job",
            holder_text(*holder));
      }
    }
    what.limit = limit;
    other.locks->tell(place, what, waited);
    return std::string();
  });
}

}  // namespace sluice::postgresql
