#pragma once

#include <cstdint>
#include <vector>

#include "plugins/stream/stream_columns.h"
#include "transport/record/batch_builder.h"

namespace sluice {

/// Makes the records of one slice, column by column. Used by one thread; holds no data but the descriptions.
class stream_filler {
 public:
  /// `columns` outlives this. `seed` is the slice's.
  stream_filler(const std::vector<stream_column>& columns, std::uint64_t seed, std::uint64_t slice);

  /// The most bytes that one record can take in a builder.
  [[nodiscard]] std::uint64_t builder_bytes_max() const { return record_bytes_max_ + row_overhead_; }
  /// The bytes that record `n` takes in a builder, without making it.
  [[nodiscard]] std::uint64_t builder_bytes(std::uint64_t n) const { return record_bytes(n) + row_overhead_; }
  /// The record bytes (DESIGN section 4) of record `n`, without making it.
  [[nodiscard]] std::uint64_t record_bytes(std::uint64_t n) const;

  /// Appends records [first, first + count) to the builder.
  void append(batch_builder& builder, std::uint64_t first, std::uint32_t count) const;

  /// Record `n` as a dirty record that is too large, its texts cut at 64 KiB in all.
  [[nodiscard]] dirty_record too_large(const batch_builder& like, std::uint64_t n) const;

 private:
  void append_constant(const stream_column& column, column_builder& to, std::uint32_t count) const;
  void append_random(std::size_t index, column_builder& to, std::uint64_t first, std::uint32_t count) const;
  void append_random_text(std::size_t index, column_builder& to, std::uint64_t first,
                          std::uint32_t count) const;
  void append_random_bools(std::size_t index, column_builder& to, std::uint64_t first,
                           std::uint32_t count) const;
  [[nodiscard]] std::uint64_t length_of(std::size_t index, std::uint64_t n) const;

  const std::vector<stream_column>& columns_;
  std::vector<std::uint64_t> keys_;
  std::uint64_t record_bytes_fixed_ = 0;  // all but random texts
  std::uint64_t record_bytes_max_ = 0;
  std::uint64_t row_overhead_ = 0;  // offsets and the bits of NULLs
};

}  // namespace sluice
