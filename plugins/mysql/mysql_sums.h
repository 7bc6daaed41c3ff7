#pragma once

#include <string>
#include <vector>

#include "plugins/api/sums_in_database.h"
#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_read_plan.h"

/// `sql/1` (docs/canonical.md) as MariaDB and MySQL compute it.
namespace sluice::mysql {

/// The forms in which a column's values can be written. `charset`: of a text, by the catalogue.
std::vector<sql_form> sql_forms_of(const column_kind& kind, const std::string& charset);

/// The text of the value, or of NULL. Where the value has no text in that form it is NULL, also where the
/// server has no room for it. `sql`: the column.
std::string field_sql(const std::string& sql, sql_form form, const column_kind& kind,
                      const std::string& charset);

/// The SELECT of `relational::sums_of`, of a table or view; behind its values those of what it depends on in
/// a session: the time zone, and whether CONCAT leaves out what is NULL.
std::string sums_sql(const read_plan& plan, const read_part& part, const std::vector<summed_column>& columns);

/// Runs it. `source_changed` where the table was altered or emptied since `open`.
result<database_sums> sum_part(connection& c, const read_plan& plan, const read_part& part,
                               const std::vector<summed_column>& columns, const stop_signal& stop);

}  // namespace sluice::mysql
