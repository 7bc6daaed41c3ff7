#include "plugins/common/relational/replica.h"

#include <fmt/format.h>

#include "transport/base/text.h"

namespace sluice::relational {
namespace {

/// `error::code` of a replica that is not read.
constexpr const char* behind_code = "replica_behind";
constexpr std::string_view what_to_do =
    "wait until it has caught up, name another replica, or let the primary be read (\"canReadPrimary\": "
    "true)";

}  // namespace

result<void> check_replica(const std::string& place, const replica_state& state, const replica_rule& rule) {
  if (!rule.looked_at) {
    return {};
  }
  std::string why;
  if (!state.behind_s) {
    why = "the replica does not replicate now, and cannot tell how far it is behind; see its replication";
  } else if (rule.delay_max && *state.behind_s > static_cast<double>(rule.delay_max->count())) {
    why = fmt::format("the replica is {} behind its primary, and \"slaveDelayLimit\" allows {} s",
                      duration_text(*state.behind_s), rule.delay_max->count());
  } else if (!rule.delay_max && *state.behind_s > state.since_midnight_s) {
    why = fmt::format(
        "the replica is {} behind its primary, so that it has not all of yesterday (\"checkSlave\")",
        duration_text(*state.behind_s));
  } else {
    return {};
  }
  return fail(error{error_kind::busy, fmt::format("{}: {}; {}", place, why, what_to_do), behind_code, false});
}

std::string replica_note(const std::string& place, const std::optional<replica_state>& state) {
  if (!state) {
    return fmt::format("{} is the primary: no replica could be read.", place);
  }
  return fmt::format("{} is a replica{}.", place,
                     state->behind_s ? fmt::format(", {} behind its primary", duration_text(*state->behind_s))
                                     : std::string(" that does not say how far it is behind"));
}

}  // namespace sluice::relational
