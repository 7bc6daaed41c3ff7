#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/created_table.h"
#include "plugins/common/relational/target_mapping.h"
#include "plugins/sqlite/sqlite_types.h"
#include "transport/base/sqlite.h"

/// Tables as the file describes them, and the names by which jobs call them.
namespace sluice::sqlite {

struct table_column {
  std::string name;
  std::string declared_type;
  column_kind kind;
  bool not_null = false;
  bool has_default = false;
  bool generated = false;
  bool is_rowid = false;  ///< INTEGER PRIMARY KEY: another name of the rowid.
};

/// A primary key or a unique index: what `replace`, `update` and `ignore` find a row by.
struct unique_key {
  std::vector<std::string> columns;  ///< An expression has no name: "".
};

enum class table_type { table, view, virtual_table };

struct table_info {
  std::string name;  ///< As the file spells it.
  table_type type = table_type::table;
  bool without_rowid = false;
  std::vector<table_column> columns;
  /// Names of the columns by which the table's rows are in order, unique and never NULL: the rowid under a
  /// name that no column hides, or the primary key of a table without rowid; empty for what is no table.
  std::vector<std::string> key;
  std::vector<unique_key> unique_keys;

  [[nodiscard]] std::string quoted_name() const { return quote_name(name); }
  /// By name, ignoring ASCII case as SQLite does; nullptr where there is none.
  [[nodiscard]] const table_column* find(std::string_view column) const;
  [[nodiscard]] std::vector<std::string> column_names() const;
};

/// The bare table name of `t`, `main.t`, `"main"."t"`; nothing where another database than main is named.
std::optional<std::string> table_name_of(std::string_view text);

/// What the file says of a table or view; nothing where there is none of that name.
result<std::optional<table_info>> look_up_table(database& db, const std::string& name);

/// The foreign keys by which deleting rows of the table changes those of others, called by their columns, for
/// SQLite does not tell their names. None where the connection does not enforce them, as by default.
result<std::vector<relational::referring_key>> referring_keys(database& db, const std::string& table);

/// The same for a table that is made after it; CHECKs are not seen.
result<relational::read_table> read_table_of(database& db, const table_info& table);

/// `it has "orders", "customers"`: what a person may mean, without the tables of SQLite and of Sluice.
result<std::string> describe_tables(database& db);

/// `no table "ordres"; did you mean "orders"?`, or the tables there are.
result<std::string> describe_missing_table(database& db, const std::string& name);

}  // namespace sluice::sqlite
