#pragma once

#include <cstddef>
#include <optional>

#include "plugins/api/source.h"
#include "plugins/api/target.h"

namespace sluice {

/// Whether the target's table is one that the source reads, as far as both tell. Both have been opened.
bool writes_what_it_reads(const source& from, const target& to);

/// `bad_option` where it is, and rows of it are read when the run has begun to change it already: behind
/// preSql, or in several splits without one snapshot. `splits`: 1 where they are not planned yet.
std::optional<error> same_table_failure(const source& from, const target& to, std::size_t splits);

}  // namespace sluice
