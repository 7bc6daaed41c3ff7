#pragma once

#include <functional>
#include <memory>

#include "actors/pipeline/activity.h"
#include "actors/pipeline/channel_core.h"
#include "actors/pipeline/error_actor.h"
#include "actors/pipeline/reader_core.h"
#include "actors/pipeline/writer_core.h"
#include "actors/protocol/caf.h"
#include "jobspec/job.h"

namespace sluice {

/// Makes a run's actors and joins them: the one place that decides which of them block and so get a thread of
/// their own. The simulation makes the same actors without threads and puts hops between neighbours.
struct wiring {
  /// For actors whose calls block: readers, writers, the two ends, the dirty file.
  placement blocking = placement::detached;
  /// What a pipeline's actor gets in place of its neighbour: the neighbour itself, or what stands for it.
  /// Empty: itself.
  std::function<actor_ref(caf::actor_system&, const actor_ref& neighbour)> hop;
};

/// The actors that all pipelines of a run share.
struct run_actors {
  actor_ref supervisor;
  actor_ref overdraft;
  actor_ref throttle;  ///< Only where the job is throttled.
  actor_ref error;
};

struct pipeline_actors {
  actor_ref reader;
  actor_ref channel;
  actor_ref writer;
};

/// The error actor and the dirty file behind it.
actor_ref spawn_error_actor(caf::actor_system& system, const wiring& w, error_core core,
                            std::uint32_t told_max, open_store open, const actor_ref& supervisor);
actor_ref spawn_overdraft(caf::actor_system& system);
actor_ref spawn_throttle(caf::actor_system& system, const speed_limit& speed);
actor_ref spawn_reader(caf::actor_system& system, const wiring& w, std::uint32_t pipeline,
                       reader_core::config c, std::shared_ptr<reader> plugin,
                       std::shared_ptr<pipeline_activity> board, const stop_signal& stop,
                       const run_actors& shared);
/// Channel and writer for a reader that exists, and the three made known to each other.
pipeline_actors join_pipeline(caf::actor_system& system, const wiring& w, std::uint32_t pipeline,
                              const actor_ref& reader, channel_core::config channel,
                              writer_core::config writer_config, std::shared_ptr<writer> plugin,
                              std::shared_ptr<pipeline_activity> board, const stop_signal& stop,
                              const run_actors& shared);

}  // namespace sluice
