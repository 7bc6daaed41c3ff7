#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// How two jobs differ, a line each in the order of their paths: `steps[1].parameter.table was "t" and is
/// "u"`.
struct changed_job {
  /// What decides the data: all but the settings (of which `common` does), the order of steps and their
  /// names.
  std::vector<std::string> data;
  std::vector<std::string> settings;  ///< What may differ when a run is continued: the settings but `common`.
};
/// Of two job documents (`job::document`: as run, secrets masked). Empty where one of them cannot be read.
changed_job job_changes(std::string_view before, std::string_view now);

/// The first `lines_max` of them as one text: `a; b; and 3 more`.
std::string changes_text(const std::vector<std::string>& changes, std::size_t lines_max = 5);

}  // namespace sluice
