#include "plugins/mysql/mysql_moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/mysql/mysql_options.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

constexpr auto zone_words =
    std::to_array<std::string_view>({"CONVERT_TZ", "UNIX_TIMESTAMP", "FROM_UNIXTIME", "UTC_TIMESTAMP"});
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
  const auto tokens = relational::tokens_of(sql, sql_rules());
  const bool has_zones = std::any_of(tokens.begin(), tokens.end(), [](const relational::sql_token& t) {
    return std::any_of(zone_words.begin(), zone_words.end(),
                       [&](std::string_view w) { return relational::is_word(t, w); });
  });
  return has_zones ? std::vector<std::string>()
                   : relational::columns_used(tokens, what, columns, sql_rules());
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
  for (const relational::named_table& table : relational::tables_in(query, sql_rules())) {
    SLUICE_TRY(
        const auto rows,
        ask_if_known(c,
                     fmt::format("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} "
                                 "AND TABLE_NAME = {} AND DATA_TYPE = 'timestamp' ORDER BY ORDINAL_POSITION",
                                 table.schema.empty() ? "DATABASE()" : c.literal(table.schema),
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
