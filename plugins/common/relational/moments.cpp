#include "plugins/common/relational/moments.h"

#include <algorithm>
#include <array>

#include "jobspec/words.h"

namespace sluice::relational {
namespace {

constexpr auto before_an_item = std::to_array<std::string_view>({"SELECT", "DISTINCT", "ALL", "BY"});
constexpr auto behind_an_item = std::to_array<std::string_view>(
    {"FROM", "AS", "ASC", "DESC", "LIMIT", "UNION", "HAVING", "WHERE", "ORDER", "GROUP"});
constexpr auto behind_tables =
    std::to_array<std::string_view>({"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "SELECT"});
constexpr std::size_t tables_max = 32;

template <class Words>
bool is_any(const sql_token& token, const Words& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return is_word(token, w); });
}

bool is_symbol(const sql_token& token, std::string_view symbol) {
  return token.kind == token_kind::symbol && token.text == symbol;
}

bool is_name(const sql_token& token) {
  return token.kind == token_kind::word || token.kind == token_kind::quoted_name;
}

/// Whether the name at `at`, with what qualifies it, is an item of a list by itself, not an operand or
/// argument.
bool is_bare_item(const std::vector<sql_token>& tokens, std::size_t at, bool in_select) {
  std::size_t first = at;
  while (first >= 2 && is_symbol(tokens[first - 1], ".")) {
    first -= 2;
  }
  const bool begins =
      first == 0 || is_symbol(tokens[first - 1], ",") || is_any(tokens[first - 1], before_an_item);
  const bool ends = at + 1 == tokens.size() || is_symbol(tokens[at + 1], ",") ||
                    is_symbol(tokens[at + 1], ")") || is_symbol(tokens[at + 1], ";") ||
                    is_any(tokens[at + 1], behind_an_item);
  return in_select && begins && ends;
}

/// Drops the digits at the beginning of `rest`; how many there were.
std::size_t take_digits(std::string_view& rest) {
  const std::size_t n = std::min(rest.find_first_not_of("0123456789"), rest.size());
  rest.remove_prefix(n);
  return n;
}

bool take(std::string_view& rest, std::string_view any_of) {
  if (rest.empty() || any_of.find(rest[0]) == std::string_view::npos) {
    return false;
  }
  rest.remove_prefix(1);
  return true;
}

}  // namespace

std::vector<std::string> columns_used(const std::vector<sql_token>& tokens, moment_text what,
                                      const std::vector<std::string>& columns, const sql_rules& rules) {
  std::vector<bool> used(columns.size(), false);
  std::vector<bool> selects = {true};  // by depth: what is in these brackets is a SELECT
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const sql_token& token = tokens[i];
    const bool ends = i + 1 == tokens.size();
    selects.resize(token.depth + 1, false);
    if (is_symbol(token, "(")) {
      selects.push_back(!ends && (is_word(tokens[i + 1], "SELECT") || is_symbol(tokens[i + 1], "(")));
    }
    if (!is_name(token) || (!ends && (is_symbol(tokens[i + 1], "(") || is_symbol(tokens[i + 1], ".")))) {
      continue;  // a function, or what qualifies a name
    }
    if (what == moment_text::list && is_bare_item(tokens, i, selects[token.depth])) {
      continue;
    }
    const std::string name = bare_name(token.text, rules);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      used[c] = used[c] || same_word(columns[c], name);
    }
  }
  std::vector<std::string> out;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (used[c]) {
      out.push_back(columns[c]);
    }
  }
  return out;
}

std::vector<named_table> tables_in(std::string_view query, const sql_rules& rules) {
  const std::vector<sql_token> tokens = tokens_of(query, rules);
  std::vector<named_table> out;
  std::vector<bool> in_from = {false};  // by depth
  bool expected = false;
  for (std::size_t i = 0; i < tokens.size() && out.size() < tables_max; ++i) {
    const sql_token& token = tokens[i];
    in_from.resize(token.depth + 1, expected);
    if (is_word(token, "FROM") || is_word(token, "JOIN")) {
      in_from[token.depth] = expected = true;
    } else if (is_any(token, behind_tables)) {
      in_from[token.depth] = expected = false;
    } else if (is_symbol(token, ",")) {
      expected = in_from[token.depth];
    } else if (expected && is_name(token) && !is_word(token, "ONLY") && !is_word(token, "LATERAL")) {
      named_table table{"", bare_name(token.text, rules)};
      if (i + 2 < tokens.size() && is_symbol(tokens[i + 1], ".") && is_name(tokens[i + 2])) {
        table = {table.table, bare_name(tokens[i + 2].text, rules)};
        i += 2;
      }
      if (std::find(out.begin(), out.end(), table) == out.end()) {
        out.push_back(std::move(table));
      }
      expected = false;
    }
  }
  for (std::size_t i = 0; i + 2 < tokens.size(); ++i) {  // WITH name AS (
    if (is_name(tokens[i]) && is_word(tokens[i + 1], "AS") && is_symbol(tokens[i + 2], "(")) {
      std::erase(out, named_table{"", bare_name(tokens[i].text, rules)});
    }
  }
  return out;
}

bool is_time_without_zone(std::string_view text) {
  std::string_view rest = trimmed(text);
  const std::size_t year = take_digits(rest);
  if (year < 4) {
    return false;
  }
  if (take(rest, "-/.")) {
    if (take_digits(rest) == 0 || !take(rest, "-/.") || take_digits(rest) == 0) {
      return false;
    }
  } else if (year != 8) {
    return false;
  }
  if (rest.empty()) {
    return true;
  }
  if (!take(rest, " Tt")) {
    return false;
  }
  rest = trimmed(rest);
  take_digits(rest);
  while (take(rest, ":.")) {
    take_digits(rest);
  }
  return rest.empty();
}

}  // namespace sluice::relational
