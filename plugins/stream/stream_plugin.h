#pragma once

#include "plugins/api/plugin.h"

namespace sluice {

/// The plugin `stream` (DataX `streamreader`, `streamwriter`) for the one list.
plugin stream_plugin();

}  // namespace sluice
