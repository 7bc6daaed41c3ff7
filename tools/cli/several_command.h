#pragma once

#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// `sluice run` for several jobs: each run in a process of its own (docs/decisions/070-several-runs.md), so
/// many at once as the command line says, their lines with their names, one table at the end. Returns the
/// exit code. Blocks. Must be called before the process has other threads.
int several_command(const run_arguments& arguments, const program& parts);

/// Where the metrics of one of several runs go: the label before the last dot of the file's name.
std::string metrics_file_of(const std::string& file, const std::string& label);

}  // namespace sluice
