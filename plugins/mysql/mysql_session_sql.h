#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/mysql/mysql_connection.h"

namespace sluice::mysql {

/// A system variable that the engine sets in each session of a role.
struct session_setting {
  std::string name;
  std::string value;      ///< As SQL writes it.
  std::string reads_as;   ///< What SELECT @@name must answer; empty: it is not read back.
  bool may_lack = false;  ///< Servers without it are fine.
  bool yields = false;    ///< A limit of time: where the job sets it itself, that holds.
  /// Why another value of the job's does not hold, as a message ends.
  std::string_view reason = "so that values arrive as they are";
};

/// What was found before: decides some of the settings.
struct session_facts {
  server_info server;
  std::string sql_mode;          ///< As the server gave it to the session.
  bool logs_statements = false;  ///< Its binary log is on with binlog_format STATEMENT.
  std::chrono::milliseconds statement_timeout{0};
  std::string collation = {};  ///< What the job set of utf8mb4; empty: the server's.
};

/// The engine's settings of a role, in order; they are set after the job's own and read back.
std::vector<session_setting> session_settings(session_role role, const session_facts& facts);

/// The system variables of a session that the job's own statements and properties may set, by their names.
using session_variables = std::map<std::string, std::string>;
/// The query that reads them.
std::string session_variables_sql();

/// What the job set before the engine's settings are made.
struct jobs_settings {
  session_variables before;  ///< As the server gave them to the session.
  session_variables after;
  std::string text;  ///< Of all its statements and properties.

  /// Also where the value is what the server has anyway.
  [[nodiscard]] bool sets(const std::string& name) const;
};

/// The engine's settings but for those that yield to the job's.
std::vector<session_setting> without_yielding(std::vector<session_setting> settings,
                                              const jobs_settings& job);
/// A sentence for each setting of the job's that the engine sets another value over: in the sessions that
/// read where the role is one of a source, else in those that write rows.
std::vector<std::string> overruled(session_role role, const session_facts& facts, const jobs_settings& job);

/// Whether the value read back is the one that was set; the names of a list in any order.
bool holds(const session_setting& setting, std::string_view read);

/// `sluice <job> <run>`, or without a run: how connections and statements are named. A long name of a job is
/// cut, so that a server keeps what stands behind it.
std::string session_title(std::string_view job, std::string_view run);
/// `/* sluice nightly 0190… split 3 */`, of a bounded length: with what is in it, it stays a comment.
std::string statement_comment(std::string_view title, std::string_view part);
/// The statement with the comment behind its first word, where lists of what a server does show it. Digests
/// leave comments out.
std::string with_comment(std::string sql, std::string_view comment);

/// For the plugin's page: `net_write_timeout = 86400`, one line each, of MariaDB.
std::vector<std::string> session_page_lines();

}  // namespace sluice::mysql
