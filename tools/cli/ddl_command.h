#pragma once

#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// `sluice ddl`: the statements that make the destination's table as `createTable` does, or the tables of
/// marks and claims. Changes nothing. Returns the exit code.
int ddl_command(const ddl_arguments& arguments, const program& parts);

}  // namespace sluice
