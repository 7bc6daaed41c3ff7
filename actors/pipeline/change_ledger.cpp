#include "actors/pipeline/change_ledger.h"

namespace sluice {
namespace {

void add(change_counts& to, const change_counts& more) {
  for (const auto& [what, count] : more) {
    to[what] += count;
  }
}

}  // namespace

void change_ledger::note(split_index split, epoch_number epoch, std::uint64_t sequence,
                         const change_counts& changes) {
  const std::lock_guard lock(mutex_);
  split_state& s = splits_[split];
  if (epoch == s.epoch) {
    s.pending[sequence] = changes;
  }
}

void change_ledger::committed(split_index split, epoch_number epoch, std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  split_state& s = splits_[split];
  if (epoch != s.epoch) {
    return;
  }
  const auto end = s.pending.upper_bound(sequence);
  for (auto at = s.pending.begin(); at != end; ++at) {
    add(s.committed, at->second);
  }
  s.pending.erase(s.pending.begin(), end);
}

void change_ledger::opened(split_index split, epoch_number epoch, bool at_start) {
  const std::lock_guard lock(mutex_);
  split_state& s = splits_[split];
  if (epoch < s.epoch) {
    return;
  }
  s.epoch = epoch;
  s.pending.clear();
  if (at_start) {
    s.committed.clear();
  }
}

change_counts change_ledger::totals() const {
  const std::lock_guard lock(mutex_);
  change_counts all;
  for (const auto& [split, s] : splits_) {
    add(all, s.committed);
  }
  return all;
}

}  // namespace sluice
