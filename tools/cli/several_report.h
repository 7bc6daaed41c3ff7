#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/cli/end_report.h"
#include "transport/record/mark.h"

namespace sluice {

/// How one of several runs ended.
enum class run_end {
  succeeded,
  succeeded_with_dirty,  ///< And its exit code is 0.
  failed,
  wrong,        ///< The job's text is: exit code 2.
  stopped,      ///< By a signal.
  done_before,  ///< Its planned time is done: nothing was to do.
  skipped,      ///< Another process works on the job (`--if-running skip`).
  not_begun
};
std::string_view to_string(run_end end);

/// What is known of one of several runs.
struct run_outcome {
  std::string label;
  std::string file;
  run_end end = run_end::not_begun;
  std::optional<int> exit_code;  ///< Nothing where it did not begin, or its process ended without one.
  double seconds = 0;
  record_counts counts;
  std::string reason;              ///< Why it did not succeed: one line, secrets masked.
  nlohmann::ordered_json summary;  ///< docs/summary.md without `splits.listed`; null where there is none.
};

/// What is known of all of them.
struct runs_outcome {
  std::vector<run_outcome> runs;
  std::uint64_t started_unix_ms = 0;
  double seconds = 0;
  std::string stopped_by;  ///< `SIGTERM`; empty where no signal came.
  bool stopped_on_failure = false;
  std::uint64_t at_once = 1;
  std::string go_on;  ///< How the rest is run, where the command that was given does it again.
};

/// Takes what `sluice run --json` printed and its exit code into the outcome. A planned time that is done
/// already is no failure here: whoever runs several again means those that are not.
void put_summary(run_outcome& outcome, const std::string& summary_text, int exit_code);
/// The process ended by a signal or without a summary; `reason` says so.
void put_crash(run_outcome& outcome, std::string reason);

/// 143 where a signal stopped them; 1 where a run failed; 2 where all that failed are wrong by their text;
/// 99 where all were skipped; else 0.
int exit_code_of(const runs_outcome& all);

/// One table of all runs, the reason of each that did not succeed, and as the last line the sentence that
/// must not be missed. `command` is how those that failed can be run again, such as `sluice run`; empty: not
/// said.
std::vector<report_line> several_report(const runs_outcome& all, const std::string& command);

/// The summary of several runs as docs/summary.md describes it: JSON, indented, with a newline at its end.
std::string several_json(const runs_outcome& all);

}  // namespace sluice
