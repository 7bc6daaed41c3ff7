#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/stored_command.h"
#include "transport/base/ids.h"
#include "transport/base/result.h"

namespace sluice {

/// How a run stands, as its folder shows it.
enum class recorded_state { running, succeeded, succeeded_with_dirty, failed, stopped, killed, unreadable };

/// `running`; those of a summary; `killed`: its process ended without an end of the run; `unreadable`: its
/// folder is another user's and tells nothing.
std::string_view to_string(recorded_state state);

/// What a run's folder tells of it, a moment ago.
struct run_record {
  run_id run;
  std::string folder;
  std::string job;  ///< Its name; of a run of an older program that of the folder.
  recorded_state state = recorded_state::killed;
  bool resumable = false;            ///< Not at work, not done, and the same command continues it.
  bool asks = false;                 ///< It is unfinished and the same command asks how to go on.
  bool began_anew = false;           ///< Not done, and the same command begins it from its beginning.
  std::string process;               ///< Of a running one: `4711 on host`; empty where that is not known.
  std::uint64_t begun_unix_ms = 0;   ///< By the first process that worked on it.
  std::uint64_t worked_unix_ms = 0;  ///< Since when the last process worked on it.
  std::optional<double> seconds;     ///< Of that process, once it ended in order.
  std::optional<stored_command> command;
  /// `summary.json`; of a run without one that of an earlier process. May be empty; left out where many runs
  /// are asked for.
  std::string summary;
  bool has_summary = false;
  bool summary_is_earlier = false;
  // From that summary; 0 and empty without.
  std::uint64_t read = 0, written = 0, ignored = 0, dirty = 0, filtered = 0;
  std::uint64_t written_again = 0;
  bool written_again_at_most = false;
  std::string error;
  std::string how_to_go_on;
  bool refused = false;    ///< A start that failed before it planned anything: it is no run of its own.
  bool conflicts = false;  ///< Its failure was another run's doing (`error_kind::conflict`).
};

/// A run that was asked for by the name of its job.
struct found_run {
  run_record run;
  std::optional<run_record> refused_start;  ///< The job's last start, where it came behind and was refused.
};

/// What is done is nothing to go on with.
inline bool is_done(recorded_state state) {
  return state == recorded_state::succeeded || state == recorded_state::succeeded_with_dirty;
}

/// Which runs are asked for.
struct run_filter {
  std::optional<std::string> job;   ///< Its name, or a pattern with `*` and `?`.
  std::vector<std::string> states;  ///< Of `run_state_words`; empty: all.
  std::uint64_t since_unix_ms = 0;  ///< By the time it began.
};

/// Words for `--state`: those of `to_string`, `done` for both that succeeded, `resumable`.
std::vector<std::string_view> run_state_words();

/// `denied` where the folder of all runs is there and cannot be read.
result<void> check_runs_folder(const std::string& state_directory);

/// The runs of a state directory, newest first, without the text of their summaries; none where it is not
/// there. What cannot be read of one is left empty. `denied` where the directory itself cannot be read;
/// `closed` gets the folders in it of jobs that cannot.
result<std::vector<run_record>> runs_in_state(const std::string& state_directory,
                                              const run_filter& filter = {},
                                              std::vector<std::string>* closed = nullptr);

/// Which run of a job its name means.
enum class run_of_job {
  newest,     ///< Whatever it is.
  resumable,  ///< The newest that can be continued, where one can.
  /// The newest, but not a start that was refused because of another run, or before one that is unfinished.
  telling
};

/// The one that `named` means: its id, or the name of a job, or what only its id begins or ends with. One
/// that was taken over is that in whose folder it goes on. `bad_option` where there is none, or more than
/// one.
result<found_run> find_run(const std::string& state_directory, const std::string& named, run_of_job which);

/// `2026-11-27 02:20:38Z`.
std::string time_text(std::uint64_t unix_ms);

}  // namespace sluice
