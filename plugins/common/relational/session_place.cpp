#include "plugins/common/relational/session_place.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::relational {

error with_place_of_connection(error why, const std::string& place, const std::vector<placed_text>& session) {
  const bool has_own = std::any_of(session.begin(), session.end(), [&](const placed_text& statement) {
    return why.message.starts_with(statement.place + ": ");
  });
  if (!has_own && !place.empty()) {
    why.message = fmt::format("{}: {}", place, why.message);
  }
  return why;
}

}  // namespace sluice::relational
