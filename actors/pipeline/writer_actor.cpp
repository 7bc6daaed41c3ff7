#include "actors/pipeline/writer_actor.h"

#include "actors/protocol/dirty.h"
#include "actors/protocol/downstream.h"
#include "actors/protocol/upstream.h"

namespace sluice {

writer_actor::writer_actor(caf::actor_config& cfg, std::uint32_t pipeline, writer_core::config c,
                           std::shared_ptr<writer> plugin, std::shared_ptr<pipeline_activity> board,
                           stop_signal stop)
    : actor_base(cfg),
      pipeline_(pipeline),
      core_(std::move(c), std::move(plugin), *this),
      board_(std::move(board)),
      stop_(std::move(stop)) {
  on_exception(this, [this](error why) { send(beside_.supervisor, run_must_fail{std::move(why)}); });
}

void writer_actor::to_channel(const rewind_msg& m) {
  send(beside_.up, m);
}
void writer_actor::to_channel(const credit_msg& m) {
  send(beside_.up, m);
}
void writer_actor::to_error(dirty_report m) {
  send(beside_.error, std::move(m));
}
void writer_actor::to_error(const dirty_sync& m) {
  send(beside_.error, m);
}
void writer_actor::to_error(const dirty_commit& m) {
  send(beside_.error, m);
}
void writer_actor::to_error(const dirty_drop& m) {
  send(beside_.error, m);
}
void writer_actor::opened(const mark& m, const rows_beside& more) {
  send(beside_.supervisor, split_opened{pipeline_, m, more});
}
void writer_actor::wrote(split_index split, const record_counts& delta) {
  send(beside_.supervisor, split_wrote{pipeline_, split, delta});
}
void writer_actor::committed(const mark& m, const rows_beside& more) {
  send(beside_.supervisor, split_committed{pipeline_, m, more});
}
void writer_actor::rewound(split_index split, const error& why, std::optional<dirty_side> end,
                           const retry_try& next) {
  send(beside_.supervisor, split_rewound{pipeline_, split, why, end, next});
}
void writer_actor::failed(split_index split, const error& why, std::optional<dirty_side> end) {
  send(beside_.supervisor, split_failed{pipeline_, split, why, end});
}
void writer_actor::stopped() {
  send(beside_.supervisor, writer_stopped{pipeline_});
}
void writer_actor::start_commit_timer(std::chrono::milliseconds after) {
  tell_later(this, actor_ref(this), after, commit_timer_msg{});
}
void writer_actor::start_retry_timer(std::chrono::milliseconds after) {
  tell_later(this, actor_ref(this), after, retry_timer_msg{});
}

template <class Event>
void writer_actor::run(Event&& event) {
  board_->writer.set(doing::destination_call, now_of(this));
  event();
  const doing next = core_.idle()                    ? doing::nothing
                     : core_.waits_for_dirty_file()  ? doing::dirty_file
                     : core_.waits_for_destination() ? doing::another_try
                                                     : doing::batches;
  board_->writer.set(next, now_of(this));
}

caf::behavior writer_actor::make_behavior() {
  return {
      [this](const neighbours_msg& m) { beside_ = m; },
      [this](const assign_msg& m) {
        run([&] { core_.assign(m.split, m.description, m.epoch, m.repeats, stop_); });
      },
      [this](const batch_msg& m) { run([&] { core_.take(m.b, stop_); }); },
      [this](const sent_msg& m) { run([&] { core_.sent(m); }); },
      [this](const dirty_dropped& m) { run([&] { core_.dropped(m); }); },
      [this](const dirty_synced& m) { run([&] { core_.synced(m, stop_); }); },
      [this](const dirty_failed& m) { run([&] { core_.dirty_file_failed(m.epoch, m.why); }); },
      [this](const commit_timer_msg&) { run([&] { core_.commit_timer(stop_); }); },
      [this](const retry_timer_msg&) { run([&] { core_.retry(stop_); }); },
      [this](const reopen_msg& m) { run([&] { core_.reopen(m.of, m.why); }); },
      [this](const stop_msg&) { run([&] { core_.stop(stop_); }); },
      [this](const bye_msg&) { quit(); },
  };
}

void writer_actor::on_exit() {
  beside_ = {};
}

}  // namespace sluice
