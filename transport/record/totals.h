#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "transport/record/mark.h"

namespace sluice {

/// What a whole run came to. Kept in the run's row once its marks are gone, so that a start that finds the
/// run done can still show its account.
struct run_totals {
  record_counts counts;
  record_sums sums;
  std::uint64_t splits = 0;
  std::map<std::string, std::uint64_t> dirty_by_code;
  written_parts parts;
  change_counts changes;
  std::uint64_t dirty_missing = 0;  ///< Of the dirty records, those whose text was lost with a state folder.
  friend bool operator==(const run_totals&, const run_totals&) = default;
};

/// As named scalars, for the one text that a destination keeps. Of more than 200 codes the rarest are put
/// together as `other`, and changes of more than 32 KiB of text are left out, so that the text stays below
/// what `scalars_from_json` takes.
scalar_list to_scalars(const run_totals& totals);
/// Inverse of `to_scalars`. A name that is missing is 0, one that is not known is left out: a newer program
/// may have written it. `internal` where a value is not of its type.
result<run_totals> totals_from(const scalar_list& list);

}  // namespace sluice
