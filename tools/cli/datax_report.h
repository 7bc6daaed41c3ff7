#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "actors/supervise/run.h"
#include "tools/cli/run_context.h"

namespace sluice {

/// What DataX writes to standard output about a run, for programs that read it there: its progress line, its
/// summary after success, its block of the cause after a failure, each with DataX's log prefix and line end.
/// Made for one run; one thread at a time. Format: DataX's `CommunicationTool`, `StrUtil`, `JobContainer` and
/// its logback pattern; `任务总计耗时` and its like are DataX's own words.
class datax_report {
 public:
  /// `clock_text` gives a time as `2026-01-31 08:15:00` on the clock the lines are meant for.
  datax_report(std::uint64_t started_unix_ms, bool transforms,
               std::function<std::string(std::uint64_t unix_ms)> clock_text);

  /// The progress line: speeds since the last one, over whole seconds.
  std::string progress(const progress_snapshot& now, std::uint64_t unix_ms);
  /// The last progress line, with the speed of the whole transfer, and what follows it: the summary, or the
  /// cause of the failure. `context` says when the run began and how long it took.
  std::string ended(const run_summary& summary, const run_context& context);

 private:
  struct numbers;
  [[nodiscard]] std::string head(std::uint64_t unix_ms, std::string_view level,
                                 std::string_view logger) const;
  [[nodiscard]] std::string line(const numbers& n, std::uint64_t unix_ms) const;

  std::uint64_t started_unix_ms_;
  bool transforms_;
  std::function<std::string(std::uint64_t)> clock_text_;
  std::uint64_t last_unix_ms_;
  std::uint64_t last_records_ = 0;
  std::uint64_t last_bytes_ = 0;
};

/// `2026-01-31 08:15:00` on this process's clock (TZ, else the system's zone), which is what DataX's log
/// shows.
std::string local_clock_text(std::uint64_t unix_ms);

/// `910B`, `8.46KB`, `1.00GB`: units are binary, two digits from KB on.
std::string datax_bytes_text(std::uint64_t bytes);

}  // namespace sluice
