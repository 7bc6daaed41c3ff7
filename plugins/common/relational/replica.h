#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/common/relational/connect_options.h"
#include "transport/base/result.h"

namespace sluice::relational {

/// How a server that is a replica stands to its primary, by its own word.
struct replica_state {
  /// How far it is behind, in seconds; nothing: it does not replicate now, so that it cannot tell.
  std::optional<double> behind_s = {};
  double since_midnight_s = 0;  ///< Of its own time zone: how old today is there.
};

/// Whether the rule lets it be read; `busy` with the reason where it does not.
result<void> check_replica(const std::string& place, const replica_state& state, const replica_rule& rule);

/// For the plan, of a reader that prefers replicas. Nothing: the server is the primary.
std::string replica_note(const std::string& place, const std::optional<replica_state>& state);

}  // namespace sluice::relational
