#pragma once

#include <string>
#include <vector>

#include "plugins/common/relational/url_properties.h"
#include "transport/base/error.h"

namespace sluice::relational {

/// A failure to connect with the place of what connects. One of a statement of the session (`session[0]`)
/// has its own, which is where the mistake is.
error with_place_of_connection(error why, const std::string& place, const std::vector<placed_text>& session);

}  // namespace sluice::relational
