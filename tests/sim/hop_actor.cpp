#include "tests/sim/hop_actor.h"

#include "actors/protocol/dirty.h"
#include "actors/protocol/downstream.h"
#include "actors/protocol/upstream.h"

namespace sluice::sim {
namespace {

class hop_actor : public actor_base {
 public:
  hop_actor(caf::actor_config& cfg, world& w, actor_ref to, bool codec)
      : actor_base(cfg), world_(w), to_(std::move(to)), codec_(codec) {
    monitor(to_);
    set_down_handler([this](caf::down_msg&) {
      to_ = nullptr;
      quit();
    });
  }

  caf::behavior make_behavior() override {
    return {
        // A lost batch is noticed by its sequence, lost credit by the next total.
        [this](const batch_msg& m) { may_be_lost(m); },  [this](const sent_msg& m) { may_be_lost(m); },
        [this](const credit_msg& m) { may_be_lost(m); }, [this](const rewind_msg& m) { pass(m); },
        [this](const dirty_report& m) { pass(m); },      [this](const dirty_sync& m) { pass(m); },
        [this](const dirty_commit& m) { pass(m); },      [this](const dirty_drop& m) { pass(m); },
    };
  }
  void on_exit() override { to_ = nullptr; }

 private:
  template <class Message>
  void may_be_lost(const Message& m) {
    if (!world_.happens(world_.wrong.message_lost)) {
      pass(m);
    }
  }
  template <class Message>
  void pass(const Message& m) {
    if (to_) {
      // In the sender's name, so that an answer goes to it.
      caf::send_as(caf::actor_cast<actor_ref>(current_sender()), to_, over_the_wire(m));
    }
  }
  template <class Message>
  Message over_the_wire(const Message& m) {
    return m;
  }

  world& world_;
  actor_ref to_;
  [[maybe_unused]] bool codec_;
};

}  // namespace

actor_ref spawn_hop(caf::actor_system& system, world& w, const actor_ref& to, bool codec) {
  return system.spawn<hop_actor>(w, to, codec);
}

}  // namespace sluice::sim
