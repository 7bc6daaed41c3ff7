#include "plugins/mysql/mysql_moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/mysql/mysql_options.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

using relational::sql_token;
using relational::token_kind;

constexpr auto zone_words =
    std::to_array<std::string_view>({"CONVERT_TZ", "UNIX_TIMESTAMP", "FROM_UNIXTIME", "UTC_TIMESTAMP"});
constexpr auto before_an_item = std::to_array<std::string_view>({"SELECT", "DISTINCT", "ALL", "BY"});
constexpr auto behind_an_item = std::to_array<std::string_view>(
    {"FROM", "AS", "ASC", "DESC", "LIMIT", "UNION", "HAVING", "WHERE", "ORDER", "GROUP"});
constexpr auto behind_tables =
    std::to_array<std::string_view>({"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "SELECT"});
constexpr std::size_t tables_max = 32;

template <class Words>
bool is_any(const sql_token& token, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return relational::is_word(token, w); });
}

bool is_symbol(const sql_token& token, std::string_view symbol) {
  return token.kind == token_kind::symbol && token.text == symbol;
}

bool is_name(const sql_token& token) {
  return token.kind == token_kind::word || token.kind == token_kind::quoted_name;
}

std::string name_of(const sql_token& token) {
  return relational::bare_name(token.text, sql_rules());
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

/// `+08:00`; nothing where the zone has a name.
std::optional<std::string> offset_of(std::string_view zone) {
  const bool is_offset = zone.size() == 6 && (zone[0] == '+' || zone[0] == '-');
  return is_offset ? std::optional<std::string>(zone) : std::nullopt;
}

/// Of what only a warning depends on: a product that lacks it answers with no rows.
result<std::vector<relational::sql_row>> ask_if_known(connection& c, const std::string& sql,
                                                      const stop_signal& stop) {
  auto rows = c.ask(sql, stop);
  if (!rows && !is_lost(rows.error()) && !stop.fired()) {
    return std::vector<relational::sql_row>();
  }
  return rows;
}

/// The server's own zone; nothing where it is UTC, or not known.
result<std::optional<std::string>> own_zone(connection& c, const stop_signal& stop) {
  SLUICE_TRY(const auto rows, ask_if_known(c, "SELECT @@global.time_zone, @@system_time_zone", stop));
  if (rows.empty()) {
    return std::optional<std::string>();
  }
  std::string zone = rows.at(0).at(0).value_or("");
  zone = zone == "SYSTEM" ? rows[0].at(1).value_or("") : zone;
  constexpr auto utc = std::to_array<std::string_view>({"+00:00", "-00:00", "UTC", "Etc/UTC", "GMT"});
  const bool is_utc =
      std::any_of(utc.begin(), utc.end(), [&](std::string_view u) { return same_name(u, zone); });
  return is_utc ? std::optional<std::string>() : std::optional(std::move(zone));
}

}  // namespace

std::vector<std::string> moments_in(std::string_view sql, moment_text what,
                                    const std::vector<std::string>& columns) {
  const std::vector<sql_token> tokens = relational::tokens_of(sql, sql_rules());
  if (std::any_of(tokens.begin(), tokens.end(), [](const sql_token& t) { return is_any(t, zone_words); })) {
    return {};
  }
  std::vector<bool> used(columns.size(), false);
  std::vector<bool> selects = {true};  // by depth: what is in these brackets is a SELECT
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const sql_token& token = tokens[i];
    const bool ends = i + 1 == tokens.size();
    selects.resize(token.depth + 1, false);
    if (is_symbol(token, "(")) {
      selects.push_back(!ends &&
                        (relational::is_word(tokens[i + 1], "SELECT") || is_symbol(tokens[i + 1], "(")));
    }
    if (!is_name(token) || (!ends && (is_symbol(tokens[i + 1], "(") || is_symbol(tokens[i + 1], ".")))) {
      continue;  // a function, or what qualifies a name
    }
    if (what == moment_text::list && is_bare_item(tokens, i, selects[token.depth])) {
      continue;
    }
    const std::string name = name_of(token);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      used[c] = used[c] || same_name(columns[c], name);
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

std::vector<table_name> tables_in(std::string_view query) {
  const std::vector<sql_token> tokens = relational::tokens_of(query, sql_rules());
  std::vector<table_name> out;
  std::vector<bool> in_from = {false};  // by depth
  bool expected = false;
  for (std::size_t i = 0; i < tokens.size() && out.size() < tables_max; ++i) {
    const sql_token& token = tokens[i];
    in_from.resize(token.depth + 1, expected);
    if (relational::is_word(token, "FROM") || relational::is_word(token, "JOIN")) {
      in_from[token.depth] = expected = true;
    } else if (is_any(token, behind_tables)) {
      in_from[token.depth] = expected = false;
    } else if (is_symbol(token, ",")) {
      expected = in_from[token.depth];
    } else if (expected && is_name(token)) {
      table_name table{"", name_of(token)};
      if (i + 2 < tokens.size() && is_symbol(tokens[i + 1], ".") && is_name(tokens[i + 2])) {
        table = {table.table, name_of(tokens[i + 2])};
        i += 2;
      }
      const bool there = std::any_of(out.begin(), out.end(), [&](const table_name& t) {
        return t.database == table.database && t.table == table.table;
      });
      if (!there) {
        out.push_back(std::move(table));
      }
      expected = false;
    }
  }
  return out;
}

std::vector<std::string> moments_of(const table_info& table) {
  std::vector<std::string> out;
  for (const table_column& column : table.columns) {
    if (column.kind.holds == held_as::instant) {
      out.push_back(column.name);
    }
  }
  return out;
}

result<std::vector<std::string>> moment_warnings(connection& c, std::string_view sql, moment_text what,
                                                 const std::vector<std::string>& columns,
                                                 const stop_signal& stop) {
  const std::vector<std::string> used = moments_in(sql, what, columns);
  if (used.empty()) {
    return std::vector<std::string>();
  }
  SLUICE_TRY(const auto zone, own_zone(c, stop));
  if (!zone) {
    return std::vector<std::string>();
  }
  std::string names;
  for (const std::string& name : used) {
    names += (names.empty() ? "" : ", ") + in_quotes(name);
  }
  const std::string offset = offset_of(*zone).value_or("+08:00");
  return std::vector<std::string>{fmt::format(
      "it computes with {}, TIMESTAMP, whose times and days are those of UTC here, and of the server's own "
      "zone "
      "({}) to its other clients, DataX too. Write times in UTC, such as CONVERT_TZ('2024-07-01 00:00:00', "
      "'{}', '+00:00'), and days as DATE(CONVERT_TZ({}, '+00:00', '{}')); a time with its offset "
      "('2024-07-01 00:00:00{}') only MySQL from 8.0.19 on understands",
      names, *zone, offset, quote_name(used.front()), offset, offset)};
}

result<std::vector<std::string>> moment_warnings_of_query(connection& c, std::string_view query,
                                                          const stop_signal& stop) {
  std::vector<std::string> columns;
  for (const table_name& table : tables_in(query)) {
    SLUICE_TRY(
        const auto rows,
        ask_if_known(c,
                     fmt::format("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} "
                                 "AND TABLE_NAME = {} AND DATA_TYPE = 'timestamp' ORDER BY ORDINAL_POSITION",
                                 table.database.empty() ? "DATABASE()" : c.literal(table.database),
                                 c.literal(table.table)),
                     stop));
    for (const relational::sql_row& row : rows) {
      const std::string name = row.at(0).value_or("");
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
        columns.push_back(name);
      }
    }
  }
  return moment_warnings(c, query, moment_text::list, columns, stop);
}

}  // namespace sluice::mysql
