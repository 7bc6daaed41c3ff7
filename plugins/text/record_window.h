#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/files/running_digest.h"
#include "plugins/text/csv_scanner.h"
#include "plugins/text/input_stream.h"
#include "transport/record/buffer.h"
#include "transport/record/dirty_codes.h"

namespace sluice {

/// A piece of a file in memory with the complete records in it. Reads the next piece when asked; grows only
/// for a record that is larger than it, and only when told to. Used by one thread.
class record_window {
 public:
  /// `bytes`: what it holds normally. The scanner must outlive it.
  record_window(const csv_scanner& scanner, std::shared_ptr<buffer_pool> pool, std::size_t bytes);

  /// Begins to read `stream`, whose first byte is at `offset` of the file and on line `line`. `drop_bom`: a
  /// UTF-8 byte order mark at the start is no part of the first record.
  void open(std::unique_ptr<input_stream> stream, std::uint64_t offset, std::uint64_t line, bool drop_bom);

  /// As `input_stream::source_bytes`.
  [[nodiscard]] std::uint64_t source_bytes() const {
    return stream_ == nullptr ? 0 : stream_->source_bytes();
  }

  /// Goes on from its state at `open` with what is dropped, and what `digest_to` names.
  [[nodiscard]] running_digest& digest() { return digest_; }
  /// Takes what stands before a record (`records()`: behind the last one) into the digest.
  void digest_to(std::size_t record) { digest_bytes(starts_[record]); }

  enum class outcome {
    records,  ///< At least one is here.
    end,      ///< There are no more.
    grow,     ///< The next record does not fit: `grow`, then `next` again.
    skip,     ///< The next record is over the limit of size or of fields: `skip_record`, then `next` again.
  };
  /// Drops the records in hand and finds the next. Fails as the stream does.
  result<outcome> next(std::uint64_t record_bytes_max);

  /// After `grow`: what the window would hold.
  [[nodiscard]] std::size_t bytes_wanted() const;
  void grow();
  [[nodiscard]] bool is_grown() const { return capacity_ > bytes_normal_; }
  /// Gives back what it grew by. Records before `record` are done with; those from it on are no longer in
  /// hand and come with the next `next`. Without effect where they need the room.
  void shrink(std::size_t record);

  struct skipped {
    std::uint64_t offset = 0;
    std::uint64_t line = 0;
    std::uint64_t bytes = 0;  ///< Without the record's terminator.
    std::string head;         ///< Its first 64 KiB.
    dirty_code code = dirty_code::record_too_large;
  };
  /// After `skip`: reads on to the record's end without keeping it.
  result<skipped> skip_record();

  [[nodiscard]] std::size_t records() const { return records_; }
  [[nodiscard]] const char* data() const { return reinterpret_cast<const char*>(buffer_.data()); }
  /// Offsets in `data` of the records' first bytes; the one behind the last record is there, too.
  [[nodiscard]] const std::uint32_t* starts() const { return starts_.data(); }
  [[nodiscard]] const csv_index& index() const { return index_; }
  /// Index (in `index().field_ends()`) of a record's first field, and of the one behind its last.
  [[nodiscard]] std::size_t first_field(std::size_t record) const {
    return record == 0 ? 0 : index_.record_fields()[record - 1];
  }
  [[nodiscard]] std::size_t end_field(std::size_t record) const { return index_.record_fields()[record]; }
  /// The record without its terminator.
  [[nodiscard]] std::string_view record(std::size_t r) const {
    const std::uint32_t end = index_.field_ends()[end_field(r) - 1];
    return {data() + starts_[r], end - starts_[r]};
  }
  [[nodiscard]] std::string_view field(std::size_t record, std::size_t f) const {
    const std::size_t i = first_field(record) + f;
    const std::uint32_t* ends = index_.field_ends();
    const std::size_t from = f == 0 ? starts_[record] : ends[i - 1] + delimiter_bytes_;
    return {data() + from, ends[i] - from};
  }
  [[nodiscard]] std::size_t fields(std::size_t record) const {
    return end_field(record) - first_field(record);
  }

  /// Place in the file of a record, or, with `records()`, of what is behind them all.
  [[nodiscard]] std::uint64_t offset(std::size_t record) const { return offset_ + starts_[record]; }
  [[nodiscard]] std::uint64_t line(std::size_t record) const {
    return line_ + (lines_.empty() ? record : lines_[record]);
  }

 private:
  /// Reads on until this much is in hand, or to the end.
  result<void> fill(std::size_t bytes);
  void move_to_front(std::size_t from);
  void digest_bytes(std::size_t end);
  void find_starts();
  void count_lines();

  const csv_scanner& scanner_;
  std::size_t delimiter_bytes_;
  std::shared_ptr<buffer_pool> pool_;
  std::size_t bytes_normal_;
  std::size_t capacity_;
  growing_buffer buffer_;
  std::size_t size_ = 0;
  std::unique_ptr<input_stream> stream_;
  bool ended_ = false;
  bool drop_bom_ = false;
  std::uint64_t offset_ = 0;  // of data()[0]
  running_digest digest_;
  std::uint64_t digested_ = 0;  // Offset up to which bytes are in it.
  std::uint64_t line_ = 1;      // of the first record in hand
  std::uint64_t record_bytes_max_ = 0;
  csv_index index_;
  std::size_t records_ = 0;
  std::vector<std::uint32_t> starts_;
  std::vector<std::uint32_t> lines_;  // of each record from line_; empty: one line a record
  scan_state state_;                  // behind `scanned_`
  std::size_t scanned_ = 0;
};

/// How much of a record that is not kept whole is kept.
inline constexpr std::size_t kept_head_bytes = std::size_t{64} << 10;

/// The longest beginning of at most `bytes_max` bytes that does not end inside a UTF-8 character.
std::string_view head_of(std::string_view text, std::size_t bytes_max);

}  // namespace sluice
