#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/mysql/mysql_catalogue.h"
#include "transport/record/schema.h"

/// Keys that take different texts for the same: rows that the source tells apart are then one row.
namespace sluice::mysql {

/// Which differences between two texts a collation does not see.
struct unseen_differences {
  bool cases = false;
  bool accents = false;
  bool blanks = false;  ///< At the end.

  [[nodiscard]] bool any() const { return cases || accents || blanks; }
};

/// What a source's collation of this name does not see, at least; an empty name (another product's text, or
/// none of a table's) sees all.
unseen_differences unseen_by_name(std::string_view collation);

/// A column that is written, with what comes into it.
struct written_text {
  std::size_t column = 0;        ///< In `table_info::columns`.
  std::string source_collation;  ///< Empty: not one of MySQL's or MariaDB's.
};

struct collation_texts {
  std::vector<std::string> warnings;
  std::vector<std::string> notes;  ///< Of blanks at the end alone, which few keys have.
};
/// One sentence about each text of a unique key by which rows are found that the source may tell apart. Asks
/// the server what the column's collation takes for equal. `last_stays`: of such rows, else the first.
result<collation_texts> texts_about_collations(connection& c, const table_info& table,
                                               const std::vector<written_text>& written, bool last_stays,
                                               const stop_signal& stop);

/// The collation in a type as `table_facts::column::own_type` of these products has it; empty: none.
std::string_view collation_in(std::string_view own_type);

}  // namespace sluice::mysql
