#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/findings.h"
#include "jobspec/option.h"
#include "jobspec/option_values.h"

namespace sluice {

/// Checks `values`, which stand at `path`, against their description: what is required, types, ranges,
/// allowed values, members of objects, an option given under two names, unknown keys. Every mistake is a
/// finding.
void check_options(const option_values& values, const std::vector<option>& options, const std::string& path,
                   findings& out);

/// Finds references to secrets (`${env:NAME}`) in the texts of `value`, where no secret is taken: nobody
/// would look them up. `option_values::json` has none left where secrets are taken.
void check_references(const nlohmann::json& value, const std::string& path, findings& out);

/// Finds keys of `object` at `path` that are neither `known` nor noise (`is_noise_key`): odd, with "did you
/// mean". A key without a value (null, blank) asks for nothing: it is named only where it may be a slip of
/// the fingers.
void check_keys(const nlohmann::json& object, const std::string& path,
                std::span<const std::string_view> known, findings& out);

}  // namespace sluice
