#include "plugins/mysql/mysql_catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/mysql/mysql_options.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

using relational::sql_row;
using relational::sql_text;

constexpr std::size_t names_shown = 20;

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::uint64_t number_of(const sql_text& text) {
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

bool holds_word(const sql_text& text, std::string_view word) {
  return text && text->find(word) != std::string::npos;
}

/// `TABLE_SCHEMA = 'shop'`: the database named, or the connection's.
std::string database_of(const connection& c, const table_name& name) {
  return name.database.empty() ? "DATABASE()" : c.literal(name.database);
}

result<std::vector<table_column>> read_columns(connection& c, const table_info& table,
                                               const stop_signal& stop) {
  SLUICE_TRY(
      const auto rows,
      c.ask(
          fmt::format("SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, "
                      "CHARACTER_SET_NAME, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, COLLATION_NAME, "
                      "COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND "
                      "TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
                      c.literal(table.database), c.literal(table.name)),
          stop));
  std::vector<table_column> out;
  for (const sql_row& row : rows) {
    declared_type declared{row[1].value_or(""), row[2].value_or(""), row[6].value_or(""), number_of(row[7]),
                           number_of(row[8])};
    table_column column;
    column.name = row[0].value_or("");
    column.kind = kind_of(declared);
    column.not_null = row[3] == "NO";
    // MariaDB shows that of a column without one as the text NULL, and puts other texts in quotes.
    column.has_default = row[4].has_value() && row[4] != "NULL";
    // `VIRTUAL GENERATED`, `STORED GENERATED`, `PERSISTENT`; but not MySQL's `DEFAULT_GENERATED`.
    column.generated =
        holds_word(row[5], "VIRTUAL") || holds_word(row[5], "STORED") || holds_word(row[5], "PERSISTENT");
    column.auto_increment = holds_word(row[5], "auto_increment");
    column.invisible = holds_word(row[5], "INVISIBLE");
    column.charset = row[6].value_or("");
    column.collation = row[9].value_or("");
    column.comment = row[10].value_or("");
    out.push_back(std::move(column));
  }
  return out;
}

result<std::vector<table_key>> read_keys(connection& c, const table_info& table, const stop_signal& stop) {
  constexpr std::uint32_t has_expressions = 80013;
  const bool tells = c.server().product == server_product::mysql && c.server().version >= has_expressions;
  SLUICE_TRY(
      const auto rows,
      c.ask(fmt::format("SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE, {} FROM "
                        "information_schema.STATISTICS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} "
                        "ORDER BY INDEX_NAME <> 'PRIMARY', NON_UNIQUE, INDEX_NAME, SEQ_IN_INDEX",
                        tells ? "EXPRESSION" : "NULL", c.literal(table.database), c.literal(table.name)),
            stop));
  std::vector<table_key> out;
  for (const sql_row& row : rows) {
    if (out.empty() || out.back().name != row[0]) {
      out.push_back({row[0].value_or(""), row[1] == "0", true, true, {}});
    }
    out.back().plain = out.back().plain && row[2].has_value() && !row[3].has_value();
    out.back().ordered = out.back().plain && row[4] == "BTREE";
    // Of an expression its text, which is no column's name.
    out.back().columns.push_back(row[2] ? *row[2] : fmt::format("({})", row[5].value_or("")));
  }
  return out;
}

result<void> read_triggers(connection& c, table_info& table, const stop_signal& stop) {
  SLUICE_TRY(
      const auto triggers,
      c.ask(fmt::format(
                "SELECT COUNT(*), COALESCE(SUM(EVENT_MANIPULATION = 'UPDATE'), 0) FROM "
                "information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {} AND EVENT_OBJECT_TABLE = {}",
                c.literal(table.database), c.literal(table.name)),
            stop));
  table.has_triggers = number_of(triggers.at(0).at(0)) != 0;
  table.has_update_triggers = number_of(triggers.at(0).at(1)) != 0;
  // The server lists triggers to those only who may make them. A database's name in a GRANT is a pattern.
  constexpr std::string_view right =
      "SELECT 1 FROM information_schema.{}_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER' AND "
      "REPLACE(GRANTEE, '''', '') = CURRENT_USER()";
  const std::string of_all = fmt::format(right, "USER");
  const std::string of_database =
      fmt::format("{} AND {} LIKE TABLE_SCHEMA", fmt::format(right, "SCHEMA"), c.literal(table.database));
  const std::string of_table =
      fmt::format("{} AND TABLE_SCHEMA = {} AND TABLE_NAME = {}", fmt::format(right, "TABLE"),
                  c.literal(table.database), c.literal(table.name));
  SLUICE_TRY(const auto rights,
             c.ask(fmt::format("{} UNION ALL {} UNION ALL {}", of_all, of_database, of_table), stop));
  table.sees_triggers = !rights.empty();
  return {};
}

/// The type as CREATE TABLE has it. MariaDB's JSON is a LONGTEXT that a check keeps to JSON.
std::string own_type_of(const table_column& column, bool checks_json) {
  constexpr std::string_view json_collation = "utf8mb4_bin";
  if (checks_json && column.kind.name == "longtext" && column.collation == json_collation) {
    return "json";
  }
  return column.charset.empty() ? column.kind.name
                                : fmt::format("{} CHARACTER SET {} COLLATE {}", column.kind.name,
                                              column.charset, column.collation);
}

/// The columns of MariaDB whose own check is that they are JSON.
result<std::vector<std::string>> json_columns(connection& c, const table_info& table,
                                              const stop_signal& stop) {
  std::vector<std::string> names;
  if (c.server().product != server_product::mariadb) {
    return names;
  }
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE "
                               "CONSTRAINT_SCHEMA = {} AND TABLE_NAME = {} AND CHECK_CLAUSE = "
                               "CONCAT('json_valid(`', REPLACE(CONSTRAINT_NAME, '`', '``'), '`)')",
                               c.literal(table.database), c.literal(table.name)),
                   stop));
  for (const sql_row& row : rows) {
    names.push_back(row[0].value_or(""));
  }
  return names;
}

}  // namespace

std::string_view product_name(const server_info& server) {
  return server.product == server_product::mariadb ? "mariadb" : "mysql";
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return small(x) == small(y); });
}

std::optional<table_name> parse_table_name(std::string_view text) {
  const auto parts = relational::name_parts(text, sql_rules());
  if (!parts || parts->empty() || parts->size() > 2) {
    return std::nullopt;
  }
  return parts->size() == 1 ? table_name{"", (*parts)[0].name}
                            : table_name{(*parts)[0].name, (*parts)[1].name};
}

std::string table_info::quoted_name() const {
  return quote_name(database) + "." + quote_name(name);
}

const table_column* table_info::find(std::string_view column) const {
  const auto exact =
      std::find_if(columns.begin(), columns.end(), [&](const table_column& c) { return c.name == column; });
  if (exact != columns.end()) {
    return &*exact;
  }
  const auto near = std::find_if(columns.begin(), columns.end(),
                                 [&](const table_column& c) { return same_name(c.name, column); });
  return near == columns.end() ? nullptr : &*near;
}

std::vector<std::string> table_info::column_names() const {
  std::vector<std::string> names;
  for (const table_column& c : columns) {
    names.push_back(c.name);
  }
  return names;
}

std::vector<std::string> table_info::visible_names() const {
  std::vector<std::string> names;
  for (const table_column& c : columns) {
    if (!c.invisible) {
      names.push_back(c.name);
    }
  }
  return names;
}

std::string table_info::note_of_invisible(std::string_view done, const std::vector<std::size_t>& but) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].invisible && !columns[i].generated && std::find(but.begin(), but.end(), i) == but.end()) {
      names.push_back(in_quotes(columns[i].name));
    }
  }
  return names.empty() ? ""
                       : fmt::format(
                             "Of table {} the INVISIBLE {} {} not {}, as * is without them; name them in "
                             "\"column\" where they are wanted.",
                             in_quotes(name), fmt::join(names, ", "), names.size() == 1 ? "is" : "are", done);
}

const table_key* table_info::total_order() const {
  for (const table_key& key : keys) {
    const bool fits =
        key.unique && key.ordered && std::all_of(key.columns.begin(), key.columns.end(), [&](const auto& n) {
          const table_column* c = find(n);
          return c != nullptr && c->not_null && orders_as_read(c->kind);
        });
    if (fits) {
      return &key;
    }
  }
  return nullptr;
}

const table_key* table_info::index_on(std::string_view column) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const table_key& k) {
    return k.ordered && !k.columns.empty() && same_name(k.columns[0], column);
  });
  return found == keys.end() ? nullptr : &*found;
}

result<std::optional<table_info>> look_up_table(connection& c, const table_name& name,
                                                const stop_signal& stop) {
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, "
                               "@@lower_case_table_names FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                               "{} AND (TABLE_NAME = {} OR "
                               "LOWER(TABLE_NAME) = LOWER({}))",
                               database_of(c, name), c.literal(name.table), c.literal(name.table)),
                   stop));
  if (rows.empty()) {
    return std::optional<table_info>();
  }
  const auto exact =
      std::find_if(rows.begin(), rows.end(), [&](const sql_row& row) { return row[1] == name.table; });
  if (exact == rows.end() && rows.size() != 1) {
    return std::optional<table_info>();
  }
  const sql_row& row = exact == rows.end() ? rows[0] : *exact;
  table_info table;
  table.by_another_case = exact == rows.end() && row[5] == "0";
  table.database = row[0].value_or("");
  table.name = row[1].value_or("");
  table.type = row[2] == "BASE TABLE" || row[2] == "SYSTEM VERSIONED" ? table_type::table
               : holds_word(row[2], "VIEW")                           ? table_type::view
                                                                      : table_type::other;
  table.engine = row[3].value_or("");
  table.rows_estimate = number_of(row[4]);
  SLUICE_TRY(table.columns, read_columns(c, table, stop));
  SLUICE_TRY(table.keys, read_keys(c, table, stop));
  SLUICE_CHECK(read_triggers(c, table, stop));
  return std::optional(std::move(table));
}

result<std::size_t> count_partitions(connection& c, const std::string& database, const std::string& table,
                                     const stop_signal& stop) {
  SLUICE_TRY(
      const auto rows,
      c.ask(fmt::format("SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = {} AND "
                        "TABLE_NAME = {} AND PARTITION_NAME IS NOT NULL",
                        c.literal(database), c.literal(table)),
            stop));
  return static_cast<std::size_t>(number_of(rows.at(0).at(0)));
}

result<std::map<std::string, std::string>> check_columns(connection& c, const table_info& table,
                                                         const stop_signal& stop) {
  // Names are the table's own in MariaDB, and the database's in MySQL.
  const bool by_table = c.server().product == server_product::mariadb;
  const std::string_view found_by = by_table
                                        ? "information_schema.CHECK_CONSTRAINTS c WHERE c.TABLE_NAME"
                                        : "information_schema.CHECK_CONSTRAINTS c JOIN "
                                          "information_schema.TABLE_CONSTRAINTS t USING (CONSTRAINT_SCHEMA, "
                                          "CONSTRAINT_NAME) WHERE t.TABLE_NAME";
  const auto rows = c.ask(fmt::format("SELECT c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM {} = {} AND "
                                      "c.CONSTRAINT_SCHEMA = {}",
                                      found_by, c.literal(table.name), c.literal(table.database)),
                          stop);
  std::map<std::string, std::string> out;
  if (!rows) {
    return is_lost(rows.error()) ? fail(rows.error()) : result<std::map<std::string, std::string>>(out);
  }
  for (const sql_row& row : *rows) {
    const std::string name = row[0].value_or("");
    std::string clause = row[1].value_or("");
    // MySQL has the quotes around texts behind backslashes.
    for (std::size_t at = 0; !by_table && (at = clause.find("\\'", at)) != std::string::npos;) {
      clause.erase(at, 1);
    }
    const auto tokens = relational::tokens_of(clause, sql_rules());
    std::string columns;
    for (const table_column& column : table.columns) {
      const std::string quoted = quote_name(column.name);
      if (std::any_of(tokens.begin(), tokens.end(),
                      [&](const relational::sql_token& t) { return t.text == quoted; })) {
        columns += (columns.empty() ? "" : ", ") + column.name;
      }
    }
    out[name] = columns;
    out[table.name + "." + name] = columns;  // MariaDB, of a CHECK that stands at a column
  }
  return out;
}

result<std::vector<relational::referring_key>> referring_keys(connection& c, const table_info& table,
                                                              const stop_signal& stop) {
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format(
                       "SELECT CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME), CONSTRAINT_NAME, DELETE_RULE FROM "
                       "information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA = {} AND "
                       "REFERENCED_TABLE_NAME = {} AND DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
                       "ORDER BY 1, 2",
                       c.literal(table.database), c.literal(table.name)),
                   stop));
  std::vector<relational::referring_key> keys;
  for (const sql_row& row : rows) {
    keys.push_back({row[0].value_or(""), row[1].value_or(""), row[2] == "CASCADE"});
  }
  return keys;
}

namespace {

/// Adds the coordinate systems that columns ask for: `the SRID 4326 of column place`.
result<void> add_srids(connection& c, const table_info& table, const stop_signal& stop,
                       std::vector<std::string>& others) {
  const auto is_spatial = [](const table_column& column) {
    const std::string& name = column.kind.name;
    return column.kind.holds == held_as::bytes && name.find("blob") == std::string::npos &&
           name.find("binary") == std::string::npos;
  };
  if (std::none_of(table.columns.begin(), table.columns.end(), is_spatial)) {
    return {};
  }
  const bool mysql = c.server().product == server_product::mysql;
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT {0}, {1} FROM information_schema.{2} WHERE {3}TABLE_SCHEMA = {4} AND "
                               "{3}TABLE_NAME = {5} AND {0} <> 0 ORDER BY 2",
                               mysql ? "SRS_ID" : "SRID", mysql ? "COLUMN_NAME" : "G_GEOMETRY_COLUMN",
                               mysql ? "ST_GEOMETRY_COLUMNS" : "GEOMETRY_COLUMNS", mysql ? "" : "G_",
                               c.literal(table.database), c.literal(table.name)),
                   stop));
  for (const sql_row& row : rows) {
    others.push_back(fmt::format("the SRID {} of column {}", row[0].value_or(""), row[1].value_or("")));
  }
  return {};
}

}  // namespace

result<relational::read_table> read_table_of(connection& c, const table_info& table,
                                             const stop_signal& stop) {
  const std::string in_table =
      fmt::format("TABLE_SCHEMA = {} AND TABLE_NAME = {}", c.literal(table.database), c.literal(table.name));
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT 0, TABLE_COMMENT FROM information_schema.TABLES WHERE {0} UNION ALL "
                               "SELECT 1, CONCAT('the ', LOWER(CONSTRAINT_TYPE), ' ', CONSTRAINT_NAME) FROM "
                               "information_schema.TABLE_CONSTRAINTS WHERE {0} AND CONSTRAINT_TYPE IN "
                               "('FOREIGN KEY', 'CHECK') UNION ALL "
                               "SELECT 2, CONCAT('the trigger ', TRIGGER_NAME) FROM "
                               "information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {1} AND "
                               "EVENT_OBJECT_TABLE = {2} ORDER BY 1, 2",
                               in_table, c.literal(table.database), c.literal(table.name)),
                   stop));
  SLUICE_TRY(const auto json, json_columns(c, table, stop));
  const auto is_json = [&](std::string_view name) {
    return std::find(json.begin(), json.end(), name) != json.end();
  };
  constexpr std::string_view check = "the check ";
  relational::read_table out;
  out.product = product_name(c.server());
  for (const sql_row& row : rows) {
    const std::string text = row[1].value_or("");
    if (row[0] != "0") {
      if (!text.starts_with(check) || !is_json(std::string_view(text).substr(check.size()))) {
        out.others.push_back(text);
      }
    } else if (table.type == table_type::table) {  // of a view it is `VIEW`
      out.comment = text;
    }
  }
  SLUICE_CHECK(add_srids(c, table, stop, out.others));
  for (const table_column& column : table.columns) {
    out.columns.push_back({column.name, column.comment, column.has_default || column.auto_increment,
                           column.generated, own_type_of(column, is_json(column.name))});
  }
  for (const table_key& key : table.keys) {
    out.keys.push_back({key.name, key.columns, key.name == "PRIMARY" && key.plain, key.unique});
  }
  return out;
}

result<std::string> describe_missing_table(connection& c, const table_name& name, const stop_signal& stop) {
  SLUICE_TRY(const auto database, c.ask("SELECT DATABASE()", stop));
  const std::string where = name.database.empty() ? database[0][0].value_or("") : name.database;
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND "
                               "TABLE_NAME NOT LIKE 'sluice%' ORDER BY TABLE_NAME LIMIT 1000",
                               database_of(c, name)),
                   stop));
  std::vector<std::string> names;
  for (const sql_row& row : rows) {
    names.push_back(row[0].value_or(""));
  }
  std::string text = fmt::format("no table {} in database {}", in_quotes(name.table), in_quotes(where));
  if (where.empty()) {
    return text + "; name a database in \"jdbcUrl\", or before the table";
  }
  if (const auto near = nearest(name.table, names); !near.empty()) {
    return fmt::format("{}; did you mean {}?", text, in_quotes(near));
  }
  if (names.empty()) {
    return text + "; this account sees no table there";
  }
  text += "; it has ";
  for (std::size_t i = 0; i < names.size() && i < names_shown; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", in_quotes(names[i]));
  }
  return names.size() > names_shown ? text + ", …" : text;
}

}  // namespace sluice::mysql
