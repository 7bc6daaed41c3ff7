#include "plugins/postgresql/postgresql_read_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plugins/postgresql/postgresql_codes.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// A bound or a cursor's value as SQL.
std::string literal(const scalar& v, const std::string& type_name) {
  if (const auto* n = std::get_if<std::int64_t>(&v.value)) {
    return fmt::format("'{}'::{}", *n, type_name);
  }
  if (const auto* t = std::get_if<std::string>(&v.value)) {
    return fmt::format("{}::{}", quote_text(*t), type_name);
  }
  return "NULL";
}

}  // namespace

error with_place_of_values(error e, const relation_plan& relation) {
  if (meaning_of(e.code).kind == error_kind::bad_row) {
    e.kind = error_kind::bad_option;
    e.message = fmt::format("{}: {}; mend what it computes", relation.values_place, e.message);
  }
  return e;
}

bool can_stand_in_sql(const scalar& v) {
  return std::holds_alternative<std::int64_t>(v.value) || std::holds_alternative<std::string>(v.value);
}

const relation_plan* read_plan::relation_of(const scalar_list& split_description) const {
  const scalar* named = find(split_description, "table");
  if (named == nullptr) {
    return relations.size() == 1 ? &relations[0] : nullptr;
  }
  const scalar* in = find(split_description, "part");
  const auto* part = in == nullptr ? nullptr : std::get_if<std::int64_t>(&in->value);
  const auto* name = std::get_if<std::string>(&named->value);
  const auto found = std::find_if(relations.begin(), relations.end(), [&](const relation_plan& r) {
    return name != nullptr && r.name == *name &&
           static_cast<std::int64_t>(r.part) == (part == nullptr ? 0 : *part);
  });
  return found == relations.end() ? nullptr : &*found;
}

bool is_of_blocks(const scalar_list& split_description) {
  return find(split_description, from_block) != nullptr || find(split_description, to_block) != nullptr;
}

std::string block_text(const scalar_list& split_description) {
  std::string text;
  for (const auto& [name, word] : {std::pair(from_block, "from"), std::pair(to_block, "below")}) {
    const scalar* block = find(split_description, name);
    if (const auto* n = block == nullptr ? nullptr : std::get_if<std::int64_t>(&block->value)) {
      text += fmt::format(" {} block {}", word, *n);
    }
  }
  return text;
}

result<const relation_plan*> relation_to_read(const read_plan& plan, const scalar_list& split_description) {
  const relation_plan* relation = plan.relation_of(split_description);
  const auto changed = [&](std::string_view what) {
    return fail(error_kind::source_changed, "{}: the split {} {}; begin anew with --on-unfinished fresh",
                relation == nullptr ? to_text(plan.parts[0].session.options) : in_quotes(relation->shown),
                escaped(to_json(split_description)), what);
  };
  if (relation == nullptr) {
    return changed("is of a table that the job does not read");
  }
  std::size_t columns = find(split_description, "null") != nullptr ? 1 : 0;
  columns = find(split_description, "not_null") != nullptr ? 1 : columns;
  for (const char* name : {"from", "to"}) {
    const relational::key_bound bound = relational::bound_in(split_description, name);
    columns = std::max(columns, bound.size());
    if (!std::all_of(bound.begin(), bound.end(), can_stand_in_sql)) {
      return changed("has a bound that is no number and no text");
    }
  }
  const scalar* by = find(split_description, "by");
  const auto* named = by == nullptr ? nullptr : std::get_if<std::string>(&by->value);
  if (columns > relation->split_key.size() || (named != nullptr && *named != relation->split_by)) {
    return changed("is a range of a key by which the table is not split any more");
  }
  for (const char* name : {from_block, to_block}) {
    const scalar* block = find(split_description, name);
    if (block != nullptr &&
        (relation->pages.empty() || !std::holds_alternative<std::int64_t>(block->value))) {
      return changed("is a range of blocks, by which the table is not split any more");
    }
  }
  return relation;
}

std::size_t fields_of(const read_plan& plan, const relation_plan& relation, bool ordered) {
  std::size_t fields = plan.kinds.size();
  for (const key_column& k : relation.key) {
    fields += ordered && k.field >= plan.kinds.size() ? 1 : 0;
  }
  return fields;
}

std::string reading_sql(const read_plan& plan, const relation_plan& relation,
                        const scalar_list& split_description, const cursor* after) {
  const bool ordered = relation.ordered || after != nullptr;
  std::string list = fmt::format("{}", fmt::join(relation.expressions, ", "));
  std::string order;
  for (const key_column& k : relation.key) {
    if (ordered && k.field >= plan.kinds.size()) {
      list += fmt::format(", {}{}", k.sql, k.whole_number ? "" : "::text");
    }
    order += (order.empty() ? "" : ", ") + k.sql;
  }
  std::string conditions = plan.where.empty() ? "" : fmt::format("({}\n)", plan.where);
  const auto require = [&](const std::string& condition) {
    conditions += (conditions.empty() ? "" : " AND ") + condition;
  };
  std::vector<std::string> split_columns;
  for (const split_column& c : relation.split_key) {
    split_columns.push_back(c.sql);
  }
  if (const std::string range =
          relational::range_condition(split_description, split_columns, relational::key_comparison::rows,
                                      [&](std::size_t column, const scalar& bound) {
                                        return literal(bound, relation.split_key[column].type_name);
                                      });
      !range.empty()) {
    require(range);
  }
  for (const auto& [name, sign] : {std::pair(from_block, ">="), std::pair(to_block, "<")}) {
    if (const scalar* block = find(split_description, name)) {
      require(fmt::format("ctid {} '({},0)'::tid", sign, std::get<std::int64_t>(block->value)));
    }
  }
  if (after != nullptr) {
    std::string values;
    for (std::size_t i = 0; i < std::min(after->size(), relation.key.size()); ++i) {
      values += (values.empty() ? "" : ", ") + literal((*after)[i].value, relation.key[i].type_name);
    }
    require(fmt::format("({}) > ({})", order, values));
  }
  std::string sql = fmt::format("SELECT {} FROM {}", list, relation.from);
  sql += conditions.empty() ? "" : " WHERE " + conditions;
  return ordered && !order.empty() ? fmt::format("{} ORDER BY {}", sql, order) : sql;
}

}  // namespace sluice::postgresql
