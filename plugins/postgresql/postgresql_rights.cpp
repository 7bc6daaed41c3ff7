#include "plugins/postgresql/postgresql_rights.h"

#include <fmt/format.h>

#include <string_view>

#include "plugins/postgresql/postgresql_options.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using relational::write_mode;

/// The schema's name; whether it is there; whether it may be used, and tables made in it; the user.
constexpr const char* schema_sql = R"(
SELECT s.name, n.oid IS NOT NULL, pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.has_schema_privilege(n.oid, 'CREATE'), current_user
FROM (SELECT coalesce(nullif($1, ''), pg_catalog.current_schema()) AS name) s LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = s.name)";

error missing(const connection& c, const std::string& what, const std::string& grant) {
  return {error_kind::denied, fmt::format("{}: {}; {}", c.place(), what, grant), "42501", false};
}

/// Whether this user has a right on all columns that are named, or on the table as a whole; NULL where there
/// is no such table.
std::string may_sql(const std::string& table, std::string_view right,
                    const std::vector<std::string>& columns) {
  const std::string of = fmt::format("pg_catalog.to_regclass({})", quote_text(table));
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
  if (row.at(2) != "t") {
    return fail(missing(c, fmt::format("permission denied for schema {}", in_quotes(schema)),
                        fmt::format("GRANT USAGE ON SCHEMA {} TO {}", quote_name(schema), user)));
  }
  struct need {
    std::string table;
    std::string_view right;
    std::vector<std::string> columns;
  };
  std::vector<need> needs;
  for (const std::string& table : what.marks) {
    for (const std::string_view right : {"SELECT", "INSERT", "UPDATE", "DELETE"}) {
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
      what.table.empty()
          ? "false"
          : fmt::format("pg_catalog.row_security_active(pg_catalog.to_regclass({}))", quote_text(what.table));
  std::string sql = "SELECT " + policies;
  for (const need& n : needs) {
    sql += ", " + may_sql(n.table, n.right, n.columns);
  }
  SLUICE_TRY(const auto answers, c.ask(sql));
  for (std::size_t i = 0; i < needs.size(); ++i) {
    const need& n = needs[i];
    const auto& granted = answers.at(0).at(i + 1);
    if (!granted && row.at(3) != "t") {
      return fail(missing(
          c, fmt::format("this user may not make the tables of marks in schema {}", in_quotes(schema)),
          fmt::format("GRANT CREATE ON SCHEMA {} TO {}, or have {} made beforehand (sluice ddl JOB "
                      "--progress prints the statements)",
                      quote_name(schema), user, fmt::join(what.marks, " and "))));
    }
    if (granted == "f") {
      return fail(missing(c, fmt::format("this user has not the right {} on {}", n.right, n.table),
                          fmt::format("GRANT {} ON {} TO {}", n.right, n.table, user)));
    }
  }
  if (answers.at(0).at(0) == "t" && !finds_by_key(what.mode)) {
    return fail(missing(c,
                        fmt::format("row security applies to this user on {}, and COPY does not write under "
                                    "its policies",
                                    what.table),
                        fmt::format("take an account that it does not apply to, or as a superuser ALTER ROLE "
                                    "{} BYPASSRLS; or set \"writeMode\" to update, replace or ignore, which "
                                    "INSERT under the policies",
                                    user)));
  }
  if (what.makes && row.at(3) != "t") {
    return fail(missing(c, fmt::format("this user may not make tables in schema {}", in_quotes(schema)),
                        fmt::format("GRANT CREATE ON SCHEMA {} TO {}", quote_name(schema), user)));
  }
  return {};
}

}  // namespace sluice::postgresql
