#include "plugins/sqlite/sqlite_statement.h"

#include <algorithm>
#include <optional>

#include "plugins/sqlite/sqlite_table.h"

namespace sluice::sqlite {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

/// Bytes of the comment at the beginning; 0 where there is none.
std::size_t comment_bytes(std::string_view sql) {
  const std::string_view end = sql.starts_with("--") ? "\n" : sql.starts_with("/*") ? "*/" : "";
  if (end.empty()) {
    return 0;
  }
  const std::size_t at = sql.find(end, 2);
  return at == std::string_view::npos ? sql.size() : at + end.size();
}

/// Bytes of the token at the beginning, at least 1.
std::size_t token_bytes(std::string_view sql) {
  const char open = sql.front();
  if (open == '"' || open == '\'' || open == '`' || open == '[') {
    const char close = open == '[' ? ']' : open;
    std::size_t at = sql.find(close, 1);
    while (at != std::string_view::npos && close != ']' && at + 1 < sql.size() && sql[at + 1] == close) {
      at = sql.find(close, at + 2);
    }
    return at == std::string_view::npos ? sql.size() : at + 1;
  }
  const auto end = std::find_if_not(sql.begin(), sql.end(), is_word);
  return std::max<std::size_t>(1, static_cast<std::size_t>(end - sql.begin()));
}

/// Drops the words from the beginning of `tokens` where they are these.
bool take(std::vector<std::string>& tokens, std::initializer_list<std::string_view> words) {
  if (tokens.size() < words.size() || !std::equal(words.begin(), words.end(), tokens.begin(), same_name)) {
    return false;
  }
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(words.size()));
  return true;
}

/// The same for the name of this table, with or without its database.
bool take_table(std::vector<std::string>& tokens, std::string_view table) {
  const bool with_database =
      tokens.size() >= 3 && tokens[1] == "." && same_name(unquote_name(tokens[0]), "main");
  const std::size_t at = with_database ? 2 : 0;
  // `other.t` is a table of another database.
  if (tokens.size() <= at || !same_name(unquote_name(tokens[at]), table) ||
      (tokens.size() > at + 1 && tokens[at + 1] == ".")) {
    return false;
  }
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(at + 1));
  return true;
}

/// Of `ALTER TABLE … RENAME TO name`.
std::optional<std::string> new_name_of(const std::vector<std::string>& tokens) {
  const std::size_t n = tokens.size();
  if (n < 6 || !same_name(tokens[0], "ALTER") || !same_name(tokens[1], "TABLE") ||
      !same_name(tokens[n - 3], "RENAME") || !same_name(tokens[n - 2], "TO")) {
    return std::nullopt;
  }
  return unquote_name(tokens[n - 1]);
}

}  // namespace

std::vector<std::vector<std::string>> statements_of(std::string_view sql) {
  std::vector<std::vector<std::string>> statements;
  bool begun = false;
  while (!sql.empty()) {
    std::size_t bytes = comment_bytes(sql);
    if (bytes == 0) {
      bytes = token_bytes(sql);
      const std::string_view token = sql.substr(0, bytes);
      if (token == ";") {
        begun = false;
      } else if (token.find_first_not_of(" \t\r\n\f") != std::string_view::npos) {
        if (!begun) {
          statements.emplace_back();
          begun = true;
        }
        statements.back().emplace_back(token);
      }
    }
    sql.remove_prefix(bytes);
  }
  return statements;
}

bool empties_table(std::string_view sql, std::string_view table) {
  for (std::vector<std::string>& tokens : statements_of(sql)) {
    if (take(tokens, {"DELETE", "FROM"}) && take_table(tokens, table) && tokens.empty()) {
      return true;
    }
  }
  return drops_table(sql, table);
}

bool makes_table(std::string_view sql, std::string_view table) {
  for (std::vector<std::string>& tokens : statements_of(sql)) {
    if (take(tokens, {"CREATE", "TABLE"})) {
      take(tokens, {"IF", "NOT", "EXISTS"});
      if (take_table(tokens, table)) {
        return true;
      }
    } else if (new_name_of(tokens) && same_name(*new_name_of(tokens), table)) {
      return true;
    }
  }
  return false;
}

bool drops_table(std::string_view sql, std::string_view table) {
  for (std::vector<std::string>& tokens : statements_of(sql)) {
    const bool renamed = new_name_of(tokens).has_value();
    if (renamed && take(tokens, {"ALTER", "TABLE"}) && take_table(tokens, table)) {
      return true;
    }
    if (take(tokens, {"DROP", "TABLE"})) {
      take(tokens, {"IF", "EXISTS"});
      if (take_table(tokens, table) && tokens.empty()) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace sluice::sqlite
