#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/relational/columns.h"
#include "plugins/common/sqlite/sqlite_connection.h"
#include "plugins/sqlite/sqlite_options.h"
#include "plugins/sqlite/sqlite_table.h"

namespace sluice::sqlite {

/// What readers need of their source; made by its `open`, never changed.
struct read_plan {
  source_options options;
  std::string table;                     ///< As the file spells it; empty with a query.
  std::vector<std::string> expressions;  ///< SQL of each column.
  std::vector<column_kind> kinds;
  schema_ptr columns;
  std::vector<std::string>
      key;  ///< Total order of the rows, in SQL names; empty: read whole, without cursors.
  bool key_is_rowid = false;
  bool split_key_is_text = false;  ///< It is declared as a text, so that it never holds an integer.
  std::string split_key;  ///< SQL name of the column by whose ranges splits are cut; empty: one split.
  bool split_key_nullable = false;
  bool order_by_split_key =
      false;  ///< An index gives that order for nothing; else ranges are read in `key`'s order.

  /// The rows' condition: `where`, in parentheses, or `1`.
  [[nodiscard]] std::string condition() const;
};

/// A table, view or query of a SQLite file as a source. Opens read-only. Threads and call order as `source`.
class sqlite_source : public source {
 public:
  sqlite_source(source_options options, option_values values, const plugin_context& context);

  result<source_description> open(const stop_signal& stop) override;
  result<std::vector<split>> plan_splits(std::uint32_t advice, const stop_signal& stop) override;
  [[nodiscard]] std::string statement_of(const scalar_list& split_description, bool resumed) const override;
  result<std::unique_ptr<reader>> make_reader() override;
  void interrupt() override;

 private:
  result<void> describe_query(read_plan& plan);
  result<void> describe_table(read_plan& plan);
  /// Adds the column's own name to `read`, an empty one for an expression.
  result<void> add_column(const table_info& table, const relational::column_entry& entry, read_plan& plan,
                          schema& columns, std::vector<std::string>& read);
  result<void> choose_split_key(const table_info& table, read_plan& plan);
  result<void> choose_order(read_plan& plan);

  option_values values_;
  source_options options_;
  std::uint64_t memory_bytes_;
  std::function<void(std::string)> warn_;
  std::vector<std::string> notes_;  ///< Of the table's columns, as `open` has seen them.
  file_connection connection_;
  std::shared_ptr<const table_facts> facts_;
  std::shared_ptr<const read_plan> plan_;
};

}  // namespace sluice::sqlite
