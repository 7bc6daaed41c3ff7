#include "plugins/mysql/mysql_sums.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/relational/sql_sums.h"
#include "plugins/mysql/mysql_session_sql.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

/// Sets of which a text's own bytes are UTF-8.
bool is_utf8(const std::string& charset) {
  return charset == "utf8mb4" || charset == "utf8mb3" || charset == "utf8";
}

/// Sets of which each text has its equal in Unicode, and which the server converts without a question mark.
bool converts(const std::string& charset) {
  static constexpr std::string_view sets[] = {"latin1", "ucs2", "utf16", "utf16le", "utf32"};
  return std::find(std::begin(sets), std::end(sets), charset) != std::end(sets);
}

/// UUID and INET6 have no set.
bool has_text(const std::string& charset) {
  return charset.empty() || is_utf8(charset) || converts(charset);
}

/// Its bytes in UTF-8.
std::string utf8_bytes(const std::string& sql, const std::string& charset) {
  if (is_utf8(charset)) {
    return fmt::format("CAST({} AS BINARY)", sql);
  }
  return charset.empty() ? fmt::format("CAST(CAST({} AS CHAR CHARACTER SET utf8mb4) AS BINARY)", sql)
                         : fmt::format("CAST(CONVERT({} USING utf8mb4) AS BINARY)", sql);
}

std::string length_and(const std::string& bytes) {
  return fmt::format("CONCAT(LENGTH({0}), ':', {0})", bytes);
}

/// `zeros` behind the seconds up to six digits.
std::string with_micros(const std::string& sql, unsigned digits) {
  constexpr unsigned all = 6;
  const std::string text = fmt::format("CAST({} AS CHAR)", sql);
  return digits >= all ? text
                       : fmt::format("CONCAT({}, '{}{}')", text, digits == 0 ? "." : "",
                                     std::string(all - digits, '0'));
}

/// A day of zeros is none that is read.
std::string if_day(const std::string& sql, const std::string& written) {
  return fmt::format("IF(MONTH({0}) = 0 OR DAYOFMONTH({0}) = 0, NULL, {1})", sql, written);
}

std::string number(const std::string& sql, const column_kind& kind) {
  if (kind.holds == held_as::bits || kind.holds == held_as::year) {
    return fmt::format("CAST({} + 0 AS CHAR)", sql);
  }
  const std::string text = fmt::format("CAST({} AS CHAR)", sql);
  return kind.holds == held_as::decimal && kind.scale > 0
             ? fmt::format("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {}))", text)
             : text;
}

std::string value_sql(const std::string& sql, sql_form form, const column_kind& kind,
                      const std::string& charset) {
  switch (form) {
    case sql_form::number:
      return number(sql, kind);
    case sql_form::text:
      // Of CHAR the blanks are no part of what is read.
      return length_and(
          utf8_bytes(kind.drops_blanks ? fmt::format("TRIM(TRAILING ' ' FROM {})", sql) : sql, charset));
    case sql_form::unpadded_text:
      return length_and(utf8_bytes(fmt::format("TRIM(TRAILING ' ' FROM {})", sql), charset));
    case sql_form::bytes:
      return fmt::format("CONCAT('x', LOWER(HEX({})))", sql);
    case sql_form::date:
      return if_day(sql, fmt::format("CAST({} AS CHAR)", sql));
    case sql_form::time:
      return with_micros(sql, kind.scale);
    case sql_form::timestamp:
    case sql_form::instant:
      return if_day(sql, with_micros(sql, kind.scale));
    case sql_form::float_bits:
      break;
  }
  return "NULL";
}

std::string where_sql(const read_part& part) {
  return part.where.empty() ? "" : " WHERE " + part.where;
}

/// In which of the ranges a record is: the number of bounds that are not greater than its value, -1 of NULL.
std::string range_number(const std::string& column, const std::vector<key_range>& ranges) {
  const std::vector<int128> bounds = relational::bounds_of(ranges);
  return bounds.empty() ? fmt::format("IF({} IS NULL, -1, 0)", column)
                        : fmt::format("INTERVAL({}, {})", column, relational::bounds_text(bounds));
}

/// Asks of the table, and whether it is still that which `open` has found.
result<std::vector<relational::sql_row>> ask_of(connection& c, const read_part& part, const std::string& sql,
                                                const stop_signal& stop) {
  SLUICE_TRY(auto found, c.ask(sql, stop));
  if (!part.state.altered.empty()) {
    SLUICE_TRY(const table_state now,
               state_of(c, part.database, part.table_bare, !part.state.storage.empty(), stop));
    if (const std::string_view what = what_changed(part.state, now); !what.empty() || now.altered.empty()) {
      return fail(error_kind::source_changed, "{}: {} {} meanwhile", c.place(), part.name,
                  what.empty() ? "is gone" : what);
    }
  }
  return found;
}

/// `at`: where the time zone stands in what was found.
result<void> check_session(const connection& c, const relational::sql_row& row, std::size_t at) {
  if (row.at(at) != "+00:00" || row.at(at + 1) != "0") {
    return fail(error_kind::not_supported,
                "{}: the session has the time zone {}{}; expected +00:00 and no sql_mode ORACLE", c.place(),
                in_quotes(row.at(at).value_or("")), row.at(at + 1) == "0" ? "" : " and the sql_mode ORACLE");
  }
  return {};
}

}  // namespace

std::vector<sql_form> sql_forms_of(const column_kind& kind, const std::string& charset) {
  const auto named = [&](std::string_view part) { return kind.name.find(part) != std::string::npos; };
  switch (kind.holds) {
    case held_as::integer:
    case held_as::decimal:
      return named("zerofill") ? std::vector<sql_form>() : std::vector{sql_form::number};
    case held_as::year:
    case held_as::bits:
      return {sql_form::number};
    case held_as::text:
    case held_as::members:
      // The text of MySQL's JSON is another one than that which is read.
      if (kind.rewrites_json || !has_text(charset)) {
        return {};
      }
      return {sql_form::text, sql_form::unpadded_text};
    case held_as::bytes:
      return named("binary") || named("blob") ? std::vector{sql_form::bytes} : std::vector<sql_form>();
    case held_as::date:
      return {sql_form::date};
    case held_as::duration:
      return {sql_form::time};
    case held_as::timestamp:
      return {sql_form::timestamp};
    case held_as::instant:
      return {sql_form::instant};
    case held_as::real:  // no function tells its bits, and its text is rounded
      return {};
  }
  return {};
}

std::string field_sql(const std::string& sql, sql_form form, const column_kind& kind,
                      const std::string& charset) {
  return fmt::format("IF({} IS NULL, '{}', {})", sql, relational::sql_null,
                     value_sql(sql, form, kind, charset));
}

bool has_ranges(const column_kind& kind) {
  return kind.holds == held_as::integer || kind.holds == held_as::decimal;
}

std::string sums_sql(const read_plan& plan, const read_part& part, const std::vector<summed_column>& columns,
                     const ranges_of_column* by) {
  std::string record = "_binary ''";
  for (const summed_column& c : columns) {
    const own_column& own = *part.own_columns[c.column];
    record += fmt::format(", {}, ','", field_sql(own.sql, c.form, plan.kinds[c.column], own.charset));
  }
  const std::string hash = fmt::format("MD5(CONCAT({}))", record);
  const auto half = [&](std::string_view side) {
    return fmt::format("SUM(CAST(CONV({}({}, 16), 16, 10) AS UNSIGNED))", side, hash);
  };
  std::string where = where_sql(part);
  std::string of_range;
  std::string each_range;
  if (by != nullptr) {
    const std::string& column = part.own_columns[by->column]->sql;
    of_range = fmt::format("{0}, MIN({1}), MAX({1}), ", range_number(column, by->ranges), column);
    // By its place: a name might be that of a column.
    each_range = fmt::format(" GROUP BY {} ORDER BY NULL", relational::range_place + 1);
    if (const std::string chosen = relational::condition_sql(column, by->ranges); !chosen.empty()) {
      where += fmt::format("{} ({})", where.empty() ? " WHERE" : " AND", chosen);
    }
  }
  return fmt::format(
      "SELECT {} COUNT(*), COUNT({}), {}, {}, {}@@time_zone, FIND_IN_SET('ORACLE', @@sql_mode) FROM {}{}{}",
      statement_comment(plan.name, part.name), hash, half("LEFT"), half("RIGHT"), of_range, part.table, where,
      each_range);
}

result<database_sums> sum_part(connection& c, const read_plan& plan, const read_part& part,
                               const std::vector<summed_column>& columns, const stop_signal& stop) {
  SLUICE_TRY(const auto found, ask_of(c, part, sums_sql(plan, part, columns), stop));
  constexpr std::size_t behind_sums = 4;
  SLUICE_CHECK(check_session(c, found.at(0), behind_sums));
  return relational::sums_of(found.at(0), c.place());
}

result<std::vector<range_sums>> sum_ranges_of(connection& c, const read_plan& plan, const read_part& part,
                                              const std::vector<summed_column>& columns,
                                              const ranges_of_column& by, const stop_signal& stop) {
  SLUICE_TRY(const auto found, ask_of(c, part, sums_sql(plan, part, columns, &by), stop));
  for (const relational::sql_row& row : found) {
    SLUICE_CHECK(check_session(c, row, relational::greatest_place + 1));
  }
  return relational::sums_of_ranges(found, by.ranges, c.place());
}

result<key_span> span_of_part(connection& c, const read_plan& plan, const read_part& part, std::size_t column,
                              const stop_signal& stop) {
  const std::string sql =
      fmt::format("SELECT {0} MIN({1}), MAX({1}) FROM {2}{3}", statement_comment(plan.name, part.name),
                  part.own_columns[column]->sql, part.table, where_sql(part));
  SLUICE_TRY(const auto found, ask_of(c, part, sql, stop));
  return relational::span_of(found.at(0).at(0), found.at(0).at(1));
}

}  // namespace sluice::mysql
