#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/ids.h"
#include "transport/record/buffer.h"
#include "transport/record/change_rule.h"
#include "transport/record/dirty.h"
#include "transport/record/scalar.h"
#include "transport/record/schema.h"
#include "transport/record/sum.h"

namespace sluice {

/// One column of a sealed batch in the Arrow layout of its type. `validity` empty means no NULL; a set bit
/// means a value. Slots of NULLs hold unspecified fixed-width bytes and empty text.
struct column {
  buffer validity;
  buffer offsets;  ///< rows + 1 of int32, only where `has_offsets`.
  buffer values;
  std::uint32_t null_count = 0;

  [[nodiscard]] bool is_null(std::uint32_t row) const {
    return !validity.empty() && (validity.as<std::uint8_t>()[row / 8] >> (row % 8) & 1) == 0;
  }
  /// A fixed-width value; T must be the type's.
  template <class T>
  [[nodiscard]] T get(std::uint32_t row) const {
    T value;
    std::memcpy(&value, values.data() + std::size_t{row} * sizeof(T), sizeof value);
    return value;
  }
  [[nodiscard]] bool get_bool(std::uint32_t row) const {
    return (values.as<std::uint8_t>()[row / 8] >> (row % 8) & 1) != 0;
  }
  /// The bytes of a type with offsets.
  [[nodiscard]] std::string_view get_bytes(std::uint32_t row) const {
    const auto* o = offsets.as<std::int32_t>();
    return {values.as<char>() + o[row], static_cast<std::size_t>(o[row + 1] - o[row])};
  }
};

/// Where the records of a batch stood: in a file, in 4 bytes a record, or in a table by its key, in 8.
struct source_places {
  std::string source;  ///< The file's path as the job's user knows it, or the table.
  std::uint64_t byte_offset_first =
      0;                         ///< Of the batch's first record (in the uncompressed, decoded-from bytes).
  std::uint64_t line_first = 0;  ///< From 1; 0 = not known (the reader counts it when asked).
  buffer byte_deltas;            ///< A uint32 for each row from `byte_offset_first`.
  buffer line_deltas;            ///< A uint32 for each row from `line_first`; empty: one line a record.
  std::string key_name = {};     ///< Of a table with one whole number as its key.
  buffer keys = {};              ///< An int64 for each row; empty: there is no such key.
};

/// An immutable set of records in columns with its identity: what travels. Sealed once and then only shared
/// (`std::shared_ptr<const batch>`), by any number of threads; freed by the last. `schema` is not sent with
/// each batch on a wire but agreed when a pipeline is made.
struct batch {
  run_id run;
  split_index split;
  epoch_number epoch;
  std::uint64_t sequence =
      0;  ///< From 1 in (split, epoch), given by the reader and kept by the channel's last part.

  schema_ptr columns_schema;
  std::uint32_t rows = 0;
  std::vector<column> columns;

  std::uint64_t position_first = 0;  ///< Position of the first record read for this batch.
  buffer
      position_deltas;  ///< A uint32 for each row from `position_first`; empty: rows are consecutive from it.
  std::optional<source_places> places;

  std::vector<dirty_record> dirty;  ///< Refused so far, in order of position.
  std::uint64_t records_read = 0;   ///< rows + dirty + filtered.
  std::uint64_t filtered = 0;
  std::uint64_t record_bytes =
      0;                 ///< Record bytes (DESIGN section 4) of the records as read, dirty ones included.
  row_sum read_sum;      ///< Over records as read, dirty and filtered ones included.
  row_sum rows_sum;      ///< Over the rows in `columns` as they stand here.
  bool changed = false;  ///< True once conversion or a filter made rows differ from what was read: sums are
                         ///< not compared.
  std::uint64_t filtered_bytes = 0;  ///< Record bytes of the filtered records.
  /// The values that the reader has changed (`compat`), in no order. Behind the channel, which counts those
  /// of the rows that go on, there are none, so that they need no place on a wire.
  std::vector<changed_value> changed_as_read;
  change_counts changes;  ///< Behind the channel: of all values of the rows, by `compat`.

  std::optional<cursor>
      after;  ///< Where a restart may begin that has this batch; nothing inside a split that cannot resume.
  bool split_end = false;             ///< The split has no records behind this batch.
  std::shared_ptr<const void> lease;  ///< Share of the process's overdraft, given back with the last copy.

  [[nodiscard]] std::uint64_t position_of(std::uint32_t row) const {
    return position_first + (position_deltas.empty() ? row : position_deltas.as<std::uint32_t>()[row]);
  }
  /// What the batch holds in memory: buffers, dirty list, places. Credit is charged with this.
  [[nodiscard]] std::uint64_t bytes_held() const;
  /// Record bytes of rows [first, last): fixed widths, text and binary by length, NULL 0, a boolean 1.
  [[nodiscard]] std::uint64_t row_bytes(std::uint32_t first, std::uint32_t last) const;
};

using batch_ptr = std::shared_ptr<const batch>;

/// The exact text of a value as it stands in a dirty record: numbers in shortest exact form, times in ISO
/// 8601 with the type's digits, binary as base64, -/+ infinity as `-infinity`, `infinity`. Nothing for NULL.
std::optional<std::string> value_text(const column& c, const data_type& type, std::uint32_t row);

/// A row of the batch as a dirty record without code, message and column: position, place, fields, bytes and
/// share of the sums are filled in. What travels in its product's own bytes is shown by its columns.
dirty_record dirty_from_row(const batch& b, std::uint32_t row, dirty_side side);

}  // namespace sluice
