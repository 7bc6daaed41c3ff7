#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace sluice {

/// How long run folders are kept. Whatever breaks a limit goes, oldest first.
struct retention_policy {
  std::uint64_t age_ms_max = std::uint64_t{30} * 24 * 3600 * 1000;
  std::uint64_t runs_per_job_max = 50;
  std::uint64_t bytes_max = std::uint64_t{10} << 30;
  /// Age and size need a look at every folder: at most this often, by the time of `<state>/swept`.
  std::uint64_t full_sweep_interval_ms = std::uint64_t{3600} * 1000;
};

/// A run folder that was removed, or in a dry run would be.
struct removed_run {
  std::string folder;
  std::string why;          ///< `older than 30 days`.
  std::uint64_t bytes = 0;  ///< 0 where a sweep by number alone removed it.
};

/// What a sweep removed.
struct retention_report {
  std::vector<removed_run> removed;
  std::set<std::string> kept_alive;       ///< They break a limit, but their process lives.
  std::set<std::string> kept_unfinished;  ///< Likewise, but they may be continued.
  std::set<std::string> not_removed;      ///< Their files could not be removed, or not all of them.
  bool full = false;                      ///< Age and size were looked at, too.

  [[nodiscard]] std::uint64_t bytes_removed() const;
};

/// What a cleaning that was asked for does otherwise than that after a run.
struct cleaning {
  std::function<bool(const std::string& folder)> wanted;  ///< Empty: all folders count. Others are not there.
  bool unfinished_too = false;
  bool dry_run = false;  ///< Says what would be removed, and removes nothing.
};

/// Removes run folders that break the policy; never one whose process lives (`lock`) or that may be continued
/// (`unfinished`). A run's age is the time in its id. Looks at the folders of `job_name` by number each time,
/// at all of them by age and size once an hour. What cannot be removed is left for the next time.
retention_report sweep_run_folders(const std::string& state_directory, const std::string& job_name,
                                   std::uint64_t now_unix_ms, const retention_policy& policy = {});

/// Looks at all folders by number, age and size, at once.
retention_report clean_run_folders(const std::string& state_directory, std::uint64_t now_unix_ms,
                                   const retention_policy& policy, const cleaning& how);

/// The bytes of the files in a folder, those of its folders included.
std::uint64_t bytes_in_folder(const std::string& folder);

}  // namespace sluice
