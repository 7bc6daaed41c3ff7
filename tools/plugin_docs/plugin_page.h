#pragma once

#include <string>

#include "plugins/api/plugin.h"

namespace sluice {

/// The page `docs/plugins/<name>.md` of a plugin, made of its description alone: four lines of capabilities,
/// then the options of each side, a sample and the remarks.
std::string plugin_page(const plugin& p);

}  // namespace sluice
