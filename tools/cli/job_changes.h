#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// How two job documents (`job::document`: as run, secrets masked) differ, a line each in the order of their
/// paths: `steps[1].parameter.table was "t" and is "u"`. Left out is what decides no data: the settings but
/// `common`, the order of steps, names of steps. Empty where one of them cannot be read.
std::vector<std::string> job_changes(std::string_view before, std::string_view now);

/// The same of what decides no data and may differ when a run is continued: the settings but `common`.
std::vector<std::string> setting_changes(std::string_view before, std::string_view now);

/// The first `lines_max` of them as one text: `a; b; and 3 more`.
std::string changes_text(const std::vector<std::string>& changes, std::size_t lines_max = 5);

}  // namespace sluice
