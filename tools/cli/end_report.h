#pragma once

#include <string>
#include <vector>

#include "actors/supervise/run.h"
#include "tools/cli/run_context.h"

namespace sluice {

/// A line of the report at a run's end.
struct report_line {
  notice_level level = notice_level::info;
  std::string text;
};

/// The account of a run in plain English: what became of the records, where they went, what was slowest,
/// where the dirty records lie; at the end the sentence a user must not miss (failure, stop, dirty records,
/// nothing read). A run that did not come as far as a plan has only the last.
std::vector<report_line> end_report(const run_summary& summary, const run_context& context);

/// Rows of cells under each other, two blanks between columns; the columns in `right` (by index) flush right.
/// Widths count characters, not bytes.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows,
                                 const std::vector<bool>& right);

}  // namespace sluice
