#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "jobspec/compat_mode.h"
#include "transport/record/convert.h"
#include "transport/record/schema.h"

namespace sluice {

/// What happens to the values of one column on their way, as the plan shows it.
struct column_pair {
  std::size_t index = 0;
  field from;
  field to;
  conversion_kind kind = conversion_kind::same;
  std::string rule;         ///< The conversion's rule in a phrase; empty where the column passes as it is.
  std::string zone;         ///< The zone that the conversion needs; empty = none.
  std::string dirty_where;  ///< What makes a record dirty here; empty = nothing does.
  std::string changes;      ///< What the mode `datax` changes here, counted; empty = nothing.
  std::string problem;      ///< Of a refused pair: why, and what to do.
};

/// All pairs by position, also where the table refuses one, in the job's mode (`setting.compat`). As many as
/// the shorter schema has.
std::vector<column_pair> describe_column_pairs(const schema& from, const schema& to,
                                               const conversion_context& context, compat_mode compat);

/// For a destination that takes what comes: the columns in which the reader itself may change values.
std::vector<column_pair> describe_reader_changes(const schema& columns);

/// `exact`, `checked` or `refused`: the plan's three words. A column that passes as it is, is exact; one that
/// may be NULL and goes where none may be, is checked.
std::string_view plan_word(const column_pair& pair);

}  // namespace sluice
