#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/verify/row_readings.h"
#include "plugins/api/plugin.h"
#include "plugins/api/target.h"

/// What a run has written, row by row: so that a destination can be compared with what was read, whatever has
/// become of the source since. A run that compares at its end (`setting.verify`) keeps the hash of each row
/// that its destination took, in its run folder: `written/<split>`, 16 bytes a row in the machine's order.
/// The mark of a split says how many of them count, so that a run that is continued goes on with the file.
namespace sluice {

/// The form in which rows of these columns are hashed: that in which the destination is compared.
/// Thread-safe.
using row_form = std::function<result<compared_columns>(const schema_ptr& columns)>;

/// That of a job's destination.
row_form row_form_of(const plugin& writer_plugin, const option_values& writer, std::string time_zone);

/// Of text columns that are compared without the blanks at their end: the server pads them.
bool is_padded(const field& f);

/// So many rows are kept with this budget: a comparison holds eight bytes for each, a quarter of it.
constexpr std::uint64_t written_rows_max(std::uint64_t memory_bytes) {
  return memory_bytes / 4 / sizeof(key_set::value_type);
}

/// The same target, which keeps the rows that its writers wrote. `folder`: the run folder, asked whenever a
/// split is opened, on its writer's thread. More than `rows_max` rows are not kept, nor what cannot be: the
/// run never fails by it, and `read_written_rows` finds them incomplete.
std::shared_ptr<target> keeping_written_rows(std::shared_ptr<target> to, std::function<std::string()> folder,
                                             row_form form, std::uint64_t rows_max);

/// The rows that a run has handed to its destination and that it did not refuse.
struct written_rows {
  key_set known;  ///< By half of their hash, sorted, each as often as it was written.
  row_tally all;  ///< By row, not by key.
  [[nodiscard]] std::uint64_t times(row_sum row) const;
};

/// Those in a run folder; nothing where the files do not hold just `rows` rows, or more than `rows_max`.
std::optional<written_rows> read_written_rows(const std::string& folder, std::uint64_t rows,
                                              std::uint64_t rows_max);

/// What of `rows` is in the chosen heaps, by row: how often each was written. From the same files.
gather_reading::rows_by_key gather_written_rows(const std::string& folder, const std::vector<bool>& heaps);

}  // namespace sluice
