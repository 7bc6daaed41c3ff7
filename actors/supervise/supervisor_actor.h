#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/pipeline/wiring.h"
#include "actors/supervise/run_core.h"

namespace sluice {

/// All that a run needs from outside. Made by who starts the run, which outlives it.
struct run_environment {
  const job* what = nullptr;
  run_settings settings;
  conversion_context conversion;
  claim_owner me;
  std::shared_ptr<source> from;
  std::shared_ptr<target> to;
  std::shared_ptr<buffer_pool> pool;
  run_observer* observer = nullptr;
  wiring wire;
  stop_source stop_reading;  ///< Fired at once when the run is to stop: readers and source.
  stop_source stop_now;      ///< Fired when the stop took too long: writers and target.
  /// Opens the dirty store of this run; called on the dirty file's thread.
  std::function<result<std::unique_ptr<dirty_store>>(const run_id& run, bool publish_at_once,
                                                     std::optional<run_id> continued)>
      open_dirty;
  /// Told once, on the supervisor's thread. `stuck`: an actor did not come back, the process should end.
  std::function<void(run_summary, bool stuck)> over;
};

/// The shell of a `run_core`: one a run. Makes the run's actors through the wiring and ends them. Returns at
/// once.
class supervisor_actor : public actor_base, private run_out {
 public:
  supervisor_actor(caf::actor_config& cfg, std::shared_ptr<run_environment> env);
  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  struct running_pipeline {
    pipeline_actors actors;
    std::shared_ptr<pipeline_activity> board;
    std::shared_ptr<reader> reader_plugin;  // for interrupt only
    std::shared_ptr<writer> writer_plugin;
  };

  void to_source(source_command c) override;
  void to_target(target_command c) override;
  void start_dirty(const run_id& run, bool publish_at_once, std::optional<run_id> continued,
                   std::optional<std::uint64_t> records_exact, const std::vector<mark>& done_before) override;
  void make_reader(std::uint32_t pipeline, std::shared_ptr<reader> plugin, schema_ptr columns,
                   const memory_plan& memory, const run_id& run) override;
  void prime(std::uint32_t pipeline, const rewind_msg& at) override;
  void make_pipeline(std::uint32_t pipeline, std::shared_ptr<writer> plugin,
                     std::shared_ptr<const mapping> map, const memory_plan& memory, const run_id& run,
                     const delivery_choice& delivery) override;
  void assign(std::uint32_t pipeline, assign_msg m) override;
  void reopen(std::uint32_t pipeline, reopen_msg m) override;
  void stop_reading() override;
  void stop_pipeline(std::uint32_t pipeline) override;
  void seal_errors(const error_seal& m) override;
  void interrupt() override;
  void over(run_summary summary, bool stuck) override;
  [[nodiscard]] std::chrono::steady_clock::time_point now() const override;
  [[nodiscard]] std::shared_ptr<const pipeline_activity> activity_of(std::uint32_t pipeline) const override;
  [[nodiscard]] std::uint64_t bytes_held_peak() const override;

  template <class Message>
  auto passed_on() {
    return [this](const Message& m) { core_->on(m); };
  }

  std::shared_ptr<run_environment> env_;
  std::unique_ptr<run_core> core_;  // made once the actor has a clock
  actor_ref source_;
  actor_ref target_;
  run_actors shared_;
  std::vector<running_pipeline> pipelines_;
  bool over_ = false;
};

}  // namespace sluice
