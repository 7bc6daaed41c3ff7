#pragma once

#include "plugins/api/plugin.h"

namespace sluice {

/// The plugin `text` (stepTypes `text`, `csv`, `json`; DataX `txtfilereader`, `txtfilewriter`) for the one
/// list.
plugin text_plugin();

}  // namespace sluice
