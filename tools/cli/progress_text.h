#pragma once

#include <string>
#include <vector>

#include "actors/supervise/run.h"

namespace sluice {

/// `12.3 MB/s`; a MB has 1,048,576 bytes, as in the job's `mbps`.
std::string bytes_rate_text(double bytes_per_second);
/// `833,364`, at most one decimal below 100.
std::string rate_text(double per_second);
/// `about 2 min`: rounded so that it does not promise more than it knows.
std::string time_left_text(double seconds);

/// One line for where there is no terminal.
std::string progress_line(const progress_snapshot& now);
/// The live area's lines for a terminal; `columns` is the width the bar is made for.
std::vector<std::string> live_lines(const std::string& job_name, const progress_snapshot& now,
                                    unsigned columns);

}  // namespace sluice
