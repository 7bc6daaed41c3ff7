#include "tools/cli/run_flags.h"

#include "tools/cli/configuration.h"

namespace sluice {
namespace {

result<run_settings::unsure_step> unsure_of(const char* rerun_flag, bool rerun, const char* skip_flag,
                                            bool skip) {
  using unsure = run_settings::unsure_step;
  if (rerun && skip) {
    return usage(fmt::format("{} and {} exclude each other; give one of them", rerun_flag, skip_flag));
  }
  return rerun ? unsure::rerun : skip ? unsure::skip : unsure::ask;
}

}  // namespace

void run_flags::describe(CLI::App& run) {
  job_.describe(run);
  run.add_option(
         "--on-unfinished", on_unfinished_,
         "What to do with an unfinished run of the same job: resume, fail or fresh; default: resume where "
         "exactly-once holds, else fail. One into files that is not continued is forgotten unasked, and one "
         "whose destination keeps no marks begins anew, but neither with fail")
      ->type_name("WHAT");
  run.add_option("--resume-window", resume_window_,
                 "An unfinished run last renewed longer ago than this is not continued unasked; default: 1h")
      ->type_name("TIME");
  describe_work(run);
}

void run_flags::describe_work(CLI::App& run) {
  run.add_option(
         "--if-running", if_running_,
         "What to do where another process works on the job: fail, wait (until it ends), skip (exit "
         "code 99), or takeover (end its sessions and go on with its run; not into SQLite and files); "
         "default: fail")
      ->type_name("WHAT");
  run.add_option("--wait-max", wait_max_, "How long --if-running wait waits before it fails; default: 1h")
      ->type_name("TIME");
  run.add_flag(
      "--same-ends", same_ends_,
      "The ends are the same systems as those of an unfinished run although their addresses differ (a "
      "failover, a new name): go on with it");
  run.add_flag("--once", once_,
               "Succeed without doing anything where the job is done with these parameters and planned time");
  run.add_flag(
      "--rerun-presql", rerun_pre_sql_,
      "A statement of preSql that commits by itself, of which a killed run has not recorded whether "
      "it ran, is run (again); without this or --skip-presql the start is refused and says where to look");
  run.add_flag("--skip-presql", skip_pre_sql_, "Such a statement counts as done: the run goes on behind it");
  run.add_flag("--rerun-postsql", rerun_post_sql_, "--rerun-presql for a statement of postSql");
  run.add_flag("--skip-postsql", skip_post_sql_, "--skip-presql for a statement of postSql");
  run.add_option(
      "--memory", memory_,
      "Budget for everything sized by data, such as 160M; default: 160M, or half of the cgroup's limit if "
      "that is less");
  run.add_option("--summary", summary_, "Write the summary as JSON to this file")->type_name("FILE");
  run.add_option("--metrics-file", metrics_,
                 "Write metrics as Prometheus text to this file, as a whole each time")
      ->type_name("FILE");
  run.add_option("--report-interval", report_interval_, "Time between two progress lines; default: 10s")
      ->type_name("TIME");
  run.add_option("--stall-timeout", stall_timeout_, "Name who has stood still for this long; default: 60s")
      ->type_name("TIME");
  run.add_option("--stop-timeout", stop_timeout_,
                 "Time for writers to commit after a stop was asked for; default: 20s")
      ->type_name("TIME");
  run.add_option("--max-duration", duration_max_, "Stop the run in an orderly way after this time")
      ->type_name("TIME");
  run.add_option(
         "--retries", retries_,
         "How often a lost connection, a deadlock or a lock's timeout is tried again in a row without a "
         "commit between; 0: never. Default: 15, with waits from 0.2 s to 10 s, about 100 s in all")
      ->type_name("N");
  run.add_flag("--fail-on-dirty", fail_on_dirty_,
               "Exit with 1 where there are dirty records inside the limit");
  run.add_option("--on-end", on_end_,
                 "Shell command run at every end, with the summary on its standard input; ended after 60 s")
      ->type_name("CMD");
  run.add_option(
         "--state-dir", state_dir_,
         "Where run folders are kept; default: $SLUICE_STATE, the user's state directory, /var/lib/sluice")
      ->type_name("DIR");
  run.add_option("--log-format", log_format_, "Format of log lines: text or json; default: text")
      ->type_name("FORMAT");
  run.add_option("--log-level", log_level_, "Least level shown: debug, info, warning or error; default: info")
      ->type_name("LEVEL");
  run.add_option(
         "--report", report_,
         "What standard output gets: text (nothing but what --json asks for), or datax (DataX's progress "
         "lines and summary); default: text")
      ->type_name("FORM");
  run.add_flag("--json", json_, "Print the summary as JSON to standard output, and nothing else there");
  run.add_flag("--no-progress", no_progress_, "Show neither live area nor progress lines");
}

result<void> run_flags::put_into(run_arguments& run, std::vector<planned_request>* range) const {
  SLUICE_CHECK(job_.put_into(run, range));
  SLUICE_TRY(run.memory_bytes, memory_of(memory_));
  SLUICE_TRY(run.report_interval, time_of("--report-interval", report_interval_));
  SLUICE_TRY(run.stall_timeout, time_of("--stall-timeout", stall_timeout_));
  SLUICE_TRY(run.stop_timeout, time_of("--stop-timeout", stop_timeout_));
  if (!duration_max_.empty()) {
    SLUICE_TRY(run.duration_max, time_of("--max-duration", duration_max_));
  }
  if (!retries_.empty()) {
    SLUICE_TRY(const std::uint64_t retries, limit_of("--retries", retries_));
    if (retries > retries_most) {
      return usage(
          fmt::format("--retries takes a whole number from 0 to {}; found {}", retries_most, retries));
    }
    run.retries_max = static_cast<std::uint32_t>(retries);
  }
  SLUICE_TRY(run.resume_window, time_of("--resume-window", resume_window_));
  SLUICE_TRY(run.on_unfinished, on_unfinished_of(on_unfinished_));
  SLUICE_TRY(run.pre_sql_unsure, unsure_of("--rerun-presql", rerun_pre_sql_, "--skip-presql", skip_pre_sql_));
  SLUICE_TRY(run.post_sql_unsure,
             unsure_of("--rerun-postsql", rerun_post_sql_, "--skip-postsql", skip_post_sql_));
  SLUICE_TRY(run.running, one_of<if_running>("--if-running", if_running_,
                                             {{"fail", if_running::fail},
                                              {"wait", if_running::wait},
                                              {"skip", if_running::skip},
                                              {"takeover", if_running::takeover}}));
  if (!wait_max_.empty()) {
    if (run.running != if_running::wait) {
      return usage("--wait-max says how long --if-running wait waits, which is not given");
    }
    SLUICE_TRY(run.wait_max, time_of("--wait-max", wait_max_));
  }
  if (once_ && run.on_unfinished == run_settings::unfinished::fresh) {
    return usage("--once passes by what is done, and --on-unfinished fresh does it again; give one");
  }
  run.once = once_;
  run.same_ends = same_ends_;
  SLUICE_TRY(run.format, one_of<log_format>("--log-format", log_format_,
                                            {{"text", log_format::text}, {"json", log_format::json}}));
  SLUICE_TRY(run.level, one_of<log_level>("--log-level", log_level_,
                                          {{"debug", log_level::debug},
                                           {"info", log_level::info},
                                           {"warning", log_level::warning},
                                           {"error", log_level::error}}));
  SLUICE_TRY(run.report, one_of<report_form>("--report", report_,
                                             {{"text", report_form::text}, {"datax", report_form::datax}}));
  if (run.report == report_form::datax && json_) {
    return usage(
        "--report datax and --json both write to standard output; --summary FILE writes the summary");
  }
  run.summary_file = given_text(summary_);
  run.metrics_file = given_text(metrics_);
  run.on_end = given_text(on_end_);
  run.state_dir = given_text(state_dir_);
  run.fail_on_dirty = fail_on_dirty_;
  run.json = json_;
  run.no_progress = no_progress_;
  return {};
}

namespace {

class run_command_flags final : public command_syntax {
 public:
  void describe(CLI::App& run) override {
    run.add_option(
        "JOB", jobs_,
        "Job files: script-mode 2.0 JSON or DataX jobs; a folder stands for its .json files, - for "
        "standard input");
    run.add_option("--jobs", jobs_at_once_, "How many of several jobs run at once; default: 1")
        ->type_name("N");
    run.add_option("--parallel", days_at_once_,
                   "How many days of one job run at once, with a range of --bizdate; default: 1")
        ->type_name("N");
    run.add_flag("--stop-on-failure", stop_on_failure_,
                 "Of several jobs begin no more once one has failed; those at work go on to their end");
    flags_.describe(run);
    run.footer(
        "Exit codes: 0 success (also with dirty records inside the limit), 1 failed run,\n"
        "2 wrong command line or job, 98 taken over by another process, 99 skipped (--if-running skip),\n"
        "143 stopped by a signal. Of several jobs: 1 where one failed, 2 where those that failed are wrong\n"
        "by their text, 99 where all were skipped.");
  }
  [[nodiscard]] result<command> given() const override {
    run_arguments run;
    if (jobs_.empty()) {
      return usage("the job file is missing: sluice run JOB");
    }
    run.jobs = jobs_;
    run.job_file = jobs_.front();
    SLUICE_TRY(run.jobs_at_once, count_of("--jobs", jobs_at_once_));
    run.stop_on_failure = stop_on_failure_;
    SLUICE_CHECK(flags_.put_into(run, &run.range));
    if (!days_at_once_.empty()) {
      if (run.range.empty()) {
        return usage("--parallel is for the days of --bizdate A..B; several jobs at once are --jobs");
      }
      SLUICE_TRY(run.days_at_once, count_of("--parallel", days_at_once_));
    }
    return run;
  }

 private:
  std::vector<std::string> jobs_;
  std::string jobs_at_once_ = "1", days_at_once_;
  bool stop_on_failure_ = false;
  run_flags flags_;
};

}  // namespace

std::unique_ptr<command_syntax> run_syntax() {
  return std::make_unique<run_command_flags>();
}

}  // namespace sluice
