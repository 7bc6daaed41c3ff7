#include "actors/pipeline/lenders.h"

#include <algorithm>

namespace sluice {

throttle_actor::throttle_actor(caf::actor_config& cfg, std::optional<std::uint64_t> bytes_per_second,
                               std::optional<std::uint64_t> records_per_second)
    : actor_base(cfg) {
  if (bytes_per_second) {
    bytes_.emplace(*bytes_per_second);
  }
  if (records_per_second) {
    records_.emplace(*records_per_second);
  }
}

void throttle_actor::serve() {
  while (!queue_.empty()) {
    const auto now = now_of(this);
    auto ready = now;
    if (bytes_) {
      ready = std::max(ready, bytes_->ready_at());
    }
    if (records_) {
      ready = std::max(ready, records_->ready_at());
    }
    if (ready > now) {
      if (!timer_running_) {
        timer_running_ = true;
        tell_later(this, actor_ref(this), ready - now, tick_msg{});
      }
      return;
    }
    const throttle_ask ask = std::move(queue_.front());
    queue_.pop_front();
    if (bytes_) {
      bytes_->take(ask.bytes, now);
    }
    if (records_) {
      records_->take(ask.records, now);
    }
    send(ask.channel, throttle_pass{ask.ticket});
  }
}

caf::behavior throttle_actor::make_behavior() {
  return {
      [this](const throttle_ask& m) {
        // A channel that was rewound asks anew; what it asked before is void.
        std::erase_if(queue_, [&](const throttle_ask& q) { return q.channel == m.channel; });
        queue_.push_back(m);
        serve();
      },
      [this](const tick_msg&) {
        timer_running_ = false;
        serve();
      },
      [this](const bye_msg&) { quit(); },
  };
}

void throttle_actor::on_exit() {
  queue_.clear();
}

void overdraft_actor::grant(std::uint32_t pipeline) {
  // The lease must point somewhere: who holds it compares it with nullptr.
  std::shared_ptr<const void> lease(static_cast<const void*>("overdraft"),
                                    [me = actor_ref(this)](const void*) { tell(me, overdraft_returned{}); });
  send(readers_[pipeline], overdraft_grant{std::move(lease)});
}

caf::behavior overdraft_actor::make_behavior() {
  return {
      [this](const overdraft_ask& m) {
        if (readers_.size() <= m.pipeline) {
          readers_.resize(m.pipeline + 1);
        }
        readers_[m.pipeline] = m.reader;
        if (overdraft_.ask(m.pipeline)) {
          grant(m.pipeline);
        }
      },
      [this](const overdraft_returned&) {
        if (const auto next = overdraft_.give_back()) {
          grant(*next);
        }
      },
      [this](const bye_msg&) { quit(); },
  };
}

void overdraft_actor::on_exit() {
  readers_.clear();
}

}  // namespace sluice
