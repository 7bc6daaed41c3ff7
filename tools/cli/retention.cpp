#include "tools/cli/retention.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "tools/cli/files.h"
#include "tools/cli/run_folder.h"
#include "transport/base/ids.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

struct folder_seen {
  fs::path path;
  std::uint64_t unix_ms = 0;
  std::uint64_t bytes = 0;
};

/// RFC 9562 section 5.7: the first 48 bits are milliseconds since 1970.
std::uint64_t unix_ms_of(const run_id& run) {
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    ms = ms << 8 | run.bytes[i];
  }
  return ms;
}

/// The run folders of a job, oldest first; what is not named like one is not ours to remove.
std::vector<folder_seen> runs_in(const fs::path& job_folder) {
  std::vector<folder_seen> runs;
  std::error_code problem;
  for (fs::directory_iterator at(job_folder, problem), end; !problem && at != end; at.increment(problem)) {
    if (const auto run = run_id::parse(at->path().filename().string())) {
      runs.push_back({at->path(), unix_ms_of(*run), 0});
    }
  }
  std::sort(runs.begin(), runs.end(),
            [](const folder_seen& a, const folder_seen& b) { return a.path < b.path; });
  return runs;
}

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code problem;
  for (fs::recursive_directory_iterator at(folder, problem), end; !problem && at != end;
       at.increment(problem)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) {
      const auto size = at->file_size(ignored);
      bytes += ignored ? 0 : size;
    }
  }
  return bytes;
}

/// True when it was removed.
bool remove_run(const fs::path& folder) {
  std::error_code problem;
  if (fs::exists(folder / "unfinished", problem) || problem) {
    return false;
  }
  const int lock = lock_run_folder(folder.string());
  if (lock < 0) {
    return false;
  }
  // Looked at again under the lock: a run may have begun to continue it in between.
  const bool unfinished = fs::exists(folder / "unfinished", problem);
  if (!unfinished) {
    fs::remove_all(folder, problem);
  }
  ::close(lock);
  return !unfinished && !problem;
}

void sweep_number(const fs::path& job_folder, const retention_policy& policy, retention_report& report) {
  const auto runs = runs_in(job_folder);
  std::uint64_t left = runs.size();
  for (const auto& run : runs) {
    if (left <= policy.runs_per_job_max) {
      return;
    }
    if (remove_run(run.path)) {
      ++report.folders_removed;
      --left;
    }
  }
}

void sweep_all(const fs::path& all_runs, std::uint64_t now_unix_ms, const retention_policy& policy,
               retention_report& report) {
  std::vector<folder_seen> kept;
  std::uint64_t bytes = 0;
  std::error_code problem;
  for (fs::directory_iterator at(all_runs, problem), end; !problem && at != end; at.increment(problem)) {
    sweep_number(at->path(), policy, report);
    for (auto& run : runs_in(at->path())) {
      run.bytes = bytes_in(run.path);
      if (run.unix_ms + policy.age_ms_max < now_unix_ms && remove_run(run.path)) {
        ++report.folders_removed;
        report.bytes_removed += run.bytes;
        continue;
      }
      bytes += run.bytes;
      kept.push_back(std::move(run));
    }
    std::error_code ignored;
    fs::remove(at->path(), ignored);  // Only where nothing is left in it.
  }
  std::sort(kept.begin(), kept.end(),
            [](const folder_seen& a, const folder_seen& b) { return a.unix_ms < b.unix_ms; });
  for (const auto& run : kept) {
    if (bytes <= policy.bytes_max) {
      return;
    }
    if (remove_run(run.path)) {
      bytes -= run.bytes;
      ++report.folders_removed;
      report.bytes_removed += run.bytes;
    }
  }
}

/// Whether a full sweep is due; then its time is noted first, so that runs that end together do not all
/// sweep.
bool full_sweep_due(const fs::path& state, std::uint64_t now_unix_ms, const retention_policy& policy) {
  const std::string stamp = (state / "swept").string();
  std::uint64_t last = 0;
  if (const auto text = read_file(stamp, 32)) {
    last = std::strtoull(text->c_str(), nullptr, 10);
  }
  // A stamp from the future (the clock was set back) must not end sweeping.
  if (last <= now_unix_ms && now_unix_ms - last < policy.full_sweep_interval_ms) {
    return false;
  }
  return write_file_whole(stamp, std::to_string(now_unix_ms), 0600).has_value();
}

}  // namespace

retention_report sweep_run_folders(const std::string& state_directory, const std::string& job_name,
                                   std::uint64_t now_unix_ms, const retention_policy& policy) {
  retention_report report;
  const fs::path state(state_directory);
  sweep_number(state / "runs" / job_folder_name(job_name), policy, report);
  if (full_sweep_due(state, now_unix_ms, policy)) {
    report.full = true;
    sweep_all(state / "runs", now_unix_ms, policy, report);
  }
  return report;
}

}  // namespace sluice
