#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/api/table_facts.h"
#include "plugins/api/target.h"
#include "plugins/common/relational/made_type.h"
#include "plugins/common/relational/relational_options.h"
#include "transport/record/schema.h"

/// Tables that `createTable` makes after what the source reads: what a source says of its table, and how a
/// destination writes it down.
namespace sluice::relational {

/// A table as a source's catalogue has it.
struct read_table {
  struct column {
    std::string name;
    std::string comment;
    bool has_default = false;  ///< Or an identity.
    bool generated = false;
    std::string type = {};  ///< `table_facts::column::own_type`.
  };
  struct key {
    std::string name;
    std::vector<std::string> columns;
    bool primary = false;
    bool unique = false;
  };
  std::string product = {};  ///< `table_facts::product`.
  std::string comment;
  std::vector<column> columns;
  std::vector<key> keys;
  std::vector<std::string> others;  ///< Whatever else, each as `the trigger t`.
};

/// `read` are the columns that the job reads of it, as the table calls them; an expression has no name.
std::shared_ptr<const table_facts> facts_of(const read_table& table, const std::vector<std::string>& read);

/// A table to be made.
struct created_table {
  struct column {
    std::string name;
    std::string type;  ///< As CREATE TABLE has it.
    bool not_null = false;
    std::string comment;
  };
  std::vector<column> columns;  ///< One of each of the source's.
  std::vector<std::size_t> key;
  std::string comment;
  std::vector<std::string> not_made;  ///< Of the source's table, each as `the index by_name (name)`.

  [[nodiscard]] std::vector<std::string> key_names() const;
  /// A key has no NULL here: SQLite's may, and such a record is then dirty.
  void keep_null_out_of_key();
  /// What cannot be made: it goes to `not_made` with the reason.
  void leave_key_out(const std::string& why);
  /// Comments of columns and of the table, where they are longer than the product takes; 0: it has none.
  void leave_comments_out(std::size_t column_characters_max, std::size_t table_characters_max);
};

/// Columns by the names that the job maps to or the reader's, NOT NULL, primary key and comments as the
/// source has them. `types`: one a column of the source. `facts` may be nullptr. `bad_option` as
/// `created_names`.
result<created_table> created_table_of(const end_options& options, const sql_rules& rules,
                                       const schema& source_columns, const table_facts* facts,
                                       const option_values& values, const std::vector<made_type>& types);

/// `CREATE TABLE IF NOT EXISTS`; `behind_column` is what follows a column's NOT NULL, such as its comment.
std::string create_table_sql(
    const created_table& table, const std::string& quoted_table,
    const std::function<std::string(std::string_view)>& quote_name,
    const std::function<std::string(const created_table::column&)>& behind_column = {});

/// Puts into `changes` that `create_sql` makes the table and what of the source's it does not, and the latter
/// into `not_made`. `there`: it is there, and made again where preSql takes it away.
void announce_created(const created_table& table, const std::string& create_sql, bool there,
                      target_description& out);

/// Why `mode`, which finds rows by a key, is refused with such a table, where it has none.
std::string keyless_text(std::string_view mode);

}  // namespace sluice::relational
