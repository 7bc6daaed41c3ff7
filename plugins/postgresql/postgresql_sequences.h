#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/postgresql/postgresql_catalogue.h"

namespace sluice::postgresql {

/// A sequence that gives a column its values: of an identity, of a serial, given to it (OWNED BY), or called
/// by its default, which is `nextval` of nothing else.
struct column_sequence {
  std::string name;  ///< Quoted, with its schema.
  std::string column;
  bool rises = true;
  std::int64_t least = 1;
  std::int64_t most = 0;
  bool may_move = false;  ///< This account may read it and the column, and set it.
};

struct column_sequences {
  std::vector<column_sequence> known;
  /// `"a" (nextval('s'::text))`: columns whose default calls `nextval`, and that of another sequence than can
  /// be told, or makes another value of it.
  std::vector<std::string> untold;
};

/// Those of the table's columns of these names that hold whole numbers.
result<column_sequences> sequences_of(connection& c, const table_info& table,
                                      const std::vector<std::string>& columns);

/// Statements that move the sequences on to the greatest value of their columns (of a falling one the least),
/// as far as they go; never back. `table` is quoted.
std::string move_sequences_sql(const std::string& table, const std::vector<column_sequence>& sequences);

}  // namespace sluice::postgresql
