#pragma once

#include "plugins/api/plugin.h"

namespace sluice {

/// The plugin `sqlite` (DataX form `sqlitereader`, `sqlitewriter`, as Addax calls them) for the one list.
plugin sqlite_plugin();

}  // namespace sluice
