#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/moments.h"
#include "plugins/mysql/mysql_catalogue.h"
#include "plugins/mysql/mysql_connection.h"

/// Where the job's own SQL meets columns TIMESTAMP. The server shows such a column, and takes times for it,
/// by the session's zone; Sluice's sessions are in UTC, whatever the server's zone is, and the job's author
/// may think of that one.
namespace sluice::mysql {

using relational::moment_text;

/// The names in `columns` with which `sql` computes or compares, in their order. None where the text has
/// zones in view itself: it calls CONVERT_TZ, UNIX_TIMESTAMP, FROM_UNIXTIME or UTC_TIMESTAMP.
std::vector<std::string> moments_in(std::string_view sql, moment_text what,
                                    const std::vector<std::string>& columns);

/// The table's columns that are TIMESTAMP.
std::vector<std::string> moments_of(const table_info& table);

/// What to tell the author of a text: one sentence or two, without its place. Nothing where it names none of
/// `columns` so, or where the server's own zone is UTC. Asks the server for its zone.
result<std::vector<std::string>> moment_warnings(connection& c, std::string_view sql, moment_text what,
                                                 const std::vector<std::string>& columns,
                                                 const stop_signal& stop);
/// The same of a query, about the columns TIMESTAMP of all tables that it names.
result<std::vector<std::string>> moment_warnings_of_query(connection& c, std::string_view query,
                                                          const stop_signal& stop);

}  // namespace sluice::mysql
