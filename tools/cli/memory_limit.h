#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/cli/configuration.h"

namespace sluice {

/// The least memory limit, in bytes, of this process's cgroup and its ancestors (cgroup v1 `memory`
/// controller and v2; cgroups(7)). Nothing where there is none or it cannot be read. `root` is put before
/// every path.
std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root = {});

/// The budget of a run, and where it comes from (`--memory`, `memory in /etc/sluice/config.toml`, `default`,
/// `half of the cgroup's limit of 200 MiB`).
struct memory_budget {
  std::uint64_t bytes = 0;
  std::string origin;
};

memory_budget choose_memory(const std::optional<std::uint64_t>& flag, const configuration& configured,
                            const std::optional<std::uint64_t>& limit);

}  // namespace sluice
