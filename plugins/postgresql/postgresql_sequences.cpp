#include "plugins/postgresql/postgresql_sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// What a column owns comes before what its default calls.
constexpr const char* sequences_sql = R"(
WITH given(sequence, attnum, rank, expression) AS (
  SELECT d.objid, d.refobjsubid, 1, NULL FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND d.refobjid = $1::oid AND d.deptype IN ('a', 'i')
  UNION ALL
  SELECT CASE WHEN f.expression ~ $re$^\(?(pg_catalog\.)?nextval\('([^']|'')+'::regclass\)\)?(::(smallint|integer|bigint))?$$re$ THEN
      (SELECT x.refobjid FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND x.objid = f.oid
         AND x.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.refobjid <> $1::oid LIMIT 1) END, f.adnum, 2, f.expression
  FROM (SELECT oid, adnum, pg_catalog.pg_get_expr(adbin, adrelid) AS expression FROM pg_catalog.pg_attrdef WHERE adrelid = $1::oid) f
  WHERE f.expression ~ $re$\mnextval\($re$)
SELECT a.attname, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(s.relname), q.seqincrement > 0, q.seqmin, q.seqmax,
  pg_catalog.has_sequence_privilege(s.oid, 'UPDATE') AND pg_catalog.has_sequence_privilege(s.oid, 'SELECT')
    AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'), g.expression
FROM given g JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = g.attnum
  LEFT JOIN pg_catalog.pg_class s ON s.oid = g.sequence AND s.relkind = 'S'
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace LEFT JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
ORDER BY a.attnum, g.rank, 2)";

std::int64_t number_in(const relational::sql_text& text) {
  return std::strtoll(text.value_or("0").c_str(), nullptr, 10);
}

bool holds_whole_numbers(const table_column* column) {
  return column != nullptr && (column->kind.form == wire_form::int2 || column->kind.form == wire_form::int4 ||
                               column->kind.form == wire_form::int8);
}

}  // namespace

result<column_sequences> sequences_of(connection& c, const table_info& table,
                                      const std::vector<std::string>& columns) {
  SLUICE_TRY(const auto rows, c.ask(sequences_sql, {fmt::to_string(table.oid)}));
  column_sequences found;
  for (const relational::sql_row& row : rows) {
    column_sequence s;
    s.column = row.at(0).value_or("");
    s.name = row.at(1).value_or("");
    s.rises = row.at(2) == "t";
    s.least = number_in(row.at(3));
    s.most = number_in(row.at(4));
    s.may_move = row.at(5) == "t";
    const auto is_known = [&](bool by_name) {
      return std::any_of(found.known.begin(), found.known.end(), [&](const column_sequence& other) {
        return other.column == s.column && (!by_name || other.name == s.name);
      });
    };
    if (!holds_whole_numbers(table.named(s.column)) ||
        std::find(columns.begin(), columns.end(), s.column) == columns.end()) {
      continue;
    }
    if (!s.name.empty() && !is_known(true)) {
      found.known.push_back(std::move(s));
    } else if (s.name.empty() && !is_known(false)) {
      found.untold.push_back(fmt::format("{} ({})", in_quotes(s.column), row.at(6).value_or("")));
    }
  }
  return found;
}

std::string move_sequences_sql(const std::string& table, const std::vector<column_sequence>& sequences) {
  std::string sql;
  for (const column_sequence& s : sequences) {
    // Behind the last value that it can give there is nothing to move to.
    sql += fmt::format(
        "{0}SELECT pg_catalog.setval({1}, {2}(v.furthest, {3})) FROM (SELECT pg_catalog.{4}({5})::bigint AS "
        "furthest FROM {6}) v, {7} s WHERE v.furthest {8}= {9} AND (v.furthest {8} s.last_value OR "
        "(v.furthest = "
        "s.last_value AND NOT s.is_called))",
        sql.empty() ? "" : "; ", quote_text(s.name), s.rises ? "least" : "greatest",
        s.rises ? s.most : s.least, s.rises ? "max" : "min", quote_name(s.column), table, s.name,
        s.rises ? ">" : "<", s.rises ? s.least : s.most);
  }
  return sql;
}

}  // namespace sluice::postgresql
