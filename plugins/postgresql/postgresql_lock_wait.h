#pragma once

#include <memory>

#include "plugins/common/relational/lock_watch.h"
#include "plugins/postgresql/postgresql_session.h"

namespace sluice::postgresql {

/// From here on waits of the connection that last are looked into and told, as `plan.locks` does. Nothing is
/// told where the plan has none. `lock_timeout`: of the session, as the server shows it. `of_steps`: a wait
/// for what the run's own source holds until its end is ended.
void watch_locks(connection& c, const session_plan& plan, const std::string& lock_timeout, bool of_steps);

}  // namespace sluice::postgresql
