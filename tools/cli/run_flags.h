#pragma once

#include <string>
#include <vector>

#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {

/// The flags of a run, the job itself left out: of `sluice run`, and of commands that run what they make. A
/// member of the command's syntax, and gone with it.
class run_flags {
 public:
  /// Tells CLI11 the flags. `app` keeps references into this object.
  void describe(CLI::App& app);
  /// Only those that decide neither what is run nor how a start deals with what it finds.
  void describe_work(CLI::App& app);
  /// Fills `run` with what was given; `bad_option` where a value is wrong. `range` as in `job_flags`.
  result<void> put_into(run_arguments& run, std::vector<planned_request>* range = nullptr) const;

 private:
  job_flags job_;
  std::string memory_, summary_, metrics_, on_end_, state_dir_;
  std::string report_interval_ = "10s", stall_timeout_ = "60s", stop_timeout_ = "20s", resume_window_ = "1h",
              wait_max_, duration_max_, retries_;
  std::string report_ = "text", on_unfinished_, if_running_ = "fail", log_format_ = "text",
              log_level_ = "info";
  bool rerun_pre_sql_ = false, skip_pre_sql_ = false, rerun_post_sql_ = false, skip_post_sql_ = false;
  bool fail_on_dirty_ = false, json_ = false, no_progress_ = false, once_ = false, same_ends_ = false;
};

}  // namespace sluice
