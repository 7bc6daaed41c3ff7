#pragma once

#include <deque>
#include <optional>

#include "actors/protocol/control.h"
#include "transport/flow/budget.h"
#include "transport/flow/rate.h"

namespace sluice {

/// Lets records pass at the job's rate, first come, first served: one a run. Returns at once.
class throttle_actor : public actor_base {
 public:
  throttle_actor(caf::actor_config& cfg, std::optional<std::uint64_t> bytes_per_second,
                 std::optional<std::uint64_t> records_per_second);
  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void serve();

  std::optional<rate_limiter> bytes_;
  std::optional<rate_limiter> records_;
  std::deque<throttle_ask> queue_;  // at most one ask a channel
  bool timer_running_ = false;
};

/// Lends the process's single overdraft; one a process. The lease it hands out comes back when its last copy
/// is freed, on whatever thread that is. Returns at once.
class overdraft_actor : public actor_base {
 public:
  explicit overdraft_actor(caf::actor_config& cfg) : actor_base(cfg) {}
  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void grant(std::uint32_t pipeline);

  overdraft overdraft_;
  std::vector<actor_ref> readers_;  // by pipeline
};

}  // namespace sluice
