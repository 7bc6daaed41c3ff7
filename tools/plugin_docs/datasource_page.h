#pragma once

#include <string>
#include <vector>

#include "plugins/api/plugin.h"

namespace sluice {

/// The page of all types of data sources as Markdown, made from their table; `plugins` tells which can be
/// used.
std::string datasource_page(const std::vector<plugin>& plugins);

}  // namespace sluice
