#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/sql_text.h"
#include "plugins/common/relational/url_properties.h"
#include "transport/base/result.h"
#include "transport/record/schema.h"

namespace sluice::relational {

/// What a column entry of a reader is.
struct column_entry {
  std::optional<std::size_t> column;  ///< Index in the table's columns; nothing: an expression or constant.
  std::string text;                   ///< As the job writes it, without the alias.
  std::string alias;                  ///< The name that the job gives it; empty: none.
  std::string place;
};

/// The name that an entry means among `names`: exactly, else without blanks around it and its quotes, else
/// the only one that is the same ignoring case. Nothing where there is none, or where several differ by case
/// only.
std::optional<std::size_t> named_in(std::string_view entry, const std::vector<std::string>& names,
                                    const sql_rules& rules);

/// What each entry of `column` is, for a table that has these columns; `*` alone is all of them. An entry
/// that names no column as it stands may end in an alias (`select_item_of`). `bad_option` where a bare name
/// matches several that differ by case only, and where an entry is several expressions.
result<std::vector<column_entry>> column_entries(const std::vector<placed_text>& entries,
                                                 const std::vector<std::string>& names,
                                                 const sql_rules& rules);

/// Whether a job's columns are `*`.
bool is_star(const std::vector<placed_text>& entries);
/// The entries, but `*` where they are `t.*` or `shop.t.*` alone and that is the table itself.
std::vector<placed_text> with_own_star(const std::vector<placed_text>& entries, std::string_view schema,
                                       std::string_view table, const sql_rules& rules);
/// What is wrong with entries of which the server makes another number of columns.
std::string other_columns_text(std::size_t entries, std::size_t columns);
/// The plan's line for an entry of `column` that the server computes, or that has an alias; nothing for a
/// column under its own name.
std::optional<std::string> entry_note(std::size_t index, const column_entry& entry, std::string_view table);
/// `why` with its place, for an entry that the server does not take. Where that may be for an alias without
/// AS, with how to write it.
error refused_entry(error why, std::string_view entry, const std::string& place, const sql_rules& rules);

struct named_columns {
  std::string table;  ///< As messages call it: `"t_1"`, `"t_1" in <database>`.
  std::vector<std::string> names;
};
std::vector<std::string> column_names(const schema& columns);
/// Likewise of a table that is read behind `first`: `*` is the columns of `first`, found by their names.
/// `bad_option` where one of the two has a column that the other lacks.
result<std::vector<column_entry>> column_entries_behind(const std::vector<placed_text>& entries,
                                                        const named_columns& first,
                                                        const named_columns& table, const sql_rules& rules);

/// The columns of a writer in mapping order, by index: each entry must be one, and none twice. `table` is how
/// messages call it.
result<std::vector<std::size_t>> target_columns(const std::vector<placed_text>& entries,
                                                const std::vector<std::string>& names, std::string_view table,
                                                const sql_rules& rules);

/// `; did you mean "x"?` or `; the table has "a", "b"`.
std::string near_column(std::string_view name, const std::vector<std::string>& names);

}  // namespace sluice::relational
