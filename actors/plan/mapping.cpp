#include "actors/plan/mapping.h"

#include <fmt/format.h>

#include <algorithm>

#include "actors/plan/column_order.h"
#include "transport/base/text.h"

namespace sluice {

bool mapping::passes() const {
  return transformers.empty() &&
         std::all_of(converters.begin(), converters.end(), [](const auto& c) { return c == nullptr; });
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
                                                    const conversion_context& context) {
  auto map = std::make_shared<mapping>();
  map->source = source;
  map->target = target == nullptr ? source : target;
  if (map->source->size() != map->target->size()) {
    return fail(error_kind::bad_option,
                "{}: the reader has {} columns ({}), the writer {} ({}); columns are mapped by position, "
                "give both the same number",
                what.writer.parameter.place("column"), map->source->size(), columns_text(*map->source),
                map->target->size(), columns_text(*map->target));
  }
  if (const std::string order = other_order(*map->source, *map->target); !order.empty()) {
    const std::string line = fmt::format("{}: {}", what.writer.parameter.place("column"), order);
    if (what.strict) {
      return fail(error_kind::bad_option, "{} (--strict)", line);
    }
    map->warnings.push_back(line);
  }
  for (const transformer_spec& spec : what.transformers) {
    auto t =
        make_transformer(spec.name, spec.column_index, spec.paras, spec.place, *map->source, context.zone);
    if (!t) {
      return fail(std::move(t).error());
    }
    map->transformers.push_back(std::move(*t));
  }
  for (std::size_t i = 0; i < map->source->size(); ++i) {
    const field& from = (*map->source)[i];
    const field& to = (*map->target)[i];
    if (target == nullptr) {
      map->converters.push_back(nullptr);
      continue;
    }
    auto c = make_converter(from, to, context);
    if (!c) {
      return fail(c.error().kind, "{}: column {} ({}) to {} ({}): {}",
                  what.writer.parameter.place(fmt::format("column[{}]", i)), i, sluice::quoted(from.name), i,
                  sluice::quoted(to.name), c.error().message);
    }
    if (*c != nullptr) {
      const conversion rule = lookup_conversion(from.type, to.type);
      map->lines.push_back(
          fmt::format("column {} {} {} to {} {}: {}{}", i, sluice::quoted(from.name), to_string(from.type),
                      sluice::quoted(to.name), to_string(to.type), rule.rule,
                      rule.needs_zone && context.zone ? fmt::format(" (in {})", context.zone->name()) : ""));
    }
    map->converters.push_back(std::move(*c));
  }
  return std::shared_ptr<const mapping>(std::move(map));
}

}  // namespace sluice
