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

/// Whether a column has ranges: whole numbers and decimals.
bool has_ranges(const column_kind& kind);

/// A column and ranges of it.
struct ranges_of_column {
  std::size_t column = 0;
  std::vector<key_range> ranges;
};

/// The SELECT of `relational::sums_of`, of a table or view, with ranges that of
/// `relational::sums_of_ranges`; behind its values those of what it depends on in a session: the time zone,
/// and whether CONCAT leaves out what is NULL.
std::string sums_sql(const read_plan& plan, const read_part& part, const std::vector<summed_column>& columns,
                     const ranges_of_column* by = nullptr);

// `source_changed` where the table was altered or emptied since `open`.

result<database_sums> sum_part(connection& c, const read_plan& plan, const read_part& part,
                               const std::vector<summed_column>& columns, const stop_signal& stop);
result<std::vector<range_sums>> sum_ranges_of(connection& c, const read_plan& plan, const read_part& part,
                                              const std::vector<summed_column>& columns,
                                              const ranges_of_column& by, const stop_signal& stop);
result<key_span> span_of_part(connection& c, const read_plan& plan, const read_part& part, std::size_t column,
                              const stop_signal& stop);

}  // namespace sluice::mysql
