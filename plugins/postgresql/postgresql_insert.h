#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/postgresql/postgresql_connection.h"
#include "plugins/postgresql/postgresql_stage.h"
#include "plugins/postgresql/postgresql_types.h"

namespace sluice::postgresql {

/// How rows go into a table by statements.
struct insert_plan {
  stage_plan rows;  ///< Table, columns, mode and key.
  std::vector<std::uint32_t> type_oids;
  std::vector<bool> as_text;  ///< The column has no binary form here: its type's input function reads it.
  bool overrules_identity = false;  ///< A column is GENERATED ALWAYS AS IDENTITY.
  std::uint32_t rows_max = 1;       ///< Of one statement, and
  std::uint64_t bytes_max = 0;      ///< likewise; it has one row at least.
};

/// The statement of `rows` rows, with `$1`, `$2`, … in their places.
std::string insert_sql(const insert_plan& plan, std::size_t rows);

/// Writes rows by INSERT with values, many rows a statement: the plain way, of a server that is not
/// PostgreSQL itself, and into views and foreign tables. `update` and `ignore` by ON CONFLICT; `replace` by a
/// DELETE of the keys before. Owned and used by a writer's thread, inside its transaction.
class row_inserter {
 public:
  explicit row_inserter(insert_plan plan);

  /// Sends whole rows in the binary form of COPY; how many the server took, which in `ignore` may be fewer.
  /// Two rows of one key in one statement are refused by the server in `update` and `replace`. `bad_row` as
  /// `connection::run`; then nothing is known of the rows, and the caller rolls back.
  result<std::uint64_t> insert(connection& c, std::string_view rows);

 private:
  /// The fields of the next rows, as many as a statement takes; the rest stays. How many rows.
  std::size_t take_rows(std::string_view& rows);
  result<void> delete_keys(connection& c, std::size_t rows);

  insert_plan plan_;
  std::vector<std::size_t> key_;  ///< Places of the key's columns; of `replace`.
  std::string full_sql_;          ///< Of `rows_max` rows.
  std::vector<statement_value> values_;
};

}  // namespace sluice::postgresql
