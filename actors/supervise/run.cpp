#include "actors/supervise/run.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <mutex>

#include "actors/pipeline/dirty_file.h"
#include "actors/supervise/make_ends.h"
#include "actors/supervise/supervisor_actor.h"
#include "transport/base/process.h"

namespace sluice {
namespace {

/// Where the supervisor leaves the summary and wakes the caller.
class outcome {
 public:
  outcome() : fd_(::eventfd(0, EFD_CLOEXEC)) {}
  outcome(const outcome&) = delete;
  outcome& operator=(const outcome&) = delete;
  ~outcome() { ::close(fd_); }

  void set(run_summary summary, bool stuck) {
    {
      const std::lock_guard lock(mutex_);
      summary_ = std::move(summary);
      stuck_ = stuck;
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(fd_, &one, sizeof one);
  }
  [[nodiscard]] int fd() const { return fd_; }
  std::pair<run_summary, bool> take() {
    const std::lock_guard lock(mutex_);
    return {std::move(summary_), stuck_};
  }

 private:
  int fd_;
  std::mutex mutex_;
  run_summary summary_;
  bool stuck_ = false;
};

run_summary refused(const job& what, const run_settings& settings, error why, bool wrong_job) {
  run_summary s;
  s.run = settings.run;
  s.job_name = what.name;
  s.job_key = what.key;
  s.state = run_state::failed;
  s.failure = std::move(why);
  s.wrong_job = wrong_job;
  s.how_to_go_on = "Nothing was changed at the destination.";
  return s;
}

/// Waits for the end of the run and passes stop requests on.
std::pair<run_summary, bool> wait_for_end(outcome& end, const actor_ref& supervisor, run_environment& env,
                                          const stop_signal& stop) {
  bool asked = false;
  bool asked_now = false;
  while (true) {
    pollfd fds[3] = {{end.fd(), POLLIN, 0},
                     {asked ? -1 : stop.fd(), POLLIN, 0},
                     {asked_now ? -1 : env.settings.stop_now.fd(), POLLIN, 0}};
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) {
      return {refused(*env.what, env.settings,
                      {error_kind::internal, "poll failed while waiting for the run", "", false}, false),
              true};
    }
    if (fds[0].revents != 0) {
      return end.take();
    }
    if (fds[1].revents != 0) {
      asked = true;
      tell(supervisor, stop_request{{error_kind::cancelled, "stopped on request", "", false}});
    }
    if (fds[2].revents != 0) {
      // A second signal: whoever blocks is interrupted here and now, not by the supervisor's turn.
      asked_now = true;
      env.stop_reading.fire();
      env.stop_now.fire();
      env.from->interrupt();
      env.to->interrupt();
      tell(supervisor, stop_request{{error_kind::cancelled, "stopped on request", "", false}});
    }
  }
}

}  // namespace

run_summary execute_run(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                        const run_settings& settings, run_observer& observer, const stop_signal& stop) {
  return execute_between(
      what, [&](const end_settings& given) { return make_ends(what, reader_plugin, writer_plugin, given); },
      settings, observer, stop);
}

run_summary execute_between(const job& what,
                            const std::function<result<job_ends>(const end_settings& given)>& make,
                            const run_settings& settings, run_observer& observer, const stop_signal& stop) {
  auto env = std::make_shared<run_environment>();
  env->what = &what;
  env->settings = settings;
  env->observer = &observer;
  const process_identity me = this_process();
  env->me = {me.host, me.pid, me.start, ""};

  const auto ended_early = [&](error why, bool wrong_job) {
    run_summary s = refused(what, settings, std::move(why), wrong_job);
    observer.ended(s);
    return s;
  };
  end_settings given;
  given.time_zone = settings.time_zone;
  given.memory_bytes = settings.memory_bytes;
  given.run = settings.run;
  given.resolve_secret = settings.resolve_secret;
  given.guard = settings.guard;
  given.warn = [&observer](std::string line) { observer.notice(notice_level::warning, "plugin", -1, line); };
  given.note = [&observer](const std::string& line) {
    observer.notice(notice_level::info, "plugin", -1, line);
  };
  given.waits = [&observer](const std::string& line, double seconds) { observer.waiting(line, seconds); };
  auto ends = make(given);
  if (!ends) {
    return ended_early(std::move(ends).error(), true);
  }
  env->conversion = ends->conversion;
  env->pool = ends->pool;
  env->from = ends->from;
  env->to = ends->to;
  env->open_dirty = [&settings, &what](
                        const run_id& run, bool publish_at_once,
                        std::optional<run_id> continued) -> result<std::unique_ptr<dirty_store>> {
    std::string folder = settings.run_folder;
    if (continued && settings.folder_of_continued) {
      auto theirs = settings.folder_of_continued(*continued);
      if (!theirs) {
        return fail(std::move(theirs).error());
      }
      if (!theirs->empty()) {
        folder = std::move(*theirs);
      }
    }
    auto file = dirty_file::make({folder, run, what.name, publish_at_once, {}});
    if (!file) {
      return fail(std::move(file).error());
    }
    return std::unique_ptr<dirty_store>(std::move(*file));
  };

  auto end = std::make_shared<outcome>();
  env->over = [end](run_summary summary, bool stuck) { end->set(std::move(summary), stuck); };

  caf::actor_system_config config;
  // Measured in substrate.md: stealing costs 2 to 3 times more in detached-cooperative-detached chains.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  auto system = std::make_unique<caf::actor_system>(config);
  actor_ref supervisor = spawn_actor<supervisor_actor>(*system, placement::cooperative, env);
  tell(supervisor, start_run{});
  auto [summary, stuck] = wait_for_end(*end, supervisor, *env, stop);
  supervisor = nullptr;
  if (stuck) {
    // A thread is still in a call that does not return: waiting for it here would keep the process alive. The
    // caller ends the process; until then the thread may use what it holds.
    (void)system.release();
    static_cast<void>(new std::shared_ptr<run_environment>(env));
  }
  return summary;
}

}  // namespace sluice
