#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sluice {

/// A split as the guess of the time left sees it.
struct split_share {
  std::optional<std::uint64_t> bytes_estimate;  ///< In the source's own measure: bytes of the file.
  std::uint64_t record_bytes = 0;               ///< Read of it so far, in the engine's measure.
  bool done = false;
};

/// How much of the work is done, 0 to 1; nothing where a split's size is not known. The two measures differ
/// by separators, quotes and lengths of numbers, so a split that is done counts whole, and one that is not by
/// what the done ones show of the difference.
std::optional<double> fraction_done(const std::vector<split_share>& splits);

}  // namespace sluice
