#include "plugins/postgresql/postgresql_read_plan.h"

#include <fmt/format.h>

#include <algorithm>

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
  if (const std::string range = relational::range_condition(
          split_description, relation.split_sql,
          [&](const scalar& bound) { return literal(bound, relation.split_type); });
      !range.empty()) {
    require(range);
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
