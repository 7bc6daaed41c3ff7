#pragma once

#include "actors/supervise/ends.h"

namespace sluice {

/// Owns the run's source and carries out the supervisor's commands, one at a time. Blocks; detached by the
/// wiring.
class source_actor : public actor_base {
 public:
  source_actor(caf::actor_config& cfg, std::shared_ptr<source> s, stop_signal stop, actor_ref supervisor)
      : actor_base(cfg), end_(std::move(s)), stop_(std::move(stop)), supervisor_(std::move(supervisor)) {}
  caf::behavior make_behavior() override {
    return {
        [this](const source_command& c) { send(supervisor_, end_.carry_out(c, stop_)); },
        [this](const bye_msg&) { quit(); },
    };
  }
  void on_exit() override { supervisor_ = nullptr; }

 private:
  source_end end_;
  stop_signal stop_;
  actor_ref supervisor_;
};

/// The same for the run's target, to which it connects before the first command comes; `early` ends that.
class target_actor : public actor_base {
 public:
  target_actor(caf::actor_config& cfg, std::shared_ptr<target> t, std::shared_ptr<const source> from,
               std::chrono::milliseconds wait_max, stop_signal early, stop_signal stop, actor_ref supervisor)
      : actor_base(cfg),
        end_(std::move(t), std::move(from), wait_max),
        early_(std::move(early)),
        stop_(std::move(stop)),
        supervisor_(std::move(supervisor)) {}
  caf::behavior make_behavior() override {
    end_.connect_early(early_);
    return {
        [this](const target_command& c) { send(supervisor_, end_.carry_out(c, stop_)); },
        [this](const bye_msg&) { quit(); },
    };
  }
  void on_exit() override { supervisor_ = nullptr; }

 private:
  target_end end_;
  stop_signal early_;
  stop_signal stop_;
  actor_ref supervisor_;
};

}  // namespace sluice
