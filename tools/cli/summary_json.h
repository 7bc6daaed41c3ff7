#pragma once

#include <string>

#include "actors/supervise/run.h"
#include "tools/cli/run_context.h"
#include "tools/cli/secret_filter.h"

namespace sluice {

/// The version of the summary's form; a change that an old reader would misread raises it (docs/summary.md).
inline constexpr int summary_version = 1;

/// The summary as docs/summary.md describes it: JSON, indented, with a newline at its end. Numbers above 2^53
/// stay exact. Texts that are no UTF-8 have U+FFFD in place of what is wrong.
std::string summary_json(const run_summary& summary, const run_context& context,
                         const secret_filter& secrets);

/// `2026-01-31T08:15:00.123Z`.
std::string utc_text(std::uint64_t unix_ms);

}  // namespace sluice
