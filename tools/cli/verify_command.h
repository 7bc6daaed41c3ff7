#pragma once

#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// `sluice verify`: whether what a job reads stands where it writes. Changes nothing. Returns the exit code.
int verify_command(const verify_arguments& arguments, const program& parts);

}  // namespace sluice
