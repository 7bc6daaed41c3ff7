#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "actors/supervise/run.h"
#include "tools/cli/console.h"
#include "tools/cli/log.h"
#include "tools/cli/secret_filter.h"

namespace sluice {

/// Tells the user and the log what the engine tells: notices, the plan as the run's first line, progress as a
/// live area or lines, dirty records. Console and log outlive it. Thread-safe.
class reporter : public run_observer {
 public:
  struct settings {
    std::string job_name;
    std::string ends_text;      ///< Data sources of the job; empty where it names none.
    std::string zone_text;      ///< `Europe/Berlin (--timezone)`.
    std::string memory_text;    ///< `160 MiB (default)`.
    bool show_progress = true;  ///< Progress lines, in the log where there is no live area.
    bool show_live = false;     ///< A live area; needs a terminal.
    /// Called with each snapshot that is due for the metrics file. May be empty.
    std::function<void(const progress_snapshot&)> on_report;
    std::function<void(const run_plan&)> on_plan;
    std::function<void(const std::vector<run_id>&)> on_forgot;
    std::function<void(std::uint64_t rows, const repeated_rows& beside)> on_committed;
    std::function<void(const run_summary&)> on_ended;
    std::chrono::milliseconds report_interval{10'000};
    std::vector<std::string> warnings;
    std::vector<std::string>
        notes;  ///< Of the job, told like the warnings.  ///< The job's: told behind the first line.
  };
  reporter(console& screen, log& lines, const secret_filter& secrets, settings s);

  void notice(notice_level level, const std::string& actor, std::int64_t split,
              const std::string& line) override;
  void waiting(const std::string& what, double seconds) override;
  void planned(const run_plan& plan) override;
  void forgot(const std::vector<run_id>& runs) override;
  void committed(std::uint64_t rows, const repeated_rows& beside) override;
  void progress(const progress_snapshot& now) override;
  void dirty(const dirty_record& record, std::uint32_t split) override;
  void ended(const run_summary& summary) override;

  /// The run is over: the live area goes, and notices that waited for a plan are told.
  void finish();
  [[nodiscard]] bool was_planned() const;
  /// The job's warnings, and the first of the plugins', which come while the run goes on.
  [[nodiscard]] std::vector<std::string> warnings() const;
  /// The first dirty records, a line each.
  [[nodiscard]] std::vector<std::string> first_dirty() const;

 private:
  struct early_notice {
    notice_level level;
    std::string actor;
    std::int64_t split;
    std::string line;
  };
  void tell(const early_notice& n);
  void tell_early();

  console& screen_;
  log& log_;
  const secret_filter& secrets_;
  settings settings_;
  mutable std::mutex mutex_;
  bool planned_ = false;
  std::vector<early_notice> early_;  ///< What came before the plan: the first line of a run is its plan.
  std::vector<std::string> warnings_;
  std::vector<std::string> first_dirty_;
  double reported_seconds_ = 0;
  double told_waiting_seconds_ = 0;  ///< Of the wait that was told last.
};

/// A dirty record as one readable line: `orders.csv line 17, column amount, value "abc": … (not_a_number)`.
std::string dirty_text(const dirty_record& record);

/// `from data source "shop" (production, default), to data source "dw" (development, --env)`; empty where
/// neither end names one.
std::string ends_text(const job_step& reader, const job_step& writer);

/// The first line of a run.
std::string plan_text(const run_plan& plan, const std::string& job_name, const std::string& ends_text,
                      const std::string& zone_text, const std::string& memory_text);

}  // namespace sluice
