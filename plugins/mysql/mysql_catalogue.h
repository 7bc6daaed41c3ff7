#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/created_table.h"
#include "plugins/common/relational/target_mapping.h"
#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_types.h"

/// Tables as information_schema describes them, and the names by which jobs call them.
namespace sluice::mysql {

/// `table_facts::product`: whose words a server speaks.
std::string_view product_name(const server_info& server);

struct table_column {
  std::string name;
  column_kind kind;
  bool not_null = false;
  bool has_default = false;
  bool generated = false;  ///< Computed by the server: never written.
  bool auto_increment = false;
  bool invisible = false;  ///< `*` leaves it out.
  std::string charset;     ///< Of a text; empty else.
  std::string collation;
  std::string comment;
};

struct table_key {
  std::string name;
  bool unique = false;
  bool plain = true;    ///< Whole columns only: no prefixes, no expressions.
  bool ordered = true;  ///< And ranges of them are found by it: no hash, no full text.
  std::vector<std::string> columns;
};

enum class table_type : std::uint8_t { table, view, other };

struct table_info {
  std::string database;
  std::string name;  ///< As the server spells it.
  table_type type = table_type::table;
  std::string engine;
  std::uint64_t rows_estimate = 0;
  bool has_triggers = false;
  bool has_update_triggers = false;
  bool sees_triggers = false;    ///< The account has the right TRIGGER; without it none are listed.
  bool by_another_case = false;  ///< Its name differs from the one asked for, and the server minds case.
  std::vector<table_column> columns;
  std::vector<table_key> keys;  ///< The primary key first.

  /// `` `shop`.`orders` ``
  [[nodiscard]] std::string quoted_name() const;
  /// By name exactly, else ignoring case; nullptr where there is none.
  [[nodiscard]] const table_column* find(std::string_view column) const;
  [[nodiscard]] std::vector<std::string> column_names() const;
  /// Those of `*`.
  [[nodiscard]] std::vector<std::string> visible_names() const;
  /// `Of table "t" the INVISIBLE "p" is not …`, where `*` is `read` or `written`; empty where none is left
  /// out. `but`: the columns by their index that are not.
  [[nodiscard]] std::string note_of_invisible(std::string_view done,
                                              const std::vector<std::size_t>& but = {}) const;
  /// A unique key of whole NOT NULL columns in whose order rows can be read and continued: the primary key,
  /// or the first such; nullptr where there is none.
  [[nodiscard]] const table_key* total_order() const;
  /// An index that begins with the column; nullptr where there is none.
  [[nodiscard]] const table_key* index_on(std::string_view column) const;
};

struct table_name {
  std::string database;  ///< Empty: the connection's own.
  std::string table;
};

/// `t`, `shop.t`, `` `shop`.`t` `` taken apart; nothing where it is none of them.
std::optional<table_name> parse_table_name(std::string_view text);
/// ASCII case ignored.
bool same_name(std::string_view a, std::string_view b);

/// What the server says of a table or view: of that name, or the only one that has it ignoring case. Nothing
/// where there is none, or no right to see it.
result<std::optional<table_info>> look_up_table(connection& c, const table_name& name,
                                                const stop_signal& stop);
/// The foreign keys by which deleting rows of the table changes those of others.
result<std::vector<relational::referring_key>> referring_keys(connection& c, const table_info& table,
                                                              const stop_signal& stop);
/// The columns of each CHECK by the name that a refusal calls it by, `a, b`; empty where the server does not
/// tell (MariaDB before 10.3, MySQL before 8.0.16).
result<std::map<std::string, std::string>> check_columns(connection& c, const table_info& table,
                                                         const stop_signal& stop);
/// The same as `look_up_table` for a table that is made after it; asks the server once more.
result<relational::read_table> read_table_of(connection& c, const table_info& table, const stop_signal& stop);
/// 0: it has none.
result<std::size_t> count_partitions(connection& c, const std::string& database, const std::string& table,
                                     const stop_signal& stop);
/// `no table "ordres" in database "shop"; did you mean "orders"?`, or the tables there are.
result<std::string> describe_missing_table(connection& c, const table_name& name, const stop_signal& stop);

}  // namespace sluice::mysql
