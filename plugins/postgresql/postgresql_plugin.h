#pragma once

#include "plugins/api/plugin.h"

namespace sluice {

/// Tables of PostgreSQL databases, through libpq.
plugin postgresql_plugin();

}  // namespace sluice
