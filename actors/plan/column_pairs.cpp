#include "actors/plan/column_pairs.h"

#include <algorithm>

#include "actors/plan/mapping.h"
#include "transport/record/compat.h"

namespace sluice {
namespace {

template <class Made>
result<void> made_or_not(result<Made> made) {
  return made ? result<void>() : result<void>(fail(std::move(made).error()));
}

/// Texts for a column of JSON, which its server looks into. (MariaDB's is a text with a check.)
bool becomes_json(const field& from, const field& to) {
  return from.type.id == type_id::utf8 && !to.holds_text &&
         (to.source_type_name == "json" || to.source_type_name == "jsonb");
}

}  // namespace

std::vector<column_pair> describe_column_pairs(const schema& from, const schema& to,
                                               const conversion_context& context, compat_mode compat) {
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
    const bool datax = compat == compat_mode::datax;
    pair.changes = datax ? rules_text(datax_changes(from[i], to[i])) : "";
    const bool as_it_is = !datax || possible_changes(from[i].type, to[i].type).empty();
    const result<void> made = as_it_is ? made_or_not(make_converter(from[i], to[i], context))
                                       : made_or_not(make_changing_converter(from[i], to[i], context));
    if (!made) {
      pair.kind = conversion_kind::refused;
      pair.problem = made.error().message;
    } else {
      if (pair.kind == conversion_kind::refused) {
        pair.kind = conversion_kind::checked;  // refused by the table, not by DataX's rules
        pair.rule.clear();
      }
      if (pair.kind == conversion_kind::checked) {
        pair.dirty_where = "a value that does not fit";
      } else if (becomes_json(from[i], to[i])) {
        pair.dirty_where = "a text that is no JSON the column keeps as it is";
      }
      if (from[i].nullable && !to[i].nullable) {
        pair.dirty_where += pair.dirty_where.empty() ? "NULL" : ", NULL";
      }
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::vector<column_pair> describe_reader_changes(const schema& columns) {
  std::vector<column_pair> pairs;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].changed_as_read.empty()) {
      column_pair pair;
      pair.index = i;
      pair.from = pair.to = columns[i];
      pair.changes = rules_text(columns[i].changed_as_read);
      pairs.push_back(std::move(pair));
    }
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
