#include "plugins/postgresql/postgresql_sums.h"

#include <fmt/format.h>

#include <limits>

#include "plugins/common/relational/sql_sums.h"
#include "plugins/postgresql/postgresql_catalogue.h"

namespace sluice::postgresql {
namespace {

std::string length_and(const std::string& text) {
  return fmt::format("pg_catalog.octet_length({0})::text || ':' || {0}", text);
}

/// `to_char` has no years before Christ and no infinity: beyond the years of four digits the bits are
/// written, in which there is no text of the others.
std::string moment(const std::string& value, const std::string& written, std::string_view pattern,
                   std::string_view type, std::string_view send) {
  // A batch has no microsecond of a later year, so that such a record is none that is read.
  const std::string none =
      type == "date" ? "" : fmt::format("WHEN {0} < 'infinity'::{1} THEN NULL ", value, type);
  return fmt::format(
      "CASE WHEN {0} >= '0001-01-01 00:00:00+00'::{1} AND {0} < '10000-01-01 00:00:00+00'::{1} THEN "
      "pg_catalog.to_char({2}, '{3}') WHEN {0} < '0001-01-01 00:00:00+00'::{1} THEN "
      "pg_catalog.encode(pg_catalog.{4}({0}), 'hex') {5}ELSE pg_catalog.encode(pg_catalog.{4}({0}), 'hex') "
      "END",
      value, type, written, pattern, send, none);
}

std::string number(const std::string& sql, const column_type& kind) {
  const std::string text = sql + "::text";
  if (kind.form == wire_form::boolean) {
    return fmt::format("CASE WHEN {} THEN '1' ELSE '0' END", sql);
  }
  if (kind.form != wire_form::numeric) {
    return text;
  }
  const std::string shortened = fmt::format(
      "CASE WHEN pg_catalog.strpos({0}, '.') > 0 THEN pg_catalog.rtrim(pg_catalog.rtrim({0}, "
      "'0'), '.') ELSE {0} END",
      text);
  // A decimal of a batch has no NaN.
  return kind.type.id == type_id::decimal ? fmt::format("NULLIF({}, 'NaN')", shortened) : shortened;
}

std::string value_sql(const std::string& sql, sql_form form, const column_type& kind) {
  constexpr std::string_view seconds = "HH24:MI:SS.US";
  const std::string pattern = fmt::format("YYYY-MM-DD {}", seconds);
  switch (form) {
    case sql_form::number:
      return number(sql, kind);
    case sql_form::text:
      return length_and(sql + "::text");
    case sql_form::unpadded_text:
      return length_and(fmt::format("pg_catalog.rtrim({}::text, ' ')", sql));
    case sql_form::bytes:
      return fmt::format("'x' || pg_catalog.encode({}, 'hex')", sql);
    case sql_form::float_bits:
      return fmt::format("pg_catalog.encode(pg_catalog.float8send({}::float8), 'hex')", sql);
    case sql_form::date:
      return moment(sql, sql + "::timestamp", "YYYY-MM-DD", "date", "date_send");
    case sql_form::time:
      return fmt::format("pg_catalog.to_char({}::interval, '{}')", sql, seconds);
    case sql_form::timestamp:
      return moment(sql, sql, pattern, "timestamp", "timestamp_send");
    case sql_form::instant:
      return moment(sql, fmt::format("({} AT TIME ZONE 'UTC')", sql), pattern, "timestamptz",
                    "timestamptz_send");
  }
  return "NULL";
}

std::string where_sql(const read_plan& plan) {
  return plan.where.empty() ? "" : fmt::format(" WHERE ({}\n)", plan.where);
}

/// In which of the ranges a record is: the number of bounds that are not greater than its value, NULL of
/// NULL.
std::string range_number(const std::string& column, const column_type& kind,
                         const std::vector<key_range>& ranges) {
  const std::vector<int128> bounds = relational::bounds_of(ranges);
  if (bounds.empty()) {
    return fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE 0 END", column);
  }
  const bool within_64 = bounds.front() >= std::numeric_limits<std::int64_t>::min() &&
                         bounds.back() <= std::numeric_limits<std::int64_t>::max();
  return fmt::format("pg_catalog.width_bucket({0}::{2}, ARRAY[{1}]::{2}[])", column,
                     relational::bounds_text(bounds),
                     kind.form == wire_form::numeric || !within_64 ? "numeric" : "bigint");
}

/// Asks of the table, and whether it is still that which `open` has found.
result<std::vector<relational::sql_row>> ask_of(connection& c, const relation_plan& relation,
                                                const std::string& sql) {
  if (!c.in_transaction()) {
    SLUICE_CHECK(c.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  }
  SLUICE_TRY(auto found, c.ask(sql));
  // The statement's lock keeps the table as it is.
  SLUICE_TRY(const auto described, c.describe(relation.described_sql));
  SLUICE_TRY(const std::string storage, relation.storage.empty()
                                            ? result<std::string>(std::string())
                                            : storage_of(c, fmt::to_string(relation.oid), relation.from));
  if (described != relation.described || storage != relation.storage) {
    return fail(error_kind::source_changed, "{}: {} was altered or emptied meanwhile", c.place(),
                relation.shown);
  }
  return found;
}

}  // namespace

std::vector<sql_form> sql_forms_of(const column_type& kind, const server_type& type) {
  constexpr std::uint32_t oid_character = 1042;
  constexpr std::uint32_t oid_timestamptz = 1184;
  switch (kind.form) {
    case wire_form::boolean:
    case wire_form::int2:
    case wire_form::int4:
    case wire_form::int8:
    case wire_form::oid:
    case wire_form::numeric:
      return {sql_form::number};
    case wire_form::float4:
    case wire_form::float8:
      return {sql_form::float_bits};
    case wire_form::text:
      // The cast to text cuts the blanks off, of which a reader gives all.
      if (type.oid == oid_character) {
        return {sql_form::unpadded_text};
      }
      return {sql_form::text, sql_form::unpadded_text};
    case wire_form::jsonb:
    case wire_form::uuid:
      return {sql_form::text, sql_form::unpadded_text};
    case wire_form::bytes:
      return {sql_form::bytes};
    case wire_form::date:
      return {sql_form::date};
    case wire_form::time:
      return {sql_form::time};
    case wire_form::timestamp:
      return {type.oid == oid_timestamptz ? sql_form::instant : sql_form::timestamp};
    case wire_form::money:    // as its session's currency writes it
    case wire_form::as_text:  // much of it depends on what a session has set
      return {};
  }
  return {};
}

std::string field_sql(const std::string& sql, sql_form form, const column_type& kind) {
  return fmt::format("CASE WHEN {} IS NULL THEN '{}' ELSE {} END || ','", sql, relational::sql_null,
                     value_sql(sql, form, kind));
}

bool has_ranges(const column_type& kind) {
  return kind.form == wire_form::int2 || kind.form == wire_form::int4 || kind.form == wire_form::int8 ||
         kind.form == wire_form::numeric;
}

std::string sums_sql(const read_plan& plan, const relation_plan& relation,
                     const std::vector<summed_column>& columns, const ranges_of_column* by) {
  std::string record = "''";
  for (const summed_column& c : columns) {
    record += " || " + field_sql(relation.own_columns[c.column], c.form, plan.kinds[c.column]);
  }
  std::string where = where_sql(plan);
  std::string range;       // of a record, and its value
  std::string of_range;    // of a group
  std::string each_range;  // the groups
  if (by != nullptr) {
    const std::string& column = relation.own_columns[by->column];
    range =
        fmt::format(", {} AS r, {} AS k", range_number(column, plan.kinds[by->column], by->ranges), column);
    of_range = ", r, pg_catalog.min(k)::text, pg_catalog.max(k)::text";
    each_range = " GROUP BY r";
    if (const std::string chosen = relational::condition_sql(column, by->ranges); !chosen.empty()) {
      where += fmt::format("{} ({})", where.empty() ? " WHERE" : " AND", chosen);
    }
  }
  // OFFSET keeps the hash from being computed once for each sum.
  return fmt::format(
      "SELECT pg_catalog.count(*), pg_catalog.count(h), "
      "pg_catalog.sum(('x' || pg_catalog.substr(h, 1, 16))::bit(64)::bigint), "
      "pg_catalog.sum(('x' || pg_catalog.substr(h, 17, 16))::bit(64)::bigint){} "
      "FROM (SELECT pg_catalog.md5({}) AS h{} FROM {}{} OFFSET 0) AS sluice_records{}",
      of_range, record, range, relation.from, where, each_range);
}

result<database_sums> sum_relation(connection& c, const read_plan& plan, const relation_plan& relation,
                                   const std::vector<summed_column>& columns) {
  SLUICE_TRY(const auto found, ask_of(c, relation, sums_sql(plan, relation, columns)));
  return relational::sums_of(found.at(0), c.place());
}

result<std::vector<range_sums>> sum_ranges_of(connection& c, const read_plan& plan,
                                              const relation_plan& relation,
                                              const std::vector<summed_column>& columns,
                                              const ranges_of_column& by) {
  SLUICE_TRY(const auto found, ask_of(c, relation, sums_sql(plan, relation, columns, &by)));
  return relational::sums_of_ranges(found, by.ranges, c.place());
}

result<key_span> span_of_relation(connection& c, const read_plan& plan, const relation_plan& relation,
                                  std::size_t column) {
  const std::string sql =
      fmt::format("SELECT pg_catalog.min({0})::text, pg_catalog.max({0})::text FROM {1}{2}",
                  relation.own_columns[column], relation.from, where_sql(plan));
  SLUICE_TRY(const auto found, ask_of(c, relation, sql));
  return relational::span_of(found.at(0).at(0), found.at(0).at(1));
}

}  // namespace sluice::postgresql
