#pragma once

#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// `sluice template`: prints the job; returns the exit code.
int template_command(const template_arguments& arguments, const program& parts);

/// `sluice copy`: drafts the job, saves it where asked, and runs it as `sluice run` does. Refuses a
/// destination that holds records already, unless they are this copy's own of a run to be continued, or
/// `--append` or
/// `--replace` is given: a copy that is given twice must not double. Returns the exit code.
int copy_command(const copy_arguments& arguments, const program& parts);

}  // namespace sluice
