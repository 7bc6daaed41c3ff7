#pragma once

#include <string>
#include <vector>

#include "plugins/api/plugin.h"

namespace sluice {

/// What `sluice plugins` prints: a line a plugin.
std::string plugins_text(const std::vector<plugin>& plugins);
/// What `sluice plugins NAME` prints: capabilities and options of each side.
std::string plugin_text(const plugin& p);
/// The same as JSON, for one plugin or a list.
std::string plugins_json(const std::vector<plugin>& plugins);
std::string plugin_json(const plugin& p);

}  // namespace sluice
