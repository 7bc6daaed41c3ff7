#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "plugins/common/files/file_handle.h"
#include "plugins/text/csv_grammar.h"
#include "transport/base/stop.h"

namespace sluice {

/// Tells the lines of records of one file that is not compressed, by counting from the nearest place it has
/// counted to before. Dirty records of a split come in rising order, so that each byte is looked at about
/// once; what is kept is a place for each split that asks and one for each MiB at most. Not thread-safe.
class line_places {
 public:
  line_places(csv_grammar grammar, file_handle file) : grammar_(std::move(grammar)), file_(std::move(file)) {}

  /// The line, from 1, of the record that begins at `offset`. Nothing where the file cannot be read.
  std::optional<std::uint64_t> line_at(std::uint64_t offset, const stop_signal& stop);

 private:
  csv_grammar grammar_;
  file_handle file_;
  std::map<std::uint64_t, std::uint64_t> lines_before_ = {{0, 0}};  ///< Offset to lines that end before it.
};

}  // namespace sluice
