#pragma once

#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// `sluice plan`: what a run of the job would do, without a change anywhere. Returns the exit code.
int plan_command(const plan_arguments& arguments, const program& parts);

}  // namespace sluice
