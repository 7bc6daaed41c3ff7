#pragma once

#include <string>
#include <vector>

#include "plugins/api/sums_in_database.h"
#include "plugins/postgresql/postgresql_connection.h"
#include "plugins/postgresql/postgresql_read_plan.h"

/// `sql/1` (docs/canonical.md) as PostgreSQL computes it. Nothing in the expressions depends on what a
/// session has set.
namespace sluice::postgresql {

/// The forms in which a column's values can be written.
std::vector<sql_form> sql_forms_of(const column_type& kind, const server_type& type);

/// The field of a record: the text of the value, or of NULL, and a comma. Where the value has no text in that
/// form it is NULL. `sql`: the column.
std::string field_sql(const std::string& sql, sql_form form, const column_type& kind);

/// Whether a column has ranges: whole numbers and decimals.
bool has_ranges(const column_type& kind);

/// A column and ranges of it.
struct ranges_of_column {
  std::size_t column = 0;
  std::vector<key_range> ranges;
};

/// The SELECT of `relational::sums_of`, of a table or view; with ranges that of `relational::sums_of_ranges`.
std::string sums_sql(const read_plan& plan, const relation_plan& relation,
                     const std::vector<summed_column>& columns, const ranges_of_column* by = nullptr);

// Each in the transaction of the snapshot where one is open, else in one of its own, which stays open.
// `source_changed` where the table's columns or what its rows are in are not what `open` has found.

result<database_sums> sum_relation(connection& c, const read_plan& plan, const relation_plan& relation,
                                   const std::vector<summed_column>& columns);
result<std::vector<range_sums>> sum_ranges_of(connection& c, const read_plan& plan,
                                              const relation_plan& relation,
                                              const std::vector<summed_column>& columns,
                                              const ranges_of_column& by);
result<key_span> span_of_relation(connection& c, const read_plan& plan, const relation_plan& relation,
                                  std::size_t column);

}  // namespace sluice::postgresql
