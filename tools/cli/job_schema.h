#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/api/plugin.h"

namespace sluice {

/// JSON Schema of job files (draft 7, which editors and valijson 1.0 both read), made from the descriptions
/// of the plugins and of the settings: of one dialect, or of both, told apart by the key `job`. As loose as
/// the parser: parameters may stand in place of numbers, other keys are allowed. Plugins that Sluice does not
/// have yet are known by name, so that their jobs are no mistakes of the text.
nlohmann::ordered_json job_schema(const std::vector<plugin>& plugins, std::optional<dialect> which);

}  // namespace sluice
