#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/target.h"

namespace sluice {

// The stages of a run around its data, as they stand in `run_row::stage`: `pre:N`, `post:N` and, behind the
// number of steps that have run, a digest of their texts: `post:2 9c1185a5c5e9fc54`. By it a start whose
// postSql was edited sees whether what has run is still what the job says. Without a digest (nothing has run,
// or somebody set the stage by hand) that is not told.

/// The stage of a run whose first `done` of `steps` behind the data have run; `post:0` where none has.
std::string stage_behind(const std::vector<target_step>& steps, std::size_t done);

/// N of the stage `<prefix>N`.
std::optional<std::size_t> stage_step(std::string_view stage, std::string_view prefix);

/// False where the steps that `stage` says have run are not the first of `steps`. True for stages that are
/// not behind the data, and where it is not told.
bool ran_of(const std::vector<target_step>& steps, std::string_view stage);

}  // namespace sluice
