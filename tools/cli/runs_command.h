#pragma once

#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

// `sluice runs`: what the run folders of a state directory tell (docs/cli.md), on this machine alone; nothing
// is asked of a source or a destination but by `resume`. Each returns the exit code.

int runs_list(const runs_list_arguments& arguments, const program& parts);
int runs_show(const runs_show_arguments& arguments, const program& parts);
/// Removes run folders. Its state in the destination stays.
int runs_clean(const runs_clean_arguments& arguments, const program& parts);
/// Gives the command of the run once more, in its folder, so that it goes on with that run or with none.
/// Blocks; as `run_command` to be called before the process has other threads.
int runs_resume(const runs_resume_arguments& arguments, const program& parts);

}  // namespace sluice
