#include "actors/pipeline/channel_actor.h"

#include "actors/protocol/downstream.h"
#include "actors/protocol/report.h"
#include "actors/protocol/upstream.h"

namespace sluice {

channel_actor::channel_actor(caf::actor_config& cfg, channel_core::config c,
                             std::shared_ptr<pipeline_activity> board)
    : actor_base(cfg), core_(std::move(c), *this, [this] { return now_of(this); }), board_(std::move(board)) {
  on_exception(this, [this](error why) { send(beside_.supervisor, run_must_fail{std::move(why)}); });
}

void channel_actor::to_writer(batch_ptr b) {
  // Before the batch, whose commit may end the run.
  board_->records_transformed.store(core_.transformed(), std::memory_order_relaxed);
  send(beside_.down, batch_msg{std::move(b)});
}
void channel_actor::to_writer(const sent_msg& m) {
  send(beside_.down, m);
}
void channel_actor::to_reader(const rewind_msg& m) {
  send(beside_.up, m);
}
void channel_actor::to_reader(const credit_msg& m) {
  send(beside_.up, m);
}

void channel_actor::ask_throttle(std::uint64_t ticket, std::uint64_t bytes, std::uint64_t records) {
  send(beside_.throttle, throttle_ask{actor_ref(this), ticket, bytes, records});
}

void channel_actor::note_activity() {
  const doing what = core_.waits_for_throttle() ? doing::throttle : doing::nothing;
  if (board_->channel.what() != what) {
    board_->channel.set(what, now_of(this));
  }
  board_->channel.add(doing::transforming, core_.transforming() - transforming_told_);
  transforming_told_ = core_.transforming();
}

caf::behavior channel_actor::make_behavior() {
  return {
      [this](const neighbours_msg& m) { beside_ = m; },
      [this](const batch_msg& m) {
        core_.take(m.b);
        note_activity();
      },
      [this](const sent_msg& m) { core_.sent(m); },
      [this](const rewind_msg& m) {
        core_.rewind(m);
        note_activity();
        if (!ticking_) {
          ticking_ = true;
          tell_later(this, actor_ref(this), std::chrono::seconds(1), tick_msg{});
        }
      },
      [this](const credit_msg& m) {
        core_.credit(m);
        note_activity();
      },
      [this](const throttle_pass& m) {
        core_.throttle_passed(m.ticket);
        note_activity();
      },
      [this](const tick_msg&) {
        core_.tick();
        tell_later(this, actor_ref(this), std::chrono::seconds(1), tick_msg{});
      },
      [this](const bye_msg&) { quit(); },
  };
}

void channel_actor::on_exit() {
  beside_ = {};
}

}  // namespace sluice
