#pragma once

#include <string_view>
#include <vector>

#include "transport/record/batch.h"

namespace sluice {

/// The name of the form that rows are hashed in (docs/canonical.md has the page and its golden values).
inline constexpr std::string_view canonical_name = "canonical/1";

/// The sum of the XXH3-128 hashes of rows [first, last) of these columns in canonical/1. Thread-safe; holds
/// at most 64 KiB of scratch however long a row is.
row_sum canonical_sum(const std::vector<column>& columns, const schema& s, std::uint32_t first,
                      std::uint32_t last);

/// The hash of each of these rows by itself, in their order.
std::vector<row_sum> canonical_hashes(const std::vector<column>& columns, const schema& s,
                                      std::uint32_t first, std::uint32_t last);

/// The hash of a record that its reader refused and that therefore has no typed values: over its raw bytes.
row_sum canonical_raw(std::string_view raw);

/// The same for a refused record of which only fields are known: hashed as a row of utf8 columns.
row_sum canonical_fields(const std::vector<dirty_field>& fields);

}  // namespace sluice
