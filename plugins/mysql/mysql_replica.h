#pragma once

#include <optional>
#include <string>

#include "plugins/common/relational/replica.h"
#include "plugins/mysql/mysql_connection.h"

namespace sluice::mysql {

/// How the server stands to its primary; nothing where it is one itself. A server that is read-only and
/// replays nothing is a replica that is behind by nothing: Aurora's share their primary's storage. `denied`
/// where the account may not see it.
result<std::optional<relational::replica_state>> replica_state_of(connection& c, const stop_signal& stop);

/// Whether the server is of the role, by what it can be written to and what it replays.
result<bool> is_of_role(connection& c, relational::server_role role, const stop_signal& stop);

/// What the plan says of it; an account that may not see more is told so much.
result<std::string> note_of_replica(connection& c, const stop_signal& stop);

}  // namespace sluice::mysql
