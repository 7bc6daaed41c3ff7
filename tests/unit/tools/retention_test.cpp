#include "tools/cli/retention.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/tools/test_folder.h"
#include "tools/cli/run_folder.h"

namespace sluice {
namespace {

constexpr std::uint64_t day_ms = 24ULL * 3600 * 1000;
constexpr std::uint64_t now_ms = 1000 * day_ms;

struct retention : ::testing::Test {
  testing::test_folder state;
  retention_policy policy;

  /// A run of the age with `bytes` in its log; gives its folder.
  std::string add(const std::string& job, std::uint64_t age_ms, std::size_t bytes = 1,
                  bool unfinished = false) const {
    const std::string name = "runs/" + job + "/" + run_id::make(now_ms - age_ms, 1, age_ms).text();
    state.put(name + "/run.log", std::string(bytes, 'x'));
    if (unfinished) {
      state.put(name + "/unfinished", "i");
    }
    return state.file(name);
  }
  static bool exists(const std::string& path) { return std::filesystem::exists(path); }
};

TEST_F(retention, the_oldest_runs_of_a_job_beyond_the_number_go) {
  policy.runs_per_job_max = 2;
  const auto oldest = add("orders", 4000);
  const auto old = add("orders", 3000);
  const auto fresh = add("orders", 2000);
  const auto freshest = add("orders", 1000);
  const auto other = add("other", 9000);
  EXPECT_EQ(sweep_run_folders(state.path(), "orders", now_ms, policy).removed.size(), 2U);
  EXPECT_FALSE(exists(oldest) || exists(old));
  EXPECT_TRUE(exists(fresh) && exists(freshest) && exists(other));
}

TEST_F(retention, runs_older_than_the_age_go_for_every_job) {
  const auto old = add("orders", 31 * day_ms);
  const auto other_old = add("other", 31 * day_ms);
  const auto young = add("other", 29 * day_ms);
  EXPECT_EQ(sweep_run_folders(state.path(), "orders", now_ms, policy).removed.size(), 2U);
  EXPECT_FALSE(exists(old) || exists(other_old));
  EXPECT_TRUE(exists(young));
  EXPECT_FALSE(exists(state.file("runs/orders"))) << "an empty job folder goes with its last run";
}

TEST_F(retention, the_oldest_of_all_jobs_go_until_the_bytes_fit) {
  policy.bytes_max = 250;
  const auto oldest = add("a", 3000, 100);
  const auto old = add("b", 2000, 100);
  const auto fresh = add("a", 1000, 100);
  const auto report = sweep_run_folders(state.path(), "a", now_ms, policy);
  EXPECT_EQ(report.removed.size(), 1U);
  EXPECT_EQ(report.bytes_removed(), 100U);
  EXPECT_FALSE(exists(oldest));
  EXPECT_TRUE(exists(old) && exists(fresh));
}

TEST_F(retention, a_run_that_can_be_continued_stays_whatever_the_limit) {
  policy.runs_per_job_max = 0;
  policy.bytes_max = 0;
  const auto unfinished = add("orders", 400 * day_ms, 1, true);
  const auto done = add("orders", 1000);
  EXPECT_EQ(sweep_run_folders(state.path(), "orders", now_ms, policy).removed.size(), 1U);
  EXPECT_TRUE(exists(unfinished));
  EXPECT_FALSE(exists(done));
}

TEST_F(retention, a_run_whose_process_lives_stays) {
  policy.runs_per_job_max = 0;
  auto living = run_folder::open(state.path(), "orders", run_id::make(now_ms - 400 * day_ms, 1, 1));
  ASSERT_TRUE(living.has_value());
  const std::string path = (*living)->path();
  EXPECT_EQ(sweep_run_folders(state.path(), "orders", now_ms, policy).removed.size(), 0U);
  EXPECT_TRUE(exists(path));
  living->reset();
  EXPECT_EQ(sweep_run_folders(state.path(), "orders", now_ms, policy).removed.size(), 1U);
}

TEST_F(retention, what_is_not_named_like_a_run_is_never_touched) {
  policy.runs_per_job_max = 0;
  policy.bytes_max = 0;
  state.put("runs/orders/notes/mine.txt", "keep");
  state.put("runs/README.txt", "keep");
  state.put("elsewhere/run.txt", "keep");
  std::filesystem::create_symlink(state.file("elsewhere"), state.file("runs/linked"));
  EXPECT_EQ(sweep_run_folders(state.path(), "orders", now_ms, policy).removed.size(), 0U);
  EXPECT_EQ(clean_run_folders(state.path(), now_ms, policy, {}).removed.size(), 0U);
  EXPECT_EQ(state.get("runs/orders/notes/mine.txt"), "keep");
  EXPECT_EQ(state.get("runs/README.txt"), "keep");
  EXPECT_TRUE(std::filesystem::is_symlink(state.file("runs/linked")));
}

TEST_F(retention, age_and_size_are_looked_at_once_an_hour_and_again_after_the_clock_went_back) {
  EXPECT_TRUE(sweep_run_folders(state.path(), "orders", now_ms, policy).full);
  EXPECT_FALSE(sweep_run_folders(state.path(), "orders", now_ms + 1000, policy).full);
  EXPECT_TRUE(sweep_run_folders(state.path(), "orders", now_ms + 3'600'000, policy).full);
  EXPECT_TRUE(sweep_run_folders(state.path(), "orders", now_ms, policy).full);
}

TEST_F(retention, a_cleaning_says_what_would_go_and_why_and_removes_it_only_then) {
  const auto old = add("orders", 31 * day_ms, 100);
  const auto young = add("orders", day_ms, 100);
  const auto half = add("orders", 40 * day_ms, 1, true);
  auto living = run_folder::open(state.path(), "orders", run_id::make(now_ms - 50 * day_ms, 1, 1));
  ASSERT_TRUE(living.has_value());
  cleaning how;
  how.dry_run = true;
  auto report = clean_run_folders(state.path(), now_ms, policy, how);
  ASSERT_EQ(report.removed.size(), 1U);
  EXPECT_EQ(report.removed.front().folder, old);
  EXPECT_EQ(report.removed.front().why, "older than 30 days");
  EXPECT_EQ(report.removed.front().bytes, 100U);
  EXPECT_EQ(report.kept_alive, std::set<std::string>{(*living)->path()});
  EXPECT_EQ(report.kept_unfinished, std::set<std::string>{half});
  EXPECT_TRUE(exists(old));
  how.dry_run = false;
  how.unfinished_too = true;
  report = clean_run_folders(state.path(), now_ms, policy, how);
  EXPECT_EQ(report.removed.size(), 2U);
  EXPECT_FALSE(exists(old) || exists(half));
  EXPECT_TRUE(exists(young) && exists((*living)->path())) << "a living one stays whatever is asked";
}

TEST_F(retention, a_cleaning_of_some_runs_sees_no_other) {
  policy.runs_per_job_max = 0;
  const auto wanted = add("orders", 2000);
  const auto other = add("orders", 1000);
  cleaning how;
  how.wanted = [&](const std::string& folder) { return folder == wanted; };
  EXPECT_EQ(clean_run_folders(state.path(), now_ms, policy, how).removed.size(), 1U);
  EXPECT_FALSE(exists(wanted));
  EXPECT_TRUE(exists(other));
}

TEST_F(retention, a_state_directory_that_is_not_there_is_no_failure) {
  EXPECT_EQ(sweep_run_folders(state.file("nowhere"), "orders", now_ms, policy).removed.size(), 0U);
}

}  // namespace
}  // namespace sluice
