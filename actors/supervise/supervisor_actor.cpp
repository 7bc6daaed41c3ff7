#include "actors/supervise/supervisor_actor.h"

#include <limits>

#include "actors/protocol/upstream.h"
#include "actors/supervise/end_actors.h"
#include "transport/record/canonical.h"

namespace sluice {

namespace {
constexpr std::chrono::milliseconds tick_interval{200};
}

supervisor_actor::supervisor_actor(caf::actor_config& cfg, std::shared_ptr<run_environment> env)
    : actor_base(cfg), env_(std::move(env)) {
  on_exception(this, [this](error why) {
    run_summary summary;
    summary.run = env_->settings.run;
    summary.job_name = env_->what->name;
    summary.job_key = env_->what->key;
    summary.state = run_state::failed;
    summary.failure = std::move(why);
    summary.how_to_go_on =
        "What was committed last is not known here: the same command looks, and goes on from there.";
    env_->observer->ended(summary);
    over(std::move(summary), true);
  });
}

caf::behavior supervisor_actor::make_behavior() {
  return {
      [this](const start_run&) {
        shared_.supervisor = actor_ref(this);
        shared_.overdraft = spawn_overdraft(system());
        shared_.throttle = spawn_throttle(system(), env_->what->speed);
        source_ = spawn_actor<source_actor>(system(), env_->wire.blocking, env_->from,
                                            env_->stop_reading.signal(), actor_ref(this));
        target_ = spawn_actor<target_actor>(system(), env_->wire.blocking, env_->to, env_->from,
                                            env_->settings.takeover_wait, env_->stop_reading.signal(),
                                            env_->stop_now.signal(), actor_ref(this));
        run_core::config c{env_->what, env_->settings, env_->conversion, env_->me,
                           std::string(canonical_name)};
        core_ = std::make_unique<run_core>(std::move(c), static_cast<run_out&>(*this), *env_->observer);
        core_->start();
        tell_later(this, actor_ref(this), tick_interval, tick_msg{});
      },
      [this](const end_answer& m) {
        end_answer answer = m;
        core_->on(answer);
      },
      passed_on<reader_primed>(),
      passed_on<reader_failed>(),
      passed_on<split_opened>(),
      passed_on<split_wrote>(),
      passed_on<split_committed>(),
      passed_on<split_rewound>(),
      passed_on<split_failed>(),
      passed_on<writer_stopped>(),
      passed_on<dirty_seen>(),
      passed_on<run_must_fail>(),
      passed_on<error_sealed>(),
      // Answers for splits that were done before this process; a failure also comes by `run_must_fail`.
      [](const dirty_dropped&) {},
      [](const dirty_failed&) {},
      [this](const stop_request& m) {
        if (core_ != nullptr) {
          core_->on(m);
        }
      },
      [this](const tick_msg&) {
        if (!over_) {
          core_->tick();
          tell_later(this, actor_ref(this), tick_interval, tick_msg{});
        }
      },
  };
}

void supervisor_actor::on_exit() {
  pipelines_.clear();
  shared_ = {};
  source_ = nullptr;
  target_ = nullptr;
}

void supervisor_actor::to_source(source_command c) {
  send(source_, std::move(c));
}
void supervisor_actor::to_target(target_command c) {
  send(target_, std::move(c));
}

void supervisor_actor::start_dirty(const run_id& run, bool publish_at_once, std::optional<run_id> continued,
                                   std::optional<std::uint64_t> records_exact,
                                   const std::vector<mark>& done_before) {
  shared_.error = spawn_error_actor(
      system(), env_->wire, error_core(env_->what->errors, records_exact, continued.has_value()),
      env_->settings.dirty_logged_max,
      [env = env_, run, publish_at_once, continued] {
        return env->open_dirty(run, publish_at_once, continued);
      },
      actor_ref(this));
  for (const mark& m : done_before) {
    send(shared_.error, dirty_drop{m.split, m.epoch, m.position, m.counts});
  }
}

void supervisor_actor::make_reader(std::uint32_t pipeline, std::shared_ptr<reader> plugin, schema_ptr columns,
                                   const memory_plan& memory, const run_id& run) {
  pipelines_.resize(std::max<std::size_t>(pipelines_.size(), pipeline + 1));
  auto& p = pipelines_[pipeline];
  p.board = std::make_shared<pipeline_activity>(now());
  p.reader_plugin = plugin;
  p.actors.reader =
      spawn_reader(system(), env_->wire, pipeline, {run, std::move(columns), env_->pool, memory},
                   std::move(plugin), p.board, env_->stop_reading.signal(), shared_);
}

void supervisor_actor::prime(std::uint32_t pipeline, const rewind_msg& at) {
  send(pipelines_[pipeline].actors.reader, at);
}

void supervisor_actor::make_pipeline(std::uint32_t pipeline, std::shared_ptr<writer> plugin,
                                     std::shared_ptr<const mapping> map, const memory_plan& memory,
                                     const run_id& run, const delivery_choice& delivery) {
  auto& p = pipelines_[pipeline];
  p.writer_plugin = plugin;
  channel_core::config channel{std::move(map), env_->pool, memory, static_cast<bool>(shared_.throttle)};
  writer_core::config w;
  w.run = run;
  w.memory = memory;
  w.whole = delivery.whole;
  w.whole_max = delivery.bound;
  w.may_repeat = delivery.may_repeat;
  w.remembers = delivery.remembers;
  w.commit_bytes = env_->settings.commit_bytes;
  w.commit_rows =
      plugin->commits_by_bytes() ? std::numeric_limits<std::uint64_t>::max() : env_->settings.commit_rows;
  w.commit_interval = env_->settings.commit_interval;
  w.retries_max = env_->settings.retries_max;
  w.line_at = [from = env_->from](const std::string& file, std::uint64_t byte_offset,
                                  const stop_signal& stop) { return from->line_at(file, byte_offset, stop); };
  p.actors = join_pipeline(system(), env_->wire, pipeline, p.actors.reader, std::move(channel), w,
                           std::move(plugin), p.board, env_->stop_now.signal(), shared_);
}

void supervisor_actor::assign(std::uint32_t pipeline, assign_msg m) {
  send(pipelines_[pipeline].actors.writer, std::move(m));
}
void supervisor_actor::reopen(std::uint32_t pipeline, reopen_msg m) {
  send(pipelines_[pipeline].actors.writer, std::move(m));
}

void supervisor_actor::stop_reading() {
  env_->stop_reading.fire();
}

void supervisor_actor::stop_pipeline(std::uint32_t pipeline) {
  const auto& p = pipelines_[pipeline];
  send(p.actors.reader, stop_msg{});
  if (p.actors.writer) {
    send(p.actors.writer, stop_msg{});
  }
}

void supervisor_actor::seal_errors(const error_seal& m) {
  send(shared_.error, m);
}

void supervisor_actor::interrupt() {
  env_->stop_reading.fire();
  env_->stop_now.fire();
  env_->from->interrupt();
  env_->to->interrupt();
  for (const auto& p : pipelines_) {
    if (p.reader_plugin != nullptr) {
      p.reader_plugin->interrupt();
    }
    if (p.writer_plugin != nullptr) {
      p.writer_plugin->interrupt();
    }
  }
}

void supervisor_actor::over(run_summary summary, bool stuck) {
  over_ = true;
  for (const auto& p : pipelines_) {
    for (const actor_ref& a : {p.actors.reader, p.actors.channel, p.actors.writer}) {
      tell(a, bye_msg{});
    }
  }
  for (const actor_ref& a : {shared_.error, shared_.overdraft, shared_.throttle, source_, target_}) {
    tell(a, bye_msg{});
  }
  env_->over(std::move(summary), stuck);
  quit();
}

std::chrono::steady_clock::time_point supervisor_actor::now() const {
  return const_cast<supervisor_actor*>(this)->clock().now();
}

std::shared_ptr<const pipeline_activity> supervisor_actor::activity_of(std::uint32_t pipeline) const {
  return pipeline < pipelines_.size() ? pipelines_[pipeline].board : nullptr;
}

std::uint64_t supervisor_actor::bytes_held_peak() const {
  return env_->pool->bytes_held_peak();
}

}  // namespace sluice
