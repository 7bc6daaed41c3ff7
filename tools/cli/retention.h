#pragma once

#include <cstdint>
#include <string>

namespace sluice {

/// How long run folders are kept. Whatever breaks a limit goes, oldest first.
struct retention_policy {
  std::uint64_t age_ms_max = std::uint64_t{30} * 24 * 3600 * 1000;
  std::uint64_t runs_per_job_max = 50;
  std::uint64_t bytes_max = std::uint64_t{10} << 30;
  /// Age and size need a look at every folder: at most this often, by the time of `<state>/swept`.
  std::uint64_t full_sweep_interval_ms = std::uint64_t{3600} * 1000;
};

/// What a sweep removed.
struct retention_report {
  std::uint64_t folders_removed = 0;
  std::uint64_t bytes_removed = 0;  ///< Only of folders removed by a full sweep.
  bool full = false;                ///< Age and size were looked at, too.
};

/// Removes run folders that break the policy; never one whose process lives (`lock`) or that may be continued
/// (`unfinished`). A run's age is the time in its id. Looks at the folders of `job_name` by number each time,
/// at all of them by age and size once an hour. What cannot be removed is left for the next time.
retention_report sweep_run_folders(const std::string& state_directory, const std::string& job_name,
                                   std::uint64_t now_unix_ms, const retention_policy& policy = {});

}  // namespace sluice
