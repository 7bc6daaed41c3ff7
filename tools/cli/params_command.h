#pragma once

#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// `sluice params JOB`: prints the planned time, the business date, the zone, and each variable of the job
/// with its value and where both come from. Opens nothing but the job and its parameter files. Returns the
/// exit code: 2 where a variable has no value, with a line for each on standard error.
int params_command(const params_arguments& arguments, const program& parts);

}  // namespace sluice
