#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "plugins/api/progress.h"
#include "transport/base/sqlite.h"

namespace sluice::sqlite {

/// What target and writers share of the run's claim. Written by the target's thread before writers are made.
struct claim_state {
  run_id run;
  std::uint16_t term = 0;  ///< 0 = no claim.
  std::optional<claim_owner> owner;
  /// Writers in a data transaction, which renews the claim itself: the target's renewal would wait for its
  /// lock.
  std::atomic<int> transactions = 0;
};

/// Renews the claim inside the caller's transaction; `conflict` where it was taken over.
result<void> renew_claim(database& db, const claim_state& claim);
/// Sets the stage inside the caller's transaction, likewise.
result<void> set_stage_of(database& db, const claim_state& claim, const std::string& stage);

/// `open` of delivery.md for one split, a transaction of its own.
result<mark> open_split(database& db, const claim_state& claim, split_index split, epoch_number epoch);
/// The first statement of a data transaction; `conflict` where the epoch is not the owner's any more.
result<void> begin_mark(database& db, const claim_state& claim, split_index split, epoch_number epoch,
                        std::uint64_t transaction);
/// The last but the claim's renewal; `conflict` likewise.
result<void> end_mark(database& db, const claim_state& claim, const mark& m);

}  // namespace sluice::sqlite
