#pragma once

#include <string>
#include <string_view>

#include "actors/supervise/run.h"

namespace sluice {

/// A run as metrics: what is known while it goes on, or at its end.
struct run_metrics {
  std::string job_name;
  run_id run;
  std::string state = "running";  ///< Or the summary's state.
  record_counts counts;
  std::uint64_t splits_total = 0;
  std::uint64_t splits_done = 0;
  double seconds = 0;
  double records_per_second = 0;
  double bytes_per_second = 0;
  std::uint64_t started_unix_ms = 0;
  std::uint64_t written_unix_ms = 0;  ///< When this was measured.
};

/// The text exposition format of Prometheus, version 0.0.4: one gauge or counter a line, all labelled with
/// the job.
std::string metrics_text(const run_metrics& metrics);

}  // namespace sluice
