#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transport/base/ids.h"
#include "transport/record/batch.h"
#include "transport/record/mark.h"

namespace sluice {

// ---- upstream: writer to channel, channel to reader ------------------------------------------------------

/// Begin `split` at `after` under `epoch`, from scratch: whatever was held of an older epoch is dropped and
/// both windows start anew. The answer to every beginning, gap, lost transaction and takeover.
struct rewind_msg {
  split_index split;
  scalar_list description;  ///< The split's, so that a reader needs nothing else.
  epoch_number epoch;
  std::optional<cursor> after;
  std::uint64_t position = 0;      ///< Position of the first record after `after`.
  std::uint64_t window_bytes = 0;  ///< Credit granted from the start.
  friend bool operator==(const rewind_msg&, const rewind_msg&) = default;
};

/// Permission to send: the total since the epoch's `rewind`, window included. Smaller totals are void.
struct credit_msg {
  split_index split;
  epoch_number epoch;
  std::uint64_t bytes_total = 0;
  friend bool operator==(const credit_msg&, const credit_msg&) = default;
};

// ---- downstream: reader to channel, channel to writer (batches themselves travel as `batch_ptr`) ---------

/// Repeated once a second by a sender that waits: what it has sent, so that a receiver that lacks something
/// can say `rewind`.
struct sent_msg {
  split_index split;
  epoch_number epoch;
  std::uint64_t sequence = 0;  ///< Of the last batch sent.
  bool ended = false;          ///< That batch ended the split.
  friend bool operator==(const sent_msg&, const sent_msg&) = default;
};

// ---- writer to error actor -------------------------------------------------------------------------------

/// The dirty records of one batch, in order, and how many records it had: what errorLimit is judged on.
struct dirty_report {
  split_index split;
  epoch_number epoch;
  std::uint64_t sequence = 0;
  std::uint64_t records_read = 0;
  std::vector<dirty_record> records;
  friend bool operator==(const dirty_report&, const dirty_report&) = default;
};

/// Makes what was reported of the split durable; answered by `dirty_synced`.
struct dirty_sync {
  split_index split;
  epoch_number epoch;
  std::uint64_t sequence = 0;  ///< Up to this batch.
  friend bool operator==(const dirty_sync&, const dirty_sync&) = default;
};

/// A mark became durable: the split's dirty records up to its position are published.
struct dirty_commit {
  split_index split;
  epoch_number epoch;
  std::uint64_t position = 0;
  std::uint64_t dirty_total = 0;  ///< The mark's dirty count.
  friend bool operator==(const dirty_commit&, const dirty_commit&) = default;
};

/// Drop what is held of the split at or above `position`, and promote what is below it: part of `open`.
/// Answered by `dirty_dropped`.
struct dirty_drop {
  split_index split;
  epoch_number epoch;
  std::uint64_t position = 0;
  record_counts counts;  ///< The mark's, so that errorLimit and the account start from it.
  friend bool operator==(const dirty_drop&, const dirty_drop&) = default;
};

// ---- error actor to writer -------------------------------------------------------------------------------

struct dirty_synced {
  split_index split;
  epoch_number epoch;
  std::uint64_t sequence = 0;
  friend bool operator==(const dirty_synced&, const dirty_synced&) = default;
};

struct dirty_dropped {
  split_index split;
  epoch_number epoch;
  friend bool operator==(const dirty_dropped&, const dirty_dropped&) = default;
};

}  // namespace sluice
