#include "tests/sim/hop_actor.h"

#include "actors/protocol/dirty.h"
#include "actors/protocol/downstream.h"
#include "actors/protocol/upstream.h"
#include "transport/wire/codec.h"

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
  /// What comes out of the codec; a frame that does not come back as it went is a broken promise.
  template <class Message>
  Message over_the_wire(const Message& m) {
    if (!codec_) {
      return m;
    }
    const auto frame = encode(control_message(m), pool_);
    auto back = frame ? decode_control(*frame) : result<control_message>(fail(frame.error()));
    if (!back || !std::holds_alternative<Message>(*back) || !(std::get<Message>(*back) == m)) {
      world_.break_promise("a control message changed on the wire");
      return m;
    }
    return std::get<Message>(std::move(*back));
  }
  batch_msg over_the_wire(const batch_msg& m) {
    if (!codec_) {
      return m;
    }
    const auto frame = encode(*m.b, pool_);
    auto back = frame ? decode_batch(*frame, m.b->columns_schema)
                      : result<std::shared_ptr<batch>>(fail(frame.error()));
    if (!back) {
      world_.break_promise("a batch did not pass the wire: " + back.error().message);
      return m;
    }
    (*back)->lease = m.b->lease;
    return {std::move(*back)};
  }

  world& world_;
  actor_ref to_;
  bool codec_;
  std::shared_ptr<buffer_pool> pool_ = buffer_pool::make(1 << 20);
};

}  // namespace

actor_ref spawn_hop(caf::actor_system& system, world& w, const actor_ref& to, bool codec) {
  return system.spawn<hop_actor>(w, to, codec);
}

}  // namespace sluice::sim
