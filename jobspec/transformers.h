#pragma once

#include <vector>

#include "jobspec/findings.h"
#include "jobspec/job.h"
#include "jobspec/job_shape.h"

namespace sluice {

/// Reads the `transformer` list of a DataX job (job-formats 6.11). What is wrong with an entry, or not
/// supported yet, is a finding.
std::vector<transformer_spec> read_transformers(const placed_json& list, findings& out);

}  // namespace sluice
