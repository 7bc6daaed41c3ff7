#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/cli/environment.h"
#include "transport/base/result.h"

namespace sluice {

/// The least budget in which a window still holds four batches (flow.md).
inline constexpr std::uint64_t memory_bytes_min = std::uint64_t{4} << 20;

/// The most tries that may be asked for, by `--retries` or here: with the longest waits a lost connection is
/// tried again for three hours, and a pipeline's epochs last for longer.
inline constexpr std::uint32_t retries_most = 1'000;

/// Defaults of a user or a machine for `sluice`, from one TOML file (docs/configuration.md). A flag and,
/// where there is one, an environment variable come first.
struct configuration {
  std::string file;  ///< Where it was read; empty where there is none.
  std::optional<std::string> time_zone;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::string> state_dir;
  std::optional<std::uint32_t> retries_max;
};

/// Reads the first of these that exists: the file SLUICE_CONFIG names (which must exist where it is set),
/// `sluice/config.toml` in the user's configuration directory (XDG Base Directory: an absolute
/// XDG_CONFIG_HOME, else `.config` in HOME), `/etc/sluice/config.toml` below `root`. `bad_option` with file,
/// line and column where it is not TOML, has a key that is not known or a value that is not of its type.
result<configuration> load_configuration(const environment& variable, const std::string& root = {});

}  // namespace sluice
