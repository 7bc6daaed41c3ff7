#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "plugins/common/relational/created_table.h"
#include "plugins/postgresql/postgresql_target.h"
#include "transport/base/text.h"

/// Tables that `createTable` makes: their types and statements.
namespace sluice::postgresql {
namespace {

using relational::made_type;
using relational::source_type;

/// Types of MySQL and MariaDB that have an equal here.
struct equal_row {
  std::string_view words;
  std::string_view type;
  bool of_mariadb = true;
  bool loses = false;  ///< It takes more values than the other.
};
constexpr auto equal_rows = std::to_array<equal_row>({
    {"json", "json", false},  // MariaDB takes as JSON what is none here
    {"uuid", "uuid"},
    {"inet4", "inet"},
    {"inet6", "inet"},
    {"year", "smallint", true, true},
});

/// What a column is made with where it is another product's, or none.
made_type other_type(const source_type& from) {
  const data_type& type = from.column.type;
  if (!from.of_mysql()) {
    return relational::without_meaning(from, created_type(type));
  }
  const std::string words = from.words();
  for (const equal_row& row : equal_rows) {
    if (row.words == words && (row.of_mariadb || from.product != "mariadb")) {
      return row.loses ? relational::without_meaning(from, std::string(row.type))
                       : made_type{std::string(row.type)};
    }
  }
  if (words == "bit" && type.id == type_id::uint64) {
    const std::string_view text = from.name();  // `bit(5)`
    const std::size_t digits = std::min(text.find('('), text.size() - 1) + 1;
    const unsigned long bits = std::strtoul(std::string(text.substr(digits)).c_str(), nullptr, 10);
    return relational::without_meaning(from, bits < 32   ? "integer"
                                             : bits < 64 ? "bigint"
                                                         : created_type(type));
  }
  if (words == "char" && type.length_max != 0) {
    return {fmt::format("character({})", type.length_max)};
  }
  return relational::without_meaning(from, created_type(type));
}

/// What a column of PostgreSQL may be made with where the server has such a type, the best first.
std::vector<made_type> own_types(const source_type& from) {
  constexpr std::string_view advice =
      "there is no such type here; make it beforehand (CREATE TYPE, CREATE DOMAIN, CREATE EXTENSION)";
  std::vector<made_type> all;
  if (from.product == product_name && !from.own_type.empty()) {
    all.push_back({std::string(from.own_type)});
    // What a domain is of.
    if (from.column.source_type_name != from.own_type) {
      all.push_back({from.column.source_type_name, std::string(advice)});
    }
    all.push_back({created_type(from.column.type), std::string(advice)});
  }
  return all;
}

/// Which of the types the server has and a column can be of.
result<std::set<std::string>> known_types(connection& c, const std::set<std::string>& names) {
  if (c.is_plain()) {  // to_regtype is of 9.4
    std::set<std::string> known;
    for (const std::string& name : names) {
      if (auto one = c.describe("SELECT NULL::" + name); one) {
        known.insert(name);
      } else if (c.is_lost()) {
        return fail(std::move(one).error());
      }
    }
    return known;
  }
  std::string list = "{";
  for (const std::string& name : names) {
    list += list.size() == 1 ? "\"" : ",\"";
    for (const char ch : name) {
      list += ch == '"' || ch == '\\' ? std::string{'\\', ch} : std::string{ch};
    }
    list += '"';
  }
  SLUICE_TRY(const auto rows,
             c.ask("SELECT u.name FROM pg_catalog.unnest($1::text[]) u(name) JOIN pg_catalog.pg_type t ON "
                   "t.oid = pg_catalog.to_regtype(u.name) WHERE t.typtype <> 'p'",
                   {list + "}"}));
  std::set<std::string> known;
  for (const relational::sql_row& row : rows) {
    known.insert(row.at(0).value_or(""));
  }
  return known;
}

result<std::vector<made_type>> made_types(connection& c, const schema& columns, const table_facts* facts) {
  std::vector<std::vector<made_type>> choices;
  std::set<std::string> asked;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const source_type from = relational::type_at(columns, facts, i);
    choices.push_back(own_types(from));
    for (const made_type& type : choices.back()) {
      asked.insert(type.sql);
    }
    if (choices.back().empty()) {
      choices.back().push_back(other_type(from));
    }
  }
  std::set<std::string> known;
  if (!asked.empty()) {
    SLUICE_TRY(known, known_types(c, asked));
  }
  std::vector<made_type> made;
  for (std::vector<made_type>& some : choices) {
    const auto first = std::find_if(some.begin(), some.end() - 1,
                                    [&](const made_type& type) { return known.count(type.sql) != 0; });
    made.push_back(std::move(*first));
  }
  return made;
}

}  // namespace

result<relational::created_table> postgresql_target::table_to_make(const schema& source_columns) {
  SLUICE_TRY(connection * c, connect_once());
  SLUICE_TRY(const auto types, made_types(*c, source_columns, facts_.get()));
  SLUICE_TRY(auto made, relational::created_table_of(options_, sql_rules(), source_columns, facts_.get(),
                                                     values_, types));
  for (const relational::created_table::column& column : made.columns) {
    if (auto fits = check_name_length(column.name); !fits) {
      error why = std::move(fits).error();
      why.message = fmt::format("{}: {}", values_.place("column"), why.message);
      return fail(std::move(why));
    }
  }
  made.keep_null_out_of_key();
  return made;
}

void postgresql_target::describe_created(const relational::created_table& table,
                                         target_description& out) const {
  out.ddl = {relational::create_table_sql(table, quoted_table_, quote_name)};
  if (!table.comment.empty()) {
    out.ddl.push_back(fmt::format("COMMENT ON TABLE {} IS {}", quoted_table_, quote_text(table.comment)));
  }
  for (const relational::created_table::column& c : table.columns) {
    if (!c.comment.empty()) {
      out.ddl.push_back(fmt::format("COMMENT ON COLUMN {}.{} IS {}", quoted_table_, quote_name(c.name),
                                    quote_text(c.comment)));
    }
  }
  out.not_made = table.not_made;
}

result<void> postgresql_target::plan_created_table(const schema& source_columns, target_description& out) {
  SLUICE_TRY(const auto table, table_to_make(source_columns));
  constexpr auto system_names =
      std::to_array<std::string_view>({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"});
  for (const relational::created_table::column& column : table.columns) {
    if (std::find(system_names.begin(), system_names.end(), column.name) != system_names.end()) {
      return values_.bad(
          "createTable",
          fmt::format("the table cannot be made: {} is the name of a column that every table of "
                      "PostgreSQL has itself; give it another name in the writer's \"column\"",
                      in_quotes(column.name)));
    }
  }
  key_ = table.key_names();
  keys_.clear();
  if (!key_.empty()) {
    keys_.push_back({"", true, key_});
  }
  if (finds_by_key(options_.mode) && !steps_->table_comes_later()) {
    if (key_.empty()) {
      return values_.bad("writeMode", relational::keyless_text(relational::to_string(options_.mode)));
    }
    if (!options_.key_columns.empty()) {
      relational::target_table asked;
      std::vector<std::size_t> mapped;
      asked.name = table_.name;
      asked.keys = {key_};
      for (const relational::created_table::column& c : table.columns) {
        mapped.push_back(asked.columns.size());
        asked.columns.push_back({c.name, c.not_null, false, false});
      }
      SLUICE_CHECK(relational::key_named(asked, mapped, options_.key_columns, sql_rules(), values_));
    }
  }
  describe_created(table, out);
  create_sql_ = fmt::format("{}", fmt::join(out.ddl, "; "));
  relational::announce_created(table, create_sql_, false, out);
  if (!steps_->table_comes_later()) {
    has_key_ = !key_.empty();
  }
  std::string types;
  std::vector<std::string> names;
  std::vector<bool> not_null;
  for (const relational::created_table::column& c : table.columns) {
    types += fmt::format("{}NULL::{}", types.empty() ? "" : ", ", c.type);
    names.push_back(c.name);
    not_null.push_back(c.not_null);
  }
  SLUICE_TRY(const auto described, connection_->describe("SELECT " + types));
  SLUICE_TRY(const auto found, name_types(*connection_, described));
  unsigned digits = 0;
  std::vector<column_type> kinds;
  for (const server_type& t : found) {
    column_type kind = kind_at(*connection_, t, digits);
    if (kind.form == wire_form::money && digits == 0) {
      SLUICE_TRY(digits, money_digits(*connection_));
      kind = kind_at(*connection_, t, digits);
    }
    kinds.push_back(kind_to_write(kind, t));
  }
  return use_columns(names, kinds, not_null, found, source_columns, out);
}

}  // namespace sluice::postgresql
