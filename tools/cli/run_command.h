#pragma once

#include "actors/supervise/run.h"
#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// `sluice run`: everything around the engine, from the job file to the exit code, which it returns. Blocks.
/// Must be called before the process has other threads (signal_watch).
int run_command(const run_arguments& arguments, const program& parts);

/// What a run's end means for whoever started the process.
int exit_code_of(const run_summary& summary, bool fail_on_dirty, bool stopped_by_signal);

}  // namespace sluice
