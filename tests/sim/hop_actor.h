#pragma once

#include "actors/protocol/caf.h"
#include "tests/sim/sim_world.h"

namespace sluice::sim {

/// Stands for a neighbour: passes its messages on in order, late, some not at all, and with `codec` each
/// encoded for the wire and decoded again. Ends with its neighbour.
actor_ref spawn_hop(caf::actor_system& system, world& w, const actor_ref& to, bool codec);

}  // namespace sluice::sim
