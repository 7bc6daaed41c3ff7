#pragma once

#include <cstdint>
#include <vector>

#include "actors/verify/row_readings.h"
#include "actors/verify/written_rows.h"
#include "plugins/api/read_back.h"

namespace sluice {

/// One key under which both sides differ: how often each record is there that the other side does not have.
struct key_difference {
  row_sum key;
  gather_reading::rows_of_key source, destination;
  [[nodiscard]] std::uint64_t missing() const;
  [[nodiscard]] std::uint64_t extra() const;
};

/// What differs between the records that both sides have in the same heaps. `stands`: what the job's write
/// mode leaves of records that share a key. In the order of the keys' hashes.
std::vector<key_difference> differences_between(const gather_reading::rows_by_key& source,
                                                const gather_reading::rows_by_key& destination,
                                                read_back::standing stands);

/// `written`: what the run has written, so that `of` is told apart from what only the source has changed
/// since: that is taken out of it, and its number returned.
std::uint64_t take_changed_since(key_difference& of, const gather_reading::rows_by_key& source,
                                 const gather_reading::rows_by_key& destination, const written_rows& written,
                                 read_back::standing stands);

}  // namespace sluice
