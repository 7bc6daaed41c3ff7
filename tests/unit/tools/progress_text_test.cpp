#include "tools/cli/progress_text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

progress_snapshot sample() {
  progress_snapshot now;
  now.seconds = 12;
  now.counts = {1234567, 1234000, 0, 12, 0, 1};
  now.records_per_second = 123456.4;
  now.bytes_per_second = 12.34 * 1048576;
  now.splits_total = 12;
  now.splits_done = 3;
  now.pipelines_active = 2;
  return now;
}

TEST(progress_text, a_line_says_what_is_known_and_no_more) {
  progress_snapshot now = sample();
  EXPECT_EQ(progress_line(now),
            "1,234,567 rows read, 1,234,000 written, 12 dirty; 123,456 rows/s, 12.3 MB/s; 3 of 12 splits");
  now.fraction = 0.459;
  now.seconds_left = 100;
  now.waiting = "the source waits for the destination";
  now.counts.ignored = 4;
  now.counts.filtered = 5;
  EXPECT_EQ(progress_line(now),
            "1,234,567 rows read, 1,234,000 written, 4 ignored, 5 filtered, 12 dirty; 123,456 rows/s, 12.3 "
            "MB/s; 3 of 12 "
            "splits; 45 %, about 2 min left; the source waits for the destination");
}

TEST(progress_text, the_age_of_the_snapshot_under_which_is_read_is_told) {
  progress_snapshot now = sample();
  now.snapshot_seconds = 200;
  EXPECT_TRUE(progress_line(now).ends_with("3 of 12 splits; snapshot 3 min 20 s old")) << progress_line(now);
  EXPECT_TRUE(live_lines("orders", now, 80).back().ends_with("at work; snapshot 3 min 20 s old"));
}

TEST(progress_text, the_live_area_shows_name_bar_counts_and_who_waits) {
  progress_snapshot now = sample();
  now.fraction = 0.5;
  now.seconds_left = 5;
  now.waiting = "the source waits for the destination";
  EXPECT_EQ(live_lines("orders", now, 80),
            (std::vector<std::string>{"orders  12 s  [##########..........]  50 %, a few seconds left",
                                      "  1,234,567 rows read, 1,234,000 written, 12 dirty",
                                      "  123,456 rows/s, 12.3 MB/s; 3 of 12 splits, 2 pipelines at work",
                                      "  the source waits for the destination"}));
  now = {};
  EXPECT_EQ(live_lines("a\x1b[2J", now, 80).front(), "a\\x1b[2J  0.0 s")
      << "a name cannot drive the terminal";
}

TEST(progress_text, odd_fractions_do_not_break_the_bar) {
  progress_snapshot now = sample();
  for (const double fraction : {-1.0, 0.0, 1.0, 7.0}) {
    now.fraction = fraction;
    EXPECT_NE(live_lines("orders", now, 10).front().find(']'), std::string::npos);
  }
}

TEST(progress_text, rates_and_times_are_rounded_to_what_a_reader_needs) {
  EXPECT_EQ(rate_text(0), "0");
  EXPECT_EQ(rate_text(0.25), "0.2");
  EXPECT_EQ(rate_text(99.94), "99.9");
  EXPECT_EQ(rate_text(833364.2), "833,364");
  EXPECT_EQ(rate_text(-1), "0");
  EXPECT_EQ(bytes_rate_text(1048576), "1.0 MB/s");
  EXPECT_EQ(bytes_rate_text(250.0 * 1048576), "250 MB/s");
  EXPECT_EQ(time_left_text(3), "a few seconds");
  EXPECT_EQ(time_left_text(41), "about 50 s");
  EXPECT_EQ(time_left_text(100), "about 2 min");
  EXPECT_EQ(time_left_text(9000), "about 2.5 h");
}

}  // namespace
}  // namespace sluice
