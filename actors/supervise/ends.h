#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/protocol/control.h"
#include "actors/protocol/report.h"
#include "transport/base/thrown.h"

namespace sluice {

/// Carries out the supervisor's commands at the source: one object a run, owned by the source's actor, which
/// may block. Every command has one answer; a failure is `end_failed` with what was being done, an
/// exception of a plugin too.
class source_end {
 public:
  explicit source_end(std::shared_ptr<source> s) : source_(std::move(s)) {}
  end_answer carry_out(const source_command& c, const stop_signal& stop);

 private:
  std::shared_ptr<source> source_;
};

/// The same at the destination.
class target_end {
 public:
  /// `from`: the run's source, which has been opened before the target is.
  /// `wait_max`: how long a start waits for the session of a process that it cannot see to be gone.
  target_end(std::shared_ptr<target> t, std::shared_ptr<const source> from,
             std::chrono::milliseconds wait_max = std::chrono::milliseconds(0))
      : target_(std::move(t)), from_(std::move(from)), takeover_wait_(wait_max) {}
  end_answer carry_out(const target_command& c, const stop_signal& stop);
  /// A failure is told by the answer to `target_open`, which connects anew where there is no connection.
  void connect_early(const stop_signal& stop) {
    early_ = caught([&] { return target_->connect_early(stop); });
  }

 private:
  end_answer open(const target_open& c, const stop_signal& stop);
  end_answer take(const target_take& c);
  end_answer claim(const target_claim& c, const stop_signal& stop);
  result<void> check_none_came(const target_claim& c);
  result<void> check_none_is_emptied(const target_claim& c);
  end_answer before(const target_before& c, const stop_signal& stop);
  end_answer after(const target_after& c, const stop_signal& stop);
  end_answer release(const target_release& c);
  /// The earlier runs. Where one of the job's is held by a process on another host (a container that was
  /// killed), whose session the server has not missed yet, waits for that to be gone.
  result<std::vector<run_row>> find_runs(const run_query& query, const stop_signal& stop);
  /// Whether what the marks say stands in the output, where the target can tell.
  result<void> check_rows(const run_id& run, bool at_end, const stop_signal& stop);

  std::shared_ptr<target> target_;
  std::shared_ptr<const source> from_;
  std::chrono::milliseconds takeover_wait_;
  result<void> early_;
  std::size_t frozen_ = 0;      ///< Splits, where this process has frozen them.
  bool appears_whole_ = false;  ///< `target_description::appears_whole`.
  bool writes_ = false;         ///< The data was not complete already when this process took the run up.
};

}  // namespace sluice
