#pragma once

#include <cstdint>
#include <vector>

#include "plugins/common/files/file_handle.h"
#include "plugins/common/files/running_digest.h"
#include "plugins/text/csv_scanner.h"
#include "transport/base/stop.h"

namespace sluice {

/// A place where a record begins.
struct record_place {
  std::uint64_t offset = 0;
  std::uint64_t line = 0;  ///< From 1; 0: not known.
};

/// Where a file may be split: the first record at or behind each multiple of `split_bytes`, found by one
/// sequential pass over quotes and line ends with the reader's own grammar, so that split reading meets the
/// same records. The start of the file is not among them. `whole`, where given, gets all of the file's bytes.
/// `cancelled` when the stop fires; else fails as reading does.
result<std::vector<record_place>> find_record_places(const csv_scanner& scanner, const file_handle& file,
                                                     std::uint64_t size, std::uint64_t split_bytes,
                                                     const stop_signal& stop,
                                                     running_digest* whole = nullptr);

/// The same where no character can hide a line end (no quotes, no escapes): only the bytes behind each
/// multiple are read. Lines are not known then.
result<std::vector<record_place>> guess_record_places(const csv_scanner& scanner, const file_handle& file,
                                                      std::uint64_t size, std::uint64_t split_bytes);

/// The number of lines that end in [from, to), both beginnings of records: what makes a line number of a
/// place whose line is not known.
result<std::uint64_t> count_lines(const csv_grammar& grammar, const file_handle& file, std::uint64_t from,
                                  std::uint64_t to, const stop_signal& stop);

}  // namespace sluice
