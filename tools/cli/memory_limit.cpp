#include "tools/cli/memory_limit.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "tools/cli/files.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// The kernel writes about 2^63 for "none" in v1; no machine has this much.
constexpr std::uint64_t no_limit_bytes = std::uint64_t{1} << 60;

/// Budget without a flag (DESIGN 1.5, issue 3).
constexpr std::uint64_t default_bytes = std::uint64_t{160} << 20;

void lower_to_file(std::optional<std::uint64_t>& least, const std::string& path) {
  const auto text = read_file(path, 64);
  std::uint64_t bytes = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), bytes).ec != std::errc() ||
      bytes >= no_limit_bytes) {
    return;  // Not there, or `max`.
  }
  if (!least || bytes < *least) {
    least = bytes;
  }
}

/// The group's file and those of all its ancestors. In a container the path may name folders that only the
/// host sees; then only the mount's own file exists.
void lower_to_group(std::optional<std::uint64_t>& least, const std::string& mount, std::string_view group,
                    const std::string& file) {
  while (true) {
    lower_to_file(least, fmt::format("{}{}/{}", mount, group == "/" ? "" : group, file));
    const std::size_t slash = group.rfind('/');
    if (group.empty() || slash == std::string_view::npos) {
      return;
    }
    group = group.substr(0, slash);
  }
}

bool names_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "memory") {
      return true;
    }
    controllers = comma == std::string_view::npos ? std::string_view() : controllers.substr(comma + 1);
  }
  return false;
}

}  // namespace

std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root) {
  std::optional<std::uint64_t> least;
  const auto groups = read_file(root + "/proc/self/cgroup");
  std::string_view rest = groups ? std::string_view(*groups) : std::string_view();
  while (!rest.empty()) {
    // Lines are `hierarchy:controllers:path`; v2 has hierarchy 0 and no controllers.
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) {
      continue;
    }
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    if (controllers.empty()) {
      lower_to_group(least, root + "/sys/fs/cgroup", group, "memory.max");
    } else if (names_memory(controllers)) {
      lower_to_group(least, root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    }
  }
  return least;
}

memory_budget choose_memory(const std::optional<std::uint64_t>& flag, const configuration& configured,
                            const std::optional<std::uint64_t>& limit) {
  if (flag) {
    return {*flag, "--memory"};
  }
  if (configured.memory_bytes) {
    return {*configured.memory_bytes, "memory in " + configured.file};
  }
  if (limit && *limit / 2 < default_bytes) {
    return {*limit / 2, fmt::format("half of the cgroup's limit of {}", bytes_text(*limit))};
  }
  return {default_bytes, "default"};
}

}  // namespace sluice
