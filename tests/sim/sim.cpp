// The simulation: whole runs, actors and all, on one thread under a seeded scheduler, with a source, a
// destination and disks that fail, and processes that die, stand still, are started beside each other, take
// the run from each other and go on although it was taken. Marks, claims and the stages of steps are kept by
// the code of the plugins (plugins/common/relational) at a simulated server. Some worlds have two jobs that
// write into one table, which one of them empties first. After each world: every record is where it belongs
// as often as was promised, every step has run as often as it may, the account closes, every run has ended.
// `sluice_sim --seeds N [--from S]`; a failing seed prints the command that replays it.

#include <caf/scheduler/test_coordinator.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <string_view>
#include <utility>

#include "actors/supervise/continuation.h"
#include "actors/supervise/supervisor_actor.h"
#include "plugins/api/step_stage.h"
#include "tests/sim/hop_actor.h"
#include "tests/sim/sim_world.h"

namespace sluice::sim {
namespace {

/// Listens to nothing but the first record named by a failure.
class silent_observer : public run_observer {
 public:
  silent_observer(bool talk, std::uint32_t process) : talk_(talk), process_(process) {}
  void notice(notice_level, const std::string& actor, std::int64_t split, const std::string& line) override {
    if (talk_) {
      std::printf("    process %u %s split %lld: %s\n", process_, actor.c_str(),
                  static_cast<long long>(split), line.c_str());
    }
  }
  void progress(const progress_snapshot&) override {}
  void dirty(const dirty_record&, std::uint32_t) override {}

 private:
  bool talk_;
  std::uint32_t process_;
};

/// How a process is started.
struct start_how {
  std::size_t job = 0;
  run_settings::unsure_step before = run_settings::unsure_step::ask;  ///< `--skip-presql` and the like.
  run_settings::unsure_step after = run_settings::unsure_step::ask;
  bool takes_over = false;  ///< `--if-running takeover`.
  bool agrees = true;       ///< `--on-unfinished resume`; else `auto`.
  bool codec = false;
  bool talk = false;
};

/// A process that works on the job, a step at a time.
class process {
 public:
  process(world& w, const job& what, const start_how& how)
      : world_(w),
        number_(static_cast<std::uint32_t>(w.processes.size() + 1)),
        observer_(how.talk, number_),
        system_(testing_config(config_)),
        scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {
    process_facts& facts = w.processes[number_];
    facts.job = how.job;
    facts.agrees = how.agrees;
    facts.disk = w.disks.size();
    ++w.met.processes;
    env_->what = &what;
    env_->settings.run = run_id::make(number_, w.dice(), w.dice());
    env_->settings.memory_bytes = std::uint64_t{1} << 20;
    env_->settings.on_unfinished =
        how.agrees ? run_settings::unfinished::resume : run_settings::unfinished::automatic;
    env_->settings.takeover = how.takes_over;
    env_->settings.pre_sql_unsure = how.before;
    env_->settings.post_sql_unsure = how.after;
    env_->settings.takeover_wait = std::chrono::milliseconds(0);
    env_->settings.once = w.keeps_marks;
    env_->settings.commit_rows = 1 + w.dice() % 200;
    env_->settings.retries_max = 1000;
    env_->conversion.zone = *time_zone::find("UTC");
    env_->me = {"simulated", number_, "", ""};
    env_->from = make_source(w, number_);
    env_->to = make_target(w, number_);
    env_->pool = buffer_pool::make(1 << 20);
    env_->observer = &observer_;
    env_->wire.blocking = placement::cooperative;
    env_->wire.hop = [&w, codec = how.codec](caf::actor_system& s, const actor_ref& to) {
      return spawn_hop(s, w, to, codec);
    };
    env_->open_dirty = [&w, n = number_, takes_over = how.takes_over](const run_id& run, bool,
                                                                      std::optional<run_id> continued) {
      return open_dirty_store(w, n, run, continued.has_value(), takes_over);
    };
    env_->over = [this](run_summary s, bool) { summary_ = std::move(s); };
    supervisor_ = spawn_actor<supervisor_actor>(system_, placement::cooperative, env_);
    tell(supervisor_, start_run{});
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() {
    if (!summary_) {
      kill();
    }
    supervisor_ = nullptr;
    // Everybody was told to end: what is left in mailboxes and timers goes nowhere.
    do {
      while (scheduler_.has_job()) {
        scheduler_.run_once();
      }
    } while (scheduler_.trigger_timeout());
    env_->wire.hop = {};
  }

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] const std::optional<run_summary>& summary() const { return summary_; }
  [[nodiscard]] bool is_over() const { return summary_.has_value(); }

  void step() {
    if (++steps_ > steps_max) {
      give_up("the run did not end");
    }
    if (scheduler_.has_job()) {
      auto& jobs = scheduler_.jobs;
      std::swap(jobs.front(), jobs[world_.dice() % jobs.size()]);
      scheduler_.run_once();
      return;
    }
    const auto before = scheduler_.clock().current_time;
    if (!scheduler_.trigger_timeout()) {
      give_up("the run stands still");
    }
    const auto passed = scheduler_.clock().current_time - before;
    world_.clock_ms += std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
  }

  /// From here on nothing it does has an effect; it is run to its end to be cleared away.
  void kill() {
    world_.processes.at(number_).alive = false;
    world_.destination.lose_all_of(number_);
    while (!summary_) {
      step();
    }
  }

 private:
  static caf::actor_system_config& testing_config(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }
  /// The actors cannot be ended in order: the world is broken and the process with it.
  [[noreturn]] void give_up(const char* why) {
    std::printf("process %u: %s\n", number_, why);
    std::fflush(stdout);
    std::_Exit(1);
  }

  static constexpr std::uint64_t steps_max = 3'000'000;
  world& world_;
  std::uint32_t number_;
  silent_observer observer_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::shared_ptr<run_environment> env_ = std::make_shared<run_environment>();
  actor_ref supervisor_;
  std::optional<run_summary> summary_;
  std::uint64_t steps_ = 0;
};

/// From the next one on nothing goes wrong any more.
constexpr std::uint32_t attempts_with_faults = 9;

job make_job(world& w, std::size_t number) {
  job what;
  what.name = fmt::format("sim{}", number);
  what.key = fmt::format("k{}", number);
  what.instance = "i";
  what.delivery.mode = w.mode;
  what.speed.concurrent = 1 + static_cast<std::uint32_t>(w.dice() % 4);
  if (w.dice() % 5 == 0) {
    what.speed.bytes_per_second = 100'000;
  }
  if (w.dice() % 3 == 0) {
    what.errors.records = w.dice() % 60;
  }
  if (w.converts && w.filters) {
    what.transformers.push_back({"dx_filter", 3, {"=", "out"}, "sim.json"});
  }
  return what;
}

faults roll_faults(world& w, std::uint32_t attempt) {
  faults f;
  if (attempt >= attempts_with_faults) {
    return f;  // the world heals, so that every run can end
  }
  const auto maybe = [&](std::uint32_t one_in) { return w.dice() % 2 == 0 ? one_in : 0; };
  f.read_lost = maybe(400);
  f.write_busy = maybe(20);
  f.commit_refused = maybe(20);
  f.commit_answer_lost = maybe(20);
  f.commit_late = maybe(20);
  f.undone_unseen = w.keeps_marks && w.dice() % 8 == 0 ? 100 : 0;
  f.connect_lost = maybe(10);
  f.statement_lost = maybe(100);
  f.statement_killed = maybe(400);
  f.finish_lost = maybe(4);
  f.dirty_lost = maybe(300);
  f.message_lost = maybe(100);
  return f;
}

bool is_success(const run_summary& s) {
  return s.state == run_state::succeeded || s.state == run_state::succeeded_with_dirty;
}

/// What a process that has succeeded says of it.
void check_summary(world& w, std::size_t number, const run_summary& s) {
  const record_counts all = w.jobs[number].expected();
  record_counts got = s.counts;
  got.bytes = got.dirty_bytes = got.filtered_bytes = 0;
  if (!(got == all)) {
    w.break_promise(fmt::format(
        "counts: read {} of {}, written {} of {}, ignored {} of {}, dirty {} of {}, filtered {} of {}",
        got.read, all.read, got.written, all.written, got.ignored, all.ignored, got.dirty, all.dirty,
        got.filtered, all.filtered));
  }
  if (w.keeps_marks &&
      (w.destination.look("SELECT stage FROM sluice_run WHERE run = '" + s.run.text() + "'") != "done")) {
    w.break_promise("a process has succeeded with a run that is not done");
  }
}

/// How often a record is to stand: once, and once more for each time that its split was begun anew, as was
/// agreed, behind rows that no mark covers.
std::size_t copies(const sim_job& j, std::uint32_t split, std::uint64_t position) {
  return 1 + static_cast<std::size_t>(std::count_if(j.repeats.begin(), j.repeats.end(), [&](const auto& r) {
           return r.first == split && position < r.second;
         }));
}

/// The one run of the job is done, with all its steps, once each where they may not run twice.
void check_run(world& w, std::size_t number) {
  const sim_job& mine = w.jobs[number];
  // A claim that came late, of a process that was dead by then, may be left without a plan.
  const std::string runs = w.destination.look(fmt::format(
      "SELECT group_concat(stage) FROM sluice_run WHERE job_key = 'k{}' AND stage <> 'claimed'", number));
  if (runs != "done") {
    w.break_promise(fmt::format("at the end there are these runs of job {}: {}", number, runs));
  }
  if (const std::string splits =
          w.destination.look(fmt::format("SELECT count(*) FROM sluice_progress p, sluice_run r WHERE r.run = "
                                         "p.run AND r.job_key = 'k{}'",
                                         number));
      splits != "0") {
    w.break_promise(fmt::format("{} splits are left of the run of job {} that is done", splits, number));
  }
  for (const auto* steps : {&mine.before, &mine.after}) {
    for (const sim_step& s : *steps) {
      if (s.ran == 0) {
        w.break_promise(fmt::format("job {} is done, and its step {} has not run", number, s.text));
      }
    }
  }
  if (!mine.is_out) {
    w.break_promise(fmt::format("job {} is done, and its output is not complete", number));
  }
}

/// What must hold of a job when it is done and nobody works any more.
void check_end(world& w, std::size_t number, const job& what) {
  const sim_job& mine = w.jobs[number];
  const record_counts all = mine.expected();
  if (what.errors.records && all.dirty > *what.errors.records) {
    w.break_promise("errorLimit was crossed and the run succeeded");
    return;
  }
  if (w.keeps_marks) {
    check_run(w, number);
  }
  // Without marks only the process itself knows what it has committed, up to a commit without an answer.
  const bool may_be_more = !w.keeps_marks && w.mode == delivery_mode::at_least_once;
  static const disk none;
  const disk& files =
      mine.finished_in && *mine.finished_in < w.disks.size() ? w.disks[*mine.finished_in] : none;
  std::uint64_t published = 0;
  for (std::uint32_t split = 0; split < mine.source.size(); ++split) {
    for (std::uint64_t position = 0; position < mine.source[split].size(); ++position) {
      const fate f = mine.source[split][position];
      const std::size_t rows = mine.rows.count({split, position});
      const std::size_t wanted = f == fate::written && !mine.is_gone ? copies(mine, split, position) : 0;
      if (rows != wanted && !(may_be_more && rows > wanted && f == fate::written)) {
        w.break_promise(
            fmt::format("record {} of split {} of job {} stands {} times at the destination, not {}",
                        position, split, number, rows, wanted));
      }
      const bool dirty = f == fate::reader_dirty || f == fate::channel_dirty || f == fate::writer_dirty;
      const auto found = files.published.find({split, position});
      const int times = found == files.published.end() ? 0 : found->second;
      if (times > (dirty ? 1 : 0)) {
        w.break_promise(
            fmt::format("dirty record {} of split {} was published {} times", position, split, times));
      }
      published += static_cast<std::uint64_t>(times);
    }
  }
  const std::string kept =
      w.keeps_marks ? w.destination.look(fmt::format(
                          "SELECT totals FROM sluice_run WHERE job_key = 'k{}' AND stage = 'done'", number))
                    : "";
  std::uint64_t missing = 0;
  if (const auto list = scalars_from_json(kept.empty() ? "{}" : kept); list) {
    const auto totals = totals_from(*list);
    missing = totals ? totals->dirty_missing : 0;
  }
  // Of a run that was taken over what its former process still writes is in a folder of its own.
  if (published + missing != all.dirty || (missing != 0 && w.met.paused == 0)) {
    w.break_promise(fmt::format("{} dirty records were published and {} are missing, of {}", published,
                                missing, all.dirty));
  }
}

/// A world from its making to the job's end.
class story {
 public:
  story(std::uint64_t seed, bool talk) : world_(seed), talk_(talk) {
    for (std::size_t i = 0; i < world_.jobs.size(); ++i) {
      jobs_.push_back({make_job(world_, i)});
    }
    codec_ = world_.dice() % 2 == 0;
    world_.aside = [this](std::uint32_t caller) { work_aside(caller); };
  }

  /// Empty, or the promise it broke.
  std::string tell() {
    for (std::uint32_t attempt = 0; attempt < attempts_max && world_.broken.empty() && !is_over();
         ++attempt) {
      try_once(attempt);
    }
    if (world_.broken.empty() && !is_over()) {
      world_.break_promise(fmt::format("the jobs were not done after {} processes", attempts_max));
    }
    end_sleepers();
    world_.destination.settle_all();
    for (std::size_t i = 0; i < jobs_.size() && world_.broken.empty(); ++i) {
      if (jobs_[i].is_done) {
        check_end(world_, i, jobs_[i].what);
      }
    }
    sleepers_.clear();
    return world_.broken;
  }
  [[nodiscard]] const encounters& met() const { return world_.met; }

 private:
  /// A job of the world as its user knows it.
  struct job_state {
    job what;
    bool is_over = false;  ///< It is done, or has failed for good.
    bool is_done = false;
    bool asks = false;  ///< The last start, or a run that lost its connection: whether a step has run.
  };

  /// What one that has failed for good has written keeps the other one from the table.
  [[nodiscard]] bool is_over() const {
    return std::any_of(jobs_.begin(), jobs_.end(),
                       [](const job_state& j) { return j.is_over && !j.is_done; }) ||
           std::all_of(jobs_.begin(), jobs_.end(), [](const job_state& j) { return j.is_over; });
  }

  /// Of those that are not over.
  std::size_t any_job() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (!jobs_[i].is_over) {
        open.push_back(i);
      }
    }
    return open[open.size() == 1 ? 0 : world_.dice() % open.size()];
  }

  void try_once(std::uint32_t attempt) {
    const bool heals = attempt >= attempts_with_faults;
    world_.wrong = roll_faults(world_, attempt);
    if (heals) {
      end_sleepers();
      world_.destination.settle_all();
      if (is_over()) {
        return;
      }
    }
    if (!world_.keeps_marks) {
      world_.destination.settle_all();
      world_.jobs[0].rows.clear();  // as the message of the failed run asks for
    }
    start_how how;
    how.job = any_job();
    if (std::exchange(jobs_[how.job].asks, false) && world_.keeps_marks) {
      look_at_step(how);
      if (jobs_[how.job].is_over) {
        return;
      }
    }
    how.takes_over = world_.keeps_marks && world_.dice() % 2 == 0;
    how.agrees = heals || world_.dice() % 2 == 0;
    how.codec = codec_;
    how.talk = talk_;
    const bool kills = attempt < 6 && world_.dice() % 3 == 0;
    const bool pauses = attempt < 6 && !kills && world_.keeps_marks && world_.dice() % 3 != 0;
    const std::uint64_t step_of_it = kills || pauses ? early(3000) : 0;
    auto one = std::make_unique<process>(world_, jobs_[how.job].what, how);
    for (std::uint64_t step = 1; !one->is_over(); ++step) {
      one->step();
      world_.destination.pass_time();
      if (one->is_over()) {
        break;
      }
      if ((kills && step == step_of_it) || is_to_die(*one)) {
        kill(*one);
        return;
      }
      if (pauses && step == step_of_it && sleepers_.size() < sleepers_max) {
        ++world_.met.paused;
        say(*one, "stands still");
        world_.clock_ms += world_.dice() % 3 == 0 ? 100'000 : 0;  // longer than a claim lasts
        sleepers_.push_back({std::move(one), how, early(2000)});
        return;
      }
      work_aside(one->number());
      bury();
    }
    if (is_to_die(*one)) {
      kill(*one);
    } else {
      judge(*one, how);
    }
  }

  [[nodiscard]] bool is_to_die(const process& one) const {
    return world_.dies == one.number() || !world_.is_alive(one.number());
  }

  /// From 1 to `most`, small numbers more often.
  std::uint64_t early(std::uint64_t most) { return 1 + world_.dice() % (1 + world_.dice() % most); }

  /// Those who stood still work again, once they wake up.
  void work_aside(std::uint32_t caller) {
    if (is_aside_ || sleepers_.empty() || world_.dice() % 4 != 0) {
      return;
    }
    is_aside_ = true;
    for (sleeper& s : sleepers_) {
      if (s.one->number() == caller || s.one->is_over() || !world_.is_alive(s.one->number())) {
        continue;
      }
      if (s.sleeps != 0) {
        --s.sleeps;
        continue;
      }
      for (auto steps = 1 + world_.dice() % 8; steps != 0 && !s.one->is_over(); --steps) {
        s.one->step();
      }
    }
    is_aside_ = false;
  }

  /// Those who have ended are judged, and those whose hour has come killed; outside of all calls.
  void bury() {
    for (auto i = sleepers_.begin(); i != sleepers_.end();) {
      process& one = *i->one;
      if (is_to_die(one)) {
        kill(one);
        i = sleepers_.erase(i);
      } else if (one.is_over()) {
        judge(one, i->how);
        i = sleepers_.erase(i);
      } else {
        ++i;
      }
    }
  }

  /// Whoever stands still works on to the end.
  void end_sleepers() {
    while (!sleepers_.empty() && world_.broken.empty()) {
      for (sleeper& s : sleepers_) {
        if (!s.one->is_over()) {
          s.one->step();
        }
      }
      world_.destination.pass_time();
      bury();
    }
  }

  void kill(process& one) {
    if (world_.dies == one.number()) {
      world_.dies.reset();
    }
    ++world_.met.killed;
    one.kill();
    say(one, "killed");
  }

  void say(const process& one, const char* what) const {
    if (talk_) {
      std::printf("  process %u: %s\n", one.number(), what);
    }
  }

  void judge(process& one, const start_how& how) {
    const run_summary& s = *one.summary();
    if (talk_) {
      std::printf("  process %u (job %zu): %s %s\n", one.number(), how.job,
                  std::string(to_string(s.state)).c_str(), s.failure ? s.failure->message.c_str() : "");
    }
    job_state& mine = jobs_[how.job];
    if (is_success(s)) {
      check_summary(world_, how.job, s);
      if (!world_.keeps_marks) {
        world_.jobs[how.job].finished_in = world_.processes.at(one.number()).disk;
      }
      mine.is_done = mine.is_over = true;
      return;
    }
    const error& why = *s.failure;
    world_.met.taken_over += why.code == taken_over_code ? 1 : 0;
    if (why.code == taken_over_code && world_.claimed_last == one.number() && !world_.undoes_unseen) {
      world_.break_promise("a process has lost its run to one from which it was taken: " + why.message);
    }
    const std::uint64_t dirty = world_.jobs[how.job].expected().dirty;
    if (why.code == done_code) {
      mine.is_done = mine.is_over = true;
    } else if (why.code == "errorLimit") {
      if (!mine.what.errors.records || dirty <= *mine.what.errors.records) {
        world_.break_promise("the run failed by errorLimit without crossing it: " + why.message);
      }
      mine.is_over = true;
    } else if (why.kind == error_kind::internal || why.code == "account") {
      world_.break_promise("the run failed by a mistake of ours: " + why.message);
    } else if (s.in_the_way || why.code == emptied_code) {
      ++world_.met.in_the_way;
      if (jobs_.size() == 1) {
        world_.break_promise("the only job was kept from its table by another one: " + why.message);
      }
    } else if (why.code == step_unknown_code) {
      ++world_.met.asked;
      mine.asks = true;
      using unsure = run_settings::unsure_step;
      if (!s.resumed && (how.before != unsure::ask || how.after != unsure::ask)) {
        world_.break_promise("a start was told of a step, and asks all the same: " + why.message);
      }
    } else if (why.code == unfinished_code && how.agrees) {
      world_.break_promise("the run was not gone on with: " + why.message);
    }
  }

  /// Its user waits until nobody works on it any more, looks whether the step has run, and tells the start.
  void look_at_step(start_how& how) {
    end_sleepers();
    world_.destination.settle_all();
    const std::optional<begun_step> begun = begun_in(world_.destination.look(fmt::format(
        "SELECT stage FROM sluice_run WHERE job_key = 'k{}' AND stage LIKE '% begun %'", how.job)));
    if (!begun) {
      return;  // that it has run came to be recorded
    }
    const sim_job& mine = world_.jobs[how.job];
    const bool ran = (begun->behind_data ? mine.after : mine.before)[begun->index].ran != 0;
    using unsure = run_settings::unsure_step;
    (begun->behind_data ? how.after : how.before) = ran ? unsure::skip : unsure::rerun;
  }

  struct sleeper {
    std::unique_ptr<process> one;
    start_how how;
    std::uint64_t sleeps = 0;  ///< So many turns.
  };
  static constexpr std::uint32_t attempts_max = 60;
  static constexpr std::size_t sleepers_max = 2;

  world world_;
  std::vector<job_state> jobs_;
  bool talk_;
  bool codec_ = false;
  bool is_aside_ = false;
  std::list<sleeper> sleepers_;
};

}  // namespace

std::string to_text(const encounters& met) {
  return fmt::format(
      "{} processes: {} killed, {} stood still and went on, {} found their run taken over; commits without a "
      "client: {} came late, {} never; {} splits in parts written once more, as agreed; {} steps around the "
      "data ran, of {} was asked whether; {} starts were kept from their table by another job",
      met.processes, met.killed, met.paused, met.taken_over, met.late, met.in_vain, met.repeated, met.steps,
      met.asked, met.in_the_way);
}

}  // namespace sluice::sim

int main(int argc, char** argv) {
  const char* asked = std::getenv("SLUICE_SIM_SEEDS");
  std::uint64_t seeds = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 300;
  std::uint64_t from = 1;
  bool talk = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--seeds" && i + 1 < argc) {
      seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (arg == "--from" && i + 1 < argc) {
      from = std::strtoull(argv[++i], nullptr, 10);
    } else if (arg == "--talk") {
      talk = true;
    } else {
      std::fprintf(stderr, "usage: sluice_sim [--seeds N] [--from S] [--talk]\n");
      return 2;
    }
  }
  std::uint64_t failed = 0;
  sluice::sim::encounters met;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    if (talk) {
      std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    }
    sluice::sim::story one(seed, talk);
    const std::string broken = one.tell();
    met += one.met();
    if (!broken.empty()) {
      ++failed;
      std::printf("seed %llu: %s\n  replay: sluice_sim --seeds 1 --from %llu --talk\n",
                  static_cast<unsigned long long>(seed), broken.c_str(),
                  static_cast<unsigned long long>(seed));
    }
  }
  std::printf("%s\n", to_text(met).c_str());
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(seeds - failed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
