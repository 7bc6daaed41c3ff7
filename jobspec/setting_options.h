#pragma once

#include <vector>

#include "jobspec/option.h"
#include "jobspec/option_values.h"

namespace sluice {

/// The keys of `setting` (of `job.setting` in DataX), described like a plugin's options: for validation,
/// documentation and schema.
const std::vector<option>& setting_options(dialect d);

/// The keys of `common`.
const std::vector<option>& common_options();

/// The keys of `core` (job-formats 6.2): the limits of one channel, and what only DataX's own engine has.
const std::vector<option>& core_options();

}  // namespace sluice
