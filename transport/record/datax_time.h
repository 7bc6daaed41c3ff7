#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "transport/record/change_rule.h"
#include "transport/record/date_pattern.h"

namespace sluice {

/// A point in time as DataX reads it from a text that a strict reading refuses, and what that changes: of
/// several changes the first of `carried_over`, of a cut, and of `other_digits`.
struct datax_time {
  wall_time at;
  change_rule rule = change_rule::text_cut;
};

/// By the first of the patterns that reads the text so (DataX's `ColumnCast` and
/// `UnstructuredStorageReaderUtil` try them in order, through SimpleDateFormat and FastDateFormat, which read
/// a text's beginning and carry over). Nothing where DataX refuses the text, too, or makes something else of
/// it (docs/compat.md).
std::optional<datax_time> read_as_datax(const std::vector<date_pattern>& patterns, std::string_view text);

/// The rules that `read_as_datax` may name with these patterns.
std::vector<change_rule> possible_changes(const std::vector<date_pattern>& patterns);

}  // namespace sluice
