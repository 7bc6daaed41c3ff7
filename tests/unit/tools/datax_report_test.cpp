#include "tools/cli/datax_report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace sluice {
namespace {

constexpr std::uint64_t started = 1769847300123;  // 2026-01-31 08:15:00.123 UTC

/// Seconds of the day the tests play on, in UTC.
std::string clock_text(std::uint64_t unix_ms) {
  const std::uint64_t s = unix_ms / 1000 % 86400;
  return fmt::format("2026-01-31 {:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

progress_snapshot snapshot(record_counts counts) {
  progress_snapshot p;
  p.counts = counts;
  p.splits_total = 8;
  p.splits_done = 3;
  p.waits.reader_waiting = 2067.7194;
  p.waits.writer_waiting = 0.0625;
  return p;
}

run_summary good_summary() {
  run_summary s;
  s.state = run_state::succeeded_with_dirty;
  s.counts = {2000000, 1999990, 0, 10, 0, 80888896, 404};
  s.waits.reader_waiting = 14.27;
  s.waits.writer_waiting = 0.147;
  s.phases = {{"open", 3.0}, {"data", 20.9}};
  s.splits_total = s.splits_done = 8;
  return s;
}

run_context good_context() {
  run_context c;
  c.started_unix_ms = started;
  c.seconds = 26.4;
  return c;
}

TEST(datax_report_for, a_run_at_work_is_datax_s_progress_line_to_the_byte) {
  datax_report report(started, false, clock_text);
  EXPECT_EQ(
      report.progress(snapshot({1000000, 999000, 0, 1000, 0, 40000000, 41234}), started + 10'000),
      "2026-01-31 08:15:10.123 [job-0] INFO  StandAloneJobContainerCommunicator - Total 1000000 records, "
      "40000000 bytes | Speed 3.81MB/s, 100000 records/s | Error 1000 records, 41234 bytes |  All Task "
      "WaitWriterTime 2,067.719s |  All Task WaitReaderTime 0.063s | Percentage 37.50%\n");
}

TEST(datax_report_for, the_next_line_has_the_speed_since_the_last_one_over_whole_seconds) {
  datax_report report(started, false, clock_text);
  report.progress(snapshot({1000, 1000, 0, 0, 0, 5000}), started + 10'000);
  const std::string line = report.progress(snapshot({1090, 1090, 0, 0, 0, 6000}), started + 12'900);
  EXPECT_NE(line.find("| Speed 500B/s, 45 records/s |"), std::string::npos) << line;
  // Read again from a mark: nothing below zero.
  const std::string less = report.progress(snapshot({1000, 1000, 0, 0, 0, 5000}), started + 13'000);
  EXPECT_NE(less.find("| Speed 0B/s, 0 records/s |"), std::string::npos) << less;
}

TEST(datax_report_for, a_run_without_splits_yet_has_zero_percent) {
  datax_report report(started, false, clock_text);
  EXPECT_EQ(
      report.progress({}, started),
      "2026-01-31 08:15:00.123 [job-0] INFO  StandAloneJobContainerCommunicator - Total 0 records, 0 bytes | "
      "Speed 0B/s, 0 records/s | Error 0 records, 0 bytes |  All Task WaitWriterTime 0.000s |  All Task "
      "WaitReaderTime 0.000s | Percentage 0.00%\n");
}

TEST(datax_report_for, a_success_is_datax_s_summary_to_the_byte) {
  datax_report report(started, false, clock_text);
  EXPECT_EQ(
      report.ended(good_summary(), good_context()),
      "2026-01-31 08:15:26.523 [job-0] INFO  StandAloneJobContainerCommunicator - Total 2000000 records, "
      "80888896 bytes | Speed 3.86MB/s, 100000 records/s | Error 10 records, 404 bytes |  All Task "
      "WaitWriterTime 14.270s |  All Task WaitReaderTime 0.147s | Percentage 100.00%\n"
      "2026-01-31 08:15:26.523 [job-0] INFO  JobContainer - \n"
      "任务启动时刻                    : 2026-01-31 08:15:00\n"
      "任务结束时刻                    : 2026-01-31 08:15:26\n"
      "任务总计耗时                    :                 26s\n"
      "任务平均流量                    :            3.86MB/s\n"
      "记录写入速度                    :         100000rec/s\n"
      "读出记录总数                    :             2000000\n"
      "读写失败总数                    :                  10\n"
      "\n");
}

TEST(datax_report_for, a_run_of_less_than_a_second_counts_as_one_second) {
  run_summary s = good_summary();
  s.counts = {53, 53, 0, 0, 0, 18669};
  s.phases = {{"data", 0.2}};
  const std::string text = datax_report(started, false, clock_text).ended(s, good_context());
  EXPECT_NE(text.find("任务平均流量                    :           18.23KB/s\n"), std::string::npos) << text;
  EXPECT_NE(text.find("记录写入速度                    :             53rec/s\n"), std::string::npos) << text;
}

TEST(datax_report_for, a_job_that_cannot_be_read_has_no_line_of_counts) {
  run_summary s;
  s.wrong_job = true;
  s.failure = error{error_kind::bad_option, "there is no such file", {}};
  run_context c = good_context();
  c.exit_code = 1;
  const std::string text = datax_report(started, false, clock_text).ended(s, c);
  EXPECT_EQ(text.find("Total"), std::string::npos) << text;
  EXPECT_EQ(text.find(" [job-0] ERROR Engine - \n"), 23U) << text;
}

TEST(datax_report_for, transformers_have_their_part_of_the_line_and_their_block) {
  run_summary s = good_summary();
  // What was filtered is not among DataX's records, and is among its transformer's successes.
  s.counts = {51858, 43, 0, 20, 51795, 51858 * 10, 210, 51795 * 10};
  s.dirty_by_code = {{"bad_parameter", 10}, {"not_a_number", 10}};
  s.phases = {{"data", 201.5}};
  s.waits = {};
  s.waits.transforming = 12.25;
  s.records_transformed = 51848;
  EXPECT_EQ(
      datax_report(started, true, clock_text).ended(s, good_context()),
      "2026-01-31 08:15:26.523 [job-0] INFO  StandAloneJobContainerCommunicator - Total 63 records, 630 "
      "bytes | Speed 3B/s, 0 records/s | Error 20 records, 210 bytes |  All Task WaitWriterTime 0.000s |  "
      "All Task WaitReaderTime 0.000s | Transfermor Success 51848 records | Transformer Error 10 records | "
      "Transformer Filter 51795 records | Transformer usedTime 12.250s | Percentage 100.00%\n"
      "2026-01-31 08:15:26.523 [job-0] INFO  JobContainer - \n"
      "任务启动时刻                    : 2026-01-31 08:15:00\n"
      "任务结束时刻                    : 2026-01-31 08:15:26\n"
      "任务总计耗时                    :                 26s\n"
      "任务平均流量                    :                3B/s\n"
      "记录写入速度                    :              0rec/s\n"
      "读出记录总数                    :                  63\n"
      "读写失败总数                    :                  20\n"
      "\n"
      "2026-01-31 08:15:26.523 [job-0] INFO  JobContainer - \n"
      "Transformer成功记录总数         :               51848\n"
      "Transformer失败记录总数         :                  10\n"
      "Transformer过滤记录总数         :               51795\n"
      "\n");
}

TEST(datax_report_for, a_failure_is_datax_s_block_of_the_cause_and_no_summary) {
  run_summary s = good_summary();
  s.state = run_state::failed;
  s.failure = error{error_kind::over_limit, "errorLimit: 11 dirty records, at most 10", {}};
  s.splits_done = 2;
  run_context c = good_context();
  c.exit_code = 1;
  const std::string text = datax_report(started, false, clock_text).ended(s, c);
  EXPECT_NE(text.find("| Percentage 25.00%\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n2026-01-31 08:15:26.523 [job-0] ERROR Engine - \n\n"
                      "经DataX智能分析,该任务最可能的错误原因是:\nCode:[Framework-14], Description:["),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("].  - errorLimit: 11 dirty records, at most 10\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("任务启动时刻"), std::string::npos);
}

TEST(datax_report_for, each_end_has_datax_s_framework_error) {
  const auto number = [](run_state state, std::optional<error_kind> kind) {
    run_summary s;
    s.state = state;
    if (kind) {
      s.failure = error{*kind, "why", {}};
    }
    run_context c = good_context();
    c.exit_code = 1;
    const std::string text = datax_report(started, false, clock_text).ended(s, c);
    const std::size_t at = text.find("Code:[");
    return at == std::string::npos ? text : text.substr(at, text.find(']', at) - at + 1);
  };
  EXPECT_EQ(number(run_state::failed, error_kind::bad_option), "Code:[Framework-03]");
  EXPECT_EQ(number(run_state::failed, error_kind::not_connected), "Code:[Framework-02]");
  EXPECT_EQ(number(run_state::failed, error_kind::no_room), "Code:[Framework-02]");
  EXPECT_EQ(number(run_state::failed, std::nullopt), "Code:[Framework-02]");
  EXPECT_EQ(number(run_state::stopped, error_kind::cancelled), "Code:[Framework-143]");
  EXPECT_EQ(number(run_state::stopped, std::nullopt), "Code:[Framework-143]");
}

TEST(datax_bytes, have_a_binary_unit_and_two_digits_from_KB_on) {
  const std::pair<std::uint64_t, const char*> cases[] = {{0, "0B"},
                                                         {1023, "1023B"},
                                                         {1024, "1.00KB"},
                                                         {8663, "8.46KB"},
                                                         {932250, "910.40KB"},
                                                         {1048575, "1024.00KB"},
                                                         {1048576, "1.00MB"},
                                                         {2715812, "2.59MB"},
                                                         {std::uint64_t{1} << 30, "1.00GB"},
                                                         {std::uint64_t{3} << 39, "1.50TB"},
                                                         {std::uint64_t{1} << 52, "4096.00TB"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(datax_bytes_text(bytes), text);
  }
}

TEST(local_clock, follows_TZ) {
  ::setenv("TZ", "Asia/Shanghai", 1);
  ::tzset();
  EXPECT_EQ(local_clock_text(started), "2026-01-31 16:15:00");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace sluice
