#include "tools/cli/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace sluice {
namespace {

run_metrics sample() {
  run_metrics m;
  m.job_name = "a \"b\" \\c\nd";
  m.run = run_id::make(1, 2, 3);
  m.counts = {10, 5, 1, 3, 1, 1000};
  m.splits_total = 4;
  m.splits_done = 2;
  m.seconds = 1.5;
  m.records_per_second = 6.5;
  m.started_unix_ms = 1500;
  m.written_unix_ms = 3000;
  return m;
}

TEST(metrics_text, every_line_is_of_the_exposition_format) {
  const char* sample_line = R"(sluice_[a-z_]+\{[a-z]+="([^"\]|\\["\n])*"(,[a-z]+="[^"]*")*\} [0-9.e+-]+)";
  const char* comment_line = "# (HELP|TYPE) sluice_[a-z_]+ .+";
  std::istringstream in(metrics_text(sample()));
  std::set<std::string> typed;
  for (std::string line; std::getline(in, line);) {
    EXPECT_THAT(
        line, ::testing::AnyOf(::testing::MatchesRegex(sample_line), ::testing::MatchesRegex(comment_line)));
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(typed.insert(line).second) << "a type is given once: " << line;
    }
  }
  EXPECT_GT(typed.size(), 8U);
}

TEST(metrics_text, holds_counts_state_and_times) {
  const std::string text = metrics_text(sample());
  for (const char* line :
       {"sluice_records_total{job=\"a \\\"b\\\" \\\\c\\nd\",kind=\"dirty\"} 3\n", "state=\"running\"} 1\n",
        "state=\"failed\"} 0\n", "sluice_splits_done{job=\"a \\\"b\\\" \\\\c\\nd\"} 2\n",
        "sluice_run_start_timestamp_seconds{job=\"a \\\"b\\\" \\\\c\\nd\"} 1.5\n"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(line));
  }
  EXPECT_THAT(text, ::testing::HasSubstr(run_id::make(1, 2, 3).text()));
}

}  // namespace
}  // namespace sluice
