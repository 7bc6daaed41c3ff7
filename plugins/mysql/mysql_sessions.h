#pragma once

#include <optional>
#include <string>

#include "plugins/mysql/mysql_connection.h"

// Sessions of a run by their names (`connection::session_name`), asked about and ended over another
// connection of the same account.
namespace sluice::mysql {

/// As `progress_home::session_lives`; nothing where the name is another server's.
result<std::optional<bool>> session_lives(connection& c, const std::string& name, const stop_signal& stop);
/// Whether that session, which lives, runs a statement now.
result<bool> session_works(connection& c, const std::string& name, const stop_signal& stop);
/// Ends it, where it is still there. `not_supported` where a proxy stands before the server, whose numbers of
/// sessions may be others'.
result<void> end_session(connection& c, const std::string& name, const stop_signal& stop);

}  // namespace sluice::mysql
