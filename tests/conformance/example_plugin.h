#pragma once

#include "plugins/api/plugin.h"

namespace sluice {

/// The worked example of docs/writing-a-plugin.md: a reader of the whole numbers from `from` to `to`.
plugin example_plugin();

}  // namespace sluice
