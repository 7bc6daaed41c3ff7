#pragma once

#include <memory>

#include "actors/pipeline/activity.h"
#include "actors/pipeline/channel_core.h"
#include "actors/protocol/control.h"

namespace sluice {

/// The shell of a `channel_core`. Returns at once.
class channel_actor : public actor_base, private channel_out {
 public:
  channel_actor(caf::actor_config& cfg, channel_core::config c, std::shared_ptr<pipeline_activity> board);
  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void to_writer(batch_ptr b) override;
  void to_writer(const sent_msg& m) override;
  void to_reader(const rewind_msg& m) override;
  void to_reader(const credit_msg& m) override;
  void ask_throttle(std::uint64_t ticket, std::uint64_t bytes, std::uint64_t records) override;
  void note_activity();

  channel_core core_;
  std::shared_ptr<pipeline_activity> board_;
  neighbours_msg beside_;
  bool ticking_ = false;
  std::chrono::nanoseconds transforming_told_{0};
};

}  // namespace sluice
