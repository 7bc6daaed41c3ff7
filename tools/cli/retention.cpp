#include "tools/cli/retention.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "tools/cli/files.h"
#include "tools/cli/run_folder.h"
#include "transport/base/ids.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

struct folder_seen {
  fs::path path;
  std::uint64_t unix_ms = 0;
  std::uint64_t bytes = 0;
};

/// `30 days`, `90 s`.
std::string age_text(std::uint64_t ms) {
  constexpr std::uint64_t day_ms = std::uint64_t{24} * 3600 * 1000;
  return ms != 0 && ms % day_ms == 0 ? fmt::format("{} day{}", ms / day_ms, ms == day_ms ? "" : "s")
                                     : duration_text(static_cast<double>(ms) / 1000);
}

/// One pass over run folders. Lives as long as that.
class sweep {
 public:
  sweep(std::uint64_t now_unix_ms, const retention_policy& policy, const cleaning& how,
        retention_report& report)
      : now_unix_ms_(now_unix_ms), policy_(policy), how_(how), report_(report) {}

  void by_number(const fs::path& job_folder);
  void all(const fs::path& all_runs);

 private:
  [[nodiscard]] std::vector<folder_seen> runs_in(const fs::path& job_folder) const;
  bool remove(folder_seen run, std::string why);
  [[nodiscard]] bool stays(const std::string& folder);

  const std::uint64_t now_unix_ms_;
  const retention_policy& policy_;
  const cleaning& how_;
  retention_report& report_;
  std::set<std::string> gone_;  ///< Of a dry run: they are still there.
};

/// The run folders of a job that count, oldest first; what is not named like one is not ours to remove.
std::vector<folder_seen> sweep::runs_in(const fs::path& job_folder) const {
  std::vector<folder_seen> runs;
  std::error_code problem;
  for (fs::directory_iterator at(job_folder, problem), end; !problem && at != end; at.increment(problem)) {
    const auto run = run_id::parse(at->path().filename().string());
    if (run && gone_.count(at->path().string()) == 0 && (!how_.wanted || how_.wanted(at->path().string()))) {
      runs.push_back({at->path(), begun_unix_ms(*run), 0});
    }
  }
  std::sort(runs.begin(), runs.end(),
            [](const folder_seen& a, const folder_seen& b) { return a.path < b.path; });
  return runs;
}

/// Whether the run may be continued, where that is asked about. Noted then.
bool sweep::stays(const std::string& folder) {
  std::error_code problem;
  // One that cannot be asked about stays.
  if (how_.unfinished_too || (!fs::exists(folder + "/unfinished", problem) && !problem)) {
    return false;
  }
  report_.kept_unfinished.insert(folder);
  return true;
}

/// True when it was removed, or would be.
bool sweep::remove(folder_seen run, std::string why) {
  const std::string folder = run.path.string();
  if (stays(folder)) {
    return false;
  }
  if (report_.full && run.bytes == 0) {
    run.bytes = bytes_in_folder(folder);
  }
  if (how_.dry_run) {
    if (run_is_alive(folder)) {
      report_.kept_alive.insert(folder);
      return false;
    }
    gone_.insert(folder);
    report_.removed.push_back({folder, std::move(why), run.bytes});
    return true;
  }
  const int lock = lock_run_folder(folder);
  if (lock < 0) {
    (errno == EWOULDBLOCK ? report_.kept_alive : report_.not_removed).insert(folder);
    return false;
  }
  // Looked at again under the lock: a run may have begun to continue it in between.
  std::error_code problem;
  const bool left = stays(folder);
  if (!left) {
    fs::remove_all(folder, problem);
  }
  ::close(lock);
  if (problem) {
    report_.not_removed.insert(folder);
  } else if (!left) {
    report_.removed.push_back({folder, std::move(why), run.bytes});
  }
  return !left && !problem;
}

void sweep::by_number(const fs::path& job_folder) {
  const auto runs = runs_in(job_folder);
  std::uint64_t left = runs.size();
  for (const auto& run : runs) {
    if (left <= policy_.runs_per_job_max) {
      return;
    }
    if (remove(run, fmt::format("beyond {} runs of the job", policy_.runs_per_job_max))) {
      --left;
    }
  }
}

void sweep::all(const fs::path& all_runs) {
  std::vector<folder_seen> kept;
  std::uint64_t bytes = 0;
  std::error_code problem;
  for (fs::directory_iterator at(all_runs, problem), end; !problem && at != end; at.increment(problem)) {
    by_number(at->path());
    for (auto& run : runs_in(at->path())) {
      run.bytes = bytes_in_folder(run.path.string());
      if (run.unix_ms + policy_.age_ms_max < now_unix_ms_ &&
          remove(run, "older than " + age_text(policy_.age_ms_max))) {
        continue;
      }
      bytes += run.bytes;
      kept.push_back(std::move(run));
    }
    if (!how_.dry_run) {
      (void)::rmdir(at->path().c_str());  // Only where nothing is left in it.
    }
  }
  std::sort(kept.begin(), kept.end(),
            [](const folder_seen& a, const folder_seen& b) { return a.unix_ms < b.unix_ms; });
  for (const auto& run : kept) {
    if (bytes <= policy_.bytes_max) {
      return;
    }
    if (remove(run, fmt::format("beyond {} in all", bytes_text(policy_.bytes_max)))) {
      bytes -= run.bytes;
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

std::uint64_t retention_report::bytes_removed() const {
  std::uint64_t bytes = 0;
  for (const removed_run& run : removed) {
    bytes += run.bytes;
  }
  return bytes;
}

std::uint64_t bytes_in_folder(const std::string& folder) {
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

retention_report sweep_run_folders(const std::string& state_directory, const std::string& job_name,
                                   std::uint64_t now_unix_ms, const retention_policy& policy) {
  retention_report report;
  const fs::path state(state_directory);
  const cleaning unasked;
  sweep pass(now_unix_ms, policy, unasked, report);
  pass.by_number(state / "runs" / job_folder_name(job_name));
  if (full_sweep_due(state, now_unix_ms, policy)) {
    report.full = true;
    pass.all(state / "runs");
  }
  return report;
}

retention_report clean_run_folders(const std::string& state_directory, std::uint64_t now_unix_ms,
                                   const retention_policy& policy, const cleaning& how) {
  retention_report report;
  report.full = true;
  sweep(now_unix_ms, policy, how, report).all(runs_folder(state_directory));
  return report;
}

}  // namespace sluice
