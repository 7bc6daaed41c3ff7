#pragma once

#include <cstdint>
#include <string>

namespace sluice {

/// A process of some host, told apart from a later one with the same pid.
struct process_identity {
  std::string host;
  std::int64_t pid = 0;
  std::string start;  ///< Boot id and start time in clock ticks (proc(5), stat field 22).
  friend bool operator==(const process_identity&, const process_identity&) = default;
};

/// ` in "/srv/jobs"`, the working directory, where the path is relative: that is where it is looked for;
/// empty where it is absolute. For messages.
std::string looked_in(const std::string& path);

/// This process.
process_identity this_process();

enum class process_state { alive, dead, elsewhere };

/// Whether that process still runs; `elsewhere` where it belongs to another host and cannot be seen.
process_state look_up(const process_identity& who);

}  // namespace sluice
