#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobspec/datasource_use.h"
#include "tools/cli/environment.h"

namespace sluice {

/// Which registry of data sources is used, as the command line says.
struct registry_arguments {
  std::optional<std::string> file;    ///< `--datasources`.
  std::optional<datasource_env> env;  ///< `--env`.
};

/// A place where the registry may be.
struct registry_place {
  std::string path;    ///< Empty where the origin says nothing.
  std::string origin;  ///< `--datasources`, `SLUICE_DATASOURCES`, `XDG_CONFIG_HOME`, `HOME`.
};

/// The places in order; the first with a path is the registry's: `--datasources`, else SLUICE_DATASOURCES,
/// else `sluice/datasources.json` in the user's configuration directory (XDG Base Directory: an absolute
/// XDG_CONFIG_HOME, else `.config` in HOME), else /etc/sluice/datasources.json.
std::vector<registry_place> registry_places(const std::optional<std::string>& flag,
                                            const environment& variable);

/// The registry's place among them.
const registry_place& chosen_place(const std::vector<registry_place>& places);

/// `looked at: --datasources (not given), …`: for a registry that is not there.
std::string looked_at_text(const std::vector<registry_place>& places);

struct loaded_registry {
  std::shared_ptr<const datasource_registry> registry;
  std::vector<std::string> warnings;  ///< Of a file with passwords in clear that others may read.
};

/// Reads the registry at the chosen place. `bad_option` where it is missing, with the places looked at, or is
/// no registry; `denied` where it cannot be read.
result<loaded_registry> load_registry(const std::vector<registry_place>& places);

/// `mode 644` where others than the owner may read or write the file; empty where not, or it is no file.
std::string open_to_others(const std::string& path);

}  // namespace sluice
