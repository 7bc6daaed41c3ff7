#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "transport/base/ids.h"
#include "transport/record/compat.h"

namespace sluice {

/// Counts the values that a run in the mode `datax` has changed, once each: a batch's changes are noted by
/// the channel that made them and count when the writer has committed the batch, so that what is read again
/// after a rewind is not counted twice. One a run and process; thread-safe, every call returns at once. Held:
/// one small entry for each batch with changes that is not committed.
class change_ledger {
 public:
  /// The batch will be sent with these changes in it.
  void note(split_index split, epoch_number epoch, std::uint64_t sequence, const change_counts& changes);
  /// All batches of the epoch up to this one are committed.
  void committed(split_index split, epoch_number epoch, std::uint64_t sequence);
  /// The split is open under a new epoch: what was not committed is void, and where it begins at its start
  /// again everything of it.
  void opened(split_index split, epoch_number epoch, bool at_start);
  /// Of all that is committed.
  [[nodiscard]] change_counts totals() const;

 private:
  struct split_state {
    epoch_number epoch;
    std::map<std::uint64_t, change_counts> pending;  ///< By sequence.
    change_counts committed;
  };
  mutable std::mutex mutex_;
  std::map<split_index, split_state> splits_;
};

}  // namespace sluice
