#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/common/relational/key_ranges.h"
#include "plugins/mysql/mysql_catalogue.h"
#include "plugins/mysql/mysql_decode.h"
#include "plugins/mysql/mysql_snapshot.h"
#include "plugins/mysql/mysql_table_state.h"
#include "transport/record/scalar.h"
#include "transport/record/schema.h"

namespace sluice::mysql {

/// A column by which rows are in order.
struct order_column {
  std::string name;  ///< In SQL.
  std::string bare;  ///< Without quotes.
  column_kind kind;
  std::optional<std::size_t> selected;  ///< Where the SELECT has it already.
};

/// A column of the key by whose ranges a table is split.
struct split_column {
  std::string name;  ///< In SQL.
  std::string bare;  ///< Without quotes.
  relational::key_kind kind = relational::key_kind::whole_number;
  std::string charset;  ///< Of a text: `CONVERT(… USING x) COLLATE y` needs `x`, `y`.
  std::string collation;
};

/// A column of the table's own among the job's.
struct own_column {
  std::string sql;      ///< Quoted.
  std::string charset;  ///< Of a text, by the catalogue.
};

/// One table, view or query that is read.
struct read_part {
  std::size_t connection = 0;  ///< In `read_plan::connections`.
  std::string name;            ///< `shop.orders`, or `querySql[0]`.
  std::string place;           ///< Where it stands in the job, for messages.
  std::string values_place;    ///< Where what is computed stands: the columns, or the query.
  std::string table;           ///< In SQL; empty with a query.
  std::string database;        ///< Of the table, without quotes; so the next.
  std::string table_bare;
  std::string engine;  ///< Of a table; empty else.
  table_state state;   ///< Of a table when the run began.
  std::string query;
  std::string where;  ///< In parentheses; empty: all rows.
  std::vector<std::string> expressions;
  std::vector<std::optional<own_column>> own_columns;  ///< One an expression; nothing: it is computed.
  /// Of those that are the table's own columns, as they are: what the server said of them in a result.
  std::vector<std::optional<result_column>> described;
  std::vector<order_column> order;      ///< Total order of the rows; empty: read whole, without cursors.
  std::vector<split_column> split_key;  ///< By whose ranges it is split; empty: one split.
  bool split_nullable = false;
  std::string split_index;  ///< In SQL: begins with it. Empty: none does.
  /// The key's columns, where the job did not name it: `by` of a description must be the same, because ranges
  /// of another key would be others. With `splitMode` `none` what it could be.
  std::string split_by;
  std::string sample_index;  ///< Without `split_index`: by which rows are found, and its columns.
  std::vector<split_column> sample_key;
  std::string one_split_because;  ///< Why it is not split though the job asks.
  double rows = 0;                ///< By the server's estimate; 0: not asked for.
};

/// What readers need of their source; made by its `open`, never changed.
struct read_plan {
  std::vector<connection_plan> connections;
  std::vector<read_part> parts;
  std::vector<column_kind> kinds;
  zero_date zeros = zero_date::dirty;
  relational::text_rule invalid_text = relational::text_rule::dirty;
  std::shared_ptr<shared_snapshot> snapshot;  ///< None: each statement has its own.
  schema_ptr columns;
  std::string name;  ///< `sluice <job> <run>`: stands in the statements as a comment, with the split.
};

/// The part that a split is of; `source_changed` where the plan has no such part any more.
result<const read_part*> part_of(const read_plan& plan, const scalar_list& split_description);

/// The statement that reads a split. `after`: behind that cursor, whose values `literal` writes; nothing:
/// from its start.
std::string reading_sql(const read_plan& plan, const read_part& part, const scalar_list& split_description,
                        const std::optional<std::vector<std::string>>& after_literals);

/// A bound as a literal that means the same in every sql_mode.
std::string bound_literal(const scalar& v);
std::string bytes_literal(std::string_view bytes);  ///< `x'00ff'`
/// `'a'`, or by its bytes, so that it means the same whatever the session makes of backslashes.
std::string text_literal(std::string_view text);

/// `name > 5`, `(a > 1 OR (a = 1 AND b > 2))` with a bound on `a` alone in front, which finds the index.
std::string behind_cursor(const std::vector<order_column>& order, const std::vector<std::string>& literals);

}  // namespace sluice::mysql
