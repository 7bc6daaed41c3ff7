#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobspec/job.h"
#include "plugins/api/plugin.h"

namespace sluice {

/// How the parser finds plugins: in 2.0 by name or alias, in DataX jobs by DataX name, always ignoring case.
/// `plugins` must outlive it.
plugin_lookup lookup_in(const std::vector<plugin>& plugins);

/// The plugin of this name, alias or DataX name, ignoring case; nullptr where there is none.
const plugin* find_plugin(const std::vector<plugin>& plugins, std::string_view name);

/// The plugin that would use the data source; nullptr where there is none yet.
const plugin* plugin_of(const std::vector<plugin>& plugins, const datasource& source);

/// The names a side goes by in a dialect; empty where the plugin has no such side.
std::vector<std::string> names_of(const plugin& p, bool reader, dialect d);

/// Every name `find_plugin` knows, for "did you mean".
std::vector<std::string> names_in(const std::vector<plugin>& plugins);

}  // namespace sluice
