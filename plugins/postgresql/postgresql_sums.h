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

/// The SELECT of `relational::sums_of`, of a table or view.
std::string sums_sql(const read_plan& plan, const relation_plan& relation,
                     const std::vector<summed_column>& columns);

/// Runs it, in the transaction of the snapshot where one is open, else in one of its own. `source_changed`
/// where the table's columns or what its rows are in are not what `open` has found.
result<database_sums> sum_relation(connection& c, const read_plan& plan, const relation_plan& relation,
                                   const std::vector<summed_column>& columns);

}  // namespace sluice::postgresql
