#include "jobspec/sql_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// Options whose texts become SQL wherever they exist (job-formats 2.0).
constexpr std::array<std::string_view, 6> statement_options = {"where",   "querysql", "presql",
                                                               "postsql", "session",  "query"};
/// Options whose texts become SQL in a step that has one of the above, and file names or the like elsewhere.
constexpr std::array<std::string_view, 3> name_options = {"table", "column", "splitpk"};

struct odd_character {
  char character;
  std::string_view name;
};
constexpr std::array<odd_character, 7> odd_characters = {{{'\'', "a quote"},
                                                          {'"', "a quote"},
                                                          {'`', "a quote"},
                                                          {'\\', "a backslash"},
                                                          {';', "a semicolon"},
                                                          {'\n', "a line's end"},
                                                          {'\r', "a line's end"}}};

/// `a quote and a semicolon`; empty where the value is harmless.
std::string oddities_of(std::string_view value) {
  std::vector<std::string_view> found;
  for (const auto& odd : odd_characters) {
    if (value.find(odd.character) != std::string_view::npos &&
        std::find(found.begin(), found.end(), odd.name) == found.end()) {
      found.push_back(odd.name);
    }
  }
  return fmt::format("{}", fmt::join(found, " and "));
}

template <class Names>
bool has_word(const Names& names, std::string_view word) {
  return std::find(names.begin(), names.end(), lower(word)) != names.end();
}

bool speaks_sql(const described_part& end) {
  return std::any_of(end.options->begin(), end.options->end(),
                     [](const option& o) { return has_word(statement_options, o.name); });
}

bool becomes_sql(const std::string& path, const std::vector<path_step>& steps,
                 const std::vector<described_part>& ends) {
  const auto end = std::find_if(ends.begin(), ends.end(),
                                [&](const described_part& one) { return path.starts_with(one.path + "."); });
  if (end == ends.end() || end->options == nullptr || !speaks_sql(*end)) {
    return false;
  }
  return std::any_of(steps.begin(), steps.end(), [](const path_step& step) {
    const auto* name = std::get_if<std::string>(&step);
    return name != nullptr && (has_word(statement_options, *name) || has_word(name_options, *name));
  });
}

/// The text at the path; nullptr where there is none.
const std::string* text_at(const json& document, const std::vector<path_step>& steps) {
  const json* at = &document;
  for (const auto& step : steps) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      if (!at->is_array() || *index >= at->size()) {
        return nullptr;
      }
      at = &(*at)[*index];
    } else {
      const auto& name = std::get<std::string>(step);
      if (!at->is_object() || !at->contains(name)) {
        return nullptr;
      }
      at = &(*at)[name];
    }
  }
  return at->is_string() ? &at->get_ref<const std::string&>() : nullptr;
}

}  // namespace

void warn_of_sql(const std::vector<parameter_use>& uses, const json& shown,
                 const std::vector<described_part>& ends, findings& out) {
  for (const auto& use : uses) {
    const std::string odd = oddities_of(use.value.text);
    const auto steps = odd.empty() ? result<std::vector<path_step>>() : parse_path(use.path);
    if (odd.empty() || !steps || !becomes_sql(use.path, *steps, ends)) {
      continue;
    }
    // A value that was set by --set afterwards is no longer there.
    if (const std::string* statement = text_at(shown, *steps)) {
      out.warning(use.path, fmt::format("the value of {} holds {} and becomes part of SQL: {}",
                                        escaped(use.written), odd, in_quotes(*statement)));
    }
  }
}

}  // namespace sluice
