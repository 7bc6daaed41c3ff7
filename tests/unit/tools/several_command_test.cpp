#include "tools/cli/several_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "actors/supervise/continuation.h"
#include "tests/unit/tools/sample_plugins.h"
#include "tests/unit/tools/test_folder.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::test_folder;

/// `sluice run` with several jobs whose engine does what the job's name says: `good`, `dirty`, `bad` (fails),
/// `slow` (until it is told to stop), `crash`, `brief` (notes when it is at work). A file called `wrong`
/// cannot be loaded.
struct several_runs_with_a_fake_engine : ::testing::Test {
  test_folder folder;
  run_arguments arguments;
  program parts;

  void SetUp() override {
    arguments.state_dir = folder.file("state");
    arguments.summary_file = folder.file("summary.json");
    parts.variable = [](const char*) { return std::optional<std::string>(); };
    parts.system_root = folder.file("root");
    parts.plugins = &testing::sample_plugins();
    parts.unix_ms = [] { return std::uint64_t{1769847300123}; };
    parts.exit_now = [] { ::_exit(exit_stopped); };
    parts.out_fd = ::open(folder.file("out").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    parts.err_fd = ::open(folder.file("err").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    parts.load = load;
    parts.execute = [this](const job& what, const plugin&, const plugin&, const run_settings& settings,
                           run_observer& observer,
                           const stop_signal& stop) { return execute(what, settings, observer, stop); };
  }
  ~several_runs_with_a_fake_engine() override {
    ::close(parts.out_fd);
    ::close(parts.err_fd);
  }

  static tl::expected<job, job_errors> load(const std::string& file, const load_options& options,
                                            const plugin_lookup&) {
    const std::string stem = std::filesystem::path(file).stem().string();
    if (stem == "wrong") {
      return tl::unexpected(job_errors{{file + ":3:5 steps: expected a list"}});
    }
    job j;
    j.name = options.name.value_or(stem);
    j.file = file;
    // Jobs whose names begin alike have one key: `brief-1` and `brief-2`.
    j.key = stem.substr(0, stem.find('-'));
    j.instance = stem;
    j.document = "{}";
    if (options.plan) {
      j.planned = options.plan(dialect::script2, std::nullopt).value();
      j.date_place = stem == "dateless" ? "" : "steps[0].parameter.path";
    }
    j.reader.plugin = "file";
    j.reader.parameter = option_values(file, "steps[0].parameter", json::object(), nullptr,
                                       testing::sample_plugins()[0].reads->options, dialect::script2);
    j.writer.plugin = "sink";
    return j;
  }

  /// One line a beginning and an end, of all processes, each whole.
  void note(const std::string& text) const {
    const int fd = ::open(folder.file("notes").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    const std::string line = text + "\n";
    EXPECT_EQ(::write(fd, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    ::close(fd);
  }

  run_summary execute(const job& what, const run_settings& settings, run_observer& observer,
                      const stop_signal& stop) const {
    run_summary s;
    s.run = settings.run;
    s.state = run_state::succeeded;
    s.counts = {10, 10, 0, 0, 0, 100};
    run_plan plan;
    plan.run = s.run;
    observer.planned(plan);
    if (what.planned && what.planned->given) {
      note("day " + what.planned->business_date_text() + " of " + what.name);
    }
    note("begin " + what.name + " with " + std::to_string(settings.memory_bytes >> 20) + "M");
    const std::string kind = what.key;
    if (kind == "dirty") {
      s.state = run_state::succeeded_with_dirty;
      s.counts = {10, 9, 0, 1, 0, 100};
    } else if (kind == "bad") {
      s.state = run_state::failed;
      s.failure = error{error_kind::denied, "no right to read", {}};
    } else if (kind == "crash") {
      ::signal(SIGABRT, SIG_DFL);
      std::abort();
    } else if (kind == "slow") {
      EXPECT_FALSE(
          wait(-1, wait_for::readable, std::chrono::steady_clock::now() + std::chrono::minutes(1), stop));
      s.state = run_state::stopped;
    }
    note("end " + what.name);
    return s;
  }

  pid_t start() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int code = several_command(arguments, parts);
      ::_exit(HasFailure() ? 77 : code);
    }
    return pid;
  }
  static int code_of(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  int run(std::vector<std::string> jobs) {
    arguments.jobs = std::move(jobs);
    arguments.job_file = arguments.jobs.front();
    return code_of(start());
  }
  [[nodiscard]] json summary() const { return json::parse(folder.get("summary.json")); }
  [[nodiscard]] std::string err() const { return folder.get("err"); }
  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> lines;
    std::istringstream text(folder.get("notes"));
    for (std::string line; std::getline(text, line);) {
      lines.push_back(line);
    }
    return lines;
  }
  void wait_for_note(const std::string& text) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (folder.get("notes").find(text) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << err();
      std::this_thread::yield();
    }
  }
};

TEST_F(several_runs_with_a_fake_engine, all_run_one_after_the_other_with_one_table) {
  EXPECT_EQ(run({"good.json", "dirty.json"}), 0) << err();
  EXPECT_THAT(notes(), ElementsAre("begin good with 160M", "end good", "begin dirty with 160M", "end dirty"));
  EXPECT_EQ(summary()["state"], "succeeded_with_dirty");
  EXPECT_EQ(summary()["runs"][1]["summary"]["dirty"], 1);
  EXPECT_EQ(folder.get("out"), "");
  EXPECT_THAT(err(), AllOf(HasSubstr("\ngood   succeeded"), HasSubstr("\ndirty  succeeded, dirty records"),
                           HasSubstr("All 2 runs succeeded after")));
}

TEST_F(several_runs_with_a_fake_engine, each_line_of_a_run_names_its_job) {
  run({"good.json", "bad.json"});
  EXPECT_THAT(err(),
              AllOf(ContainsRegex("\\[good\\] [^\n]*Run [0-9a-f-]+ of good"), HasSubstr("[good]   = written"),
                    HasSubstr("[bad] Failed (denied): no right to read\n")));
}

TEST_F(several_runs_with_a_fake_engine, in_json_every_line_is_an_object_with_its_job) {
  arguments.format = log_format::json;
  EXPECT_EQ(run({"good.json", "bad.json"}), 1);
  std::istringstream lines(err());
  std::set<std::string> jobs;
  for (std::string line; std::getline(lines, line);) {
    const json j = json::parse(line, nullptr, false);
    ASSERT_TRUE(j.is_object()) << line;
    ASSERT_TRUE(j.contains("job") && j.contains("time") && j.contains("level") && j.contains("message"))
        << line;
    jobs.insert(j["job"].is_null() ? "-" : j["job"].get<std::string>());
  }
  EXPECT_THAT(jobs, ElementsAre("-", "bad", "good"));
}

TEST_F(several_runs_with_a_fake_engine, a_failure_is_exit_code_1_and_the_others_go_on) {
  EXPECT_EQ(run({"bad.json", "good.json"}), 1);
  EXPECT_EQ(summary()["ends"]["succeeded"], 1);
  EXPECT_THAT(err(), AllOf(HasSubstr("\nbad: no right to read (denied)\n"),
                           HasSubstr("Failed: 1 of 2 runs after"), HasSubstr("sluice run bad.json\n")));
}

TEST_F(several_runs_with_a_fake_engine, only_wrong_texts_are_exit_code_2) {
  EXPECT_EQ(run({"wrong.json", "good.json"}), 2);
  EXPECT_EQ(summary()["runs"][0]["end"], "wrong");
  EXPECT_EQ(run({"wrong.json", "bad.json"}), 1);
}

TEST_F(several_runs_with_a_fake_engine, with_stop_on_failure_no_more_begin) {
  arguments.stop_on_failure = true;
  EXPECT_EQ(run({"good.json", "bad.json", "dirty.json"}), 1);
  EXPECT_EQ(summary()["runs"][2]["end"], "not_begun");
  EXPECT_THAT(err(), HasSubstr("1 did not begin (--stop-on-failure)"));
}

TEST_F(several_runs_with_a_fake_engine, a_crash_costs_its_own_run_only_and_reaches_its_hook) {
  arguments.on_end = "cat >> '" + folder.file("hooks") + "'";  // the folder's name may have spaces
  EXPECT_EQ(run({"crash.json", "good.json"}), 1);
  EXPECT_EQ(summary()["runs"][0]["end"], "failed");
  EXPECT_TRUE(summary()["runs"][0]["exit_code"].is_null());
  EXPECT_THAT(summary()["runs"][0]["reason"].get<std::string>(), HasSubstr("was ended by signal 6"));
  EXPECT_EQ(summary()["runs"][1]["end"], "succeeded");
  EXPECT_THAT(folder.get("hooks"), AllOf(HasSubstr("\"job\": \"crash\""), HasSubstr("was ended by signal 6"),
                                         HasSubstr("\"job\": \"good\"")));
}

TEST_F(several_runs_with_a_fake_engine, runs_at_once_share_the_memory) {
  arguments.jobs_at_once = 4;
  arguments.memory_bytes = std::uint64_t{64} << 20;
  EXPECT_EQ(run({"good.json", "dirty.json"}), 0);
  EXPECT_THAT(notes(), ::testing::Contains("begin good with 32M"));
  EXPECT_EQ(summary()["at_once"], 2);
  EXPECT_EQ(summary()["runs"][0]["summary"]["memory"]["origin"], "64 MiB (--memory) for 2 runs at once");
}

TEST_F(several_runs_with_a_fake_engine, too_little_memory_for_all_is_refused_before_any_begins) {
  arguments.jobs_at_once = 3;
  arguments.memory_bytes = std::uint64_t{10} << 20;
  EXPECT_EQ(run({"good.json", "dirty.json", "bad.json"}), 2);
  EXPECT_THAT(err(), HasSubstr("for 3 runs at once leave"));
  EXPECT_TRUE(notes().empty());
}

TEST_F(several_runs_with_a_fake_engine, as_many_as_asked_are_at_work_at_once) {
  arguments.jobs_at_once = 2;
  arguments.jobs = {"slow.json", "sub/slow.json", "good.json"};
  // Two keys: equal ones would wait for each other.
  parts.load = [](const std::string& file, const load_options& options, const plugin_lookup& plugins) {
    auto loaded = load(file, options, plugins);
    if (loaded) {
      loaded->name = loaded->key = file;
    }
    return loaded;
  };
  parts.execute = [this](const job& what, const plugin&, const plugin&, const run_settings& settings,
                         run_observer& observer, const stop_signal& stop) {
    job slow = what;
    slow.key = "slow";
    return execute(slow, settings, observer, stop);
  };
  const pid_t pid = start();
  wait_for_note("begin slow.json");
  wait_for_note("begin sub/slow.json");
  ::kill(pid, SIGINT);
  EXPECT_EQ(code_of(pid), 143) << err();
  EXPECT_EQ(summary()["state"], "stopped");
  EXPECT_EQ(summary()["stopped_by"], "SIGINT");
  EXPECT_EQ(summary()["ends"]["stopped"], 2);
  EXPECT_EQ(summary()["ends"]["not_begun"], 1);
  EXPECT_EQ(summary()["runs"][0]["summary"]["stopped_by"], "SIGINT");
  EXPECT_THAT(err(), AllOf(HasSubstr("SIGINT: 2 at work are stopped, and no more begin"),
                           HasSubstr("Stopped by SIGINT after")));
}

TEST_F(several_runs_with_a_fake_engine, jobs_of_one_key_are_never_at_work_at_once) {
  arguments.jobs_at_once = 3;
  EXPECT_EQ(run({"good-1.json", "good-2.json", "good-3.json"}), 0);
  EXPECT_THAT(notes(), ElementsAre("begin good-1 with 160M", "end good-1", "begin good-2 with 160M",
                                   "end good-2", "begin good-3 with 160M", "end good-3"));
}

std::vector<planned_request> days(const std::string& range) {
  planned_flags flags;
  flags.bizdate = range;
  return planned_times(flags).value();
}

TEST_F(several_runs_with_a_fake_engine, a_range_of_days_runs_all_jobs_of_a_day_before_the_next) {
  arguments.range = days("20260130..20260201");
  arguments.planned = arguments.range.front();
  EXPECT_EQ(run({"good.json", "dirty.json"}), 0) << err();
  std::vector<std::string> order;
  for (const std::string& line : notes()) {
    if (line.starts_with("day ")) {
      order.push_back(line.substr(4));
    }
  }
  EXPECT_THAT(order, ElementsAre("2026-01-30 of good", "2026-01-30 of dirty", "2026-01-31 of good",
                                 "2026-01-31 of dirty", "2026-02-01 of good", "2026-02-01 of dirty"));
  EXPECT_EQ(summary()["runs"][2]["label"], "good 2026-01-31");
  EXPECT_THAT(err(), HasSubstr("[good 2026-01-31] "));
}

TEST_F(several_runs_with_a_fake_engine, a_job_that_does_the_same_each_day_is_refused_in_a_range) {
  arguments.range = days("20260130..20260201");
  arguments.planned = arguments.range.front();
  EXPECT_EQ(run({"good.json", "dateless.json"}), 2);
  EXPECT_THAT(err(), AllOf(HasSubstr("nothing in dateless depends on the date"),
                           HasSubstr("each of the 3 days would do the same"), HasSubstr("${bizdate}")));
  EXPECT_TRUE(notes().empty());
  arguments.range = days("20260130..20260130");
  EXPECT_EQ(run({"dateless.json"}), 0) << err();
}

TEST_F(several_runs_with_a_fake_engine, a_day_that_is_done_is_told_as_done_and_calls_no_hook) {
  arguments.range = days("20260130..20260131");
  arguments.planned = arguments.range.front();
  arguments.on_end = "cat >> '" + folder.file("hooks") + "'";
  parts.execute = [this](const job& what, const plugin&, const plugin&, const run_settings& settings,
                         run_observer& observer, const stop_signal& stop) {
    if (what.planned->business_date_text() != "2026-01-30") {
      return execute(what, settings, observer, stop);
    }
    run_summary s;
    s.run = settings.run;
    s.state = run_state::failed;
    s.failure = error{error_kind::conflict, "run 01 has done this job already", done_code, true};
    s.how_to_go_on = "Nothing was changed at the destination.";
    return s;
  };
  EXPECT_EQ(run({"good.json"}), 0) << err();
  EXPECT_THAT(err(), AllOf(HasSubstr("[good 2026-01-30] Done before: run 01 has done this job already.\n"),
                           Not(HasSubstr("Failed")), Not(HasSubstr("Nothing was changed")),
                           HasSubstr("All 2 runs succeeded after"), HasSubstr("1 of them were done before")));
  EXPECT_EQ(json::parse(folder.get("hooks"))["state"], "succeeded") << "only the day that ran";
  EXPECT_EQ(summary()["runs"][0]["end"], "done_before");
}

TEST_F(several_runs_with_a_fake_engine,
       of_a_job_with_many_mistakes_all_are_marked_and_the_table_counts_them) {
  parts.load = [](const std::string& file, const load_options& options, const plugin_lookup& plugins) {
    if (file == "wrong.json") {
      return tl::expected<job, job_errors>(tl::unexpected(
          job_errors{{"wrong.json:3:5 steps: expected a list", "wrong.json:4:1 order: wrong"}}));
    }
    return load(file, options, plugins);
  };
  EXPECT_EQ(run({"wrong.json", "good.json"}), 2);
  EXPECT_THAT(err(), AllOf(HasSubstr("[wrong] Failed (bad_option): 2 mistakes in the job\n"
                                     "[wrong]   wrong.json:3:5 steps: expected a list\n"
                                     "[wrong]   wrong.json:4:1 order: wrong\n"),
                           HasSubstr("\nwrong: 2 mistakes, told above, the first: wrong.json:3:5 steps: "
                                     "expected a list\n")));
}

TEST_F(several_runs_with_a_fake_engine, days_go_at_once_where_the_destination_admits_it) {
  // The sample's sink keeps no marks.
  arguments.range = days("20260130..20260202");
  arguments.planned = arguments.range.front();
  arguments.days_at_once = 2;
  arguments.jobs = {"slow.json"};
  arguments.job_file = "slow.json";
  const pid_t pid = start();
  wait_for_note("day 2026-01-30");
  wait_for_note("day 2026-01-31");
  ::kill(pid, SIGTERM);
  EXPECT_EQ(code_of(pid), 143) << err();
  EXPECT_EQ(summary()["at_once"], 2);
  EXPECT_EQ(summary()["ends"]["not_begun"], 2);
}

TEST_F(several_runs_with_a_fake_engine, the_death_of_the_parent_stops_its_runs) {
  arguments.jobs = {"slow.json", "good.json"};
  const pid_t pid = start();
  wait_for_note("begin slow");
  ::kill(pid, SIGKILL);
  code_of(pid);
  wait_for_note("end slow");
  EXPECT_THAT(folder.get("notes"), Not(HasSubstr("begin good")));
}

TEST_F(several_runs_with_a_fake_engine, json_goes_to_standard_output) {
  arguments.json = true;
  arguments.summary_file.reset();
  EXPECT_EQ(run({"good.json", "bad.json"}), 1);
  EXPECT_EQ(json::parse(folder.get("out"))["runs"].size(), 2U);
}

TEST_F(several_runs_with_a_fake_engine, each_has_metrics_of_its_own) {
  arguments.metrics_file = folder.file("sluice.prom");
  EXPECT_EQ(run({"good.json", "dirty.json"}), 0);
  EXPECT_THAT(folder.get("sluice.good.prom"),
              HasSubstr("sluice_run_state{job=\"good\",state=\"succeeded\"} 1"));
  EXPECT_THAT(folder.get("sluice.dirty.prom"), HasSubstr("job=\"dirty\""));
  EXPECT_FALSE(std::filesystem::exists(folder.file("sluice.prom")));
}

TEST_F(several_runs_with_a_fake_engine, what_only_fits_one_job_is_refused) {
  arguments.name = "orders";
  EXPECT_EQ(run({"good.json", "bad.json"}), 2);
  EXPECT_THAT(err(), HasSubstr("--name names one job, and there are 2"));
  arguments.name.reset();
  arguments.report = report_form::datax;
  EXPECT_EQ(run({"good.json", "bad.json"}), 2);
  EXPECT_THAT(err(), HasSubstr("--report datax is for one job"));
  EXPECT_TRUE(notes().empty());
}

TEST(metrics_of_several_runs, have_the_label_in_the_file_s_name) {
  EXPECT_EQ(metrics_file_of("/var/lib/node/sluice.prom", "day/orders"),
            "/var/lib/node/sluice.day_orders.prom");
  EXPECT_EQ(metrics_file_of("metrics", "orders"), "metrics.orders");
}

}  // namespace
}  // namespace sluice
