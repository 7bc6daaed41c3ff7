#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/takeover.h"
#include "transport/base/result.h"
#include "transport/base/stop.h"

namespace sluice::relational {

/// What a plugin asks and orders of sessions, over the connection that took the place of the lost one.
struct session_control {
  /// As `progress_home::session_lives`.
  std::function<result<std::optional<bool>>(const std::string& name)> lives;
  /// Ends it, where it may.
  std::function<result<void>(const std::string& name)> end;
};

/// Waits up to `wait_max` for each of the sessions to be gone, then ends it, and takes it off the list. Where
/// the server does not tell, or does not let it be ended, nothing is done: whoever needs its locks waits for
/// them. `not_connected` where this connection is lost as well, `cancelled` where `stop` fires.
result<void> end_lost_sessions(std::vector<std::string>& names, const session_control& control,
                               const stop_signal& stop, std::chrono::milliseconds wait_max = takeover_wait);

}  // namespace sluice::relational
