#include "plugins/mysql/mysql_read_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/mysql/mysql_session_sql.h"
#include "transport/base/text.h"

namespace sluice::mysql {
std::string bytes_literal(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return fmt::format("x'{}'", hex);
}

std::string bound_literal(const scalar& v) {
  if (const auto* i = std::get_if<std::int64_t>(&v.value)) {
    return std::to_string(*i);
  }
  if (const auto* u = std::get_if<std::uint64_t>(&v.value)) {
    return std::to_string(*u);
  }
  if (const auto* bytes = std::get_if<scalar::bytes>(&v.value)) {
    return bytes_literal(bytes->value);
  }
  const auto* text = std::get_if<std::string>(&v.value);
  return text == nullptr ? "NULL" : text_literal(*text);
}

result<const read_part*> part_of(const read_plan& plan, const scalar_list& split_description) {
  const scalar* index = find(split_description, "part");
  const scalar* name = find(split_description, "name");
  const auto* i = index == nullptr ? nullptr : std::get_if<std::int64_t>(&index->value);
  const auto* n = name == nullptr ? nullptr : std::get_if<std::string>(&name->value);
  if (i == nullptr || n == nullptr || *i < 0 || static_cast<std::size_t>(*i) >= plan.parts.size() ||
      plan.parts[static_cast<std::size_t>(*i)].name != *n) {
    return fail(error_kind::source_changed,
                "the split {} is of a table that the job does not read any more; begin anew with "
                "--on-unfinished fresh",
                escaped(to_json(split_description)));
  }
  const read_part& part = plan.parts[static_cast<std::size_t>(*i)];
  std::size_t columns =
      find(split_description, "null") != nullptr || find(split_description, "not_null") != nullptr ? 1 : 0;
  for (const char* bound : {"from", "to"}) {
    columns = std::max(columns, relational::bound_in(split_description, bound).size());
  }
  const scalar* by = find(split_description, "by");
  const auto* key = by == nullptr ? nullptr : std::get_if<std::string>(&by->value);
  if (columns > part.split_key.size() || (key != nullptr && *key != part.split_by)) {
    return fail(
        error_kind::source_changed,
        "{}: the split {} is a range of a key by which the table is not split any more; begin anew with "
        "--on-unfinished fresh",
        part.name, escaped(to_json(split_description)));
  }
  return &part;
}

std::string text_literal(std::string_view text) {
  constexpr std::string_view plain =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz -_:.,;+*/()[]@#%&=<>!?|~^$";
  if (text.find_first_not_of(plain) == std::string_view::npos) {
    return fmt::format("'{}'", text);
  }
  return "_utf8mb4 " + bytes_literal(text);
}

std::string behind_cursor(const std::vector<order_column>& order, const std::vector<std::string>& literals) {
  if (order.size() == 1) {
    return fmt::format("{} > {}", order[0].name, literals[0]);
  }
  std::string any;
  std::string equal;
  for (std::size_t i = 0; i < order.size(); ++i) {
    any += fmt::format("{}({}{} > {})", i == 0 ? "" : " OR ", equal, order[i].name, literals[i]);
    equal += fmt::format("{} = {} AND ", order[i].name, literals[i]);
  }
  return fmt::format("{} >= {} AND ({})", order[0].name, literals[0], any);
}

std::string reading_sql(const read_plan& plan, const read_part& part, const scalar_list& split_description,
                        const std::optional<std::vector<std::string>>& after_literals) {
  const std::string comment =
      statement_comment(plan.name, part.name + relational::range_text(split_description));
  if (part.table.empty()) {
    // A comment in front would hide `WITH` and `(SELECT` from nobody, so it goes there.
    return fmt::format("{} {}", comment, part.query);
  }
  std::string columns = fmt::format("{}", fmt::join(part.expressions, ", "));
  for (const order_column& c : part.order) {
    columns += c.selected ? "" : ", " + c.name;
  }
  std::string conditions = part.where;
  const auto require = [&](const std::string& condition) {
    conditions += (conditions.empty() ? "" : " AND ") + condition;
  };
  std::vector<std::string> split_columns;
  for (const split_column& c : part.split_key) {
    split_columns.push_back(c.name);
  }
  const std::string range =
      relational::range_condition(split_description, split_columns, relational::key_comparison::columns,
                                  [](std::size_t, const scalar& bound) { return bound_literal(bound); });
  if (!range.empty()) {
    require(range);
  }
  if (after_literals) {
    require(behind_cursor(part.order, *after_literals));
  }
  std::string sql = fmt::format("SELECT {} {} FROM {}", comment, columns, part.table);
  sql += conditions.empty() ? "" : " WHERE " + conditions;
  std::string order;
  for (const order_column& c : part.order) {
    order += (order.empty() ? " ORDER BY " : ", ") + c.name;
  }
  return sql + order;
}

}  // namespace sluice::mysql
