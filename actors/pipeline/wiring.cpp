#include "actors/pipeline/wiring.h"

#include "actors/pipeline/channel_actor.h"
#include "actors/pipeline/lenders.h"
#include "actors/pipeline/reader_actor.h"
#include "actors/pipeline/writer_actor.h"

namespace sluice {

actor_ref spawn_error_actor(caf::actor_system& system, const wiring& w, error_core core,
                            std::uint32_t told_max, open_store open, const actor_ref& supervisor) {
  const actor_ref file = spawn_actor<dirty_file_actor>(system, w.blocking, std::move(open));
  return spawn_actor<error_actor>(system, placement::cooperative, std::move(core), told_max, file,
                                  supervisor);
}

actor_ref spawn_overdraft(caf::actor_system& system) {
  return spawn_actor<overdraft_actor>(system, placement::cooperative);
}

actor_ref spawn_throttle(caf::actor_system& system, const speed_limit& speed) {
  if (!speed.bytes_per_second && !speed.records_per_second) {
    return {};
  }
  return spawn_actor<throttle_actor>(system, placement::cooperative, speed.bytes_per_second,
                                     speed.records_per_second);
}

actor_ref spawn_reader(caf::actor_system& system, const wiring& w, std::uint32_t pipeline,
                       reader_core::config c, std::shared_ptr<reader> plugin,
                       std::shared_ptr<pipeline_activity> board, const stop_signal& stop,
                       const run_actors& shared) {
  return spawn_actor<reader_actor>(system, w.blocking, pipeline, std::move(c), std::move(plugin),
                                   std::move(board), stop, shared.supervisor, shared.overdraft);
}

pipeline_actors join_pipeline(caf::actor_system& system, const wiring& w, std::uint32_t pipeline,
                              const actor_ref& reader, channel_core::config channel,
                              writer_core::config writer_config, std::shared_ptr<writer> plugin,
                              std::shared_ptr<pipeline_activity> board, const stop_signal& stop,
                              const run_actors& shared) {
  const auto beside = [&](const actor_ref& neighbour) {
    return w.hop ? w.hop(system, neighbour) : neighbour;
  };
  pipeline_actors made;
  made.reader = reader;
  made.channel = spawn_actor<channel_actor>(system, placement::cooperative, std::move(channel), board);
  made.writer =
      spawn_actor<writer_actor>(system, w.blocking, pipeline, writer_config, std::move(plugin), board, stop);
  neighbours_msg shared_by_all;
  shared_by_all.error = shared.error;
  shared_by_all.supervisor = shared.supervisor;
  shared_by_all.throttle = shared.throttle;
  shared_by_all.overdraft = shared.overdraft;

  neighbours_msg of_reader = shared_by_all;
  of_reader.down = beside(made.channel);
  tell(made.reader, of_reader);
  neighbours_msg of_channel = shared_by_all;
  of_channel.up = beside(made.reader);
  of_channel.down = beside(made.writer);
  tell(made.channel, of_channel);
  neighbours_msg of_writer = shared_by_all;
  of_writer.up = beside(made.channel);
  of_writer.error = beside(shared.error);
  tell(made.writer, of_writer);
  return made;
}

}  // namespace sluice
