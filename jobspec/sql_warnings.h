#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "jobspec/findings.h"
#include "jobspec/mask.h"
#include "jobspec/parameters.h"

namespace sluice {

/// Warns of each parameter whose value holds a quote, a backslash, a semicolon or a line's end and has become
/// part of SQL: such a value may end the text it stands in. `shown` is the job as run with its secrets
/// masked, from which the statement is quoted; `ends` are the two steps' parameters.
void warn_of_sql(const std::vector<parameter_use>& uses, const nlohmann::json& shown,
                 const std::vector<described_part>& ends, findings& out);

}  // namespace sluice
