#include "tools/cli/end_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tools/summary_sample.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

run_summary good() {
  run_summary s = testing::sample_summary();
  s.state = run_state::succeeded;
  s.failure.reset();
  s.how_to_go_on.clear();
  s.counts = {1000, 1000, 0, 0, 0, 2048};
  s.dirty_by_code.clear();
  s.changes.clear();
  s.parts = {1000};
  s.dirty_taken_back.clear();
  s.dirty_missing = 0;
  s.splits_done = s.splits_total;
  s.rewinds = 0;
  s.retries = 0;
  s.resumed = false;
  s.repeated = {};
  return s;
}

run_context calm() {
  run_context c = testing::sample_context();
  c.stopped_by.clear();
  c.first_dirty.clear();
  return c;
}

std::string all(const std::vector<report_line>& lines) {
  std::string text;
  for (const report_line& line : lines) {
    text += line.text + "\n";
  }
  return text;
}

TEST(end_report, the_account_is_a_table_with_the_numbers_under_each_other) {
  run_summary s = good();
  s.counts.ignored = 5;
  s.counts.read = 1005;
  EXPECT_EQ(all(end_report(s, calm())),
            "Run " + s.run.text() +
                " of orders succeeded after 1.6 s.\n"
                "    read      1,005  2 KiB\n"
                "  = written   1,000\n"
                "  + ignored       5  left out by the write mode\n"
                "  + dirty         0\n"
                "  + filtered      0\n"
                "  committed to sqlite shop.db table orders  960\n"
                "  Speed: 670 rows/s, 0.0 MB/s.\n"
                "  The destination was slowest: the source waited for it 80 % of "
                "the time.\n"
                "  Concurrency: 4 asked, 2 at the peak, 1.5 on average (sqlite takes one "
                "writer).\n");
}

TEST(end_report, rows_that_were_written_once_more_are_beside_the_account_and_in_the_last_line) {
  run_summary s = good();
  s.repeated = {1234, false};
  auto lines = end_report(s, calm());
  EXPECT_THAT(all(lines), HasSubstr("  Beside this account, written once more: 1,234 rows of splits"));
  EXPECT_EQ(lines.back().level, notice_level::warning);
  EXPECT_THAT(lines.back().text, HasSubstr("Warning: 1,234 rows that stood already were written once more"));
  s.repeated.at_most = true;
  for (const auto state : {run_state::failed, run_state::stopped}) {
    s.state = state;
    s.failure = error{error_kind::not_connected, "gone", "", false};
    EXPECT_THAT(all(end_report(s, calm())), HasSubstr("Warning: at most 1,234 rows that stood already"));
  }
}

TEST(end_report, dirty_records_inside_the_limit_are_the_last_line_with_counts_by_code) {
  run_summary s = good();
  s.state = run_state::succeeded_with_dirty;
  s.counts = {1000, 963, 0, 37, 0, 2048};
  s.dirty_by_code = {{"a_rare_one", 7}, {"not_a_number", 30}};
  run_context c = calm();
  c.first_dirty = {"orders.csv line 17: bad"};
  const auto lines = end_report(s, c);
  EXPECT_EQ(lines.back().level, notice_level::warning);
  EXPECT_EQ(lines.back().text,
            "Warning: 37 of 1,000 records are dirty and were not written: not_a_number 30, a_rare_one 7.");
  EXPECT_THAT(all(lines), AllOf(HasSubstr("Dirty records: /var/lib/sluice/runs/orders/x/dirty.jsonl"),
                                HasSubstr("orders.csv line 17: bad")));
  c.fail_on_dirty = true;
  EXPECT_EQ(end_report(s, c).back().level, notice_level::error);
  EXPECT_THAT(end_report(s, c).back().text, HasSubstr("--fail-on-dirty"));
}

TEST(end_report, all_dirty_for_one_reason_is_said) {
  run_summary s = good();
  s.state = run_state::succeeded_with_dirty;
  s.counts = {1000, 0, 0, 1000, 0, 2048};
  s.dirty_by_code = {{"column_count", 1000}};
  EXPECT_EQ(end_report(s, calm()).back().text,
            "Warning: all 1,000 records are dirty, and all for one reason: column_count.");
  s.dirty_by_code = {{"column_count", 999}, {"too_long", 1}};
  EXPECT_THAT(end_report(s, calm()).back().text, Not(HasSubstr("one reason")));
}

TEST(end_report, text_of_dirty_records_that_was_lost_is_in_the_last_line) {
  run_summary s = good();
  s.state = run_state::succeeded_with_dirty;
  s.counts = {1000, 963, 0, 37, 0, 2048};
  s.dirty_by_code = {{"not_a_number", 37}};
  s.dirty_missing = 3;
  EXPECT_THAT(end_report(s, calm()).back().text, HasSubstr("the text of 3 of them was lost"));
}

TEST(end_report, nothing_read_is_a_visible_line_with_what_was_read_from) {
  run_summary s = good();
  s.counts = {};
  s.read_statements = {"a.csv", "b.csv", "c.csv", "d.csv", "e.csv", "f.csv", "g.csv"};
  const auto lines = end_report(s, calm());
  EXPECT_EQ(lines.back().level, notice_level::warning);
  EXPECT_EQ(lines.back().text, "No records were read from: a.csv; b.csv; c.csv; d.csv; e.csv; and 2 more");
  s.read_statements = {"SELECT \"ü\"" + std::string(200, 'x')};
  run_context c = calm();
  c.reader_place = "job.json:3:5 steps[0]";
  EXPECT_EQ(end_report(s, c).back().text,
            "No records were read (job.json:3:5 steps[0]) from: SELECT \"ü\"" + std::string(109, 'x') + "…");
}

TEST(end_report, a_failure_names_kind_cause_and_how_to_go_on_last) {
  const auto lines = end_report(testing::sample_summary(), calm());
  ASSERT_GE(lines.size(), 2U);
  EXPECT_EQ(lines[lines.size() - 2].text, "Failed (no_room): the disk under \"shop.db\" is full; make room");
  EXPECT_EQ(lines.back().text, "Make room, then run the same command again: it continues.");
  EXPECT_EQ(lines.back().level, notice_level::error);
}

TEST(end_report, a_summary_that_was_not_written_is_told_last_and_before_what_to_do) {
  run_context c = calm();
  c.summary_trouble = "there is no folder";
  EXPECT_EQ(end_report(good(), c).back().text, "--summary was not written: there is no folder");
  run_summary failed = good();
  failed.state = run_state::failed;
  failed.failure = error{error_kind::denied, "no right", "", false};
  failed.how_to_go_on = "Mend it.";
  const auto lines = end_report(failed, c);
  EXPECT_EQ(lines.back().text, "Mend it.");
  EXPECT_THAT(all(lines), HasSubstr("--summary was not written: there is no folder"));
}

TEST(end_report, a_run_without_a_plan_has_no_account) {
  run_summary s;
  s.failure = error{error_kind::bad_option, "the job is wrong", {}};
  const auto lines = end_report(s, {});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines.front().text, "Failed (bad_option): the job is wrong");
}

TEST(end_report, all_mistakes_of_a_job_stand_below_what_failed) {
  run_summary s;
  s.wrong_job = true;
  s.failure = error{error_kind::bad_option, "a.json:1:2 x: wrong\na.json:3:4 y: wrong, too", {}};
  const auto lines = end_report(s, {});
  ASSERT_EQ(lines.size(), 1U) << "in the log in JSON they are one object";
  EXPECT_EQ(lines.front().text,
            "Failed (bad_option): 2 mistakes in the job\n  a.json:1:2 x: wrong\n  a.json:3:4 y: wrong, too");
}

TEST(end_report, a_planned_time_that_is_done_is_no_failure_where_that_is_as_it_should_be) {
  run_summary s;
  s.state = run_state::failed;
  s.failure = error{error_kind::conflict, "run 01 has done it", {}};
  run_context c;
  c.nothing_done = "Done before: run 01 has done it.";
  const auto lines = end_report(s, c);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines.front().level, notice_level::info);
  EXPECT_EQ(lines.front().text, "Done before: run 01 has done it.");
}

TEST(end_report, dirty_records_without_codes_end_with_no_empty_list) {
  run_summary s = good();
  s.state = run_state::failed;
  s.failure = error{error_kind::source_changed, "the file changed", {}};
  s.counts = {1000, 999, 0, 1, 0, 2048};
  s.dirty_by_code.clear();
  EXPECT_THAT(all(end_report(s, calm())), HasSubstr("1 of 1,000 records are dirty and were not written.\n"));
}

TEST(end_report, the_speed_of_a_continued_run_is_that_of_this_process) {
  run_summary s = good();
  s.resumed = true;
  s.counts_before.read = s.counts.read - 15;
  EXPECT_THAT(all(end_report(s, calm())), HasSubstr("(15 rows of this process)"));
  s.counts_before = s.counts;
  EXPECT_THAT(all(end_report(s, calm())), Not(HasSubstr("rows/s")));
}

TEST(end_report, a_failed_run_shows_the_dirty_records_that_it_took_back) {
  run_summary s = good();
  s.state = run_state::failed;
  s.failure = error{error_kind::over_limit, "the limit is 5 dirty records", "errorLimit"};
  s.counts = {};
  s.dirty_by_code.clear();
  s.dirty_taken_back = {{"23505", 1200}, {"too_long", 1}};
  run_context c = calm();
  c.dirty_pending = "/runs/x/dirty.pending";
  c.first_dirty = {"orders key id=1: duplicate key (23505)"};
  EXPECT_THAT(
      all(end_report(s, c)),
      HasSubstr("  Dirty records of batches that were taken back: 1,201 (23505 1,200, too_long 1), until "
                "the run goes on in /runs/x/dirty.pending\n"
                "    orders key id=1: duplicate key (23505)\n    …\n"));
  s.counts = {1000, 999, 0, 1, 0, 2048};  // which are shown with those that count
  s.dirty_by_code = {{"23505", 1}};
  const std::string text = all(end_report(s, c));
  EXPECT_EQ(text.find("orders key id=1"), text.rfind("orders key id=1"));
  EXPECT_THAT(text, HasSubstr("taken back: 1,201"));
}

TEST(end_report, a_stop_names_its_signal) {
  run_summary s = good();
  s.state = run_state::stopped;
  s.how_to_go_on = "Run it again.";
  EXPECT_EQ(end_report(s, testing::sample_context()).back().text, "Stopped by SIGTERM. Run it again.");
}

TEST(end_report, an_account_that_does_not_close_is_not_hidden) {
  run_summary s = testing::sample_summary();
  s.counts.written = 1;
  EXPECT_THAT(all(end_report(s, calm())), HasSubstr("does not close"));
}

TEST(aligned, counts_characters_and_leaves_no_blanks_behind) {
  EXPECT_EQ(aligned({{"ä", "1"}, {"bcd", "22"}}, {false, true}),
            (std::vector<std::string>{"ä     1", "bcd  22"}));
  EXPECT_EQ(aligned({{"a", ""}}, {false, false}), (std::vector<std::string>{"a"}));
}

TEST(end_report, what_was_made_of_the_records_written_stands_beside_their_number) {
  run_summary s = good();
  s.parts.inserted = s.counts.written;
  EXPECT_THAT(all(end_report(s, calm())), Not(HasSubstr("inserted"))) << "as anybody expects";
  s.parts = {s.counts.written - 5, 3, 0, 2};
  EXPECT_THAT(all(end_report(s, calm())),
              HasSubstr(fmt::format("inserted {}, updated 3, unchanged 2\n", s.counts.written - 5)));
  s.parts = {0, 0, 4, 0};
  EXPECT_THAT(all(end_report(s, calm())),
              HasSubstr(fmt::format("replaced 4, {} not told apart\n", s.counts.written - 4)));
}

TEST(end_report, values_changed_by_an_option_are_not_said_to_be_changed_as_datax_does) {
  run_summary s = good();
  s.changes = {{"amount", "fraction_cut", 2}, {"name", "nul_removed", 1}};
  const auto lines = end_report(s, calm());
  EXPECT_THAT(all(lines), HasSubstr("  Values changed as DataX changes them:\n"
                                    "    column amount  fraction_cut  2\n"
                                    "  Values changed as the job asks:\n"
                                    "    column name  nul_removed  1\n"));
  EXPECT_EQ(
      lines.back().text,
      "Warning: 2 values were changed as DataX changes them: amount fraction_cut 2; 1 value was changed "
      "as the job asks: name nul_removed 1.");
}

TEST(end_report, values_changed_by_compat_stand_in_the_account_and_in_the_last_line) {
  run_summary s = good();
  s.changes = {{"amount", "fraction_cut", 1200}, {"day", "time_cut", 1}};
  const auto lines = end_report(s, calm());
  EXPECT_THAT(all(lines), HasSubstr("  Values changed as DataX changes them:\n"
                                    "    column amount  fraction_cut  1,200\n"
                                    "    column day     time_cut          1\n"));
  EXPECT_EQ(
      lines.back().text,
      "Warning: 1,201 values were changed as DataX changes them: amount fraction_cut 1,200, day time_cut 1.");
  EXPECT_EQ(lines.back().level, notice_level::warning);
  s.state = run_state::succeeded_with_dirty;
  s.counts = {1000, 999, 0, 1, 0, 2048};
  s.dirty_by_code = {{"not_a_number", 1}};
  EXPECT_THAT(end_report(s, calm()).back().text,
              AllOf(HasSubstr("1 of 1,000 records are dirty"), HasSubstr("; 1,201 values were changed")));
}

}  // namespace
}  // namespace sluice
