#include "actors/plan/own_encoding.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/record/canonical.h"
#include "transport/record/own_columns.h"

namespace sluice {

std::vector<bool> columns_in_own_bytes(const mapping& map, const std::vector<bool>& takes_own) {
  std::vector<bool> marked(map.source->size());
  if (!map.steps.empty() || !map.taken.empty() || !map.changers.empty() ||
      takes_own.size() != marked.size()) {
    return {};
  }
  for (std::size_t i = 0; i < marked.size(); ++i) {
    marked[i] = takes_own[i] && !(*map.source)[i].own_form.empty() && map.converters[i] == nullptr;
  }
  const bool any = std::find(marked.begin(), marked.end(), true) != marked.end();
  return any ? marked : std::vector<bool>();
}

std::shared_ptr<const mapping> with_own_columns(const mapping& map, const schema_ptr& as_read) {
  auto made = std::make_shared<mapping>();
  made->source = as_read;
  made->between = as_read;
  made->lines = map.lines;
  made->warnings = map.warnings;
  auto target = std::make_shared<schema>();
  std::size_t column = 0;
  for (const field& f : *as_read) {
    if (f.own == nullptr) {
      target->push_back((*map.target)[column]);
      made->converters.push_back(map.converters[column]);
      ++column;
      continue;
    }
    // Under the destination's names, as any other column.
    own_columns inside{{}, f.own->codec};
    for (std::size_t i = 0; i < f.own->columns.size(); ++i) {
      inside.columns.push_back((*map.target)[column++]);
    }
    field whole = f;
    whole.own = std::make_shared<const own_columns>(std::move(inside));
    target->push_back(std::move(whole));
    made->converters.emplace_back();
  }
  made->target = std::move(target);
  return made;
}

std::string sums_form_of(const mapping& map) {
  std::string form(canonical_name);
  for (const field& f : *map.source) {
    if (f.own != nullptr) {
      return fmt::format("{} with {}", form, f.own->codec->name());
    }
  }
  return form;
}

}  // namespace sluice
