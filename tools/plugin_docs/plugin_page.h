#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/plugin.h"

namespace sluice {

/// The page `docs/plugins/<name>.md` of a plugin, made of its description alone: four lines of capabilities,
/// then the options of each side, a sample and the remarks.
std::string plugin_page(const plugin& p);

/// Each plugin's promise, a row of a Markdown table each, made of the descriptions.
std::string promise_table(const std::vector<plugin>& plugins);

/// The lines of docs/delivery.md around that table.
inline constexpr std::string_view promises_begin =
    "<!-- Made from the plugins' descriptions by plugin_docs; change the descriptions, not this table. -->";
inline constexpr std::string_view promises_end = "<!-- End of the table. -->";
/// `page` with the table between those lines; as it is where it lacks one of them.
std::string with_promises(const std::string& page, const std::string& table);

}  // namespace sluice
