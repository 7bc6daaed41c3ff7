#pragma once

// The one place where CAF is included: what later versions renamed is used behind these names only
// (`substrate.md`), so that a newer CAF is a change of this file.

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>

#include <chrono>
#include <exception>
#include <utility>

#include "transport/base/thrown.h"

namespace sluice {

using actor_ref = caf::actor;
using actor_base = caf::event_based_actor;

/// Sends from outside any actor.
template <class Message>
void tell(const actor_ref& to, Message m) {
  if (to) {
    caf::anon_send(to, std::move(m));
  }
}

/// Sends to itself or another after a delay on the actor system's clock, which the simulation turns by hand.
template <class Message>
void tell_later(actor_base* self, const actor_ref& to, std::chrono::nanoseconds after, Message m) {
  self->delayed_send(to, after, std::move(m));
}

/// Time on the actor system's clock: the simulation's, where that turns it by hand.
inline std::chrono::steady_clock::time_point now_of(actor_base* self) {
  return self->clock().now();
}

/// Has `tell` called, with it as an error, by an exception that ends the actor: whoever waits for one that is
/// gone waits for ever.
template <class Tell>
void on_exception(actor_base* self, Tell tell) {
  self->set_exception_handler([tell = std::move(tell)](std::exception_ptr& what) -> caf::error {
    tell(thrown(what));
    return caf::sec::runtime_error;
  });
}

/// Whether an actor gets a thread of its own because its calls block. Decided in wiring.h only.
enum class placement { cooperative, detached };

template <class Actor, class... Args>
actor_ref spawn_actor(caf::actor_system& system, placement where, Args&&... args) {
  if (where == placement::detached) {
    return system.spawn<Actor, caf::detached>(std::forward<Args>(args)...);
  }
  return system.spawn<Actor>(std::forward<Args>(args)...);
}

}  // namespace sluice
