#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "actors/plan/delivery.h"
#include "actors/supervise/continuation.h"
#include "jobspec/job.h"
#include "plugins/api/source.h"
#include "plugins/api/target.h"
#include "transport/flow/budget.h"

namespace sluice {

// What is decided at the beginning of a run, once both ends are open: by the run itself, and by `check` and
// `plan`, which foretell it.

/// `bad_option` where the destination would remove, replace or write to a file that the source reads, or both
/// ends are one database in which one end would lock the other out.
std::optional<error> same_file_failure(const job& what, const source_description& from,
                                       const target_description& to);

/// A sentence where the source's patterns would meet the files that this job makes; else empty.
std::string own_output_warning(const job& what, const source_description& from, const target_description& to);

/// A failure of one end behind its place in the job file, unless its message names one already.
error placed(error why, const job& what, const std::string& place);

/// What the continuation of earlier runs is decided by.
start_facts start_facts_of(const job& what, const target_opened& to, run_settings::unfinished on_unfinished,
                           std::chrono::seconds resume_window);

/// How many pipelines work at once, and why.
struct concurrency_choice {
  std::uint32_t pipelines = 1;
  std::string reason;
};
/// `writers_max` is the destination's (0: no limit), `splits_undone` what is left to read.
concurrency_choice choose_concurrency(const speed_limit& speed, std::uint32_t writers_max,
                                      std::size_t splits_undone);

/// When a run commits.
inline commit_limits limits_of(const run_settings& settings) {
  return {settings.commit_bytes, settings.commit_rows, settings.commit_interval};
}

/// What cuts a run's batches.
inline throttle_rates throttle_of(const speed_limit& speed) {
  return {speed.bytes_per_second, speed.records_per_second};
}

}  // namespace sluice
