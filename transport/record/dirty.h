#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transport/record/sum.h"

namespace sluice {

/// Which actor refused a record. The numbers go over the wire.
enum class dirty_side : std::uint8_t { reader = 1, channel = 2, writer = 3 };
std::string_view to_string(dirty_side side);

/// A field of a refused record as exact text: the raw text where the reader refused it, else the value's
/// canonical text (binary as base64, with `type` saying so).
struct dirty_field {
  std::string name;
  std::string type;
  std::optional<std::string> text;  ///< Nothing: NULL.
  friend bool operator==(const dirty_field&, const dirty_field&) = default;
};

/// A record that was not delivered and that can itself be blamed for it (DESIGN section 7). What a batch
/// carries; run and job are added by the dirty file. Values are whole here: cutting and masking come later.
struct dirty_record {
  std::uint64_t position = 0;  ///< Ordinal in the split as read.
  dirty_side side = dirty_side::reader;
  std::string source;                 ///< File path, or table, or empty.
  std::optional<std::uint64_t> line;  ///< From 1, of the record's first line, where the source is a file.
  std::optional<std::uint64_t> byte_offset;  ///< Of the record's first byte, where the source is a file.
  std::string key;                           ///< `id=5` where the source has keys, else empty.
  std::string column;                        ///< The column to blame; empty where the whole record is.
  std::optional<std::string> value;  ///< The refused value as text; nothing for NULL or a whole record.
  std::string target_type;           ///< The type it did not fit, such as `int64`.
  std::string
      code;  ///< Closed list in docs/dirty-records.md, such as `not_a_number`; a server's own code as it is.
  std::string message;  ///< One sentence; no value in it that is not escaped.
  std::vector<dirty_field> record;
  std::uint64_t record_bytes = 0;  ///< Record bytes of the whole record, before any cut.
  bool cut = false;                ///< True: `record` holds only the first 64 KiB.
  row_sum sum;                     ///< The record's share of `read_sum`.

  /// About how much memory it holds: what it is charged in the byte budget.
  [[nodiscard]] std::uint64_t bytes_held() const;
  friend bool operator==(const dirty_record&, const dirty_record&) = default;
};

}  // namespace sluice
