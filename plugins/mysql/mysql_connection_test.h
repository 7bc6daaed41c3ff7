#pragma once

#include <vector>

#include "plugins/api/plugin.h"

namespace sluice::mysql {

/// Tries the connection step by step, for `sluice datasource test`; changes nothing.
std::vector<connection_step> try_connection(const option_values& options, const plugin_context& context,
                                            const stop_signal& stop);

}  // namespace sluice::mysql
