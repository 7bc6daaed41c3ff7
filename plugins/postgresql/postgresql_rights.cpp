#include "plugins/postgresql/postgresql_rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "jobspec/words.h"
#include "plugins/common/relational/moments.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_options.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using relational::write_mode;

/// The schema's name; whether it is there; whether it may be used, and tables made in it; the user.
constexpr const char* schema_sql = R"(
SELECT s.name, n.oid IS NOT NULL, pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.has_schema_privilege(n.oid, 'CREATE'), current_user
FROM (SELECT coalesce(nullif($1, ''), pg_catalog.current_schema()) AS name) s LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = s.name)";

/// The user; whether the whole table may be read; each column that may not, and whether any may.
constexpr const char* reading_sql = R"(
SELECT current_user, pg_catalog.has_table_privilege($1::oid, 'SELECT'), a.attname, pg_catalog.has_any_column_privilege($1::oid, 'SELECT')
FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT pg_catalog.has_column_privilege($1::oid, a.attnum, 'SELECT'))";

constexpr auto mark_rights = std::to_array<std::string_view>({"SELECT", "INSERT", "UPDATE", "DELETE"});

error missing(const connection& c, const std::string& what, const std::string& grant) {
  return {error_kind::denied, fmt::format("{}: {}; {}", c.place(), what, grant), "42501", false};
}

/// All that is missing, in one message.
class missing_rights {
 public:
  explicit missing_rights(std::string user) : user_(std::move(user)) {}

  void add(std::string what, std::string grant) {
    what_.push_back(std::move(what));
    grants_.push_back(std::move(grant));
  }
  /// Those on one table must come one after the other.
  void add_right(const std::string& table, std::string_view right) {
    if (table != table_) {
      end_table();
      table_ = table;
    }
    rights_ += fmt::format("{}{}", rights_.empty() ? "" : ", ", right);
  }
  result<void> all(const connection& c) {
    end_table();
    if (what_.empty()) {
      return {};
    }
    return fail(missing(c, fmt::format("{}", fmt::join(what_, ", and ")),
                        fmt::format("{}", fmt::join(grants_, "; "))));
  }

 private:
  void end_table() {
    if (!rights_.empty()) {
      add(fmt::format("this user has not the right {} on {}", rights_, table_),
          fmt::format("GRANT {} ON {} TO {}", rights_, table_, user_));
    }
    rights_.clear();
  }

  std::string user_;
  std::string table_;
  std::string rights_;
  std::vector<std::string> what_;
  std::vector<std::string> grants_;
};

/// Whether this user has a right on all columns that are named, or on the table as a whole; NULL where there
/// is no such table.
std::string may_sql(const connection& c, const std::string& table, std::string_view right,
                    const std::vector<std::string>& columns) {
  const std::string of = oid_sql(c, table);
  if (columns.empty()) {
    return fmt::format("pg_catalog.has_table_privilege({}, '{}')", of, right);
  }
  std::string list;
  for (const std::string& name : columns) {
    list += fmt::format("{}pg_catalog.has_column_privilege({}, {}, '{}')", list.empty() ? "" : " AND ", of,
                        quote_text(name), right);
  }
  return list;
}

}  // namespace

result<void> check_rights(connection& c, const written_objects& what) {
  SLUICE_TRY(const auto found, c.ask(schema_sql, {what.schema}));
  const relational::sql_row& row = found.at(0);
  const std::string schema = row.at(0).value_or("");
  const std::string user = quote_name(row.at(4).value_or(""));
  if (schema.empty()) {
    return fail(error_kind::bad_option, "{}: no schema of search_path is there; name one before the table",
                c.place());
  }
  if (row.at(1) != "t") {
    return fail(error_kind::bad_option,
                "{}: there is no schema {}; correct the name, or make it (CREATE SCHEMA)", c.place(),
                in_quotes(schema));
  }
  const auto may_use = [&](const relational::sql_row& of, const std::string& name) -> result<void> {
    return of.at(2) == "t"
               ? result<void>()
               : fail(missing(c, fmt::format("permission denied for schema {}", in_quotes(name)),
                              fmt::format("GRANT USAGE ON SCHEMA {} TO {}", quote_name(name), user)));
  };
  SLUICE_CHECK(may_use(row, schema));
  const std::string marks_schema = what.marks_schema.empty() ? schema : what.marks_schema;
  bool may_make_marks = row.at(3) == "t";
  if (marks_schema != schema) {
    SLUICE_TRY(const auto of_marks, c.ask(schema_sql, {marks_schema}));
    if (of_marks.at(0).at(1) != "t") {
      return fail(error_kind::bad_option,
                  "{}: {}: there is no schema {} for the tables of marks; correct \"progressTable\", or make "
                  "it (CREATE SCHEMA)",
                  what.marks_place, c.place(), in_quotes(marks_schema));
    }
    SLUICE_CHECK(may_use(of_marks.at(0), marks_schema));
    may_make_marks = of_marks.at(0).at(3) == "t";
  }
  struct need {
    std::string table;
    std::string_view right;
    std::vector<std::string> columns;
  };
  std::vector<need> needs;
  for (const std::string& table : what.marks) {
    for (const std::string_view right : mark_rights) {
      needs.push_back({table, right, {}});
    }
  }
  if (!what.table.empty()) {
    needs.push_back({what.table, "INSERT", what.columns});
    const bool names_key = what.mode == write_mode::ignore && !what.key.empty();
    if (what.mode == write_mode::update || what.mode == write_mode::replace || names_key) {
      needs.push_back({what.table, "SELECT", what.key});
    }
    if (what.mode == write_mode::update) {
      needs.push_back({what.table, "UPDATE", what.columns});
    } else if (what.mode == write_mode::replace) {
      needs.push_back({what.table, "DELETE", {}});
    }
  }
  const std::string policies =
      what.table.empty() || c.is_plain()
          ? "false"
          : fmt::format("pg_catalog.row_security_active({})", oid_sql(c, what.table));
  std::string sql = "SELECT " + policies;
  for (const need& n : needs) {
    sql += ", " + may_sql(c, n.table, n.right, n.columns);
  }
  SLUICE_TRY(const auto answers, c.ask(sql));
  missing_rights lacks(user);
  const bool may_create = row.at(3) == "t";
  bool no_marks = false;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    const auto& granted = answers.at(0).at(i + 1);
    if (granted == "f") {
      lacks.add_right(needs[i].table, needs[i].right);
    }
    const bool of_marks = i < what.marks.size() * mark_rights.size();
    no_marks = no_marks || (of_marks && !granted && !may_make_marks);
  }
  if (no_marks) {
    lacks.add(fmt::format("this user may not make the tables of marks in schema {}", in_quotes(marks_schema)),
              fmt::format("GRANT CREATE ON SCHEMA {} TO {}, or have {} made beforehand (sluice ddl JOB "
                          "--progress prints the statements)",
                          quote_name(marks_schema), user, fmt::join(what.marks, " and ")));
  } else if (what.makes && !may_create) {
    lacks.add(fmt::format("this user may not make tables in schema {}", in_quotes(schema)),
              fmt::format("GRANT CREATE ON SCHEMA {} TO {}", quote_name(schema), user));
  }
  if (answers.at(0).at(0) == "t" && !finds_by_key(what.mode)) {
    lacks.add(fmt::format("row security applies to this user on {}, and COPY does not write under its "
                          "policies",
                          what.table),
              fmt::format("take an account that it does not apply to, or as a superuser ALTER ROLE {} "
                          "BYPASSRLS; or set \"writeMode\" to update, replace or ignore, which INSERT under "
                          "the policies",
                          user));
  }
  return lacks.all(c);
}

result<void> check_reading_rights(connection& c, std::uint32_t oid, const std::string& table,
                                  const std::vector<std::string>& columns) {
  SLUICE_TRY(const auto rows, c.ask(reading_sql, {fmt::to_string(oid)}));
  const relational::sql_row& first = rows.at(0);
  if (first.at(1) == "t") {
    return {};
  }
  const std::string user = quote_name(first.at(0).value_or(""));
  missing_rights lacks(user);
  if (first.at(3) != "t") {
    lacks.add_right(table, "SELECT");
    return lacks.all(c);
  }
  std::string names;
  for (const relational::sql_row& row : rows) {
    if (row.at(2) && std::find(columns.begin(), columns.end(), *row[2]) != columns.end()) {
      names += (names.empty() ? "" : ", ") + quote_name(*row[2]);
    }
  }
  if (!names.empty()) {
    lacks.add_right(table, fmt::format("SELECT ({})", names));
  }
  return lacks.all(c);
}

result<void> check_query_rights(connection& c, const std::string& from, std::string_view query) {
  if (c.is_plain()) {
    return {};  // its rights may be others, and it says itself what is missing
  }
  const auto explained = c.ask(fmt::format("EXPLAIN SELECT * FROM {}", from));
  if (explained || (explained.error().kind != error_kind::denied && !c.is_lost())) {
    return {};
  }
  std::string tables;
  for (const relational::named_table& t : relational::tables_in(query, sql_rules())) {
    const std::string name =
        (t.schema.empty() ? std::string() : quote_name(t.schema) + ".") + quote_name(t.table);
    tables +=
        fmt::format("{}({}, {})", tables.empty() ? "" : ", ", quote_text(lower(name)), quote_text(name));
  }
  if (tables.empty()) {
    return fail(explained.error());
  }
  const auto rows = c.ask(fmt::format(
      "SELECT DISTINCT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(k.relname), "
      "pg_catalog.has_any_column_privilege(k.oid, 'SELECT'), pg_catalog.quote_ident(current_user) FROM "
      "(VALUES "
      "{}) t(small, exact) JOIN pg_catalog.pg_class k ON k.oid = coalesce(pg_catalog.to_regclass(t.small), "
      "pg_catalog.to_regclass(t.exact)) JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace WHERE NOT "
      "pg_catalog.has_table_privilege(k.oid, 'SELECT') ORDER BY 1",
      tables));
  if (!rows || rows->empty()) {
    return fail(explained.error());  // a view's own tables, a function, or a schema
  }
  // Of a table of which some columns may be read, those that the query reads may be the ones.
  const bool any_whole =
      std::any_of(rows->begin(), rows->end(), [](const relational::sql_row& r) { return r.at(1) != "t"; });
  missing_rights lacks(rows->front().at(2).value_or(""));
  for (const relational::sql_row& row : *rows) {
    if (!any_whole || row.at(1) != "t") {
      lacks.add_right(row.at(0).value_or(""), "SELECT");
    }
  }
  return lacks.all(c);
}

}  // namespace sluice::postgresql
