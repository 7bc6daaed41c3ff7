#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/cli/command_line.h"
#include "tools/cli/secret_filter.h"
#include "transport/base/result.h"

namespace sluice {

/// The command line of a run as its folder keeps it (`command.json`), so that `sluice runs resume` can give
/// it again. Secrets are masked.
struct stored_command {
  std::vector<std::string> words;   ///< Behind the program's name, a flag with its value a word.
  std::vector<std::size_t> hidden;  ///< Those in which a secret is masked, by index.
  std::string folder;               ///< The one it was given in, absolute.
  std::string job;                  ///< The job's name.
  std::string run;                  ///< Its id; the folder of a run that was taken over has another name.
  std::string planned;              ///< `planned_time::kept_text`; empty where there is none.
};

/// What is to be kept of the command behind `run`, whose job is `what`: of several jobs and days only this
/// one.
stored_command command_to_keep(const run_arguments& run, const job& what, const std::string& folder,
                               const secret_filter& secrets);

std::string stored_command_json(const stored_command& kept);

/// The command of the run in `run_folder`. `denied` where it has none, being of an older program, or where it
/// cannot be read.
result<stored_command> read_stored_command(const std::string& run_folder);

/// The words that give the command again with what is `given` now (a flag with its value a word) in place of
/// what it had for the same flag, the same parameter or the same path, and without what a start decides by
/// (`--on-unfinished` and its like). `bad_option` names a secret that is not kept and not given.
result<std::vector<std::string>> words_again(const stored_command& kept,
                                             const std::vector<std::string>& given);

/// How the flags of two commands differ, a line each: `--retries was 3 and is 9`. Left out is what stands in
/// the job as well (`--param`, `--set`), and what is only shown.
std::vector<std::string> flag_changes(const stored_command& before, const stored_command& now);

/// `sluice run jobs/orders.json --name=a`, as a shell takes it.
std::string command_text(const stored_command& kept);

}  // namespace sluice
