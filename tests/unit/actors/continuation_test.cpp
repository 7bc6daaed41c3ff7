#include "actors/supervise/continuation.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using unfinished = run_settings::unfinished;
using owner = found_run::owner_state;

found_run run(const std::string& instance, const std::string& stage, owner who, std::int64_t age_s,
              bool planned = false) {
  found_run f;
  f.row.run = run_id::make(static_cast<std::uint64_t>(age_s), 1, 2);
  f.row.instance = instance;
  f.row.stage = stage;
  f.row.renewed_age_s = age_s;
  f.row.planned_time = planned ? "2026-11-23 00:00:00 UTC" : "";
  if (who != owner::released) {
    f.row.owner = claim_owner{"host", 42, "start", ""};
  }
  f.owner = who;
  return f;
}

enum class expected { fresh, go_on, release, refused };

struct continuation_case {
  const char* what;
  std::vector<found_run> found;
  unfinished on_unfinished;
  bool may_resume;
  expected answer;
};

TEST(continuation, each_situation_has_one_answer) {
  const std::vector<continuation_case> cases = {
      {"nothing there", {}, unfinished::automatic, true, expected::fresh},
      {"done and released",
       {run("i", "done", owner::released, 5)},
       unfinished::automatic,
       true,
       expected::fresh},
      {"done, its process died",
       {run("i", "done", owner::dead, 5)},
       unfinished::automatic,
       true,
       expected::release},
      {"killed a moment ago",
       {run("i", "loading", owner::dead, 5)},
       unfinished::automatic,
       true,
       expected::go_on},
      {"stopped in order",
       {run("i", "loading", owner::released, 5)},
       unfinished::automatic,
       true,
       expected::go_on},
      {"killed long ago",
       {run("i", "loading", owner::dead, 7200)},
       unfinished::automatic,
       true,
       expected::refused},
      {"killed long ago, asked for",
       {run("i", "loading", owner::dead, 7200)},
       unfinished::resume,
       true,
       expected::go_on},
      {"killed long ago, planned",
       {run("i", "loading", owner::dead, 7200, true)},
       unfinished::automatic,
       true,
       expected::go_on},
      {"at least once only",
       {run("i", "loading", owner::dead, 5)},
       unfinished::automatic,
       false,
       expected::refused},
      {"fail asked for", {run("i", "loading", owner::dead, 5)}, unfinished::fail, true, expected::refused},
      {"fresh asked for", {run("i", "loading", owner::dead, 5)}, unfinished::fresh, true, expected::fresh},
      {"running", {run("i", "loading", owner::alive, 5)}, unfinished::automatic, true, expected::refused},
      {"running, fresh asked for",
       {run("i", "loading", owner::alive, 5)},
       unfinished::fresh,
       true,
       expected::refused},
      {"running elsewhere",
       {run("i", "loading", owner::elsewhere, 59)},
       unfinished::automatic,
       true,
       expected::refused},
      {"silent elsewhere",
       {run("i", "loading", owner::elsewhere, 60)},
       unfinished::automatic,
       true,
       expected::go_on},
      {"another instance's half",
       {run("other", "loading", owner::dead, 5)},
       unfinished::automatic,
       true,
       expected::fresh},
      {"another instance runs",
       {run("other", "loading", owner::alive, 5)},
       unfinished::automatic,
       true,
       expected::refused},
  };
  for (const auto& c : cases) {
    const continuation answer =
        decide_continuation(c.found, {"i"}, c.may_resume, c.on_unfinished, std::chrono::hours(1));
    EXPECT_EQ(answer.index(), static_cast<std::size_t>(c.answer)) << c.what;
  }
}

TEST(continuation, fresh_names_what_is_forgotten_and_a_refusal_names_both_ways_on) {
  const auto half = run("i", "loading", owner::dead, 7200);
  auto answer = decide_continuation({half}, {"i"}, true, unfinished::fresh, std::chrono::hours(1));
  EXPECT_EQ(std::get<begin_fresh>(answer).discard, std::vector<run_id>{half.row.run});
  answer = decide_continuation({half}, {"i"}, true, unfinished::automatic, std::chrono::hours(1));
  const std::string message = std::get<refuse>(answer).why.message;
  EXPECT_NE(message.find("--on-unfinished resume"), std::string::npos);
  EXPECT_NE(message.find("--on-unfinished fresh"), std::string::npos);
  EXPECT_NE(message.find(half.row.run.text()), std::string::npos);
}

planned_time planned_for_noon(bool given) {
  using namespace std::chrono;
  return {local_days{2025y / 7 / 20} + 12h, "UTC", given, "", ""};
}

TEST(continuation, a_planned_time_that_was_given_is_done_once) {
  const auto done = run("i", "done", owner::released, 5);
  const auto decided = [&](bool given, unfinished what) {
    return decide_continuation({done}, {"i", planned_for_noon(given), true}, true, what,
                               std::chrono::hours(1));
  };
  for (const unfinished what : {unfinished::automatic, unfinished::resume, unfinished::fail}) {
    const auto answer = decided(true, what);
    ASSERT_TRUE(std::holds_alternative<refuse>(answer));
    EXPECT_NE(std::get<refuse>(answer).why.message.find("planned time 2025-07-20 12:00:00"),
              std::string::npos);
  }
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(decided(true, unfinished::fresh)));
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(decided(false, unfinished::automatic)));
}

TEST(continuation, a_run_is_continued_at_the_time_and_in_the_zone_it_was_planned) {
  auto half = run("i", "loading", owner::dead, 5);
  const auto decided = [&](bool uses_date) {
    return decide_continuation({half}, {"i", planned_for_noon(false), uses_date}, true, unfinished::automatic,
                               std::chrono::hours(1));
  };
  half.row.planned_time = "now 2025-07-20 11:59:00 UTC";
  ASSERT_TRUE(std::holds_alternative<plan_otherwise>(decided(true)));
  EXPECT_EQ(std::get<plan_otherwise>(decided(true)).planned.text(), "2025-07-20 11:59:00");
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decided(false))) << "nothing in it depends on the time";
  half.row.planned_time = "now 2025-07-20 12:00:00 UTC";
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decided(true)));
  half.row.planned_time = "now 2025-07-20 12:00:00 Europe/Berlin";
  EXPECT_TRUE(std::holds_alternative<plan_otherwise>(decided(false)));
  half.row.planned_time = "";
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decided(true))) << "kept by an earlier release";
}

TEST(continuation, the_window_counts_where_the_planned_time_was_not_given) {
  auto half = run("i", "loading", owner::dead, 7200);
  half.row.planned_time = "now 2025-07-20 12:00:00 UTC";
  EXPECT_TRUE(std::holds_alternative<refuse>(decide_continuation(
      {half}, {"i", planned_for_noon(false), true}, true, unfinished::automatic, std::chrono::hours(1))));
}

}  // namespace
}  // namespace sluice
