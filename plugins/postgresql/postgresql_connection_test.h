#pragma once

#include <vector>

#include "plugins/api/plugin.h"

namespace sluice::postgresql {

/// As `plugin::test_connection`: looks only.
std::vector<connection_step> try_connection(const option_values& options, const plugin_context& context,
                                            const stop_signal& stop);

}  // namespace sluice::postgresql
