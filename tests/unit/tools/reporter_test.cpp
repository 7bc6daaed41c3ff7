#include "tools/cli/reporter.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

dirty_record sample_dirty() {
  dirty_record d;
  d.position = 5;
  d.source = "orders.csv";
  d.line = 17;
  d.column = "amount";
  d.value = "a\nbc";
  d.code = "not_a_number";
  d.message = "no number";
  return d;
}

struct reporter_to_file : ::testing::Test {
  testing::test_folder folder;
  int fd = ::open(folder.file("out").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  bool terminal = false;
  reporter::settings settings;
  secret_filter secrets{std::map<std::string, std::string>{{"password", "hunter22"}}};

  ~reporter_to_file() override { ::close(fd); }

  template <class F>
  std::string shown(F&& tell) {
    console screen(fd, terminal, 80);
    auto lines = log::make(log_format::text, log_level::info, run_id::make(1, 2, 3),
                           [&](std::string_view line) { screen.print(line); });
    settings.job_name = "orders";
    reporter r(screen, **lines, secrets, settings);
    tell(r);
    r.finish();
    first_dirty = r.first_dirty();
    return folder.get("out");
  }
  std::vector<std::string> first_dirty;

  static progress_snapshot at(double seconds) {
    progress_snapshot now;
    now.seconds = seconds;
    now.counts.read = static_cast<std::uint64_t>(seconds);
    return now;
  }
};

TEST_F(reporter_to_file, without_a_terminal_a_line_comes_every_interval) {
  settings.report_interval = std::chrono::seconds(10);
  const std::string out = shown([](reporter& r) {
    for (int second = 1; second <= 21; ++second) {
      r.progress(at(second));
    }
  });
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
  EXPECT_THAT(out, HasSubstr("rows read"));
}

TEST_F(reporter_to_file, a_terminal_gets_a_live_area_and_no_lines) {
  terminal = true;
  settings.show_live = true;
  const std::string out = shown([](reporter& r) { r.progress(at(100)); });
  EXPECT_TRUE(out.starts_with("orders  ")) << out;
  EXPECT_TRUE(out.ends_with("\x1b[3F\x1b[J")) << "gone at the end";
}

TEST_F(reporter_to_file, no_progress_means_none_but_reports_go_on) {
  settings.show_progress = false;
  int reports = 0;
  settings.on_report = [&](const progress_snapshot&) { ++reports; };
  EXPECT_EQ(shown([](reporter& r) { r.progress(at(100)); }), "");
  EXPECT_EQ(reports, 1);
}

TEST_F(reporter_to_file, notices_before_the_plan_wait_for_it_unless_they_warn) {
  const std::string out = shown([](reporter& r) {
    r.notice(notice_level::info, "source", -1, "early");
    r.notice(notice_level::warning, "source", -1, "stalled");
    run_plan plan;
    plan.promise = "exactly once";
    r.planned(plan);
  });
  EXPECT_LT(out.find("stalled"), out.find("exactly once"));
  EXPECT_LT(out.find("exactly once"), out.find("early"));
}

TEST_F(reporter_to_file, what_the_run_waits_for_is_told_at_once_and_every_interval) {
  settings.report_interval = std::chrono::seconds(10);
  std::string at_once;
  const std::string out = shown([&](reporter& r) {
    r.waiting("waits for hunter22", 0);
    at_once = folder.get("out");
    for (int second = 1; second <= 21; ++second) {
      r.waiting("waits for hunter22", second);
    }
  });
  EXPECT_THAT(at_once, HasSubstr("waits for ***\n"));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3) << out;
  EXPECT_THAT(out,
              AllOf(HasSubstr("waits for ***; 9.0 s so far\n"), HasSubstr("waits for ***; 18 s so far\n")));
}

TEST_F(reporter_to_file, without_progress_only_the_beginning_of_a_wait_is_told) {
  settings.show_progress = false;
  const std::string out = shown([](reporter& r) {
    r.waiting("waits", 0);
    r.waiting("waits", 100);
  });
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << out;
}

TEST_F(reporter_to_file, without_a_plan_they_are_told_at_the_end) {
  EXPECT_THAT(shown([](reporter& r) { r.notice(notice_level::info, "source", -1, "early"); }),
              HasSubstr("early"));
}

TEST_F(reporter_to_file, dirty_records_are_one_readable_line_each_without_secrets) {
  const std::string out = shown([](reporter& r) {
    dirty_record d = sample_dirty();
    d.message = "hunter22 is no number";
    for (int i = 0; i < 5; ++i) {
      r.dirty(d, 3);
    }
  });
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 5);
  EXPECT_THAT(out, AllOf(HasSubstr("split 3"), Not(HasSubstr("hunter22"))));
  ASSERT_EQ(first_dirty.size(), 3U);
  EXPECT_EQ(first_dirty[0],
            "orders.csv line 17, column amount, value \"a\\nbc\": *** is no number (not_a_number)");
}

TEST(dirty_text, names_the_place_as_exactly_as_it_is_known) {
  dirty_record d = sample_dirty();
  d.line.reset();
  d.key = "id=5";
  d.value.reset();
  EXPECT_EQ(dirty_text(d), "orders.csv id=5, column amount, value NULL: no number (not_a_number)");
  d.key.clear();
  d.source.clear();
  d.column.clear();
  EXPECT_EQ(dirty_text(d), "record 5: no number (not_a_number)");
}

TEST(dirty_text, does_not_repeat_a_value_that_the_message_shows) {
  dirty_record d = sample_dirty();
  d.message = R"("a\nbc" in column "amount" is not a number.)";
  EXPECT_EQ(dirty_text(d),
            R"(orders.csv line 17: "a\nbc" in column "amount" is not a number. (not_a_number))");
}

TEST(dirty_text, names_the_column_that_a_message_with_the_value_leaves_open) {
  dirty_record d = sample_dirty();
  d.message = R"("a\nbc" is not taken as int64.)";
  EXPECT_EQ(dirty_text(d),
            R"(orders.csv line 17, column amount: "a\nbc" is not taken as int64. (not_a_number))");
}

TEST(plan_text, names_zone_promise_memory_and_concurrency) {
  run_plan plan;
  plan.run = run_id::make(1, 2, 3);
  plan.promise = "exactly once";
  plan.concurrency = 3;
  plan.concurrency_reason = "setting.speed.concurrent";
  EXPECT_EQ(plan_text(plan, "orders", "", "UTC (TZ)", "160 MiB (default)"),
            "Run " + plan.run.text() +
                " of orders: time zone UTC (TZ); exactly once; memory 160 MiB (default); 3 pipelines "
                "(setting.speed.concurrent)");
}

TEST(plan_text, names_the_data_sources_with_their_environment_and_who_chose_it) {
  run_plan plan;
  plan.run = run_id::make(1, 2, 3);
  plan.promise = "exactly once";
  job_step reader;
  reader.datasources = {{"shop", datasource_env::production, "default", "sqlite", "d.json"}};
  job_step writer;
  writer.datasources = {{"dw", datasource_env::development, "--env", "sqlite", "d.json"}};
  EXPECT_EQ(ends_text({}, {}), "");
  EXPECT_EQ(
      plan_text(plan, "orders", ends_text(reader, writer), "UTC (TZ)", "160 MiB (default)"),
      "Run " + plan.run.text() +
          " of orders: from data source \"shop\" (production, default), to data source \"dw\" (development, "
          "--env); time zone UTC (TZ); exactly once; memory 160 MiB (default); 1 pipeline");
}

}  // namespace
}  // namespace sluice
