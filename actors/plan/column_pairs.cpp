#include "actors/plan/column_pairs.h"

#include <algorithm>

namespace sluice {

std::vector<column_pair> describe_column_pairs(const schema& from, const schema& to,
                                               const conversion_context& context) {
  std::vector<column_pair> pairs;
  for (std::size_t i = 0; i < std::min(from.size(), to.size()); ++i) {
    column_pair pair;
    pair.index = i;
    pair.from = from[i];
    pair.to = to[i];
    const conversion found = lookup_conversion(from[i].type, to[i].type);
    pair.kind = found.kind;
    pair.rule = found.kind == conversion_kind::same ? "" : found.rule;
    if (found.needs_zone && context.zone) {
      pair.zone = context.zone->name();
    }
    if (auto made = make_converter(from[i], to[i], context); !made) {
      pair.kind = conversion_kind::refused;
      pair.problem = made.error().message;
    } else {
      if (found.kind == conversion_kind::checked) {
        pair.dirty_where = "a value that does not fit";
      }
      if (from[i].nullable && !to[i].nullable) {
        pair.dirty_where += pair.dirty_where.empty() ? "NULL" : ", NULL";
      }
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::string_view plan_word(const column_pair& pair) {
  if (pair.kind == conversion_kind::refused) {
    return "refused";
  }
  return pair.dirty_where.empty() ? "exact" : "checked";
}

}  // namespace sluice
