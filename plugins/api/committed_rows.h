#pragma once

#include <cstdint>

#include "transport/record/written_parts.h"

namespace sluice {

/// What the marks of a run say of its rows: these are committed.
struct committed_rows {
  std::uint64_t written = 0;
  written_parts parts = {};
};

}  // namespace sluice
