#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "actors/plan/column_pairs.h"

namespace sluice {

/// The pairs under each other, as `check` and `plan` show them.
std::string column_table(const std::vector<column_pair>& pairs);

/// The same as a list of objects (docs/plan.md).
nlohmann::ordered_json columns_json(const std::vector<column_pair>& pairs);

/// `3 exact, 2 checked`.
std::string column_counts(const std::vector<column_pair>& pairs);

}  // namespace sluice
