#pragma once

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
};

/// What was found before: decides some of the settings.
struct session_facts {
  server_info server;
  std::string sql_mode;          ///< As the server gave it to the session.
  bool logs_statements = false;  ///< Its binary log is on with binlog_format STATEMENT.
  std::chrono::milliseconds statement_timeout{0};
};

/// The engine's settings of a role, in order; they are set after the job's own and read back.
std::vector<session_setting> session_settings(session_role role, const session_facts& facts);

/// Whether the value read back is the one that was set; the names of a list in any order.
bool holds(const session_setting& setting, std::string_view read);

/// For the plugin's page: `net_write_timeout = 86400`, one line each, of MariaDB.
std::vector<std::string> session_page_lines();

}  // namespace sluice::mysql
