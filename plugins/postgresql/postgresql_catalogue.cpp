#include "plugins/postgresql/postgresql_catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "plugins/postgresql/postgresql_options.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using relational::sql_row;
using relational::sql_text;

std::string text_at(const sql_row& row, std::size_t column) {
  return row[column].value_or("");
}
bool is_true(const sql_row& row, std::size_t column) {
  return row[column] == "t";
}
std::uint32_t oid_at(const sql_row& row, std::size_t column) {
  return static_cast<std::uint32_t>(std::strtoul(text_at(row, column).c_str(), nullptr, 10));
}

constexpr const char* find_table_sql = R"(
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relname = $1 AND ($2 = '' OR n.nspname = $2),
  c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.lower(c.relname) = pg_catalog.lower($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN $2 = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE pg_catalog.lower(n.nspname) = pg_catalog.lower($2) END
ORDER BY 6 DESC)";

/// The braces stand for what versions before 10 and 12 lack.
constexpr const char* columns_sql = R"(
SELECT a.attname, a.attnotnull OR t.typnotnull, a.atthasdef OR {identity} <> '' OR t.typdefault IS NOT NULL,
  {generated} <> '', a.attnotnull,
  EXISTS (SELECT 1 FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_am m ON m.oid = i.relam
    WHERE x.indrelid = a.attrelid AND x.indkey[0] = a.attnum AND x.indisvalid AND x.indpred IS NULL AND m.amname IN ('btree', 'brin')),
  pg_catalog.format_type(a.atttypid, a.atttypmod), {identity} = 'a'
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)";

/// What refuses a row for another one, and why such an index is no key by which each row could be found.
constexpr const char* keys_sql = R"(
SELECT i.relname, x.indisprimary,
  (SELECT pg_catalog.array_to_string(pg_catalog.array_agg(pg_catalog.quote_ident(a.attname) ORDER BY k.n), ',')
   FROM pg_catalog.generate_series(0, x.indnatts - 1) k(n)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k.n] {}),
  CASE WHEN x.indisexclusion THEN 'an exclusion constraint' WHEN x.indpred IS NOT NULL THEN 'partial' WHEN x.indexprs IS NOT NULL THEN 'over an expression'
    WHEN NOT x.indimmediate THEN 'deferrable' WHEN NOT x.indisvalid THEN 'not valid' END,
  pg_catalog.substring(pg_catalog.pg_get_indexdef(i.oid), ' USING [a-z_]+ (.*)$')
FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = $1::oid AND (x.indisunique OR x.indisexclusion)
ORDER BY x.indisprimary DESC, x.indnatts, i.relname)";

/// Of the table and its partitions.
constexpr const char* constraints_sql = R"(
WITH RECURSIVE tables(oid) AS (SELECT $1::oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN tables ON tables.oid = h.inhparent)
SELECT DISTINCT c.conname,
  (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ',' ORDER BY k.n)
   FROM pg_catalog.generate_series(1, pg_catalog.array_upper(c.conkey, 1)) k(n) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[k.n])
FROM pg_catalog.pg_constraint c JOIN tables ON tables.oid = c.conrelid WHERE c.contype IN ('f', 'c', 'x') ORDER BY 1)";

constexpr const char* tables_under_sql = R"(
WITH RECURSIVE tables(oid) AS (SELECT $1::oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN tables ON tables.oid = h.inhparent)
SELECT oid FROM tables)";

/// Of the table and its partitions: row (1), before (2), insert (4).
constexpr const char* first_triggers_sql = R"(
WITH RECURSIVE tables(oid) AS (SELECT $1::oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN tables ON tables.oid = h.inhparent)
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t JOIN tables ON tables.oid = t.tgrelid
  WHERE t.tgtype & 7 = 7 AND NOT t.tgisinternal AND t.tgenabled <> 'D'))";

/// What its input changes without a word: a composite, whose fields may have modifiers; an array with one, or
/// of "char" (18), name (19), real (700), composites or domains; an interval (1186) without seconds (bit 12).
/// What '' is no value of: by category, and json (114), jsonb (3802), uuid (2950), macaddr (829, 774), pg_lsn
/// (3220) and bit (1560).
constexpr const char* types_sql = R"(
SELECT pg_catalog.format_type(u.t, u.m), t.typtype,
  t.typtype = 'c' OR (u.t = 1186 AND u.m >= 0 AND (u.m >> 16) & (1 << 12) = 0) OR
  (t.typcategory = 'A' AND e.oid IS NOT NULL AND (u.m >= 0 OR e.oid IN (18, 19, 700) OR e.typtype IN ('c', 'd'))),
  t.typcategory IN ('A', 'B', 'C', 'D', 'G', 'I', 'N', 'R', 'T') OR t.oid IN (114, 3802, 2950, 829, 774, 3220, 1560)
FROM (VALUES {}) u(n, t, m) JOIN pg_catalog.pg_type t ON t.oid = u.t
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
ORDER BY u.n)";

constexpr const char* missing_table_sql = R"(
SELECT n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid), pg_catalog.has_schema_privilege(n.oid, 'USAGE'), current_user
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND c.relname !~ '^sluice_' ORDER BY 1, 2 LIMIT 10000)";

/// Comments (of the table, of its columns), then what else there is but columns and primary key.
constexpr const char* others_sql = R"(
SELECT 0, '', pg_catalog.obj_description($1::oid, 'pg_class')
UNION ALL SELECT 1, attname, pg_catalog.col_description(attrelid, attnum)
  FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 2, '', 'the ' || CASE WHEN x.indisunique THEN 'unique ' ELSE '' END || 'index ' || i.relname || ' ' ||
  pg_catalog.substring(pg_catalog.pg_get_indexdef(i.oid), ' USING [a-z_]+ (.*)$')
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
  WHERE x.indrelid = $1::oid AND NOT x.indisprimary
UNION ALL SELECT 3, '', 'the ' || CASE contype WHEN 'f' THEN 'foreign key ' ELSE 'check ' END || conname
  FROM pg_catalog.pg_constraint WHERE conrelid = $1::oid AND contype IN ('f', 'c')
UNION ALL SELECT 3, '', 'the collation ' || pg_catalog.quote_ident(l.collname) || ' of column ' || a.attname
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attcollation <> t.typcollation
UNION ALL SELECT 4, '', 'the trigger ' || tgname FROM pg_catalog.pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal
ORDER BY 1, 3)";

/// `t`: the relation and what its rows lie in, by inheritance, as partitions and under views.
constexpr const char* with_relations_under = R"(
WITH RECURSIVE t(oid) AS (SELECT $1::oid UNION SELECT under.oid FROM t, LATERAL (
  SELECT h.inhrelid FROM pg_catalog.pg_inherits h WHERE h.inhparent = t.oid
  UNION ALL SELECT d.refobjid FROM pg_catalog.pg_class v JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
    WHERE v.oid = t.oid AND v.relkind = 'v') under(oid)))";

/// Functions on the catalogue answer by what is there now, and its tables by the transaction's snapshot.
constexpr const char* storage_sql = R"(
SELECT pg_catalog.string_agg(t.oid || ':' || coalesce(pg_catalog.pg_relation_filenode(t.oid)::text, ''), ' ' ORDER BY t.oid)
FROM t WHERE pg_catalog.to_regclass($2)::oid = $1::oid)";

/// The events of information_schema.views as bits: INSERT is 8.
constexpr const char* inserting_sql = R"(
SELECT pg_catalog.pg_relation_is_updatable($1::oid, true) & 8, pg_catalog.pg_relation_is_updatable($1::oid, false) & 8,
  (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ',' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT pg_catalog.pg_column_is_updatable(a.attrelid, a.attnum, false)))";

constexpr const char* reaches_sql = R"(
SELECT coalesce(pg_catalog.bool_or(c.relkind = 'f'), false), coalesce(pg_catalog.bool_or(c.relpersistence = 'u'), false),
  (SELECT pg_catalog.string_agg(DISTINCT w.fdwname, ', ') FROM t f JOIN pg_catalog.pg_foreign_table b ON b.ftrelid = f.oid
   JOIN pg_catalog.pg_foreign_server s ON s.oid = b.ftserver JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
   WHERE w.fdwname <> 'postgres_fdw')
FROM t JOIN pg_catalog.pg_class c ON c.oid = t.oid)";

constexpr int version_with_generated = 120'000;
constexpr int version_with_include = 110'000;
constexpr int version_with_identity = 100'000;

table_type type_of_kind(std::string_view relkind) {
  return relkind == "p"   ? table_type::partitioned
         : relkind == "v" ? table_type::view
         : relkind == "m" ? table_type::materialized_view
         : relkind == "f" ? table_type::foreign
                          : table_type::table;
}

/// Takes `a,"b,c"` apart, as quote_ident writes names.
std::vector<std::string> names_of(std::string_view list) {
  std::vector<std::string> names;
  std::string name;
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') {
      if (quoted && i + 1 < list.size() && list[i + 1] == '"') {
        name += list[i++];
      } else {
        quoted = !quoted;
      }
    } else if (list[i] == ',' && !quoted) {
      names.push_back(std::exchange(name, {}));
    } else {
      name += list[i];
    }
  }
  names.push_back(std::move(name));
  return names;
}

result<void> add_columns(connection& c, table_info& table) {
  const std::string oid = fmt::to_string(table.oid);
  SLUICE_TRY(
      const auto rows,
      c.ask(
          fmt::format(fmt::runtime(columns_sql),
                      fmt::arg("identity", c.version() >= version_with_identity ? "a.attidentity" : "''"),
                      fmt::arg("generated", c.version() >= version_with_generated ? "a.attgenerated" : "''")),
          {oid}));
  std::string list;
  for (const sql_row& row : rows) {
    table_column column;
    column.name = text_at(row, 0);
    column.not_null = is_true(row, 1);
    column.generated = is_true(row, 3);
    column.has_default = is_true(row, 2) && !column.generated;
    // A domain's NOT NULL is not seen to where a value comes of nothing, nor a foreign table's or, of a
    // child, its parent's.
    column.never_null = is_true(row, 4) && table.holds_its_rows();
    column.leads_index = is_true(row, 5);
    column.declared = text_at(row, 6);
    column.always_identity = is_true(row, 7);
    list += (list.empty() ? "" : ", ") + quote_name(column.name);
    table.columns.push_back(std::move(column));
  }
  if (table.columns.empty()) {
    return {};
  }
  SLUICE_TRY(const auto described, c.describe(fmt::format("SELECT {} FROM {}", list, table.quoted_name())));
  if (described.size() != table.columns.size()) {
    return fail(error_kind::source_changed, "{}: the catalogue has {} columns of {}, and a SELECT of them {}",
                c.place(), table.columns.size(), in_quotes(table.name), described.size());
  }
  SLUICE_TRY(auto types, name_types(c, described));
  unsigned digits = 0;
  constexpr std::uint32_t oid_money = 790;
  if (std::any_of(types.begin(), types.end(), [](const server_type& t) { return t.oid == oid_money; })) {
    SLUICE_TRY(digits, money_digits(c));
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    table.columns[i].kind = kind_at(c, types[i], digits);
    table.columns[i].type = std::move(types[i]);
  }
  return {};
}

result<void> add_keys(connection& c, table_info& table) {
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format(fmt::runtime(keys_sql),
                               c.version() >= version_with_include ? "WHERE k.n < x.indnkeyatts" : ""),
                   {fmt::to_string(table.oid)}));
  for (const sql_row& row : rows) {
    if (row[3]) {
      table.unusable_keys.push_back(
          fmt::format("{} {}, which is {}", in_quotes(text_at(row, 0)), text_at(row, 4), *row[3]));
    } else {
      table.keys.push_back({text_at(row, 0), is_true(row, 1), names_of(text_at(row, 2))});
    }
  }
  return {};
}

result<void> add_constraints(connection& c, table_info& table) {
  SLUICE_TRY(const auto rows, c.ask(constraints_sql, {fmt::to_string(table.oid)}));
  for (const sql_row& row : rows) {
    if (row[1]) {
      table.constraints.push_back({text_at(row, 0), names_of(*row[1])});
    }
  }
  return {};
}

}  // namespace

const table_column* table_info::named(std::string_view column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const table_column& c) { return c.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> table_info::column_names() const {
  std::vector<std::string> names;
  for (const table_column& c : columns) {
    names.push_back(c.name);
  }
  return names;
}

const unique_key* table_info::order_key() const {
  const unique_key* best = nullptr;
  if (!holds_its_rows()) {
    return best;
  }
  for (const unique_key& key : keys) {
    const bool total = std::all_of(key.columns.begin(), key.columns.end(), [&](const std::string& column) {
      const table_column* c = named(column);
      return c != nullptr && c->never_null;
    });
    if (total && (best == nullptr || (!best->primary && key.columns.size() < best->columns.size()))) {
      best = &key;
    }
  }
  return best;
}

result<inserting> inserting_into(connection& c, std::uint32_t oid) {
  SLUICE_TRY(const auto rows, c.ask(inserting_sql, {fmt::to_string(oid)}));
  inserting out;
  out.takes_rows = text_at(rows.at(0), 0) == "8";
  out.by_trigger = out.takes_rows && text_at(rows[0], 1) != "8";
  if (rows[0].at(2) && !out.by_trigger) {
    out.computed = names_of(*rows[0][2]);
  }
  if (out.takes_rows && !out.by_trigger) {
    out.overrules_identity = c.version() >= version_with_identity;
  }
  return out;
}

result<rows_under> what_is_under(connection& c, std::uint32_t oid) {
  SLUICE_TRY(const auto rows, c.ask(std::string(with_relations_under) + reaches_sql, {fmt::to_string(oid)}));
  return rows_under{rows.at(0).at(0) == "t", rows.at(0).at(1) == "t", text_at(rows.at(0), 2)};
}

std::optional<table_name> parse_table_name(std::string_view text) {
  const auto parts = relational::name_parts(text, sql_rules());
  if (!parts || parts->size() > 2) {
    return std::nullopt;
  }
  return parts->size() == 1 ? table_name{"", (*parts)[0].name}
                            : table_name{(*parts)[0].name, (*parts)[1].name};
}

result<std::vector<relational::referring_key>> referring_keys(connection& c, const table_info& table) {
  SLUICE_TRY(const auto rows,
             c.ask("SELECT conrelid::pg_catalog.regclass, conname, confdeltype = 'c' FROM "
                   "pg_catalog.pg_constraint WHERE contype = 'f' AND confrelid = $1::oid AND "
                   "confdeltype IN ('c', 'n', 'd') ORDER BY 1, 2",
                   {fmt::to_string(table.oid)}));
  std::vector<relational::referring_key> keys;
  for (const sql_row& row : rows) {
    keys.push_back({text_at(row, 0), text_at(row, 1), is_true(row, 2)});
  }
  return keys;
}

result<void> check_name_length(std::string_view name) {
  constexpr std::size_t name_bytes_max = 63;  // NAMEDATALEN - 1
  if (name.size() <= name_bytes_max) {
    return {};
  }
  return fail(
      error_kind::bad_option,
      "the name {} has {} bytes, and PostgreSQL cuts off what is behind the {}rd; write a shorter one",
      in_quotes(name), name.size(), name_bytes_max);
}

result<std::optional<table_info>> look_up_table(connection& c, const table_name& name) {
  SLUICE_CHECK(check_name_length(name.schema));
  SLUICE_CHECK(check_name_length(name.name));
  SLUICE_TRY(const auto found, c.ask(find_table_sql, {name.name, name.schema}));
  if (found.empty()) {
    return std::optional<table_info>();
  }
  if (found.size() > 1 && !is_true(found[0], 5)) {
    return fail(error_kind::bad_option, "{}: {} may be {}.{} or {}.{}; write the name exactly", c.place(),
                in_quotes(name.name), text_at(found[0], 1), text_at(found[0], 2), text_at(found[1], 1),
                text_at(found[1], 2));
  }
  const sql_row& row = found[0];
  table_info table;
  table.oid = oid_at(row, 0);
  table.schema = text_at(row, 1);
  table.name = text_at(row, 2);
  table.type = type_of_kind(text_at(row, 3));
  table.unlogged = row[4] == "u";
  table.has_children = is_true(row, 6);
  SLUICE_CHECK(add_columns(c, table));
  SLUICE_CHECK(add_keys(c, table));
  SLUICE_CHECK(add_constraints(c, table));
  SLUICE_TRY(const auto triggers, c.ask(first_triggers_sql, {fmt::to_string(table.oid)}));
  table.changes_rows_first = is_true(triggers.at(0), 0);
  return std::optional<table_info>(std::move(table));
}

result<relational::read_table> read_table_of(connection& c, const table_info& table) {
  SLUICE_TRY(const auto rows, c.ask(others_sql, {fmt::to_string(table.oid)}));
  relational::read_table out;
  out.product = product_name;
  for (const table_column& column : table.columns) {
    out.columns.push_back({column.name, "", column.has_default, column.generated, column.declared});
  }
  for (const sql_row& row : rows) {
    const std::string name = text_at(row, 1);
    if (row[0] == "0") {
      out.comment = text_at(row, 2);
    } else if (row[0] == "1") {
      const auto column =
          std::find_if(out.columns.begin(), out.columns.end(),
                       [&](const relational::read_table::column& r) { return r.name == name; });
      if (column != out.columns.end()) {
        column->comment = text_at(row, 2);
      }
    } else {
      out.others.push_back(text_at(row, 2));
    }
  }
  for (const unique_key& key : table.keys) {
    if (key.primary && table.holds_its_rows()) {
      out.keys.push_back({key.name, key.columns, true, true});
    } else if (key.primary) {
      out.others.push_back(
          fmt::format("the primary key ({}), which says nothing of children", fmt::join(key.columns, ", ")));
    }
  }
  return out;
}

result<std::string> storage_of(connection& c, const std::string& oid, const std::string& name) {
  SLUICE_TRY(const auto rows, c.ask(std::string(with_relations_under) + storage_sql, {oid, name}));
  return text_at(rows.at(0), 0);
}

result<std::vector<std::string>> table_identities(connection& c, std::uint32_t oid, bool under_views) {
  std::string server = c.place();
  if (!c.is_plain()) {
    SLUICE_TRY(const auto rows,
               c.ask("SELECT EXTRACT(EPOCH FROM pg_catalog.pg_postmaster_start_time())::text || ' ' || "
                     "pg_catalog.current_database()"));
    server = "postgresql " + text_at(rows.at(0), 0);
  }
  const std::string under = under_views && !c.is_plain()
                                ? std::string(with_relations_under) + " SELECT oid FROM t"
                                : std::string(tables_under_sql);
  SLUICE_TRY(const auto tables, c.ask(under, {fmt::to_string(oid)}));
  std::vector<std::string> out;
  for (const sql_row& row : tables) {
    out.push_back(fmt::format("{} {}", server, text_at(row, 0)));
  }
  return out;
}

std::string oid_sql(const connection& c, const std::string& name) {
  if (!c.is_plain()) {
    return fmt::format("pg_catalog.to_regclass({})::oid", quote_text(name));
  }
  const table_name parts = parse_table_name(name).value_or(table_name{"", name});
  return fmt::format(
      "(SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
      "c.relnamespace WHERE c.relname = {} AND {})",
      quote_text(parts.name),
      parts.schema.empty() ? "pg_catalog.pg_table_is_visible(c.oid)"
                           : "n.nspname = " + quote_text(parts.schema));
}

error missing_table(connection& c, const table_name& name) {
  const auto rows = c.ask(missing_table_sql);
  if (!rows) {
    return rows.error();
  }
  std::vector<std::string> names;
  const std::string asked = name.schema.empty() ? name.name : name.schema + "." + name.name;
  for (const sql_row& row : *rows) {
    const std::string whole = text_at(row, 0) + "." + text_at(row, 1);
    if (row[1] == name.name && (name.schema.empty() || row[0] == name.schema)) {
      if (!is_true(row, 3)) {
        return {error_kind::denied,
                fmt::format(
                    "{}: there is a table {}, but permission denied for schema {}; GRANT USAGE ON SCHEMA {} "
                    "TO {}",
                    c.place(), in_quotes(whole), in_quotes(text_at(row, 0)), quote_name(text_at(row, 0)),
                    quote_name(text_at(row, 4))),
                "42501", false};
      }
      return {error_kind::bad_option,
              fmt::format(
                  "there is no table {} in the schemas that are looked in by themselves (search_path) in {}; "
                  "did you mean {}?",
                  in_quotes(asked), c.place(), in_quotes(whole)),
              "", false};
    }
    if (!name.schema.empty() && row[1] == asked) {
      return {error_kind::bad_option,
              fmt::format("there is no table {} in the schema {} in {}; the one whose name has a point in it "
                          "is written {}, with the quotes",
                          in_quotes(name.name), in_quotes(name.schema), c.place(), quote_name(asked)),
              "", false};
    }
    names.push_back(is_true(row, 2) ? text_at(row, 1) : whole);
  }
  std::string text = fmt::format("there is no table {} in {}", in_quotes(asked), c.place());
  const std::string_view near = nearest(asked, names);
  constexpr std::size_t listed_max = 10;
  if (!near.empty()) {
    text += fmt::format("; did you mean {}?", in_quotes(near));
  } else if (names.empty()) {
    text += "; this user sees no table there";
  } else if (names.size() <= listed_max) {
    text += fmt::format("; there are {}", fmt::join(names, ", "));
  }
  return {error_kind::bad_option, std::move(text), "", false};
}

result<std::vector<server_type>> name_types(connection& c, const std::vector<described_column>& columns) {
  std::string list;
  for (const described_column& column : columns) {
    list += fmt::format("{}({}, {}::oid, {}::int4)", list.empty() ? "" : ", ", list.size(), column.type,
                        column.modifier);
  }
  if (list.empty()) {
    return std::vector<server_type>();
  }
  SLUICE_TRY(const auto rows, c.ask(fmt::format(fmt::runtime(types_sql), list)));
  if (rows.size() != columns.size()) {
    return fail(error_kind::source_changed, "{}: a type of a column is gone", c.place());
  }
  std::vector<server_type> types;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    types.push_back({columns[i].type, columns[i].modifier, text_at(rows[i], 0), rows[i][1] == "e",
                     is_true(rows[i], 2), !is_true(rows[i], 3)});
  }
  return types;
}

column_type kind_at(const connection& c, const server_type& type, unsigned money_digits) {
  column_type kind = kind_of(type, money_digits);
  // As PostgreSQL has it since 8.4; a product that began earlier may send seconds as a floating-point number.
  const bool in_micros = !c.is_plain() || c.parameter("integer_datetimes") == "on";
  if (in_micros || (kind.form != wire_form::time && kind.form != wire_form::timestamp)) {
    return kind;
  }
  return {};
}

column_type kind_to_write(const column_type& read, const server_type& type) {
  column_type kind = kind_of(type, 0);
  if (read.form != wire_form::as_text || kind.form == wire_form::as_text) {
    return read;
  }
  kind.form = wire_form::as_text;
  return kind;
}

result<unsigned> money_digits(connection& c) {
  SLUICE_TRY(const auto rows,
             c.ask("SELECT pg_catalog.length(pg_catalog.split_part('1'::money::numeric::text, "
                   "'.', 2))"));
  return static_cast<unsigned>(std::strtoul(text_at(rows.at(0), 0).c_str(), nullptr, 10));
}

}  // namespace sluice::postgresql
