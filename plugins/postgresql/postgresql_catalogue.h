#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/created_table.h"
#include "plugins/common/relational/target_mapping.h"
#include "plugins/postgresql/postgresql_connection.h"
#include "plugins/postgresql/postgresql_types.h"

/// Tables as the server describes them (catalogs.html).
namespace sluice::postgresql {

struct table_column {
  std::string name;
  server_type type;      ///< Of a domain its base type.
  std::string declared;  ///< format_type, a domain by its name.
  column_type kind;
  bool not_null = false;         ///< It takes no NULL.
  bool never_null = false;       ///< No row that is read from the table holds one.
  bool has_default = false;      ///< Or an identity, or a domain's default.
  bool generated = false;        ///< Computed by the server: it cannot be written.
  bool always_identity = false;  ///< GENERATED ALWAYS AS IDENTITY: an INSERT must overrule it.
  bool leads_index = false;      ///< An index by which ranges of it are found begins with it.
};

/// A primary key or a unique index that constrains all rows, over columns.
struct unique_key {
  std::string name;
  bool primary = false;
  std::vector<std::string> columns;
};

/// What refuses rows besides, with the columns that it looks at.
struct table_constraint {
  std::string name;
  std::vector<std::string> columns;
};

/// relkind.
enum class table_type : std::uint8_t { table, partitioned, view, materialized_view, foreign };

struct table_info {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  table_type type = table_type::table;
  bool unlogged = false;
  /// Tables inherit from it: their rows are read with its own, and its keys do not hold over them.
  bool has_children = false;
  /// A trigger sees a row before its keys are looked at, and may change them.
  bool changes_rows_first = false;
  std::vector<table_column> columns;
  std::vector<unique_key> keys;  ///< The primary one first.
  /// Foreign keys, CHECK and EXCLUDE, of its partitions too: of these the server names no column.
  std::vector<table_constraint> constraints;
  /// Unique indexes that are no such keys, and exclusion constraints, with the reason: `"open_orders" (id)
  /// WHERE open, which is partial`.
  std::vector<std::string> unusable_keys;

  [[nodiscard]] std::string quoted_name() const { return quote_name(schema) + "." + quote_name(name); }
  /// All that is read from it stands in it, or in partitions, over which its keys and NOT NULL hold.
  [[nodiscard]] bool holds_its_rows() const {
    return (type == table_type::table && !has_children) || type == table_type::partitioned;
  }
  /// Rows that are written into it go elsewhere.
  [[nodiscard]] bool passes_rows_on() const {
    return type == table_type::view || type == table_type::foreign;
  }
  /// Exactly; nullptr where there is none.
  [[nodiscard]] const table_column* named(std::string_view column) const;
  [[nodiscard]] std::vector<std::string> column_names() const;
  /// The shortest key that is unique and never NULL in all rows read, the primary one first; nullptr where
  /// there is none.
  [[nodiscard]] const unique_key* order_key() const;
};

/// `orders`, `shop.orders`, `"Shop"."or.ders"` taken apart; the schema is empty where none is named. Nothing
/// where it is no name.
struct table_name {
  std::string schema;
  std::string name;
};
std::optional<table_name> parse_table_name(std::string_view text);

/// The foreign keys by which deleting rows of the table changes those of others.
result<std::vector<relational::referring_key>> referring_keys(connection& c, const table_info& table);

/// `bad_option` for a name that the server would cut off without a word, and then mean another thing.
result<void> check_name_length(std::string_view name);

/// What the server says of a table or view; nothing where there is none of that name: exactly, else ignoring
/// case. `bad_option` where several are meant, and for names that are too long.
result<std::optional<table_info>> look_up_table(connection& c, const table_name& name);

/// The same for a table that is made after it; asks the server once more.
result<relational::read_table> read_table_of(connection& c, const table_info& table);

/// Where the rows of a table, of its children and of the tables under a view are kept, of those that the
/// transaction's snapshot knows, and what the server keeps them in now: what empties a table or writes it
/// anew (TRUNCATE, ALTER TABLE, CLUSTER, VACUUM FULL) changes it, and rows that an older snapshot has are
/// gone then without a word (https://www.postgresql.org/docs/15/mvcc-caveats.html). Empty where `name`, in
/// SQL, is no longer this table.
result<std::string> storage_of(connection& c, const std::string& oid, const std::string& name);

/// The table on its server and those under it, by inheritance or as partitions, each in one spelling; another
/// server, such as a copy of this one, has another. Of other products the address is the server.
/// `under_views`: those under a view, too.
result<std::vector<std::string>> table_identities(connection& c, std::uint32_t oid, bool under_views = false);

/// An expression of the oid of the table or view of that name in SQL; NULL where there is none.
std::string oid_sql(const connection& c, const std::string& name);

/// Why there is none: `there is no table "ordres" in …; did you mean "orders"?`, or `denied` where the user
/// may not look into its schema.
error missing_table(connection& c, const table_name& name);

/// The types of a statement's columns with their names.
result<std::vector<server_type>> name_types(connection& c, const std::vector<described_column>& columns);

/// What a column of the type is on this server: times that it does not send as PostgreSQL does come as text.
column_type kind_at(const connection& c, const server_type& type, unsigned money_digits);
/// The same for a writer, by what `kind_at` says: such times are times still, and go as text.
column_type kind_to_write(const column_type& read, const server_type& type);

/// What a view or foreign table does with rows that are inserted.
struct inserting {
  bool takes_rows = false;
  bool by_trigger = false;            ///< A view's INSTEAD OF.
  bool overrules_identity = false;    ///< Its table may have one that is GENERATED ALWAYS.
  std::vector<std::string> computed;  ///< The columns of a view without one that are no columns of its table.
};
result<inserting> inserting_into(connection& c, std::uint32_t oid);

/// What the rows of a relation lie in, by inheritance, as partitions and under views.
struct rows_under {
  bool foreign = false;   ///< A foreign table is among it.
  bool unlogged = false;  ///< A crash of the server empties some of it.
  std::string wrappers;   ///< Of the foreign tables, but for postgres_fdw, which takes part in transactions.
};
result<rows_under> what_is_under(connection& c, std::uint32_t oid);

/// Digits behind the point of the session's currency, which money is shown and read with.
result<unsigned> money_digits(connection& c);

}  // namespace sluice::postgresql
