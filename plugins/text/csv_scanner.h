#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "plugins/text/csv_grammar.h"

namespace sluice {

/// Where a scan stands between two bytes; enough to go on in another buffer.
struct scan_state {
  enum class at : std::uint8_t {
    record_start,
    field_start,
    unquoted,  ///< Inside an unquoted field, or in text behind a closing quote.
    quoted,
    quote_seen,  ///< Behind a quote inside a quoted field: the closing one, unless another follows.
    closed,      ///< Behind a closing quote and blanks (only where blanks do not count).
    comment,
  };
  at where = at::record_start;
  bool after_cr = false;  ///< The byte before was a CR: an LF now belongs to it.
  friend bool operator==(const scan_state&, const scan_state&) = default;
};

/// Where fields and records of a buffer end. Reused from buffer to buffer; holds at most `capacity` fields.
class csv_index {
 public:
  explicit csv_index(std::size_t capacity);

  void clear() { fields_ = records_ = inner_lines_ = 0; }

  /// Offsets of the bytes behind each field: of its delimiter or of the (first) byte that ends its record.
  [[nodiscard]] const std::uint32_t* field_ends() const { return field_ends_.data(); }
  [[nodiscard]] std::size_t fields() const { return fields_; }
  /// For each complete record the number of fields up to its last one.
  [[nodiscard]] const std::uint32_t* record_fields() const { return record_fields_.data(); }
  [[nodiscard]] std::size_t records() const { return records_; }
  /// Offsets of the (first bytes of) line ends that do not end a record, in order.
  [[nodiscard]] const std::uint32_t* inner_lines() const { return inner_line_ends_.data(); }
  [[nodiscard]] std::size_t inner_line_count() const { return inner_lines_; }
  [[nodiscard]] bool nearly_full() const { return fields_ + 64 > capacity_; }

 private:
  friend struct csv_index_sink;
  std::size_t capacity_;
  std::size_t fields_ = 0;
  std::size_t records_ = 0;
  std::size_t inner_lines_ = 0;
  std::vector<std::uint32_t> field_ends_;
  std::vector<std::uint32_t> record_fields_;
  std::vector<std::uint32_t> inner_line_ends_;
};

/// Finds structure in bytes by a grammar: 64 bytes at a time with the machine's vectors where the grammar is
/// plain and quotes stand where they should, byte by byte elsewhere; the result is the same. Immutable, used
/// by any thread. Buffers must have 64 readable bytes behind their end.
class csv_scanner {
 public:
  explicit csv_scanner(csv_grammar grammar) : grammar_(std::move(grammar)) {}
  [[nodiscard]] const csv_grammar& grammar() const { return grammar_; }

  /// Scans data[from, size) and returns where it stopped: at `size`, or before it where the index is nearly
  /// full, or where a character, an escape or a delimiter reaches beyond a buffer that is not the last.
  /// Offsets in the index are from `data`; size is below 2^31.
  std::size_t index(const char* data, std::size_t from, std::size_t size, bool last, scan_state& state,
                    csv_index& to) const;

  /// Like `index` without an index: only adds the number of lines that end to `lines`.
  std::size_t advance(const char* data, std::size_t from, std::size_t size, bool last, scan_state& state,
                      std::uint64_t& lines) const;

  /// At the end of the file: ends the record that has no terminator, if there is one, at `size`.
  void finish(std::size_t size, scan_state& state, csv_index& to) const;

 private:
  csv_grammar grammar_;
};

}  // namespace sluice
