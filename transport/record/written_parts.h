#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// What the destination says that it made of the records written. What it does not tell apart is in none of
/// the parts, so that these are never more than `record_counts::written`. Totals like the counts.
struct written_parts {
  std::uint64_t inserted = 0;
  std::uint64_t updated = 0;    ///< A row that was there got the record's values.
  std::uint64_t replaced = 0;   ///< A row that was there was removed for the record.
  std::uint64_t unchanged = 0;  ///< The row that was there had the record's values already.

  written_parts& operator+=(const written_parts& o) {
    inserted += o.inserted, updated += o.updated, replaced += o.replaced, unchanged += o.unchanged;
    return *this;
  }
  [[nodiscard]] std::uint64_t told() const { return inserted + updated + replaced + unchanged; }
  friend bool operator==(const written_parts&, const written_parts&) = default;
};

struct written_part {
  std::string_view name;
  std::uint64_t written_parts::*count;
};
/// As summaries and progress tables name them.
inline constexpr std::array written_part_list =
    std::to_array<written_part>({{"inserted", &written_parts::inserted},
                                 {"updated", &written_parts::updated},
                                 {"replaced", &written_parts::replaced},
                                 {"unchanged", &written_parts::unchanged}});

/// `inserted=12,updated=3`: as progress tables keep them. Empty where nothing was told.
std::string to_text(const written_parts& parts);
/// The inverse. `internal` where it is none; a part that is not known is one of a newer program's.
result<written_parts> written_parts_from(std::string_view text);

}  // namespace sluice
