#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sluice {

/// A split as the guess of the time left sees it.
struct split_share {
  std::optional<std::uint64_t> bytes_estimate;  ///< In the source's own measure: bytes of the file.
  std::uint64_t record_bytes = 0;               ///< Delivered of it so far, in the engine's measure.
  bool done = false;
  /// Of a split that a reader has open, what it has read of it in both measures; 0 where it does not tell.
  std::uint64_t source_bytes_read = 0;
  std::uint64_t record_bytes_read = 0;
};

/// How much of the work is done, 0 to 1; nothing where a split's size is not known, or where nothing tells
/// yet how the two measures differ (by separators, quotes, lengths of numbers, and most where files are
/// packed). A split that is done counts whole; of one that is not, what is delivered counts by what its
/// reader tells of the difference, else by what the done ones show.
std::optional<double> fraction_done(const std::vector<split_share>& splits);

}  // namespace sluice
