#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/record/batch.h"

namespace sluice {

/// Fills one column. Appends must match the type's width (asserted in debug builds). Used by one thread.
class column_builder {
 public:
  column_builder(data_type type, const std::shared_ptr<buffer_pool>& pool);

  [[nodiscard]] const data_type& type() const { return type_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }

  void append_null();
  /// A fixed-width value: int64, uint64, float, double, int128 (decimal), int32 (date), int64 (time types).
  template <class T>
  void append(T value) {
    mark_valid();
    values_.push(value);
    ++size_;
  }
  void append_bool(bool value);
  /// utf8 (the caller has made sure it is well formed), binary, decimal_text.
  void append_bytes(std::string_view value) {
    mark_valid();
    values_.append(value.data(), value.size());
    offsets_.push(static_cast<std::int32_t>(values_.size()));
    ++size_;
  }
  /// Rows [first, first + count) of another column of the same type.
  void append_range(const column& from, std::uint32_t first, std::uint32_t count);
  /// Takes back rows down to `size`, after a record that turned out bad half-way.
  void truncate(std::uint32_t size);

  /// Raw access for bulk fills: after writing n values into `values()` (and offsets and, where there are
  /// NULLs, validity) call `set_filled`. All three must then agree.
  growing_buffer& values() { return values_; }
  growing_buffer& offsets() { return offsets_; }
  growing_buffer& validity();  ///< Materialises the bitmap for the rows so far; all of them valid.
  /// Whether the bitmap exists: a bulk fill must then extend it even where it brings no NULL.
  [[nodiscard]] bool has_validity() const { return has_validity_; }
  [[nodiscard]] std::uint32_t null_count() const { return null_count_; }
  void set_filled(std::uint32_t size, std::uint32_t null_count);

  /// Bytes held so far.
  [[nodiscard]] std::size_t bytes() const { return values_.size() + offsets_.size() + validity_.size(); }
  /// Hands the column over and starts anew.
  column seal();

 private:
  void mark_valid() {
    if (has_validity_) {
      set_validity(true);
    }
  }
  void set_validity(bool valid);
  void start();
  static void clear_tail(growing_buffer& bitmap, std::uint32_t size);

  data_type type_;
  growing_buffer values_;
  growing_buffer offsets_;
  growing_buffer validity_;
  bool has_validity_ = false;
  std::uint32_t size_ = 0;
  std::uint32_t null_count_ = 0;
};

/// What a reader fills: rows, refused records, cursor, places. Made by the pipeline, which also says how much
/// it may hold; sealed by it into a batch. Used by the reader's thread only.
class batch_builder {
 public:
  /// `bytes_target`: a reader returns `full` once `bytes()` reaches it. `bytes_max`: it must not grow beyond
  /// that without answering `needs`. `rows_max` likewise returns `full`.
  struct limits {
    std::size_t bytes_target = std::size_t{512} << 10;
    std::size_t bytes_max = std::size_t{1} << 20;
    std::uint32_t rows_max = 65536;
    std::uint64_t record_bytes_max = std::uint64_t{64} << 20;  ///< A larger record is dirty.
  };

  batch_builder(schema_ptr columns_schema, std::shared_ptr<buffer_pool> pool, limits l);

  [[nodiscard]] const limits& limit() const { return limits_; }
  void set_limits(const limits& l) { limits_ = l; }
  [[nodiscard]] const schema& columns_schema() const { return *schema_; }
  [[nodiscard]] const std::shared_ptr<buffer_pool>& pool() const { return pool_; }

  column_builder& at(std::size_t i) { return columns_[i]; }
  [[nodiscard]] std::size_t columns() const { return columns_.size(); }

  /// One row is complete: each column has exactly one value more. `byte_delta`, `line_delta` only with
  /// places.
  void commit_row() {
    if (has_deltas_) {
      position_deltas_.push(static_cast<std::uint32_t>(records_));
    }
    ++rows_;
    ++records_;
  }
  /// `count` rows are complete, appended column by column.
  void commit_rows(std::uint32_t count);
  /// Takes back what a record that is not complete has appended.
  void discard_row();
  /// The current record is refused: what it appended is taken back. Its position is filled in: here the
  /// number of records before it in this batch, made absolute by `seal`. Where the reader gave no `sum`, it
  /// becomes that of `raw`, the record's bytes as read, or, where these are empty, that of the fields as text
  /// columns.
  void refuse(dirty_record record, std::string_view raw = {});

  /// The value of a row, which may not be complete yet, was changed by `compat`.
  void note_change(const changed_value& change) { changed_.push_back(change); }
  /// Takes back what was noted of rows from this one on.
  void discard_changes(std::uint32_t from);

  [[nodiscard]] std::uint32_t rows() const { return rows_; }
  /// Rows and refused records.
  [[nodiscard]] std::uint64_t records() const { return records_; }
  /// Bytes held by columns, deltas, changes and refused records.
  [[nodiscard]] std::size_t bytes() const;
  /// Never of an empty one, whose offsets alone may reach a small target where there are many columns.
  [[nodiscard]] bool full() const {
    return records_ != 0 && (rows_ >= limits_.rows_max || bytes() >= limits_.bytes_target);
  }

  /// A restart after the records so far may begin here; the last call before the end of the batch counts.
  void set_cursor(cursor c) { cursor_ = std::move(c); }
  /// File readers: starts (once a batch) the places; then `place_row` before each `commit_row`.
  void begin_places(std::string source, std::uint64_t byte_offset, std::uint64_t line);
  /// Readers of tables: likewise, once a batch, with the table and the name of its key; then, where it has
  /// one that is a whole number, `place_key` before each `commit_row`.
  void begin_keys(std::string table, std::string key_name);
  void place_key(std::int64_t key) { keys_.push(key); }
  [[nodiscard]] bool has_places() const { return places_.has_value(); }
  void place_row(std::uint32_t byte_delta, std::uint32_t line_delta) {
    byte_deltas_.push(byte_delta);
    line_deltas_.push(line_delta);
    lines_differ_ = lines_differ_ || line_delta != rows_;
  }

  /// The batch so far with schema, rows, dirty, bytes, positions relative to `position_first` and both sums
  /// (hashed here, once); the builder starts anew. Identity, `split_end` and lease are the caller's to set.
  std::shared_ptr<batch> seal(std::uint64_t position_first);

 private:
  schema_ptr schema_;
  std::shared_ptr<buffer_pool> pool_;
  limits limits_;
  std::vector<column_builder> columns_;
  growing_buffer position_deltas_;
  growing_buffer byte_deltas_;
  growing_buffer line_deltas_;
  growing_buffer keys_;
  std::optional<source_places> places_;
  std::optional<cursor> cursor_;
  std::vector<dirty_record> dirty_;
  std::uint64_t dirty_bytes_ = 0;
  std::vector<changed_value> changed_;
  std::uint32_t rows_ = 0;
  std::uint64_t records_ = 0;
  bool has_deltas_ = false;
  bool lines_differ_ = false;
};

/// Rows of `b` for which `keep` is set (a bitmap of at least b.rows bits), in order, as new columns;
/// positions and places follow, all else is that of `b`: what was read is still what was read. For filters
/// and for conversions that refused some rows. `rows_sum` is 0: the caller makes it, since it knows what
/// changed.
std::shared_ptr<batch> select_rows(const batch& b, const std::vector<std::uint8_t>& keep,
                                   const std::shared_ptr<buffer_pool>& pool);

}  // namespace sluice
