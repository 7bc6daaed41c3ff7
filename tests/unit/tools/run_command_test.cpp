#include "tools/cli/run_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "actors/supervise/continuation.h"
#include "tests/unit/tools/sample_plugins.h"
#include "tests/unit/tools/test_folder.h"
#include "tools/cli/run_folder.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::test_folder;

/// `sluice run` with an engine that ends as a test says. Each run happens in a child process, because signals
/// and their masks belong to a process.
struct run_command_with_fake_engine : ::testing::Test {
  test_folder folder;
  run_arguments arguments;
  program parts;
  run_summary answer;
  bool planned = true;
  bool load_fails = false;
  std::optional<run_id> continues;
  std::vector<run_id> forgets;
  std::optional<std::string> zone_of_job;

  void SetUp() override {
    arguments.job_file = "jobs/orders.json";
    arguments.state_dir = folder.file("state");
    arguments.summary_file = folder.file("summary.json");
    parts.variable = [](const char*) { return std::optional<std::string>(); };
    parts.system_root = folder.file("root");
    parts.plugins = &testing::sample_plugins();
    parts.unix_ms = [] { return std::uint64_t{1769847300123}; };
    parts.exit_now = [] { ::_exit(exit_stopped); };
    parts.out_fd = ::open(folder.file("out").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    parts.err_fd = ::open(folder.file("err").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    parts.load = [this](const std::string&, const load_options& options, const plugin_lookup&) {
      return load(options);
    };
    parts.execute = [this](const job&, const plugin&, const plugin&, const run_settings& settings,
                           run_observer& observer,
                           const stop_signal&) { return execute(settings, observer); };
    answer.state = run_state::succeeded;
    answer.promise = "exactly once";
    answer.counts = {10, 10, 0, 0, 0, 100};
  }
  ~run_command_with_fake_engine() override {
    ::close(parts.out_fd);
    ::close(parts.err_fd);
  }

  tl::expected<job, job_errors> load(const load_options& options) const {
    if (load_fails) {
      return tl::unexpected(
          job_errors{{"jobs/orders.json:3:5 steps: expected a list", "jobs/orders.json:9:1 more"}});
    }
    job j;
    j.name = options.name.value_or("orders");
    j.file = arguments.job_file;
    j.time_zone = zone_of_job;
    j.parameters = options.parameters;
    j.instance = "0123";
    j.document = R"({"type":"job","where":"pw = hunter22"})";
    j.reader.plugin = "file";
    j.reader.parameter =
        option_values("jobs/orders.json", "steps[0].parameter", json{{"password", "opensesame"}}, nullptr,
                      testing::sample_plugins()[0].reads->options, dialect::script2);
    j.writer.plugin = "sink";
    j.warnings = {"jobs/orders.json:4:7 steps[0].colour: unknown key"};
    return j;
  }

  run_summary execute(const run_settings& settings, run_observer& observer) {
    run_summary s = answer;
    s.run = settings.run;
    observer.notice(notice_level::info, "source", -1, "before the plan");
    if (continues) {
      s.run = *continues;
      s.resumed = true;
    }
    if (planned) {
      run_plan plan;
      plan.run = s.run;
      plan.resumed = s.resumed;
      plan.resumable = true;
      plan.promise = s.promise;
      observer.planned(plan);
      if (continues) {
        const auto older = settings.folder_of_continued(*continues);
        EXPECT_TRUE(older.has_value());
        EXPECT_TRUE(std::filesystem::exists(*older + "/lock"));
      }
    }
    observer.forgot(forgets);
    observer.notice(notice_level::warning, "writer 2", 7, "slow with opensesame");
    return s;
  }

  int run() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      // The child's own failed expectations must reach the parent.
      const int code = run_command(arguments, parts);
      ::_exit(HasFailure() ? 77 : code);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  [[nodiscard]] json summary() const { return json::parse(folder.get("summary.json")); }
  [[nodiscard]] std::string err() const { return folder.get("err"); }
  [[nodiscard]] std::vector<std::string> run_folders() const {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder.file("state/runs/orders"), ignored)) {
      found.push_back(entry.path().string());
    }
    return found;
  }
};

TEST_F(run_command_with_fake_engine, a_job_at_work_fails_or_is_skipped_as_asked) {
  planned = false;
  answer.state = run_state::failed;
  answer.failure = error{error_kind::conflict, "the job is running already: process 42", claimed_code};
  arguments.on_end = "cat > '" + folder.file("hook") + "'";
  EXPECT_EQ(run(), 1);
  EXPECT_TRUE(std::filesystem::exists(folder.file("hook")));
  EXPECT_EQ(run_folders().size(), 1U);
  std::filesystem::remove(folder.file("hook"));
  arguments.running = if_running::skip;
  EXPECT_EQ(run(), exit_skipped);
  EXPECT_EQ(summary()["exit_code"], exit_skipped);
  EXPECT_EQ(summary()["state"], "skipped");
  EXPECT_THAT(err(), HasSubstr("Skipped (--if-running skip): the job is running already: process 42."));
  EXPECT_FALSE(std::filesystem::exists(folder.file("hook")));
  EXPECT_EQ(run_folders().size(), 1U) << "what was skipped is no run";
}

TEST_F(run_command_with_fake_engine, a_job_at_work_is_waited_for_and_then_run) {
  int tries = 0;
  int looks = 0;
  parts.execute = [&](const job&, const plugin&, const plugin&, const run_settings& settings,
                      run_observer& observer, const stop_signal&) {
    if (tries++ > 0) {
      EXPECT_EQ(looks, 1);
      return execute(settings, observer);
    }
    run_summary s;
    s.run = settings.run;
    s.failure = error{error_kind::conflict, "the job is running already: process 42", claimed_code};
    return s;
  };
  parts.look = [&](const job&, const plugin&, const plugin&, const look_settings& settings,
                   const stop_signal&) {
    EXPECT_FALSE(settings.plan_splits);
    ++looks;
    return job_look();
  };
  arguments.running = if_running::wait;
  EXPECT_EQ(run(), 0) << err();
  EXPECT_THAT(err(), HasSubstr("waiting up to 1 h 0 min (--if-running wait): the job is running already"));
  EXPECT_EQ(summary()["state"], "succeeded");
}

TEST_F(run_command_with_fake_engine, a_wait_for_another_process_has_an_end) {
  planned = false;
  answer.state = run_state::failed;
  answer.failure = error{error_kind::conflict, "the job is running already: process 42", claimed_code};
  parts.look = [&](const job&, const plugin&, const plugin&, const look_settings&, const stop_signal&) {
    job_look look;
    look.failure = answer.failure;
    return look;
  };
  arguments.running = if_running::wait;
  arguments.wait_max = std::chrono::milliseconds(1);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(err(), HasSubstr("process 42; it was waited for as long as --wait-max says, 0.0 s"));
  EXPECT_EQ(summary()["retryable"], true);
}

TEST_F(run_command_with_fake_engine, a_run_that_was_taken_over_has_an_exit_code_of_its_own) {
  answer.state = run_state::failed;
  answer.failure = error{error_kind::conflict, "run 01 was taken over by process 42", taken_over_code};
  EXPECT_EQ(run(), exit_taken_over);
  EXPECT_EQ(summary()["exit_code"], 98);
}

TEST_F(run_command_with_fake_engine, what_is_done_is_a_success_with_once_and_a_failure_without) {
  planned = false;
  answer.state = run_state::failed;
  answer.failure = error{error_kind::conflict, "run 01 has done this job already", done_code};
  EXPECT_EQ(run(), 1);
  arguments.once = true;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(summary()["state"], "succeeded");
  EXPECT_THAT(err(), HasSubstr("Done before: run 01 has done this job already."));
  EXPECT_EQ(run_folders().size(), 1U);
}

TEST_F(run_command_with_fake_engine, a_good_run_ends_with_0_an_account_and_its_folder) {
  arguments.parameters = {{"bizdate", "20260130"}};
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(summary()["state"], "succeeded");
  EXPECT_EQ(summary()["exit_code"], 0);
  EXPECT_EQ(summary()["parameters"]["bizdate"], "20260130");
  EXPECT_EQ(folder.get("out"), "");
  EXPECT_THAT(err(),
              AllOf(HasSubstr("time zone UTC (default); exactly once; memory 160 MiB (default); 1 pipeline"),
                    HasSubstr("= written   10\n"), HasSubstr("unknown key")));
  const auto folders = run_folders();
  ASSERT_EQ(folders.size(), 1U);
  for (const char* name : {"job.json", "run.log", "summary.json"}) {
    EXPECT_EQ(testing::mode_of(folders[0] + "/" + name), 0600U) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folders[0] + "/unfinished"));
  EXPECT_EQ(test_folder::text_of(folders[0] + "/summary.json"), folder.get("summary.json"));
  EXPECT_THAT(test_folder::text_of(folders[0] + "/run.log"),
              AllOf(HasSubstr("slow with"), HasSubstr("= written")));
}

TEST_F(run_command_with_fake_engine, the_first_line_is_the_plan_even_where_something_was_noticed_before) {
  EXPECT_EQ(run(), 0);
  EXPECT_LT(err().find("time zone"), err().find("before the plan"));
  EXPECT_LT(err().find("time zone"), err().find("unknown key"));
}

TEST_F(run_command_with_fake_engine, states_become_exit_codes) {
  struct one_case {
    run_state state;
    bool fail_on_dirty;
    bool wrong_job;
    int expected;
  };
  for (const auto& [state, fail_on_dirty, wrong_job, expected] :
       {one_case{run_state::succeeded, true, false, 0},
        one_case{run_state::succeeded_with_dirty, false, false, 0},
        one_case{run_state::succeeded_with_dirty, true, false, 1},
        one_case{run_state::failed, false, false, 1}, one_case{run_state::failed, false, true, 2},
        one_case{run_state::stopped, false, false, 1}}) {
    answer.state = state;
    answer.wrong_job = wrong_job;
    arguments.fail_on_dirty = fail_on_dirty;
    EXPECT_EQ(run(), expected) << to_string(state);
    EXPECT_EQ(summary()["exit_code"], expected);
  }
}

TEST_F(run_command_with_fake_engine, a_wrong_job_is_2_names_every_mistake_and_makes_no_folder) {
  load_fails = true;
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(summary()["error"]["kind"], "bad_option");
  EXPECT_THAT(err(), AllOf(HasSubstr("3:5 steps: expected a list"), HasSubstr("9:1 more")));
  EXPECT_TRUE(run_folders().empty());
}

TEST_F(run_command_with_fake_engine, a_wrong_zone_is_2_where_the_command_or_job_names_it_and_else_1) {
  arguments.time_zone = "Europe/Nowhere";
  EXPECT_EQ(run(), 2);
  EXPECT_THAT(summary()["error"]["message"], AllOf(HasSubstr("--timezone"), HasSubstr("Europe/Nowhere")));
  arguments.time_zone.reset();
  zone_of_job = "Mars";
  EXPECT_EQ(run(), 2);
  zone_of_job.reset();
  parts.variable = [](const char* name) {
    return std::string(name) == "TZ" ? std::optional<std::string>("Mars") : std::nullopt;
  };
  EXPECT_EQ(run(), 1);
}

TEST_F(run_command_with_fake_engine, a_state_directory_that_cannot_be_used_is_1_and_names_the_flag) {
  arguments.state_dir = folder.put("blocked", "a file");
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(err(), AllOf(HasSubstr(folder.file("blocked")), HasSubstr("--state-dir")));
  EXPECT_EQ(summary()["state"], "failed");
}

TEST_F(run_command_with_fake_engine, the_end_hook_gets_the_summary_for_every_end) {
  arguments.on_end = "cat > '" + folder.file("hook.json") + "'";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(folder.get("hook.json"), folder.get("summary.json"));
  load_fails = true;
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(json::parse(folder.get("hook.json"))["exit_code"], 2);
  load_fails = false;
  arguments.state_dir = folder.put("blocked", "a file");
  EXPECT_EQ(run(), 1);
  EXPECT_EQ(json::parse(folder.get("hook.json"))["exit_code"], 1);
}

TEST_F(run_command_with_fake_engine, a_hook_that_fails_is_a_warning) {
  arguments.on_end = "exit 9";
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(err(), HasSubstr("status 9"));
}

TEST_F(run_command_with_fake_engine, json_puts_the_summary_and_nothing_else_on_standard_output) {
  arguments.json = true;
  arguments.on_end = "echo noise";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(folder.get("out"), folder.get("summary.json"));
}

TEST_F(run_command_with_fake_engine, json_logs_are_objects_up_to_the_last_line) {
  arguments.format = log_format::json;
  answer.state = run_state::failed;
  answer.failure = error{error_kind::denied, "two\nlines", {}};
  EXPECT_EQ(run(), 1);
  std::istringstream in(err());
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    EXPECT_TRUE(json::accept(line)) << line;
  }
  EXPECT_GT(lines, 5);
}

TEST_F(run_command_with_fake_engine, secrets_are_nowhere) {
  arguments.parameters = {{"db_password", "hunter22"}, {"where", "pw = hunter22"}};
  arguments.json = true;
  arguments.on_end = "cat > '" + folder.file("hook.json") + "'";
  answer.state = run_state::failed;
  answer.failure = error{error_kind::denied, "login of hunter22 with opensesame refused", {}};
  EXPECT_EQ(run(), 1);
  std::string everything = err() + folder.get("out") + folder.get("hook.json");
  for (const std::string& run_folder : run_folders()) {
    for (const auto& entry : std::filesystem::directory_iterator(run_folder)) {
      everything += test_folder::text_of(entry.path().string());
    }
  }
  EXPECT_THAT(everything, AllOf(Not(HasSubstr("hunter22")), Not(HasSubstr("opensesame")), HasSubstr("***")));
  EXPECT_EQ(summary()["parameters"]["db_password"], "***");
}

TEST_F(run_command_with_fake_engine,
       a_run_that_can_be_continued_stays_marked_and_a_later_success_takes_the_mark_away) {
  answer.state = run_state::failed;
  answer.resumable = true;
  EXPECT_EQ(run(), 1);
  ASSERT_EQ(run_folders().size(), 1U);
  const std::string first = run_folders()[0];
  EXPECT_EQ(test_folder::text_of(first + "/unfinished"), "0123");

  answer.state = run_state::succeeded;
  answer.resumable = false;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(run_folders().size(), 2U);
  EXPECT_FALSE(std::filesystem::exists(first + "/unfinished"));
}

TEST_F(run_command_with_fake_engine, a_continued_run_goes_on_in_its_own_folder_and_log) {
  answer.state = run_state::failed;
  answer.resumable = true;
  EXPECT_EQ(run(), 1);
  const std::string first = run_folders().at(0);
  continues = *run_id::parse(std::filesystem::path(first).filename().string());
  answer.state = run_state::succeeded;
  answer.resumable = false;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(run_folders(), std::vector<std::string>{first});
  EXPECT_EQ(summary()["run"], continues->text());
  EXPECT_EQ(summary()["run_folder"], first);
  const std::string log_text = test_folder::text_of(first + "/run.log");
  EXPECT_THAT(log_text,
              AllOf(HasSubstr("failed after"), HasSubstr("succeeded after"), HasSubstr("continues")));
}

TEST_F(run_command_with_fake_engine, a_run_continued_under_another_name_goes_on_in_the_folder_it_has) {
  answer.state = run_state::failed;
  answer.resumable = true;
  EXPECT_EQ(run(), 1);
  const std::string first = run_folders().at(0);
  continues = *run_id::parse(std::filesystem::path(first).filename().string());
  arguments.name = "renamed";
  EXPECT_EQ(run(), 1);
  EXPECT_EQ(run_folders(), std::vector<std::string>{first});
  EXPECT_EQ(summary()["run_folder"], first);
  EXPECT_TRUE(std::filesystem::is_empty(folder.file("state/runs/renamed")));
}

TEST_F(run_command_with_fake_engine, a_run_that_is_only_finished_off_shows_its_account_and_its_own_folder) {
  answer.state = run_state::failed;
  answer.resumable = true;
  EXPECT_EQ(run(), 1);
  const std::string first = run_folders().at(0);
  std::ofstream(first + "/dirty.jsonl") << "{}\n";
  continues = *run_id::parse(std::filesystem::path(first).filename().string());
  planned = false;
  answer.state = run_state::succeeded_with_dirty;
  answer.resumable = false;
  answer.counts = answer.counts_before = {1234, 1230, 0, 4, 0, 100};
  answer.dirty_by_code = {{"too_long", 4}};
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(run_folders(), std::vector<std::string>{first});
  EXPECT_FALSE(std::filesystem::exists(first + "/unfinished"));
  EXPECT_EQ(summary()["dirty_file"], first + "/dirty.jsonl");
  EXPECT_THAT(err(), AllOf(HasSubstr("1,234"), HasSubstr(first + "/dirty.jsonl"), HasSubstr("too_long 4")));
}

TEST_F(run_command_with_fake_engine, no_dirty_file_is_named_where_there_is_none) {
  answer.state = run_state::failed;
  answer.counts = {10, 8, 0, 2, 0, 100};
  EXPECT_EQ(run(), 1);
  EXPECT_TRUE(summary()["dirty_file"].is_null());
  EXPECT_THAT(err(), Not(HasSubstr("dirty.jsonl")));
}

TEST_F(run_command_with_fake_engine, what_was_changed_since_the_run_that_stands_in_the_way_is_told) {
  arguments.parameters = {{"db_password", "hunter22"}};
  answer.state = run_state::failed;
  answer.resumable = true;
  EXPECT_EQ(run(), 1);
  const std::string first = run_folders().at(0);
  std::ofstream(first + "/job.json") << R"({"type":"job","where":"pw = ***","table":"t"})";
  planned = false;
  answer.resumable = false;
  answer.in_the_way = *run_id::parse(std::filesystem::path(first).filename().string());
  answer.failure = error{error_kind::conflict, "a run is in the way", "unfinished", true};
  EXPECT_EQ(run(), 1);
  const std::string told = summary()["error"]["message"];
  EXPECT_THAT(told,
              AllOf(HasSubstr("a run is in the way. " + first + "/job.json is the job as that run has it"),
                    HasSubstr("table was \"t\" and is gone"), Not(HasSubstr("hunter22"))));
  EXPECT_THAT(err(), HasSubstr("and is gone"));
}

TEST_F(run_command_with_fake_engine, a_run_that_was_forgotten_keeps_its_folder_no_longer) {
  answer.state = run_state::failed;
  answer.resumable = true;
  EXPECT_EQ(run(), 1);
  const std::string first = run_folders().at(0);
  forgets = {*run_id::parse(std::filesystem::path(first).filename().string())};
  EXPECT_EQ(run(), 1);
  EXPECT_FALSE(std::filesystem::exists(first + "/unfinished"));
}

TEST_F(run_command_with_fake_engine, metrics_are_written_at_the_end) {
  arguments.metrics_file = folder.file("sluice.prom");
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(folder.get("sluice.prom"),
              AllOf(HasSubstr("state=\"succeeded\"} 1"), HasSubstr("kind=\"read\"} 10")));
}

TEST_F(run_command_with_fake_engine, files_that_cannot_be_written_are_warnings) {
  arguments.metrics_file = folder.file("no/sluice.prom");
  arguments.summary_file = folder.file("no/summary.json");
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(err(), AllOf(HasSubstr("--metrics-file"), HasSubstr("--summary")));
}

TEST_F(run_command_with_fake_engine, a_signal_stops_the_run_and_is_143) {
  parts.execute = [this](const job&, const plugin&, const plugin&, const run_settings& settings,
                         run_observer& observer, const stop_signal& stop) {
    ::kill(::getpid(), SIGTERM);
    EXPECT_TRUE(
        wait(stop.fd(), wait_for::readable, std::chrono::steady_clock::now() + std::chrono::seconds(20), {}));
    run_summary s = execute(settings, observer);
    s.state = run_state::stopped;
    return s;
  };
  EXPECT_EQ(run(), exit_stopped);
  EXPECT_EQ(summary()["stopped_by"], "SIGTERM");
  EXPECT_EQ(summary()["exit_code"], exit_stopped);
  EXPECT_THAT(err(), AllOf(HasSubstr("SIGTERM: stopping"), HasSubstr("Stopped by SIGTERM.")));
}

TEST_F(run_command_with_fake_engine, a_second_signal_ends_a_run_that_does_not_return) {
  parts.execute = [](const job&, const plugin&, const plugin&, const run_settings& settings, run_observer&,
                     const stop_signal& stop) {
    const auto in_20_s = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    ::kill(::getpid(), SIGINT);
    EXPECT_TRUE(wait(stop.fd(), wait_for::readable, in_20_s, {}));
    ::kill(::getpid(), SIGINT);
    EXPECT_TRUE(wait(settings.stop_now.fd(), wait_for::readable, in_20_s, {}));
    (void)wait(-1, wait_for::readable, in_20_s, {});
    return run_summary{};
  };
  EXPECT_EQ(run(), exit_stopped);
}

TEST_F(run_command_with_fake_engine, a_failed_run_before_its_plan_shows_no_account) {
  planned = false;
  answer.state = run_state::failed;
  answer.failure = error{error_kind::denied, "\"orders.csv\" cannot be read", {}};
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(
      err(), AllOf(HasSubstr("Failed (denied): \"orders.csv\" cannot be read"), Not(HasSubstr("= written"))));
}

}  // namespace
}  // namespace sluice
