#include "plugins/common/relational/sql_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         c == '@' || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/// Bytes of the comment at the beginning; 0 where there is none.
std::size_t comment_bytes(std::string_view sql, const sql_rules& rules) {
  const bool dashes =
      sql.starts_with("--") && (!rules.dashes_need_blank || sql.size() == 2 || is_blank(sql[2]));
  if (dashes || (rules.hash_comments && sql.starts_with('#'))) {
    const std::size_t end = sql.find('\n');
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  if (!sql.starts_with("/*")) {
    return 0;
  }
  if (rules.version_comments && (sql.starts_with("/*!") || sql.starts_with("/*M!"))) {
    // What is inside is run; its end is taken for symbols.
    const std::size_t begin = sql.find('!') + 1;
    return begin + static_cast<std::size_t>(std::find_if_not(sql.begin() + static_cast<std::ptrdiff_t>(begin),
                                                             sql.end(), is_digit) -
                                            (sql.begin() + static_cast<std::ptrdiff_t>(begin)));
  }
  std::size_t depth = 0;
  for (std::size_t i = 0; i + 1 < sql.size(); ++i) {
    if (sql.substr(i, 2) == "/*" && (depth == 0 || rules.nested_comments)) {
      ++depth;
      ++i;
    } else if (sql.substr(i, 2) == "*/") {
      ++i;
      if (--depth == 0) {
        return i + 1;
      }
    }
  }
  return sql.size();
}

/// Bytes of what begins with a quote and ends with the same, doubled ones inside; `[x]` ends with the first
/// bracket.
std::size_t quoted_bytes(std::string_view sql, bool escapes) {
  const char quote = sql.front();
  if (quote == '[') {
    const std::size_t end = sql.find(']');
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  for (std::size_t i = 1; i < sql.size(); ++i) {
    if (escapes && sql[i] == '\\') {
      ++i;
    } else if (sql[i] == quote) {
      if (i + 1 < sql.size() && sql[i + 1] == quote) {
        ++i;
      } else {
        return i + 1;
      }
    }
  }
  return sql.size();
}

/// Bytes of `$tag$ … $tag$`; 0 where none begins here.
std::size_t dollar_bytes(std::string_view sql) {
  const std::size_t second = sql.find('$', 1);
  if (!sql.starts_with('$') || second == std::string_view::npos || (second > 1 && is_digit(sql[1])) ||
      !std::all_of(sql.begin() + 1, sql.begin() + static_cast<std::ptrdiff_t>(second), is_word_character)) {
    return 0;
  }
  const std::string_view tag = sql.substr(0, second + 1);
  const std::size_t end = sql.find(tag, tag.size());
  return end == std::string_view::npos ? sql.size() : end + tag.size();
}

struct found_token {
  token_kind kind;
  std::size_t bytes;
};

found_token first_token(std::string_view sql, const sql_rules& rules) {
  const char c = sql.front();
  if (c == rules.name_quote || (c == '"' && !rules.double_quoted_texts) ||
      (c == '`' && rules.backtick_names) || (c == '[' && rules.bracket_names)) {
    return {token_kind::quoted_name, quoted_bytes(sql, false)};
  }
  if (c == '\'' || c == '"') {
    return {token_kind::text, quoted_bytes(sql, rules.backslash_escapes)};
  }
  if (rules.dollar_texts) {
    if (const std::size_t bytes = dollar_bytes(sql); bytes != 0) {
      return {token_kind::text, bytes};
    }
  }
  const bool prefixed =
      sql.size() > 1 && sql[1] == '\'' && std::string_view("eEnNbBxX").find(c) != std::string_view::npos;
  if (prefixed) {
    const bool escapes = rules.backslash_escapes || c == 'e' || c == 'E';
    return {token_kind::text, 1 + quoted_bytes(sql.substr(1), escapes)};
  }
  const auto count = [&](const auto& is) {
    return static_cast<std::size_t>(std::find_if_not(sql.begin(), sql.end(), is) - sql.begin());
  };
  if (is_digit(c)) {
    return {token_kind::number, count([](char d) { return is_word_character(d) || d == '.'; })};
  }
  if (is_word_character(c)) {
    return {token_kind::word, count(is_word_character)};
  }
  return {token_kind::symbol, 1};
}

/// Functions of one value from many rows, of all products; what only one of them has does no harm here.
constexpr auto aggregates = std::to_array<std::string_view>({"any_value",
                                                             "approx_count_distinct",
                                                             "array_agg",
                                                             "avg",
                                                             "bit_and",
                                                             "bit_or",
                                                             "bit_xor",
                                                             "bool_and",
                                                             "bool_or",
                                                             "corr",
                                                             "count",
                                                             "covar_pop",
                                                             "covar_samp",
                                                             "every",
                                                             "group_concat",
                                                             "json_agg",
                                                             "json_agg_strict",
                                                             "json_arrayagg",
                                                             "json_group_array",
                                                             "json_group_object",
                                                             "json_object_agg",
                                                             "json_objectagg",
                                                             "jsonb_agg",
                                                             "jsonb_agg_strict",
                                                             "jsonb_object_agg",
                                                             "listagg",
                                                             "max",
                                                             "median",
                                                             "min",
                                                             "mode",
                                                             "percentile_cont",
                                                             "percentile_disc",
                                                             "range_agg",
                                                             "range_intersect_agg",
                                                             "regr_avgx",
                                                             "regr_avgy",
                                                             "regr_count",
                                                             "regr_intercept",
                                                             "regr_r2",
                                                             "regr_slope",
                                                             "regr_sxx",
                                                             "regr_sxy",
                                                             "regr_syy",
                                                             "std",
                                                             "stddev",
                                                             "stddev_pop",
                                                             "stddev_samp",
                                                             "string_agg",
                                                             "sum",
                                                             "total",
                                                             "var_pop",
                                                             "var_samp",
                                                             "variance",
                                                             "xmlagg"});

/// Tokens that stand in no subquery: brackets that begin with SELECT or WITH are left out.
std::vector<sql_token> outside_subqueries(std::string_view sql, const sql_rules& rules) {
  const std::vector<sql_token> all = tokens_of(sql, rules);
  std::vector<sql_token> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    kept.push_back(all[i]);
    const bool opens = all[i].kind == token_kind::symbol && all[i].text == "(" && i + 1 < all.size() &&
                       (is_word(all[i + 1], "SELECT") || is_word(all[i + 1], "WITH"));
    if (!opens) {
      continue;
    }
    const std::size_t depth = all[i].depth;
    while (i + 1 < all.size() && all[i + 1].depth > depth) {
      ++i;
    }
  }
  return kept;
}

bool opens_call(const std::vector<sql_token>& tokens, std::size_t at) {
  return at + 1 < tokens.size() && tokens[at + 1].kind == token_kind::symbol && tokens[at + 1].text == "(";
}

std::optional<std::string> aggregate_of(const std::vector<sql_token>& tokens, const sql_rules& rules) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if ((tokens[i].kind != token_kind::word && tokens[i].kind != token_kind::quoted_name) ||
        !opens_call(tokens, i)) {
      continue;
    }
    std::string name = lower(bare_name(tokens[i].text, rules));
    name.erase(0, name.find_first_not_of('@'));  // PostgreSQL's @ is an operator
    if (std::find(aggregates.begin(), aggregates.end(), name) != aggregates.end()) {
      return fmt::format("the aggregate {}", name);
    }
  }
  return std::nullopt;
}

/// Those of the expressions in which a name stands before a bracket.
std::vector<std::string> that_may_call(const std::vector<std::string>& expressions, const sql_rules& rules) {
  std::vector<std::string> found;
  for (const std::string& sql : expressions) {
    const std::vector<sql_token> tokens = tokens_of(sql, rules);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if ((tokens[i].kind == token_kind::word || tokens[i].kind == token_kind::quoted_name) &&
          opens_call(tokens, i)) {
        found.push_back(sql);
        break;
      }
    }
  }
  return found;
}

struct clause {
  std::string_view first, second;
  std::string_view shown;
};
constexpr auto clauses = std::to_array<clause>({{"OVER", "", "a window (OVER)"},
                                                {"DISTINCT", "", "DISTINCT"},
                                                {"GROUP", "BY", "GROUP BY"},
                                                {"HAVING", "", "HAVING"},
                                                {"ORDER", "BY", "ORDER BY"},
                                                {"LIMIT", "", "LIMIT"},
                                                {"OFFSET", "", "OFFSET"},
                                                {"FETCH", "FIRST", "FETCH FIRST"},
                                                {"FETCH", "NEXT", "FETCH NEXT"},
                                                {"UNION", "", "UNION"},
                                                {"INTERSECT", "", "INTERSECT"},
                                                {"EXCEPT", "", "EXCEPT"}});

/// Whether a name in a job may begin so; people write the quotes of their last product, too.
bool opens_name(char c, const sql_rules& rules) {
  return c == rules.name_quote || c == '"' || c == '`' || (c == '[' && rules.bracket_names);
}

bool is_name(const sql_token& token) {
  return token.kind == token_kind::word || token.kind == token_kind::quoted_name;
}

/// `'x'`, without a prefix such as `E`: what may name a column behind AS in MySQL and SQLite.
bool is_quoted_text(const sql_token& token) {
  return token.kind == token_kind::text && (token.text.front() == '\'' || token.text.front() == '"');
}

/// A name or text without its quotes, whatever they are.
std::string inside_quotes(std::string_view text) {
  const char quote = text.front();
  if (text.size() < 2 || std::string_view("\"'`[").find(quote) == std::string_view::npos) {
    return std::string(text);
  }
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    out += text[i];
    i += text[i] == quote ? 1 : 0;
  }
  return out;
}

}  // namespace

std::vector<sql_token> tokens_of(std::string_view sql, const sql_rules& rules) {
  std::vector<sql_token> tokens;
  std::size_t depth = 0;
  while (!sql.empty()) {
    std::size_t bytes = comment_bytes(sql, rules);
    if (bytes == 0 && is_blank(sql.front())) {
      bytes = 1;
    } else if (bytes == 0) {
      const found_token found = first_token(sql, rules);
      bytes = found.bytes;
      const bool symbol = found.kind == token_kind::symbol;
      if (symbol && sql.front() == ')' && depth != 0) {
        --depth;
      }
      tokens.push_back({found.kind, sql.substr(0, bytes), depth});
      if (symbol && sql.front() == '(') {
        ++depth;
      }
    }
    sql.remove_prefix(bytes);
  }
  return tokens;
}

std::vector<std::vector<sql_token>> statements_of(std::string_view sql, const sql_rules& rules) {
  std::vector<std::vector<sql_token>> statements;
  bool begun = false;
  for (const sql_token& token : tokens_of(sql, rules)) {
    if (token.kind == token_kind::symbol && token.text == ";") {
      begun = false;
      continue;
    }
    if (!begun) {
      statements.emplace_back();
      begun = true;
    }
    statements.back().push_back(token);
  }
  return statements;
}

std::string without_semicolons(std::string_view text, const sql_rules& rules) {
  constexpr std::string_view wide = "\xEF\xBC\x9B";  // U+FF1B, which a token of a word's characters ends in
  std::vector<sql_token> tokens = tokens_of(text, rules);
  for (; !tokens.empty(); tokens.pop_back()) {
    sql_token& last = tokens.back();
    const auto cut = [&](std::size_t bytes) {
      last.text.remove_suffix(bytes);
      text = text.substr(0, static_cast<std::size_t>(last.text.data() - text.data()) + last.text.size());
    };
    if (last.kind == token_kind::symbol && last.text == ";") {
      cut(1);
      continue;
    }
    while ((last.kind == token_kind::word || last.kind == token_kind::number) && last.text.ends_with(wide)) {
      cut(wide.size());
    }
    if (!last.text.empty()) {
      break;
    }
  }
  return std::string(trimmed(text));
}

bool is_word(const sql_token& token, std::string_view word) {
  return token.kind == token_kind::word && same_word(token.text, word);
}

bool begins_with_word(std::string_view sql, std::string_view word, const sql_rules& rules) {
  for (const sql_token& token : tokens_of(sql, rules)) {
    if (token.kind != token_kind::symbol || (token.text != "(" && token.text != ";")) {
      return is_word(token, word);
    }
  }
  return false;
}

std::optional<std::string> aggregate_in(std::string_view sql, const sql_rules& rules) {
  return aggregate_of(outside_subqueries(sql, rules), rules);
}

std::optional<std::string> aggregate_probe(const std::vector<std::string>& expressions, std::string_view from,
                                           const sql_rules& rules) {
  std::string list;
  for (const std::string& sql : that_may_call(expressions, rules)) {
    list += fmt::format("{}({}\n)", list.empty() ? "" : ", ", sql);
  }
  return list.empty() ? std::nullopt
                      : std::optional(fmt::format("SELECT {} FROM {} WHERE 1 = 0", list, from));
}

std::string probed_aggregate(const std::vector<std::string>& expressions, const sql_rules& rules) {
  return fmt::format("an aggregate in {}",
                     in_quotes(fmt::format("{}", fmt::join(that_may_call(expressions, rules), ", "))));
}

std::optional<std::string> what_forbids_splitting(std::string_view sql, const sql_rules& rules) {
  const std::vector<sql_token> tokens = outside_subqueries(sql, rules);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    for (const clause& c : clauses) {
      // `t.limit` is a column.
      const bool name = i != 0 && tokens[i - 1].text == ".";
      if (!name && is_word(tokens[i], c.first) &&
          (c.second.empty() || (i + 1 < tokens.size() && is_word(tokens[i + 1], c.second)))) {
        return std::string(c.shown);
      }
    }
  }
  for (std::size_t i = 0; rules.counts_rows && i < tokens.size(); ++i) {
    if (is_word(tokens[i], "ROWNUM") && (i == 0 || tokens[i - 1].text != ".") &&
        (rules.bare_rownum || opens_call(tokens, i))) {
      return "ROWNUM";
    }
  }
  const std::vector<sql_token> all = rules.counts_rows ? tokens_of(sql, rules) : std::vector<sql_token>();
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i - 1].text == ":" && all[i].text == "=") {
      return "a variable that is set (:=)";
    }
  }
  return aggregate_of(tokens, rules);
}

std::string quoted_name(std::string_view name, const sql_rules& rules) {
  std::string out(1, rules.name_quote);
  for (const char c : name) {
    out.append(c == rules.name_quote ? 2 : 1, c);
  }
  return out + rules.name_quote;
}

std::string bare_name(std::string_view text, const sql_rules& rules) {
  const std::string_view name = trimmed(text);
  if (name.size() < 2) {
    return std::string(name);
  }
  const char quote = name.front();
  const char end = quote == '[' ? ']' : quote;
  const bool quoted =
      opens_name(quote, rules) && quoted_bytes(name, false) == name.size() && name.back() == end;
  if (!quoted) {
    return std::string(name);
  }
  std::string out;
  for (std::size_t i = 1; i + 1 < name.size(); ++i) {
    out += name[i];
    i += name[i] == quote ? 1 : 0;
  }
  return out;
}

select_item select_item_of(std::string_view text, const sql_rules& rules,
                           const std::function<bool(std::string_view)>& is_column) {
  const std::vector<sql_token> tokens = tokens_of(text, rules);
  if (tokens.size() < 2 || tokens.back().depth != 0) {
    return {text, ""};
  }
  const sql_token& last = tokens.back();
  const sql_token& before = tokens[tokens.size() - 2];
  const auto until = [&](std::string_view end) {
    return trimmed(text.substr(0, static_cast<std::size_t>(end.data() - text.data())));
  };
  if (tokens.size() > 2 && is_word(before, "AS") && tokens[tokens.size() - 3].text != "." &&
      (is_name(last) || is_quoted_text(last))) {
    return {until(before.text), inside_quotes(last.text)};
  }
  // `b ISNULL` and `b NOTNULL` are conditions of PostgreSQL and SQLite.
  if (tokens.size() == 2 && is_name(before) && is_name(last) && !is_word(last, "ISNULL") &&
      !is_word(last, "NOTNULL") && is_column(before.text)) {
    return {until(last.text), inside_quotes(last.text)};
  }
  return {text, ""};
}

std::string_view may_be_alias(std::string_view text, const sql_rules& rules) {
  const std::vector<sql_token> tokens = tokens_of(text, rules);
  if (tokens.size() < 2 || tokens.back().depth != 0 || !is_name(tokens.back())) {
    return {};
  }
  const sql_token& before = tokens[tokens.size() - 2];
  return before.kind != token_kind::symbol || before.text == ")" ? tokens.back().text : std::string_view();
}

std::optional<std::vector<name_part>> name_parts(std::string_view text, const sql_rules& rules) {
  std::vector<name_part> parts;
  std::string_view rest = trimmed(text);
  while (!rest.empty()) {
    const char quote = rest.front();
    const bool quoted = opens_name(quote, rules);
    // A bare name reaches to the next point: odd characters in it are the server's to judge, once quoted.
    const std::size_t bytes = quoted ? quoted_bytes(rest, false) : std::min(rest.find('.'), rest.size());
    const std::string_view one = quoted ? rest.substr(0, bytes) : trimmed(rest.substr(0, bytes));
    if (one.empty() || (quoted && (bytes < 3 || one.back() != (quote == '[' ? ']' : quote)))) {
      return std::nullopt;
    }
    parts.push_back({quoted ? bare_name(one, rules) : std::string(one), quoted});
    rest = rest.substr(bytes);
    if (rest.empty()) {
      return parts;
    }
    if (rest.front() != '.') {
      return std::nullopt;
    }
    rest.remove_prefix(1);
  }
  return std::nullopt;  // empty, or a point at the end
}

namespace {

/// Parts at commas outside quotes.
std::vector<std::string_view> listed(std::string_view text, const sql_rules& rules) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == rules.name_quote || text[i] == '"' || text[i] == '`') {
      i += quoted_bytes(text.substr(i), false) - 1;
    } else if (text[i] == ',') {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

/// Adds what one name with at most one range means; false where the range is broken or too long.
bool expand(std::string_view text, const sql_rules& rules, std::size_t tables_max,
            std::vector<std::string>& to) {
  std::size_t open = 0;
  while (open < text.size() && text[open] != '[') {
    const bool quote = text[open] == rules.name_quote || text[open] == '"' || text[open] == '`';
    open += quote ? quoted_bytes(text.substr(open), false) : 1;
  }
  if (open >= text.size()) {
    to.emplace_back(text);
    return to.size() <= tables_max;
  }
  const std::size_t close = text.find(']', open);
  const std::size_t dash = text.find('-', open);
  if (close == std::string_view::npos || dash == std::string_view::npos || dash > close) {
    return false;
  }
  const std::string_view first = trimmed(text.substr(open + 1, dash - open - 1));
  const std::string_view last = trimmed(text.substr(dash + 1, close - dash - 1));
  std::uint32_t from = 0;
  std::uint32_t to_number = 0;
  const auto number = [](std::string_view digits, std::uint32_t& n) {
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    return !digits.empty() && wrong == std::errc() && end == digits.data() + digits.size();
  };
  if (!number(first, from) || !number(last, to_number)) {
    return false;
  }
  // Zeros before the number keep its width.
  std::size_t width = first.size() > 1 && first.front() == '0' ? first.size() : 0;
  if (from > to_number) {
    std::swap(from, to_number);
    width = last.size() > 1 && last.front() == '0' ? last.size() : width;
  }
  if (to_number - from >= tables_max) {
    return false;
  }
  for (std::uint64_t n = from; n <= to_number; ++n) {
    to.push_back(fmt::format("{}{:0{}}{}", text.substr(0, open), n, width, text.substr(close + 1)));
  }
  return to.size() <= tables_max;
}

}  // namespace

std::optional<std::vector<std::string>> tables_named_by(std::string_view text, const sql_rules& rules,
                                                        std::size_t tables_max) {
  std::vector<std::string> tables;
  for (const std::string_view one : listed(text, rules)) {
    const std::string_view name = trimmed(one);
    if (!name.empty() && !expand(name, rules, tables_max, tables)) {
      return std::nullopt;
    }
  }
  return tables;
}

}  // namespace sluice::relational
