#pragma once

#include <cstdint>
#include <optional>

#include "transport/base/ids.h"
#include "transport/record/change_rule.h"
#include "transport/record/scalar.h"
#include "transport/record/sum.h"
#include "transport/record/written_parts.h"

namespace sluice {

/// Records counted; of a split these are totals since its beginning, never increments.
struct record_counts {
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  std::uint64_t ignored = 0;
  std::uint64_t dirty = 0;
  std::uint64_t filtered = 0;
  std::uint64_t bytes = 0;           ///< Record bytes as read.
  std::uint64_t dirty_bytes = 0;     ///< Of the dirty records, as they stood where they were refused.
  std::uint64_t filtered_bytes = 0;  ///< Of the filtered records.

  record_counts& operator+=(const record_counts& o) {
    read += o.read, written += o.written, ignored += o.ignored, dirty += o.dirty, filtered += o.filtered;
    bytes += o.bytes, dirty_bytes += o.dirty_bytes, filtered_bytes += o.filtered_bytes;
    return *this;
  }
  record_counts& operator-=(const record_counts& o) {
    read -= o.read, written -= o.written, ignored -= o.ignored, dirty -= o.dirty, filtered -= o.filtered;
    bytes -= o.bytes, dirty_bytes -= o.dirty_bytes, filtered_bytes -= o.filtered_bytes;
    return *this;
  }
  /// `read = written + ignored + dirty + filtered`.
  [[nodiscard]] bool closes() const { return read == written + ignored + dirty + filtered; }
  friend bool operator==(const record_counts&, const record_counts&) = default;
};

/// Sums over the records of a split, totals like the counts.
struct record_sums {
  row_sum read;
  row_sum written;       ///< Over records as accepted.
  row_sum dirty;         ///< Over dirty records as read.
  bool changed = false;  ///< Something converts, filters or ignores: read = written + dirty is not checked.

  record_sums& operator+=(const record_sums& o) {
    read += o.read, written += o.written, dirty += o.dirty, changed = changed || o.changed;
    return *this;
  }
  [[nodiscard]] bool closes() const { return changed || read == written + dirty; }
  friend bool operator==(const record_sums&, const record_sums&) = default;
};

/// How far a split is (delivery.md): made durable together with the rows where the destination can.
struct mark {
  split_index split;
  epoch_number epoch;
  std::uint64_t transaction = 0;  ///< Counts up from 1 in the epoch; 0 after `open`.
  std::uint64_t sequence = 0;     ///< Last batch it covers in its epoch.
  std::uint64_t position = 0;     ///< Position of the next record to read.
  std::optional<cursor> after;    ///< Where to begin again; nothing = at the start of the split.
  record_counts counts;
  record_sums sums;
  written_parts parts;    ///< Of `counts.written`.
  change_counts changes;  ///< Values changed as the job asks, of the whole split.
  bool done = false;
  friend bool operator==(const mark&, const mark&) = default;
};

}  // namespace sluice
