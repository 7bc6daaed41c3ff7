#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "transport/record/batch.h"

namespace sluice {

/// A block of rows that are written column by column: one tight loop a column, without a decision per value,
/// each row into a place of its own that is known to be long enough. Used by one thread; the columns outlive
/// it.
class row_block {
 public:
  static constexpr std::uint32_t rows_max = 256;
  /// The most bytes of a block, so that it stays in the cache nearest to the processor.
  static constexpr std::size_t bytes_max = std::size_t{48} << 10;
  /// The room that `put_text` may write over behind a text.
  static constexpr std::size_t slack = 32;

  /// `fixed`: the most bytes of a row beside its texts, `slack` among them: the next row's place is being
  /// filled already.
  row_block(const std::vector<column>& columns, const schema& s, std::size_t fixed) : fixed_(fixed) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (has_offsets(s[i].type.id)) {
        offsets_.push_back(columns[i].offsets.as<std::int32_t>());
      }
    }
  }

  /// How many rows from `first` on, and before `last`, are a block; 0 where the first is too long for one.
  std::uint32_t take(std::uint32_t first, std::uint32_t last) {
    count_ = std::min(last - first, rows_max);
    std::fill_n(sizes_.begin(), count_, fixed_);
    for (const std::int32_t* offsets : offsets_) {
      std::int32_t from = offsets[first];
      for (std::uint32_t i = 0; i < count_; ++i) {
        const std::int32_t to = offsets[first + i + 1];
        sizes_[i] += static_cast<std::size_t>(to - from);
        from = to;
      }
    }
    bytes_ = 0;
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (bytes_ + sizes_[i] > bytes_max) {
        count_ = i;
        break;
      }
      bytes_ += sizes_[i];
    }
    return count_;
  }
  /// The room that the rows taken need.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Gives the rows their places in `room`, which holds bytes().
  void lay(std::byte* room) {
    for (std::uint32_t i = 0; i < count_; ++i) {
      begins_[i] = ends_[i] = room;
      room += sizes_[i];
    }
  }
  /// Where each row goes on: moved by those who write.
  [[nodiscard]] std::byte** ends() { return ends_.data(); }
  [[nodiscard]] const std::byte* begin(std::uint32_t i) const { return begins_[i]; }
  [[nodiscard]] std::size_t size(std::uint32_t i) const {
    return static_cast<std::size_t>(ends_[i] - begins_[i]);
  }

  /// Moves the rows together, to where the first one begins. Returns their end.
  std::byte* join() {
    std::byte* end = begins_[0];
    for (std::uint32_t i = 0; i < count_; ++i) {
      std::memmove(end, begins_[i], size(i));
      end += size(i);
    }
    return end;
  }

  /// Copies a text out of a column's values, which end at `values_end`. Short ones all take the same two
  /// loads and stores, which need no guess of their length.
  static std::byte* put_text(std::byte* to, const std::byte* text, std::uint32_t size,
                             const std::byte* values_end) {
    if (size <= slack && values_end - text >= static_cast<std::ptrdiff_t>(slack)) {
      std::memcpy(to, text, slack);
    } else if (size != 0) {
      std::memcpy(to, text, size);
    }
    return to + size;
  }

 private:
  std::size_t fixed_;
  std::vector<const std::int32_t*> offsets_;
  std::uint32_t count_ = 0;
  std::size_t bytes_ = 0;
  std::array<std::size_t, rows_max> sizes_;
  std::array<std::byte*, rows_max> begins_;
  std::array<std::byte*, rows_max> ends_;
};

}  // namespace sluice
