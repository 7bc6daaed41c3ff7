#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/supervise/look.h"
#include "tools/cli/job_arguments.h"
#include "tools/cli/program.h"
#include "tools/cli/secret_filter.h"
#include "tools/cli/zone_choice.h"

namespace sluice {

/// A job as a command has it before anything is opened, with the plugins of its ends.
struct loaded_job {
  job what;
  const plugin* reader = nullptr;  ///< Of the program's list.
  const plugin* writer = nullptr;
};

/// Loads the job the way every command does. `secrets` learns the values that must not be shown: apply it to
/// whatever comes of the job, its warnings and errors included.
/// `continued`: the planned time and zone of an unfinished run, in place of what the command says.
tl::expected<loaded_job, job_errors> load_for_command(const std::string& file, const job_arguments& arguments,
                                                      const program& parts, secret_filter& secrets,
                                                      const planned_time* continued = nullptr);

/// The process that ends what this one leaves running on servers when it is killed; nullptr where the job's
/// plugins leave nothing. `no_room` where there can be none; its message says what that means.
result<std::shared_ptr<guard_process>> begin_guard(const loaded_job& job);

/// What loading a job is told: parameters with those of files, and the planned time in the run's zone. The
/// files are read now; `arguments` and `parts` must outlive the options. `secrets` learns the values of
/// parameters.
tl::expected<load_options, job_errors> load_options_for(const job_arguments& arguments, const program& parts,
                                                        secret_filter& secrets,
                                                        const planned_time* continued = nullptr);

/// What a run of the job would find and do (`look_at`), with its secrets looked up as a run does. `secrets`
/// learns them.
job_look look_at_job(const loaded_job& job, look_settings settings, const program& parts,
                     secret_filter& secrets);

/// The zone of the job's run (DESIGN section 5); `bad_option` with its origin where there is no such zone.
/// `chosen` is set either way.
result<void> choose_zone_for(const job& what, const job_arguments& arguments, const program& parts,
                             zone_choice& chosen);

/// The lines of `errors`, one below the other.
std::string all_lines(const job_errors& errors);

}  // namespace sluice
