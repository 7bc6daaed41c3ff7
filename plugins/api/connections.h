#pragma once

#include <cstdint>

namespace sluice {

/// Connections that an end of a run holds at most, for the plan: a guest says beforehand how many it takes.
/// Open files are none.
struct connection_count {
  std::uint32_t own = 0;            ///< Of the source or target itself.
  std::uint32_t each_pipeline = 0;  ///< Of each reader or writer.
};

}  // namespace sluice
