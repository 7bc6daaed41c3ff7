#include "plugins/common/relational/written_sum.h"

#include <algorithm>

#include "transport/record/canonical.h"

namespace sluice::relational {

row_sum sum_without(const batch& b, const std::vector<refused_row>& refused,
                    std::vector<std::uint32_t> ignored) {
  std::vector<std::uint32_t>& left_out = ignored;
  for (const refused_row& r : refused) {
    left_out.push_back(r.row);
  }
  std::sort(left_out.begin(), left_out.end());
  row_sum sum;
  std::uint32_t from = 0;
  const auto add_up_to = [&](std::uint32_t end) {
    if (end > from) {
      sum += canonical_sum(b.columns, *b.columns_schema, from, end);
    }
  };
  for (const std::uint32_t row : left_out) {
    add_up_to(row);
    from = row + 1;
  }
  add_up_to(b.rows);
  return sum;
}

}  // namespace sluice::relational
