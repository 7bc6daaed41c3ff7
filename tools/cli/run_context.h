#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/verify/verify.h"
#include "jobspec/datasource_use.h"
#include "jobspec/planned_time.h"
#include "tools/cli/memory_limit.h"

namespace sluice {

/// A data source that an end of the run is in.
struct used_datasource {
  std::string_view side;  ///< `reader`, `writer`.
  named_datasource what;
};

/// What the program knows of a run beside the engine's summary; secrets are masked already.
struct run_context {
  std::string job_file;
  std::string instance;      ///< `job::instance`; empty where the job could not be loaded.
  std::string reader_place;  ///< In it; empty where the job could not be loaded.
  std::map<std::string, std::string> parameters;
  std::optional<planned_time> planned_for;   ///< Nothing where the job could not be loaded.
  std::vector<used_datasource> datasources;  ///< The reader's first.
  std::string zone;
  std::string zone_origin;
  memory_budget memory;
  std::string run_folder;     ///< Empty where the run failed before it had one.
  std::string dirty_file;     ///< In it; empty where no dirty file is there.
  std::string dirty_pending;  ///< Likewise the folder of those that no mark covers yet.
  std::uint64_t started_unix_ms = 0;
  double seconds = 0;  ///< Of the process's whole work on the run.
  int exit_code = 0;
  std::string stopped_by;  ///< `SIGTERM`; empty where no signal came.
  bool planned = false;    ///< It came as far as a plan: counts mean something.
  bool fail_on_dirty = false;
  std::optional<verify_report> verified;  ///< `setting.verify`; nothing where it was not come to.
  bool skipped = false;                   ///< `--if-running skip`, and the job is at work.
  std::string nothing_done;  ///< The last line of a run that was skipped, or was done before as it should be.
  std::vector<std::string> first_dirty;  ///< The first reasons, a line each.
  std::string summary_trouble;           ///< Why `--summary` could not be written; else empty.
  std::vector<std::string> warnings;     ///< The job's, a line each.
};

}  // namespace sluice
