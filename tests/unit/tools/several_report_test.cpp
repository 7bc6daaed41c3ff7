#include "tools/cli/several_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/source_dir.h"
#include "tests/unit/tools/summary_sample.h"
#include "tools/cli/program.h"
#include "tools/cli/summary_json.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string summary_text(run_state state, record_counts counts, int exit_code) {
  run_summary s = testing::sample_summary();
  s.state = state;
  s.counts = counts;
  if (state == run_state::succeeded || state == run_state::succeeded_with_dirty) {
    s.failure.reset();
  }
  run_context c = testing::sample_context();
  c.exit_code = exit_code;
  return summary_json(s, c, {});
}

run_outcome outcome(const std::string& label, run_state state, record_counts counts, int exit_code) {
  run_outcome o;
  o.label = label;
  o.file = "jobs/" + label + ".json";
  o.seconds = 2;
  put_summary(o, summary_text(state, counts, exit_code), exit_code);
  return o;
}

run_outcome good(const std::string& label) {
  return outcome(label, run_state::succeeded, {1000, 1000, 0, 0, 0, 9000}, 0);
}
run_outcome dirty(const std::string& label) {
  return outcome(label, run_state::succeeded_with_dirty, {1000, 990, 0, 10, 0, 9000}, 0);
}
run_outcome failed(const std::string& label) {
  return outcome(label, run_state::failed, {500, 400, 0, 0, 0, 4500}, 1);
}
run_outcome wrong(const std::string& label) {
  return outcome(label, run_state::failed, {}, 2);
}
run_outcome stopped(const std::string& label) {
  return outcome(label, run_state::stopped, {500, 500, 0, 0, 0, 4500}, 143);
}
run_outcome not_begun(const std::string& label) {
  run_outcome o;
  o.label = label;
  o.file = "jobs/" + label + ".json";
  return o;
}

runs_outcome all_of(std::vector<run_outcome> runs) {
  runs_outcome all;
  all.runs = std::move(runs);
  all.started_unix_ms = 1769847300123;
  all.seconds = 61.5;
  all.at_once = 2;
  return all;
}

std::vector<std::string> lines_of(const runs_outcome& all) {
  std::vector<std::string> lines;
  for (const report_line& line : several_report(all, "sluice run")) {
    lines.push_back(line.text);
  }
  return lines;
}

TEST(the_exit_code_of_several_runs, is_that_of_the_worst) {
  EXPECT_EQ(exit_code_of(all_of({good("a"), dirty("b")})), 0);
  EXPECT_EQ(exit_code_of(all_of({good("a"), wrong("b")})), 2);
  EXPECT_EQ(exit_code_of(all_of({wrong("a"), failed("b"), good("c")})), 1);
  EXPECT_EQ(exit_code_of(all_of({failed("a"), not_begun("b")})), 1);
  EXPECT_EQ(exit_code_of(all_of({good("a"), stopped("b")})), 1) << "stopped by somebody else's signal";
  runs_outcome ended = all_of({failed("a"), stopped("b"), not_begun("c")});
  ended.stopped_by = "SIGTERM";
  EXPECT_EQ(exit_code_of(ended), 143);
}

TEST(the_report_of_several_runs, is_one_table_with_a_sentence_at_its_end) {
  EXPECT_THAT(lines_of(all_of({good("orders"), good("customers")})),
              ElementsAre("job        result      read  written  dirty   time",
                          "orders     succeeded  1,000    1,000      0  2.0 s",
                          "customers  succeeded  1,000    1,000      0  2.0 s",
                          HasSubstr("All 2 runs succeeded after")));
}

TEST(the_report_of_several_runs, names_those_that_failed_with_reasons_and_how_to_run_them_again) {
  const auto lines = lines_of(all_of({good("a"), failed("b"), wrong("c d"), not_begun("e")}));
  EXPECT_THAT(lines, ::testing::Contains("b: the disk under \"shop.db\" is full; make room (no_room)"));
  EXPECT_THAT(lines.back(), HasSubstr("Failed: 2 of 4 runs after "));
  EXPECT_THAT(lines.back(),
              HasSubstr(": b, c d; 1 did not begin (--stop-on-failure). Those that did not succeed: "
                        "sluice run jobs/b.json 'jobs/c d.json' jobs/e.json"));
}

TEST(the_report_of_several_runs, warns_of_dirty_records_and_of_a_stop) {
  auto lines = several_report(all_of({good("a"), dirty("b"), dirty("c")}), "");
  EXPECT_EQ(lines.back().level, notice_level::warning);
  EXPECT_THAT(lines.back().text, HasSubstr("; 2 of them with dirty records, 20 in all."));
  runs_outcome all = all_of({good("a"), stopped("b"), not_begun("c")});
  all.stopped_by = "SIGINT";
  lines = several_report(all, "");
  EXPECT_THAT(lines.back().text, HasSubstr("Stopped by SIGINT after "));
  EXPECT_THAT(lines.back().text,
              HasSubstr("of 3 runs, 1 succeeded, 0 failed, 1 were stopped, 1 did not begin."));
}

TEST(the_report_of_several_runs, shortens_what_is_too_long_for_a_sentence) {
  std::vector<run_outcome> many;
  for (int i = 0; i < 30; ++i) {
    many.push_back(failed("job" + std::to_string(i)));
  }
  const std::string last = lines_of(all_of(std::move(many))).back();
  EXPECT_THAT(last, HasSubstr("job9 and 20 more."));
  EXPECT_THAT(last, Not(HasSubstr("sluice run")));
}

TEST(the_report_of_several_runs, a_process_that_crashed_is_a_failed_run) {
  run_outcome o = not_begun("a");
  put_crash(o, "its process was ended by signal 11 (Segmentation fault)");
  EXPECT_EQ(exit_code_of(all_of({o})), 1);
  run_outcome silent = not_begun("b");
  put_summary(silent, "", 0);
  EXPECT_EQ(silent.end, run_end::failed) << "an exit code of 0 without a summary proves nothing";
  EXPECT_THAT(silent.reason, HasSubstr("without a summary"));
}

TEST(the_report_of_several_runs, what_was_skipped_is_no_failure_and_named) {
  run_summary s = testing::sample_summary();
  s.state = run_state::failed;
  s.counts = {};
  s.failure = error{error_kind::conflict, "the job is running already", "claimed"};
  run_outcome o = not_begun("a");
  put_summary(o, summary_json(s, testing::sample_context(), {}), exit_skipped);
  EXPECT_EQ(o.end, run_end::skipped);
  runs_outcome all = all_of({o, good("b")});
  EXPECT_EQ(exit_code_of(all), 0);
  EXPECT_THAT(lines_of(all).back(), HasSubstr("Skipped: 1 of 2 runs"));
  EXPECT_EQ(json::parse(several_json(all))["ends"]["skipped"], 1);
  EXPECT_EQ(exit_code_of(all_of({o})), exit_skipped) << "nothing was done";
}

TEST(the_report_of_several_runs, what_was_done_before_is_no_failure_and_said) {
  run_summary s = testing::sample_summary();
  s.state = run_state::failed;
  s.counts = {};
  s.failure = error{error_kind::conflict, "run 01 has done this job for the planned time", "done"};
  run_context c = testing::sample_context();
  run_outcome o = not_begun("a 2025-07-17");
  put_summary(o, summary_json(s, c, {}), 1);
  EXPECT_EQ(o.end, run_end::done_before);
  runs_outcome all = all_of({o, good("a 2025-07-18")});
  EXPECT_EQ(exit_code_of(all), 0);
  EXPECT_THAT(lines_of(all), ::testing::Contains(HasSubstr("a 2025-07-17  done before")));
  EXPECT_THAT(lines_of(all).back(),
              HasSubstr("All 2 runs succeeded after 1 min 2 s; 1 of them were done before."));
  all.runs.push_back(failed("a 2025-07-19"));
  all.go_on = "The same command once more passes by what is done for its planned time.";
  EXPECT_EQ(exit_code_of(all), 1);
  EXPECT_THAT(lines_of(all).back(), HasSubstr("a 2025-07-19. The same command once more passes by"));
  EXPECT_EQ(json::parse(several_json(all))["ends"]["done_before"], 1);
}

TEST(the_json_of_several_runs, has_each_run_s_summary_without_its_splits) {
  const json j = json::parse(several_json(all_of({good("a"), failed("b"), not_begun("c")})));
  EXPECT_EQ(j["state"], "failed");
  EXPECT_EQ(j["exit_code"], 1);
  EXPECT_EQ(j["read"], 1500);
  EXPECT_EQ(j["ends"]["not_begun"], 1);
  EXPECT_EQ(j["runs"][1]["end"], "failed");
  EXPECT_EQ(j["runs"][1]["summary"]["error"]["kind"], "no_room");
  EXPECT_EQ(j["runs"][1]["summary"]["splits"], (json{{"total", 2}, {"done", 1}}));
  EXPECT_TRUE(j["runs"][2]["summary"].is_null());
  EXPECT_TRUE(j["runs"][2]["exit_code"].is_null());
}

/// The members of the JSON and the page say the same.
TEST(the_json_of_several_runs, has_the_members_of_its_page_and_no_others) {
  std::set<std::string> members;
  const json j = json::parse(several_json(all_of({good("a")})));
  for (const auto& [name, value] : j.items()) {
    members.insert(name);
    if (value.is_object()) {
      for (const auto& inner : value.items()) {
        members.insert(name + "." + inner.key());
      }
    }
  }
  for (const auto& inner : j["runs"][0].items()) {
    members.insert("runs[]." + inner.key());
  }
  std::ifstream file(testing::in_source_tree("docs/summary.md"));
  std::string page((std::istreambuf_iterator<char>(file)), {});
  page = page.substr(page.find("## Several runs"));
  std::set<std::string> listed;
  constexpr std::string_view row = "\n| `";
  for (std::size_t at = page.find(row); at != std::string::npos; at = page.find(row, at + 1)) {
    const std::size_t begin = at + row.size();
    listed.insert(page.substr(begin, page.find('`', begin) - begin));
  }
  EXPECT_EQ(members, listed);
}

}  // namespace
}  // namespace sluice
