#pragma once

#include <optional>
#include <string>

#include "tools/cli/configuration.h"
#include "tools/cli/environment.h"

namespace sluice {

/// Where run folders are kept, and who said so (for messages).
struct state_directory {
  std::string path;
  std::string origin;
};

/// `--state-dir`, else SLUICE_STATE, else the configuration, else `sluice` in the user's state directory (XDG
/// Base Directory: an absolute XDG_STATE_HOME, else `.local/state` in HOME where that folder exists), else
/// /var/lib/sluice. Makes nothing.
state_directory choose_state_directory(const std::optional<std::string>& flag,
                                       const configuration& configured, const environment& variable);

}  // namespace sluice
