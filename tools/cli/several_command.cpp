#include "tools/cli/several_command.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "tools/cli/child_run.h"
#include "tools/cli/console.h"
#include "tools/cli/end_hook.h"
#include "tools/cli/files.h"
#include "tools/cli/job_list.h"
#include "tools/cli/job_loading.h"
#include "tools/cli/memory_limit.h"
#include "tools/cli/run_command.h"
#include "tools/cli/run_queue.h"
#include "tools/cli/several_report.h"
#include "tools/cli/signal_watch.h"
#include "tools/cli/summary_json.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using steady = std::chrono::steady_clock;

/// A terminal's live area counts seconds.
constexpr int live_interval_ms = 1000;

double seconds_since(steady::time_point then) {
  return std::chrono::duration<double>(steady::now() - then).count();
}

/// `2025-07-19`.
std::string day_text_of(const planned_request& day) {
  const std::chrono::year_month_day date(day.business_day.value_or(std::chrono::local_days{}));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

const char* word_of(notice_level level) {
  return level == notice_level::info ? "info" : level == notice_level::warning ? "warning" : "error";
}

/// One call of `sluice run` with several jobs. Lives as long as the call.
class several_session {
 public:
  several_session(const run_arguments& arguments, const program& parts)
      : arguments_(arguments),
        parts_(parts),
        begin_(steady::now()),
        screen_(parts.err_fd, parts.err_is_terminal),
        live_(parts.err_is_terminal && !arguments.no_progress && arguments.format == log_format::text) {
    all_.started_unix_ms = parts.unix_ms();
  }
  ~several_session();
  several_session(const several_session&) = delete;
  several_session& operator=(const several_session&) = delete;

  int run();

 private:
  /// Which runs of a job exclude each other.
  struct job_claim {
    std::string key = {};        ///< The job key; empty where the job cannot be loaded.
    bool one_at_a_time = false;  ///< The destination keeps marks, and with them a claim for each job key.
    bool same_each_day = false;  ///< Nothing of it changes with the date.
  };
  struct one_run {
    run_arguments arguments;
    std::unique_ptr<child_run> process;  ///< While it is at work.
    steady::time_point began;
  };

  result<void> list();
  result<void> share_memory();
  result<void> watch_signals();
  job_claim claim_of(const run_arguments& arguments) const;
  [[nodiscard]] result<void> require_dates(const job_list& list, const std::vector<job_claim>& claims) const;
  void add_runs(const job_list& list, const std::vector<job_claim>& claims, const planned_request* day);
  void say_how_days_go(const job_list& list, const std::vector<job_claim>& claims);
  void begin_runs();
  void begin_run(std::size_t index);
  void wait_for_something();
  void read_signals();
  void take_lines(std::size_t index, const std::vector<std::string>& lines);
  void collect_ended();
  void close_run(std::size_t index, int status);
  void count_end(std::size_t index);
  void tell_hook_of_crash(std::size_t index);
  void say(notice_level level, const std::string& text);
  void show_live();
  int end();

  const run_arguments& arguments_;
  const program& parts_;
  const steady::time_point begin_;
  console screen_;
  const bool live_;
  runs_outcome all_;
  std::vector<one_run> runs_;  ///< Beside `all_.runs`.
  std::vector<run_queue::entry> entries_;
  std::optional<run_queue> queue_;
  std::vector<std::string> live_lines_;  ///< As shown.
  int signal_fd_ = -1;
  sigset_t mask_before_{};
  bool mask_changed_ = false;
  int signals_seen_ = 0;
  std::string signal_name_;
};

several_session::~several_session() {
  if (signal_fd_ >= 0) {
    ::close(signal_fd_);
  }
  if (mask_changed_) {
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }
}

result<void> several_session::list() {
  if (arguments_.report == report_form::datax) {
    return fail(error_kind::bad_option, "--report datax is for one job; DataX runs no more in a process");
  }
  SLUICE_TRY(job_list list, list_jobs(arguments_.jobs));
  if (arguments_.name && list.jobs.size() > 1) {
    return fail(error_kind::bad_option, "--name names one job, and there are {}; each has its file's name",
                list.jobs.size());
  }
  for (const std::string& line : list.notices) {
    say(notice_level::warning, line);
  }
  std::vector<job_claim> claims;
  for (const listed_job& job : list.jobs) {
    run_arguments its = arguments_;
    its.job_file = job.file;
    claims.push_back(claim_of(its));
  }
  if (arguments_.range.empty()) {
    add_runs(list, claims, nullptr);
  }
  SLUICE_CHECK(require_dates(list, claims));
  // A day of all jobs after the other: what one job makes another may need.
  for (const planned_request& day : arguments_.range) {
    add_runs(list, claims, &day);
  }
  queue_.emplace(entries_, arguments_.jobs_at_once, arguments_.days_at_once);
  if (arguments_.planned.given()) {
    say_how_days_go(list, claims);
  }
  return {};
}

void several_session::add_runs(const job_list& list, const std::vector<job_claim>& claims,
                               const planned_request* day) {
  for (std::size_t i = 0; i < list.jobs.size(); ++i) {
    const listed_job& job = list.jobs[i];
    const std::string day_text = day == nullptr ? "" : day_text_of(*day);
    one_run one;
    one.arguments = arguments_;
    one.arguments.job_file = job.file;
    one.arguments.jobs = {job.file};
    one.arguments.range.clear();
    if (day != nullptr) {
      one.arguments.planned = *day;
    }
    one.arguments.passes_done = day != nullptr || arguments_.once;
    one.arguments.summary_file.reset();
    one.arguments.json = true;
    // The words are what this run alone is given again by.
    std::erase_if(one.arguments.words, [](const std::string& word) {
      return word == "--json" || word.starts_with("--summary=") || word.starts_with("--metrics-file=");
    });
    if (arguments_.metrics_file) {
      one.arguments.metrics_file =
          metrics_file_of(*arguments_.metrics_file, day == nullptr ? job.label : job.label + "." + day_text);
      one.arguments.words.push_back("--metrics-file=" + *one.arguments.metrics_file);
    }
    // Where the destination admits as many runs as come, days do not wait for each other.
    const job_claim& claim = claims[i];
    entries_.push_back({i, claim.key.empty() || claim.one_at_a_time ? claim.key : claim.key + day_text});
    run_outcome outcome;
    outcome.label = day == nullptr ? job.label : job.label + " " + day_text;
    outcome.file = job.file;
    all_.runs.push_back(std::move(outcome));
    runs_.push_back(std::move(one));
  }
}

/// A job that does the same each day would insert the same rows once for each of them.
result<void> several_session::require_dates(const job_list& list,
                                            const std::vector<job_claim>& claims) const {
  if (arguments_.range.size() < 2) {
    return {};
  }
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (claims[i].same_each_day) {
      labels.push_back(escaped(list.jobs[i].label));
    }
  }
  return labels.empty()
             ? result<void>()
             : fail(error_kind::bad_option,
                    "--bizdate: nothing in {} depends on the date, so that each of the {} days would do the "
                    "same: use the date there, such as ${{bizdate}}, or run {} without a range",
                    fmt::join(labels, ", "), arguments_.range.size(), labels.size() == 1 ? "it" : "them");
}

/// What a reader of the command line would not expect, and what the same command does once more.
void several_session::say_how_days_go(const job_list& list, const std::vector<job_claim>& claims) {
  bool all_kept = true;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    all_kept = all_kept && claims[i].one_at_a_time;
    if (claims[i].one_at_a_time && arguments_.days_at_once > 1) {
      say(notice_level::warning,
          fmt::format(
              "{}: its destination admits one run of a job at a time; its days run one after the other",
              escaped(list.jobs[i].label)));
    }
  }
  if (all_kept) {
    all_.go_on = "The same command once more passes by what is done for its planned time.";
  }
}

/// A destination that keeps marks admits one run of a job at a time. What else is wrong with the job is told
/// by its run.
several_session::job_claim several_session::claim_of(const run_arguments& arguments) const {
  secret_filter unused;
  const auto loaded = load_for_command(arguments.job_file, arguments, parts_, unused);
  if (!loaded) {
    return {};
  }
  const plugin* writer = loaded->writer;
  return {loaded->what.key,
          writer != nullptr && writer->writes != nullptr && writer->writes->can.transactional,
          loaded->what.date_place.empty()};
}

/// The budget is the process's: runs at work at once share it.
result<void> several_session::share_memory() {
  const std::size_t most = std::max<std::size_t>(1, queue_->most_at_work());
  all_.at_once = most;
  const memory_budget whole =
      choose_memory(arguments_.memory_bytes, parts_.configured,
                    arguments_.memory_bytes ? std::nullopt : cgroup_memory_limit(parts_.system_root));
  const std::uint64_t share = whole.bytes / most;
  if (share < memory_bytes_min) {
    return fail(
        error_kind::bad_option,
        "{} of memory ({}) for {} runs at once leave {} each; the least is {}: give more with --memory, or "
        "run fewer at once with --jobs",
        bytes_text(whole.bytes), whole.origin, most, bytes_text(share), bytes_text(memory_bytes_min));
  }
  for (one_run& one : runs_) {
    one.arguments.memory_bytes = share;
    one.arguments.memory_origin =
        most == 1 ? whole.origin
                  : fmt::format("{} ({}) for {} runs at once", bytes_text(whole.bytes), whole.origin, most);
  }
  return {};
}

result<void> several_session::watch_signals() {
  ignore_signals_of_writes();
  sigset_t set = stop_signals();
  sigaddset(&set, SIGCHLD);
  if (::sigprocmask(SIG_BLOCK, &set, &mask_before_) != 0) {
    return fail(error_kind::internal, "signals cannot be blocked: {}", std::strerror(errno));
  }
  mask_changed_ = true;
  signal_fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd_ < 0) {
    return fail(error_kind::internal, "signals cannot be watched: {}", std::strerror(errno));
  }
  return {};
}

void several_session::begin_runs() {
  while (const auto index = queue_->take()) {
    begin_run(*index);
  }
}

void several_session::begin_run(std::size_t index) {
  one_run& one = runs_[index];
  one.began = steady::now();
  const run_arguments& its = one.arguments;
  auto process = child_run::start(parts_, [&its](const program& parts) { return run_command(its, parts); });
  if (!process) {
    put_crash(all_.runs[index], process.error().message);
    count_end(index);
    return;
  }
  one.process = std::move(*process);
}

void several_session::wait_for_something() {
  std::vector<pollfd> fds = {{signal_fd_, POLLIN, 0}};
  for (const one_run& one : runs_) {
    if (one.process) {
      // poll leaves negative descriptors out.
      fds.push_back({one.process->lines_fd(), POLLIN, 0});
      fds.push_back({one.process->summary_fd(), POLLIN, 0});
    }
  }
  ::poll(fds.data(), fds.size(), live_ ? live_interval_ms : -1);
  std::size_t at = 1;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (!runs_[i].process) {
      continue;
    }
    if (fds[at].revents != 0) {
      take_lines(i, runs_[i].process->read_lines());
    }
    if (fds[at + 1].revents != 0) {
      runs_[i].process->read_summary();
    }
    at += 2;
  }
  if (fds.front().revents != 0) {
    read_signals();
  }
}

/// The first asks the runs for an orderly stop, a second for their end at once, a third ends them.
void several_session::read_signals() {
  signalfd_siginfo info{};
  while (::read(signal_fd_, &info, sizeof info) == sizeof info) {
    const auto number = static_cast<int>(info.ssi_signo);
    if (number == SIGCHLD) {
      continue;  // Whoever ended is looked for in any case.
    }
    ++signals_seen_;
    queue_->begin_no_more();
    if (signals_seen_ == 1) {
      signal_name_ = signal_name(info.ssi_signo);
      say(notice_level::warning,
          fmt::format("{}: {} at work are stopped, and no more begin. Once more ends them at once",
                      signal_name_, queue_->at_work()));
    }
    for (one_run& one : runs_) {
      if (one.process) {
        one.process->signal(signals_seen_ > 2 ? SIGKILL : number);
      }
    }
  }
}

void several_session::take_lines(std::size_t index, const std::vector<std::string>& lines) {
  const std::string& label = all_.runs[index].label;
  std::string text;
  for (const std::string& line : lines) {
    if (arguments_.format == log_format::json && line.starts_with('{')) {
      text +=
          fmt::format("{{\"job\":{},{}\n",
                      nlohmann::json(label).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                      line.substr(1));
    } else {
      text += fmt::format("[{}] {}\n", escaped(label), line);
    }
  }
  if (!text.empty()) {
    screen_.print(text);
  }
}

void several_session::collect_ended() {
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (!runs_[i].process) {
      continue;
    }
    if (const auto status = runs_[i].process->ended()) {
      close_run(i, *status);
    }
  }
}

void several_session::close_run(std::size_t index, int status) {
  one_run& one = runs_[index];
  run_outcome& outcome = all_.runs[index];
  take_lines(index, one.process->drain());
  outcome.seconds = seconds_since(one.began);
  if (WIFEXITED(status)) {
    put_summary(outcome, one.process->summary(), WEXITSTATUS(status));
  } else {
    const int number = WTERMSIG(status);
    put_crash(outcome, fmt::format("its process was ended by signal {} ({}){}", number, ::strsignal(number),
                                   number == SIGKILL && signals_seen_ == 0
                                       ? ": by somebody, or by the system for want of memory (see --memory)"
                                       : ""));
    if (signals_seen_ > 0) {
      outcome.end = run_end::stopped;
    }
    tell_hook_of_crash(index);
  }
  one.process.reset();
  count_end(index);
}

void several_session::count_end(std::size_t index) {
  queue_->ended(index);
  const run_outcome& outcome = all_.runs[index];
  const bool bad = outcome.end == run_end::failed || outcome.end == run_end::wrong;
  if (bad && arguments_.stop_on_failure && !all_.stopped_on_failure) {
    all_.stopped_on_failure = true;
    queue_->begin_no_more();
  }
}

/// Every other end tells its hook itself. The other runs' lines wait so long; it is as rare as a crash.
void several_session::tell_hook_of_crash(std::size_t index) {
  if (!arguments_.on_end) {
    return;
  }
  const run_outcome& outcome = all_.runs[index];
  run_summary s;
  s.job_name = outcome.label;
  s.failure = error{error_kind::internal, outcome.reason, {}};
  run_context c;
  c.job_file = outcome.file;
  c.started_unix_ms = parts_.unix_ms() - static_cast<std::uint64_t>(outcome.seconds * 1000);
  c.seconds = outcome.seconds;
  c.exit_code = exit_failed;
  if (auto ran = run_end_hook(*arguments_.on_end, summary_json(s, c, {})); !ran) {
    say(notice_level::warning, ran.error().message);
  }
}

/// A line of this process: in JSON it is an object like all others.
void several_session::say(notice_level level, const std::string& text) {
  if (arguments_.format != log_format::json) {
    screen_.print(text + "\n");
    return;
  }
  const nlohmann::ordered_json line = {{"time", utc_text(parts_.unix_ms())},
                                       {"level", word_of(level)},
                                       {"job", nullptr},
                                       {"run", nullptr},
                                       {"message", text}};
  screen_.print(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void several_session::show_live() {
  if (!live_) {
    return;
  }
  std::size_t over = 0;
  for (const run_outcome& run : all_.runs) {
    over += run.end != run_end::not_begun ? 1 : 0;
  }
  std::vector<std::string> lines = {fmt::format("{} of {} runs are over, {} at work  {}", over,
                                                all_.runs.size(), queue_->at_work(),
                                                duration_text(seconds_since(begin_)))};
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i].process) {
      lines.push_back(
          fmt::format("  {}  {}", escaped(all_.runs[i].label), duration_text(seconds_since(runs_[i].began))));
    }
  }
  if (lines != live_lines_) {
    live_lines_ = lines;
    screen_.show_live(std::move(lines));
  }
}

int several_session::end() {
  screen_.clear_live();
  all_.seconds = seconds_since(begin_);
  const bool left = std::any_of(all_.runs.begin(), all_.runs.end(), [](const run_outcome& run) {
    return run.end == run_end::stopped || run.end == run_end::not_begun;
  });
  if (signals_seen_ > 0 && left) {
    all_.stopped_by = signal_name_;
  }
  const std::string json = several_json(all_);
  if (arguments_.summary_file) {
    if (auto written = write_file_whole(*arguments_.summary_file, json, 0666); !written) {
      say(notice_level::warning, "--summary: " + written.error().message);
    }
  }
  for (const report_line& line : several_report(all_, "sluice run")) {
    say(line.level, line.text);
  }
  if (arguments_.json) {
    print_out(parts_, json);
  }
  return exit_code_of(all_);
}

int several_session::run() {
  result<void> ready = list();
  if (ready) {
    ready = share_memory();
  }
  if (!ready) {
    say(notice_level::error, "sluice: " + ready.error().message);
    return exit_wrong_use;
  }
  if (const auto watched = watch_signals(); !watched) {
    say(notice_level::error, "sluice: " + watched.error().message);
    return exit_failed;
  }
  begin_runs();
  while (!queue_->over()) {
    show_live();
    wait_for_something();
    collect_ended();
    begin_runs();
  }
  return end();
}

}  // namespace

std::string metrics_file_of(const std::string& file, const std::string& label) {
  const std::filesystem::path whole(file);
  std::string name = label;
  std::replace(name.begin(), name.end(), '/', '_');
  return (whole.parent_path() /
          fmt::format("{}.{}{}", whole.stem().string(), name, whole.extension().string()))
      .string();
}

int several_command(const run_arguments& arguments, const program& parts) {
  return several_session(arguments, parts).run();
}

}  // namespace sluice
