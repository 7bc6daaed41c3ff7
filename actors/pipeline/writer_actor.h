#pragma once

#include <memory>

#include "actors/pipeline/activity.h"
#include "actors/pipeline/writer_core.h"
#include "actors/protocol/report.h"

namespace sluice {

/// The shell of a `writer_core`. Blocks in the destination; the wiring gives it a thread of its own.
class writer_actor : public actor_base, private writer_out {
 public:
  writer_actor(caf::actor_config& cfg, std::uint32_t pipeline, writer_core::config c,
               std::shared_ptr<writer> plugin, std::shared_ptr<pipeline_activity> board, stop_signal stop);
  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void to_channel(const rewind_msg& m) override;
  void to_channel(const credit_msg& m) override;
  void to_error(dirty_report m) override;
  void to_error(const dirty_sync& m) override;
  void to_error(const dirty_commit& m) override;
  void to_error(const dirty_drop& m) override;
  void opened(const mark& m, const rows_beside& more) override;
  void wrote(split_index split, const record_counts& delta) override;
  void committed(const mark& m, const rows_beside& more) override;
  void rewound(split_index split, const error& why, std::optional<dirty_side> end,
               const retry_try& next) override;
  void failed(split_index split, const error& why, std::optional<dirty_side> end) override;
  void stopped() override;
  void start_commit_timer(std::chrono::milliseconds after) override;
  void start_retry_timer(std::chrono::milliseconds after) override;

  /// Runs one event of the core, noting what the time went into.
  template <class Event>
  void run(Event&& event);

  const std::uint32_t pipeline_;
  writer_core core_;
  std::shared_ptr<pipeline_activity> board_;
  stop_signal stop_;
  neighbours_msg beside_;
};

}  // namespace sluice
