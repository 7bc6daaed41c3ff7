#include "actors/pipeline/reader_actor.h"

#include "actors/protocol/downstream.h"
#include "actors/protocol/upstream.h"

namespace sluice {

reader_actor::reader_actor(caf::actor_config& cfg, std::uint32_t pipeline, reader_core::config c,
                           std::shared_ptr<reader> plugin, std::shared_ptr<pipeline_activity> board,
                           stop_signal stop, actor_ref supervisor, actor_ref overdraft)
    : actor_base(cfg),
      pipeline_(pipeline),
      core_(std::move(c), std::move(plugin)),
      board_(std::move(board)),
      stop_(std::move(stop)),
      supervisor_(std::move(supervisor)),
      overdraft_(std::move(overdraft)) {
  on_exception(this, [this](error why) { send(supervisor_, run_must_fail{std::move(why)}); });
}

void reader_actor::wake() {
  if (!awake_) {
    awake_ = true;
    send(this, step_msg{});
  }
}

void reader_actor::step() {
  awake_ = false;
  board_->reader.set(doing::source_call, now_of(this));
  reader_step s = core_.step(stop_);
  board_->reader.set(core_.waits_for_credit() ? doing::credit : doing::nothing, now_of(this));
  board_->source_bytes_read.store(core_.read_so_far().source_bytes, std::memory_order_relaxed);
  board_->record_bytes_read.store(core_.read_so_far().record_bytes, std::memory_order_relaxed);
  switch (s.what) {
    case reader_step::kind::idle:
      return;
    case reader_step::kind::again:
      break;
    case reader_step::kind::batch:
      send(channel_, batch_msg{std::move(s.out)});
      break;
    case reader_step::kind::primed:
      send(supervisor_, reader_primed{core_.in_hand()->records_read, core_.in_hand()->dirty.size(),
                                      core_.in_hand()->split_end});
      return;
    case reader_step::kind::needs:
      send(overdraft_, overdraft_ask{pipeline_, actor_ref(this)});
      return;
    case reader_step::kind::failed:
      send(supervisor_, reader_failed{pipeline_, split_, epoch_, std::move(s.failure)});
      return;
  }
  wake();
}

caf::behavior reader_actor::make_behavior() {
  return {
      [this](const neighbours_msg& m) { channel_ = m.down; },
      [this](const rewind_msg& m) {
        split_ = m.split;
        epoch_ = m.epoch;
        core_.rewind(m);
        if (m.epoch.value != 0 && !ticking_) {
          ticking_ = true;
          tell_later(this, actor_ref(this), std::chrono::seconds(1), tick_msg{});
        }
        wake();
      },
      [this](const credit_msg& m) {
        core_.credit(m);
        wake();
      },
      [this](const overdraft_grant& m) {
        core_.lease(m.lease);
        wake();
      },
      [this](const step_msg&) { step(); },
      [this](const tick_msg&) {
        if (const auto m = core_.sent()) {
          send(channel_, *m);
        }
        tell_later(this, actor_ref(this), std::chrono::seconds(1), tick_msg{});
      },
      // The stop signal, which the supervisor has fired, ends reading; this wakes it to see that.
      [this](const stop_msg&) { wake(); },
      [this](const bye_msg&) { quit(); },
  };
}

void reader_actor::on_exit() {
  channel_ = nullptr;
  supervisor_ = nullptr;
  overdraft_ = nullptr;
}

}  // namespace sluice
