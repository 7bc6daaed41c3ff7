#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option_values.h"

namespace sluice {

/// Names of readers or writers that a job file of this dialect may use (job-formats 1.9, 6.12), small
/// letters, whether or not Sluice has them yet: tells "not yet" from a slip of the fingers.
std::span<const std::string_view> catalogue_names(bool reader, dialect d);

/// Whether a key is known to stand in files without a meaning for a run (job-formats 1.6): editor state,
/// comments.
bool is_noise_key(std::string_view key);

/// Whether an option does not decide what data arrive (sizes, timeouts, accounts): left out of the job key.
bool is_no_data_option(std::string_view key);

}  // namespace sluice
