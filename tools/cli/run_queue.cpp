#include "tools/cli/run_queue.h"

#include <algorithm>
#include <map>
#include <set>

namespace sluice {

run_queue::run_queue(std::vector<entry> entries, std::size_t jobs_at_once, std::size_t runs_of_a_job_at_once)
    : entries_(std::move(entries)),
      begun_(entries_.size(), false),
      jobs_at_once_(jobs_at_once),
      runs_of_a_job_at_once_(runs_of_a_job_at_once),
      waiting_(entries_.size()) {}

bool run_queue::may_begin(std::size_t index) const {
  const entry& e = entries_[index];
  std::set<std::size_t> jobs;
  std::size_t of_this_job = 0;
  for (const std::size_t other : at_work_) {
    if (!e.claim.empty() && entries_[other].claim == e.claim) {
      return false;
    }
    jobs.insert(entries_[other].job);
    of_this_job += entries_[other].job == e.job ? 1 : 0;
  }
  return of_this_job > 0 ? of_this_job < runs_of_a_job_at_once_ : jobs.size() < jobs_at_once_;
}

std::optional<std::size_t> run_queue::take() {
  if (closed_ || waiting_ == 0 || at_work_.size() >= jobs_at_once_ * runs_of_a_job_at_once_) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!begun_[i] && may_begin(i)) {
      begun_[i] = true;
      at_work_.push_back(i);
      --waiting_;
      return i;
    }
  }
  return std::nullopt;
}

void run_queue::ended(std::size_t index) {
  std::erase(at_work_, index);
}

bool run_queue::over() const {
  return at_work_.empty() && (closed_ || waiting_ == 0);
}

std::size_t run_queue::most_at_work() const {
  // Of each job as many as there are claims, within the limit; then the largest jobs together.
  std::map<std::size_t, std::set<std::string>> claims;
  std::map<std::size_t, std::size_t> without;
  for (const entry& e : entries_) {
    if (e.claim.empty()) {
      ++without[e.job];
    } else {
      claims[e.job].insert(e.claim);
    }
  }
  std::map<std::size_t, std::size_t> of_job = without;
  for (const auto& [job, those] : claims) {
    of_job[job] += those.size();
  }
  std::vector<std::size_t> sizes;
  for (const auto& [job, n] : of_job) {
    sizes.push_back(std::min(n, runs_of_a_job_at_once_));
  }
  std::sort(sizes.rbegin(), sizes.rend());
  std::size_t most = 0;
  for (std::size_t i = 0; i < std::min(sizes.size(), jobs_at_once_); ++i) {
    most += sizes[i];
  }
  // Claims are taken across jobs, too.
  std::set<std::string> all;
  std::size_t free = 0;
  for (const entry& e : entries_) {
    if (e.claim.empty()) {
      ++free;
    } else {
      all.insert(e.claim);
    }
  }
  return std::min(most, all.size() + free);
}

}  // namespace sluice
