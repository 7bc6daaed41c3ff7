#include "plugins/common/relational/columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

constexpr std::size_t names_shown_max = 20;

/// How many names are the same ignoring case.
std::size_t count_same(std::string_view name, const std::vector<std::string>& names) {
  return static_cast<std::size_t>(
      std::count_if(names.begin(), names.end(), [&](const std::string& n) { return same_word(n, name); }));
}

bool is_one_name(std::string_view entry, const sql_rules& rules) {
  const auto tokens = tokens_of(entry, rules);
  return tokens.size() == 1 &&
         (tokens[0].kind == token_kind::word || tokens[0].kind == token_kind::quoted_name);
}

std::string names_in_quotes(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < names_shown_max; ++i) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", in_quotes(names[i]));
  }
  return names.size() > names_shown_max ? fmt::format("{} and {} more", list, names.size() - names_shown_max)
                                        : list;
}

/// Those that commas part outside of brackets; the whole where none does, or a bracket is closed that nobody
/// has opened.
std::vector<std::string> expressions_in(std::string_view text, const sql_rules& rules) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  int depth = 0;
  for (const sql_token& token : tokens_of(text, rules)) {
    depth += token.text == "(" || token.text == "[" ? 1 : token.text == ")" || token.text == "]" ? -1 : 0;
    if (depth < 0) {
      return {std::string(text)};
    }
    if (depth == 0 && token.text == ",") {
      const auto at = static_cast<std::size_t>(token.text.data() - text.data());
      out.emplace_back(trimmed(text.substr(begin, at - begin)));
      begin = at + 1;
    }
  }
  out.emplace_back(trimmed(text.substr(begin)));
  return out;
}

}  // namespace

bool is_star(const std::vector<placed_text>& entries) {
  return entries.size() == 1 && trimmed(entries[0].text) == "*";
}

std::vector<placed_text> with_own_star(const std::vector<placed_text>& entries, std::string_view schema,
                                       std::string_view table, const sql_rules& rules) {
  constexpr std::string_view all = ".*";
  const std::string_view text = entries.size() == 1 ? trimmed(entries[0].text) : std::string_view();
  if (!text.ends_with(all)) {
    return entries;
  }
  const auto parts = name_parts(text.substr(0, text.size() - all.size()), rules);
  const auto is = [](const name_part& part, std::string_view name) {
    return part.quoted ? part.name == name : same_word(part.name, name);
  };
  const bool own = parts && parts->size() <= 2 && is(parts->back(), table) &&
                   (parts->size() == 1 || is(parts->front(), schema));
  return own ? std::vector<placed_text>{{"*", entries[0].place, {}}} : entries;
}

std::string other_columns_text(std::size_t entries, std::size_t columns) {
  return fmt::format("{} entries make {} columns; write one expression an entry", entries, columns);
}

std::optional<std::string> entry_note(std::size_t index, const column_entry& entry, std::string_view table) {
  const std::string name =
      entry.alias.empty() ? "" : fmt::format(" under the name {}", in_quotes(entry.alias));
  if (!entry.column) {
    return fmt::format("column[{}], {}, is no column of table {} and is read as an expression{}.", index,
                       in_quotes(entry.text), in_quotes(table), name);
  }
  return name.empty() ? std::nullopt
                      : std::optional(fmt::format("column[{}], {} of table {}, is read{}.", index,
                                                  in_quotes(entry.text), in_quotes(table), name));
}

error refused_entry(error why, std::string_view entry, const std::string& place, const sql_rules& rules) {
  why.message = fmt::format("{}: {}", place, why.message);
  if (const std::string_view alias = may_be_alias(entry, rules); !alias.empty()) {
    why.message += fmt::format("; if {0} is to be the column's name, write AS {0}, or leave it out", alias);
  }
  return why;
}

std::optional<std::size_t> named_in(std::string_view entry, const std::vector<std::string>& names,
                                    const sql_rules& rules) {
  const auto exact = [&](std::string_view name) -> std::optional<std::size_t> {
    const auto at = std::find(names.begin(), names.end(), name);
    return at == names.end() ? std::nullopt : std::optional(static_cast<std::size_t>(at - names.begin()));
  };
  const std::string_view whole = trimmed(entry);
  const std::string bare = bare_name(whole, rules);
  if (const auto found = exact(entry)) {
    return found;
  }
  if (const auto found = exact(whole)) {
    return found;
  }
  if (const auto found = exact(bare)) {
    return found;
  }
  for (const std::string_view name : {whole, std::string_view(bare)}) {
    if (count_same(name, names) == 1) {
      const auto at =
          std::find_if(names.begin(), names.end(), [&](const std::string& n) { return same_word(n, name); });
      return static_cast<std::size_t>(at - names.begin());
    }
  }
  return std::nullopt;
}

std::string near_column(std::string_view name, const std::vector<std::string>& names) {
  if (const std::string_view near = nearest(name, names); !near.empty()) {
    return fmt::format("; did you mean {}?", in_quotes(near));
  }
  return names.empty() ? "" : "; the table has " + names_in_quotes(names);
}

result<std::vector<column_entry>> column_entries(const std::vector<placed_text>& entries,
                                                 const std::vector<std::string>& names,
                                                 const sql_rules& rules) {
  std::vector<column_entry> out;
  if (is_star(entries)) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      out.push_back({i, names[i], "", entries[0].place});
    }
    return out;
  }
  for (const placed_text& entry : entries) {
    const auto found = named_in(entry.text, names, rules);
    if (!found && is_one_name(entry.text, rules) && count_same(bare_name(entry.text, rules), names) > 1) {
      return fail(
          error_kind::bad_option,
          "{}: several columns of the table are called {} when case does not count; write the one that is "
          "meant as the table spells it",
          entry.place, in_quotes(trimmed(entry.text)));
    }
    if (found) {
      out.push_back({found, std::string(trimmed(entry.text)), "", entry.place});
      continue;
    }
    if (const auto several = expressions_in(entry.text, rules); several.size() > 1) {
      return fail(error_kind::bad_option,
                  "{}: found {}, which is {} expressions; write each as an entry of its own: {}", entry.place,
                  in_quotes(entry.text), several.size(), names_in_quotes(several));
    }
    select_item item = select_item_of(trimmed(entry.text), rules, [&](std::string_view name) {
      return named_in(name, names, rules).has_value();
    });
    out.push_back({item.alias.empty() ? std::nullopt : named_in(item.expression, names, rules),
                   std::string(item.expression), std::move(item.alias), entry.place});
  }
  return out;
}

std::vector<std::string> column_names(const schema& columns) {
  std::vector<std::string> names;
  for (const field& f : columns) {
    names.push_back(f.name);
  }
  return names;
}

result<std::vector<column_entry>> column_entries_behind(const std::vector<placed_text>& entries,
                                                        const named_columns& first,
                                                        const named_columns& table, const sql_rules& rules) {
  if (!is_star(entries)) {
    return column_entries(entries, table.names, rules);
  }
  std::vector<column_entry> out;
  std::vector<std::string> missing;
  std::vector<std::string> more = table.names;
  for (const std::string& name : first.names) {
    const auto found = named_in(name, table.names, rules);
    const auto left = found ? std::find(more.begin(), more.end(), table.names[*found]) : more.end();
    if (left == more.end()) {
      missing.push_back(name);
      continue;
    }
    more.erase(left);
    out.push_back({found, name, "", entries[0].place});
  }
  if (missing.empty() && more.empty()) {
    return out;
  }
  std::string what;
  if (!missing.empty()) {
    what = fmt::format("lacks {}, which {} has", names_in_quotes(missing), first.table);
  }
  if (!more.empty()) {
    what += fmt::format("{}has {}, which {} lacks", what.empty() ? "" : ", and ", names_in_quotes(more),
                        first.table);
  }
  return fail(error_kind::bad_option,
              "{}: \"*\" reads from each table the columns of the first one by name; table {} {}; name in "
              "\"column\" what all tables have",
              entries[0].place, table.table, what);
}

result<std::vector<std::size_t>> target_columns(const std::vector<placed_text>& entries,
                                                const std::vector<std::string>& names, std::string_view table,
                                                const sql_rules& rules) {
  std::vector<std::size_t> out;
  for (const placed_text& entry : entries) {
    const auto found = named_in(entry.text, names, rules);
    if (!found) {
      const std::string name = bare_name(entry.text, rules);
      if (count_same(name, names) > 1) {
        return fail(
            error_kind::bad_option,
            "{}: several columns of table {} are called {} when case does not count; write the one that "
            "is meant as the table spells it",
            entry.place, in_quotes(table), in_quotes(name));
      }
      return fail(error_kind::bad_option, "{}: table {} has no column {}{}", entry.place, in_quotes(table),
                  in_quotes(name), near_column(name, names));
    }
    if (std::find(out.begin(), out.end(), *found) != out.end()) {
      return fail(error_kind::bad_option, "{}: column {} is mapped twice; leave one out", entry.place,
                  in_quotes(names[*found]));
    }
    out.push_back(*found);
  }
  return out;
}

}  // namespace sluice::relational
