#include "actors/plan/mapping.h"

#include <fmt/format.h>

#include <algorithm>

#include "actors/plan/column_order.h"
#include "transport/base/text.h"

namespace sluice {

namespace {

result<std::vector<transform_step>> steps_of(const job& what, const schema_ptr& source,
                                             const conversion_context& context) {
  std::vector<transform_step> steps;
  for (const transformer_spec& spec : what.transformers) {
    const schema_ptr before = columns_behind(steps, source);
    SLUICE_TRY(auto step, make_step(spec.name, spec.column_index, spec.paras, spec.place, *before, context));
    steps.push_back(std::move(step));
  }
  return steps;
}

/// `column 0 "n" utf8 to "n" int64`; columns of a file without headings have no names.
std::string pair_text(std::size_t column, const field& from, const field& to) {
  const auto text = [](const field& f) {
    return f.name.empty() ? to_string(f.type) : fmt::format("{} {}", in_quotes(f.name), to_string(f.type));
  };
  return fmt::format("column {} {} to {}", column, text(from), text(to));
}

/// The converter of one pair and its line for the plan.
result<void> map_pair(const job& what, std::size_t column, const conversion_context& context, mapping& map) {
  const field& from = (*map.between)[column];
  const field& to = (*map.target)[column];
  const auto with_place = [&](const error& e) {
    // Columns of a file without headings have no names.
    const auto named = [&](const std::string& name) {
      return fmt::format("{}{}", column, name.empty() ? "" : fmt::format(" ({})", in_quotes(name)));
    };
    return fail(e.kind, "{}: column {} to {}: {}",
                what.writer.parameter.place(fmt::format("column[{}]", column)), named(from.name),
                named(to.name), e.message);
  };
  const conversion rule = lookup_conversion(from.type, to.type);
  const std::string zone =
      rule.needs_zone && context.zone ? fmt::format(" (in {})", context.zone->name()) : "";
  std::vector<change_rule> rules;
  if (what.compat == compat_mode::datax) {
    rules = datax_changes(from, to);
    map.changers.emplace_back();
    if (!possible_changes(from.type, to.type).empty()) {
      auto changer = make_changing_converter(from, to, context);
      if (!changer) {
        return with_place(changer.error());
      }
      map.changers.back() = std::move(*changer);
      map.converters.emplace_back();
    }
    if (!rules.empty()) {
      map.lines.push_back(fmt::format("{}: as DataX does it, counted: {}{}", pair_text(column, from, to),
                                      rules_text(rules), zone));
    }
    if (map.changers.back() != nullptr) {
      return {};
    }
  }
  auto converter = make_converter(from, to, context);
  if (!converter) {
    return with_place(converter.error());
  }
  if (*converter != nullptr && rules.empty()) {
    map.lines.push_back(
        fmt::format("{}: {}{}", pair_text(column, from, to),
                    rule.kind == conversion_kind::same && from.type.id == type_id::utf8 && !to.holds_text
                        ? "empty text becomes NULL"
                        : rule.rule,
                    zone));
  }
  map.converters.push_back(std::move(*converter));
  return {};
}

}  // namespace

bool mapping::passes() const {
  const auto passes_as_it_is = [](const auto& one) { return one == nullptr; };
  return steps.empty() && taken.empty() &&
         std::all_of(converters.begin(), converters.end(), passes_as_it_is) &&
         std::all_of(changers.begin(), changers.end(), passes_as_it_is);
}

result<schema_ptr> columns_behind_transformers(const job& what, const schema_ptr& source,
                                               const conversion_context& context) {
  SLUICE_TRY(const auto steps, steps_of(what, source, context));
  return columns_behind(steps, source);
}

schema_ptr columns_without(const schema_ptr& columns, const std::vector<std::size_t>& left_out) {
  if (left_out.empty()) {
    return columns;
  }
  auto out = std::make_shared<schema>();
  for (std::size_t i = 0; i < columns->size(); ++i) {
    if (std::find(left_out.begin(), left_out.end(), i) == left_out.end()) {
      out->push_back((*columns)[i]);
    }
  }
  return out;
}

std::vector<change_rule> datax_changes(const field& from, const field& to) {
  std::vector<change_rule> rules = from.changed_as_read;
  for (const change_rule rule : possible_changes(from.type, to.type)) {
    if (std::find(rules.begin(), rules.end(), rule) == rules.end()) {
      rules.push_back(rule);
    }
  }
  return rules;
}

std::string rules_text(const std::vector<change_rule>& rules) {
  std::string text;
  for (const change_rule rule : rules) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", to_string(rule));
  }
  return text;
}

std::string columns_text(const schema& s) {
  std::string text;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (i == 10) {
      return text + fmt::format(", … ({} columns)", s.size());
    }
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                        s[i].name.empty() ? fmt::format("#{}", i) : escaped(s[i].name), to_string(s[i].type));
  }
  return text;
}

result<std::shared_ptr<const mapping>> make_mapping(const job& what, schema_ptr source, schema_ptr target,
                                                    const conversion_context& context,
                                                    const std::vector<std::string>& heading,
                                                    const std::vector<std::size_t>& left_out) {
  auto map = std::make_shared<mapping>();
  map->source = source;
  SLUICE_TRY(map->steps, steps_of(what, source, context));
  const schema_ptr behind = columns_behind(map->steps, source);
  map->between = columns_without(behind, left_out);
  for (std::uint32_t i = 0; !left_out.empty() && i < behind->size(); ++i) {
    if (std::find(left_out.begin(), left_out.end(), i) == left_out.end()) {
      map->taken.push_back(i);
    } else {
      map->lines.push_back(
          fmt::format("column {} {} of the reader is left out: the destination computes it itself", i,
                      in_quotes((*behind)[i].name)));
    }
  }
  map->target = target == nullptr ? map->between : target;
  if (map->between->size() != map->target->size()) {
    return fail(error_kind::bad_option,
                "{}: the reader has {} columns ({}), the writer {} ({}); columns are mapped by position, "
                "give both the same number",
                what.writer.parameter.place("column"), map->between->size(), columns_text(*map->between),
                map->target->size(), columns_text(*map->target));
  }
  const std::string order =
      what.order_compared
          ? ""
          : other_order(names_of(*map->between), heading.empty() ? names_of(*map->target) : heading);
  if (!order.empty()) {
    const std::string line =
        fmt::format("{}: {}", what.writer.parameter.place(heading.empty() ? "column" : "header"), order);
    if (what.strict) {
      return fail(error_kind::bad_option, "{} (--strict)", line);
    }
    map->warnings.push_back(line);
  }
  for (std::size_t i = 0; i < map->between->size(); ++i) {
    if (target == nullptr) {
      map->converters.push_back(nullptr);
      if (const field& column = (*map->between)[i]; !column.changed_as_read.empty()) {
        map->lines.push_back(fmt::format("column {} {} {}: as DataX does it, counted: {}", i,
                                         in_quotes(column.name), to_string(column.type),
                                         rules_text(column.changed_as_read)));
      }
    } else {
      SLUICE_CHECK(map_pair(what, i, context, *map));
    }
  }
  return std::shared_ptr<const mapping>(std::move(map));
}

}  // namespace sluice
