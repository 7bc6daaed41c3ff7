#include "plugins/common/relational/written_sum.h"

#include "transport/record/canonical.h"

namespace sluice::relational {

row_sum sum_without(const batch& b, const std::vector<refused_row>& refused) {
  row_sum sum;
  std::uint32_t from = 0;
  const auto add_up_to = [&](std::uint32_t end) {
    if (end > from) {
      sum += canonical_sum(b.columns, *b.columns_schema, from, end);
    }
  };
  for (const refused_row& r : refused) {
    add_up_to(r.row);
    from = r.row + 1;
  }
  add_up_to(b.rows);
  return sum;
}

}  // namespace sluice::relational
