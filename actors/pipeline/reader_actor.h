#pragma once

#include <memory>

#include "actors/pipeline/activity.h"
#include "actors/pipeline/reader_core.h"
#include "actors/protocol/report.h"

namespace sluice {

/// The shell of a `reader_core`: steps it while it has something to do and returns to its mailbox between
/// batches. Blocks in the source; the wiring gives it a thread of its own.
class reader_actor : public actor_base {
 public:
  reader_actor(caf::actor_config& cfg, std::uint32_t pipeline, reader_core::config c,
               std::shared_ptr<reader> plugin, std::shared_ptr<pipeline_activity> board, stop_signal stop,
               actor_ref supervisor, actor_ref overdraft);
  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void wake();
  void step();

  const std::uint32_t pipeline_;
  reader_core core_;
  std::shared_ptr<pipeline_activity> board_;
  stop_signal stop_;
  actor_ref supervisor_;
  actor_ref overdraft_;
  actor_ref channel_;
  split_index split_;
  epoch_number epoch_;
  bool awake_ = false;
  bool ticking_ = false;
};

}  // namespace sluice
