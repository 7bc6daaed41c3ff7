#pragma once

#include <optional>
#include <string>

#include "jobspec/option_values.h"
#include "tools/cli/configuration.h"
#include "tools/cli/environment.h"

namespace sluice {

/// The name of the run's time zone as written where it was found, and that place. The name is not checked
/// here.
struct zone_choice {
  std::string name;
  std::string origin;
  bool text_only = false;  ///< It stands in the job or on the command line: a wrong name is exit code 2.
};

/// DESIGN section 5: the job's `common.column.timeZone`, else `--timezone`, else GMT+8 in the DataX dialect,
/// else the configuration, else TZ, else the system's zone (`/etc/localtime`, `/etc/timezone` below `root`),
/// else UTC.
zone_choice choose_zone(const std::optional<std::string>& of_job, const std::optional<std::string>& flag,
                        dialect job_dialect, const configuration& configured, const environment& variable,
                        const std::string& root = {});

}  // namespace sluice
