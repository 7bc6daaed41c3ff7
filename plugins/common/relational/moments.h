#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/sql_text.h"

/// Where the job's own SQL meets columns that hold instants. The server shows such a column, and takes times
/// without an offset for it, by the session's zone, and the job's author may think of another one.
namespace sluice::relational {

/// How a text of the job's names columns.
enum class moment_text : std::uint8_t {
  condition,  ///< Whatever it names it computes with.
  list,  ///< A SELECT or an entry of its list: what is only an item, of ORDER BY or GROUP BY too, is not.
};

/// The names in `columns` with which the text computes or compares, in their order; ASCII case does not
/// count.
std::vector<std::string> columns_used(const std::vector<sql_token>& tokens, moment_text what,
                                      const std::vector<std::string>& columns, const sql_rules& rules);

/// A table as a query names it.
struct named_table {
  std::string schema;  ///< Empty where none is named.
  std::string table;
  friend bool operator==(const named_table&, const named_table&) = default;
};
/// The tables that a query names behind FROM and JOIN, of each one once, 32 at most; subqueries' too. What
/// it defines itself by WITH is none.
std::vector<named_table> tables_in(std::string_view query, const sql_rules& rules);

/// Whether a text of SQL, without its quotes, is a date, or a date and a time, without an offset or zone:
/// `2024-07-01`, `20240701`, `2024-07-01 10:30:00.5`.
bool is_time_without_zone(std::string_view text);

}  // namespace sluice::relational
