#pragma once

#include <vector>

#include "plugins/api/plugin.h"

namespace sluice::sqlite {

/// Tries the file that `options` name (`jdbcUrl`): whether it is there, is a database, may be read and
/// written, and whether somebody holds its lock. Changes nothing; takes the write lock for a moment to see
/// whether it is free.
std::vector<connection_step> try_connection(const option_values& options, const plugin_context& context,
                                            const stop_signal& stop);

}  // namespace sluice::sqlite
