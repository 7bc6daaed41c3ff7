#include "tools/cli/state_directory.h"

#include <filesystem>

namespace sluice {

state_directory choose_state_directory(const std::optional<std::string>& flag,
                                       const configuration& configured, const environment& variable) {
  if (flag) {
    return {*flag, "--state-dir"};
  }
  if (const auto set = variable("SLUICE_STATE"); set && !set->empty()) {
    return {*set, "SLUICE_STATE"};
  }
  if (configured.state_dir) {
    return {*configured.state_dir, "state_dir in " + configured.file};
  }
  // The specification has relative values ignored.
  if (const auto xdg = variable("XDG_STATE_HOME"); xdg && xdg->starts_with('/')) {
    return {(std::filesystem::path(*xdg) / "sluice").string(), "XDG_STATE_HOME"};
  }
  std::error_code ignored;
  // System accounts often name a home that does not exist.
  if (const auto home = variable("HOME");
      home && home->starts_with('/') && std::filesystem::is_directory(*home, ignored)) {
    return {(std::filesystem::path(*home) / ".local/state/sluice").string(), "HOME"};
  }
  return {"/var/lib/sluice", "the default, as there is no HOME"};
}

}  // namespace sluice
