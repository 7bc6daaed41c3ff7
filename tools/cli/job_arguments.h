#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobspec/compat_mode.h"
#include "tools/cli/datasource_files.h"

namespace sluice {

/// How a job is loaded, as the command line says: the same flags for every command that takes a job.
struct job_arguments {
  std::map<std::string, std::string> parameters;
  std::vector<std::pair<std::string, std::string>> set;
  std::optional<std::string> name;
  std::optional<std::string> time_zone;
  std::optional<compat_mode> compat;
  bool strict = false;
  registry_arguments datasources;
};

}  // namespace sluice
