#include "plugins/postgresql/postgresql_moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "jobspec/words.h"
#include "plugins/postgresql/postgresql_options.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using relational::is_word;
using relational::sql_token;
using relational::token_kind;

constexpr std::uint32_t timestamptz_oid = 1184;
/// What makes days, texts and wall clock times of instants, or the other way round, by the session's zone.
constexpr auto by_the_zone = std::to_array<std::string_view>(
    {"AGE", "CURRENT_DATE", "DATE", "DATE_PART", "DATE_TRUNC", "EXTRACT", "LOCALTIME", "LOCALTIMESTAMP",
     "MAKE_TIMESTAMPTZ", "TIME", "TIMESTAMP", "TO_CHAR", "TO_DATE", "TO_TIMESTAMP"});
constexpr auto day_words = std::to_array<std::string_view>({"today", "tomorrow", "yesterday"});
/// Midnight UTC on 1 January and 1 July 2026: two zones that agree there are taken for one.
constexpr std::int64_t winter_seconds = 1'767'225'600;
constexpr std::int64_t summer_seconds = 1'782'864'000;

/// Without its quotes: `'x'`, `E'x'`, `$$x$$`.
std::string_view inside(std::string_view text) {
  const char quote = text.starts_with('$') ? '$' : '\'';
  const std::size_t first = quote == '$' ? text.find('$', 1) : text.find('\'');
  if (first == std::string_view::npos) {
    return text;
  }
  text.remove_prefix(first + 1);
  return text.substr(0, text.find(quote));
}

bool names_a_zone(const std::vector<sql_token>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (is_word(tokens[i], "TIMEZONE") || (i >= 2 && is_word(tokens[i], "ZONE") &&
                                           is_word(tokens[i - 1], "TIME") && is_word(tokens[i - 2], "AT"))) {
      return true;
    }
  }
  return false;
}

/// Seconds since 1970 of an instant are the same everywhere.
bool is_of_epoch(const std::vector<sql_token>& tokens, std::size_t at) {
  return at + 2 < tokens.size() && is_word(tokens[at], "EXTRACT") && is_word(tokens[at + 2], "EPOCH");
}

bool goes_by_the_zone(const std::vector<sql_token>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const sql_token& token = tokens[i];
    const std::string_view text = token.kind == token_kind::text ? inside(token.text) : std::string_view();
    const bool found =
        token.kind == token_kind::text
            ? relational::is_time_without_zone(text) ||
                  std::any_of(day_words.begin(), day_words.end(),
                              [&](std::string_view w) { return same_word(w, trimmed(text)); })
            : !is_of_epoch(tokens, i) && std::any_of(by_the_zone.begin(), by_the_zone.end(),
                                                     [&](std::string_view w) { return is_word(token, w); });
    if (found) {
      return true;
    }
  }
  return false;
}

/// The zone of a session.
struct session_zone {
  std::string name;
  std::string source;                   ///< As pg_settings has it.
  std::int64_t winter = 0, summer = 0;  ///< Seconds east of UTC.
};

/// Nothing where the server does not tell: only a remark depends on it.
result<std::optional<session_zone>> zone_of(connection& c) {
  const auto rows = c.ask(fmt::format(
      "SELECT s.setting, s.source, pg_catalog.date_part('timezone', pg_catalog.to_timestamp({}))::int, "
      "pg_catalog.date_part('timezone', pg_catalog.to_timestamp({}))::int FROM pg_catalog.pg_settings s "
      "WHERE "
      "s.name = 'TimeZone'",
      winter_seconds, summer_seconds));
  if (!rows) {
    return c.is_lost() || rows.error().kind == error_kind::cancelled
               ? result<std::optional<session_zone>>(fail(rows.error()))
               : std::optional<session_zone>();
  }
  if (rows->empty()) {
    return std::optional<session_zone>();
  }
  const relational::sql_row& row = rows->front();
  const auto seconds = [&](std::size_t at) {
    return std::strtoll(row.at(at).value_or("0").c_str(), nullptr, 10);
  };
  return std::optional(session_zone{row.at(0).value_or(""), row.at(1).value_or(""), seconds(2), seconds(3)});
}

std::string_view origin_of(std::string_view source) {
  return source == "session" || source == "client"       ? "as the job sets it"
         : source == "user" || source == "database user" ? "the account's own"
         : source == "database"                          ? "the database's own"
                                                         : "the server's own";
}

bool is_same(const session_zone& of_session, const time_zone& run_zone) {
  return run_zone.to_wall(winter_seconds) - winter_seconds == of_session.winter &&
         run_zone.to_wall(summer_seconds) - summer_seconds == of_session.summer;
}

}  // namespace

std::vector<std::string> moments_in(std::string_view sql, moment_text what,
                                    const std::vector<std::string>& columns) {
  const auto tokens = relational::tokens_of(sql, sql_rules());
  if (names_a_zone(tokens) || !goes_by_the_zone(tokens)) {
    return {};
  }
  return relational::columns_used(tokens, what, columns, sql_rules());
}

std::vector<std::string> moments_of(const table_info& table) {
  std::vector<std::string> out;
  for (const table_column& column : table.columns) {
    if (column.type.oid == timestamptz_oid) {
      out.push_back(column.name);
    }
  }
  return out;
}

result<moment_remark> remark_on_moments(connection& c, std::string_view sql, moment_text what,
                                        const std::vector<std::string>& columns, const time_zone* run_zone) {
  const std::vector<std::string> used = moments_in(sql, what, columns);
  if (used.empty()) {
    return moment_remark{};
  }
  SLUICE_TRY(const auto zone, zone_of(c));
  if (!zone) {
    return moment_remark{};
  }
  std::string names;
  for (const std::string& name : used) {
    names += (names.empty() ? "" : ", ") + in_quotes(name);
  }
  const std::string_view origin = origin_of(zone->source);
  moment_remark out;
  out.text = fmt::format(
      "it compares or computes with {}, timestamptz: times without an offset, and days, are those of the "
      "session's zone {}, {}",
      names, zone->name, origin);
  out.warning = origin != origin_of("session") && run_zone != nullptr && !is_same(*zone, *run_zone);
  if (out.warning) {
    out.text += fmt::format(
        ", and not of the run's, {}. Write times with their offset, such as '2024-07-01 00:00:00+08', or set "
        "the zone with \"session\": [\"SET TIME ZONE 'Asia/Shanghai'\"]; DataX's sessions have the zone of "
        "the machine that it runs on",
        run_zone->name());
  }
  return out;
}

result<moment_remark> remark_on_moments_of_query(connection& c, std::string_view query,
                                                 const time_zone* run_zone) {
  std::vector<std::string> columns;
  for (const relational::named_table& table : relational::tables_in(query, sql_rules())) {
    const std::string schema = table.schema.empty() ? "" : quote_name(table.schema) + ".";
    const auto rows = c.ask(
        "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = coalesce(pg_catalog.to_regclass($1), "
        "pg_catalog.to_regclass($2)) AND atttypid = 1184 AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        {lower(schema + quote_name(table.table)), schema + quote_name(table.table)});
    if (!rows && (c.is_lost() || rows.error().kind == error_kind::cancelled)) {
      return fail(rows.error());
    }
    for (const relational::sql_row& row : rows ? *rows : std::vector<relational::sql_row>()) {
      if (std::find(columns.begin(), columns.end(), row.at(0).value_or("")) == columns.end()) {
        columns.push_back(row.at(0).value_or(""));
      }
    }
  }
  return remark_on_moments(c, query, moment_text::list, columns, run_zone);
}

}  // namespace sluice::postgresql
