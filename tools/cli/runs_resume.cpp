#include <fmt/format.h>

#include <filesystem>

#include "tools/cli/copy_command.h"
#include "tools/cli/job_source.h"
#include "tools/cli/run_command.h"
#include "tools/cli/run_record.h"
#include "tools/cli/runs_command.h"
#include "tools/cli/shell_word.h"
#include "tools/cli/state_directory.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// Flags whose files are the caller's, not those of the folder that the command was given in.
constexpr std::string_view names_files[] = {"--summary=", "--metrics-file="};

std::string absolute(const std::string& path) {
  std::error_code problem;
  const std::string whole = std::filesystem::absolute(path, problem).string();
  return problem ? path : whole;
}

/// Why there is nothing to continue.
result<void> require_resumable(const run_record& one, if_running running) {
  if (one.resumable || (one.state == recorded_state::running && running != if_running::fail)) {
    return {};
  }
  const std::string id = one.run.text();
  if (one.state == recorded_state::running) {
    return fail(error_kind::conflict,
                "run {} is at work{}: wait for its end, stop it, or say what is to be done then, with "
                "--if-running wait, skip or takeover",
                id, one.process.empty() ? "" : fmt::format(" (process {})", one.process));
  }
  if (is_done(one.state)) {
    return fail(error_kind::conflict, "run {} is done ({}): there is nothing to continue", id,
                to_string(one.state));
  }
  if (one.state == recorded_state::unreadable) {
    return fail(
        error_kind::denied,
        "the folder of run {}, {}, is another user's and cannot be read: continue the run as that user", id,
        in_quotes(one.folder));
  }
  const std::string again =
      one.command ? fmt::format(": cd {} && {}", shell_word(one.command->folder), command_text(*one.command))
                  : std::string();
  return fail(error_kind::conflict, "run {} ({}) cannot be continued: {}. Its command begins {}{}", id,
              to_string(one.state),
              one.began_anew ? "its destination keeps no marks to go on from"
                             : "it left nothing to go on from, or another run has taken its place",
              one.began_anew ? "it from its beginning" : "a run of its own", again);
}

result<command> command_again(const run_record& one, const std::vector<std::string>& changes) {
  if (!one.command) {
    return fail(error_kind::conflict,
                "run {} has no readable command.json in {}; the command that began it continues it",
                one.run.text(), in_quotes(one.folder));
  }
  std::vector<std::string> given;
  for (const std::string& word : changes) {
    std::string changed = word;
    for (const std::string_view flag : names_files) {
      if (word.starts_with(flag)) {
        changed = std::string(flag) + absolute(word.substr(flag.size()));
      }
    }
    given.push_back(std::move(changed));
  }
  SLUICE_TRY(const auto words, words_again(*one.command, given));
  std::error_code problem;
  std::filesystem::current_path(one.command->folder, problem);
  if (problem) {
    return fail(error_kind::denied,
                "the folder {}, in which the command of run {} was given, cannot be entered: {}",
                in_quotes(one.command->folder), one.run.text(), problem.message());
  }
  return parse_command_line(words);
}

/// What makes a command go on with that run alone.
void put_run(run_arguments& to, const run_record& one, const std::string& state_directory) {
  to.only = one.run;
  to.on_unfinished = run_settings::unfinished::resume;
  to.name = one.job;
  to.state_dir = state_directory;
  to.range.clear();
  to.planned_as = read_kept_time(one.command->planned);
  if (to.planned_as) {
    to.planned_as->origin = "of the unfinished run";
  }
}

}  // namespace

int runs_resume(const runs_resume_arguments& arguments, const program& parts) {
  const auto complain = [&parts](const std::string& message, int code) {
    write_out(parts.err_fd, "sluice: " + message + "\n");
    return code;
  };
  const std::string state =
      absolute(choose_state_directory(arguments.state_dir, parts.configured, parts.variable).path);
  const auto found = find_run(state, arguments.run, run_of_job::resumable);
  if (!found) {
    return complain(found.error().message, exit_failed);
  }
  const run_record* const one = &found->run;
  if (const auto can = require_resumable(*one, arguments.running); !can) {
    return complain(can.error().message, exit_failed);
  }
  auto again = command_again(*one, arguments.changes);
  if (!again) {
    return complain(again.error().message,
                    again.error().kind == error_kind::bad_option ? exit_wrong_use : exit_failed);
  }
  if (auto* copy = std::get_if<copy_arguments>(&*again)) {
    put_run(copy->run, *one, state);
    return copy_command(*copy, parts);
  }
  auto* run = std::get_if<run_arguments>(&*again);
  if (run == nullptr) {
    return complain(fmt::format("the command of run {} is none that runs a job: {}", one->run.text(),
                                command_text(*one->command)),
                    exit_failed);
  }
  if (run->job_file == standard_input && parts.in_is_terminal) {
    return complain(fmt::format("the job of run {} came from standard input, which is not kept: give it "
                                "again, sluice runs resume {} < JOB",
                                one->run.text(), one->run.text()),
                    exit_wrong_use);
  }
  put_run(*run, *one, state);
  return run_command(*run, parts);
}

}  // namespace sluice
