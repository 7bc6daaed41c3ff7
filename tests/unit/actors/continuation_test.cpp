#include "actors/supervise/continuation.h"

#include <gtest/gtest.h>

#include "actors/supervise/same_ends.h"
#include "plugins/api/step_stage.h"

namespace sluice {
namespace {

using unfinished = run_settings::unfinished;
enum class owner { released, dead, alive };

run_row run(const std::string& instance, const std::string& stage, owner who, std::int64_t age_s,
            bool planned = false) {
  run_row f;
  f.run = run_id::make(static_cast<std::uint64_t>(age_s), 1, 2);
  f.job_key = "k";
  f.job_name = "orders";
  f.instance = instance;
  f.output = "t";
  f.stage = stage;
  f.renewed_age_s = age_s;
  f.planned_time = planned ? "2026-11-23 00:00:00 UTC" : "";
  if (who != owner::released) {
    f.owner = claim_owner{"host", 42, "start", ""};
  }
  f.held = who == owner::alive;
  return f;
}

start_facts start(unfinished on_unfinished = unfinished::automatic, bool may_resume = true) {
  start_facts mine;
  mine.job_key = "k";
  mine.instance = "i";
  mine.job_name = "orders";
  mine.output = "t";
  mine.output_name = "sqlite shop.db table T";
  mine.key_parts = {{"reader", {std::string("r")}}, {"writer", {std::string("w")}}};
  mine.may_resume = may_resume;
  mine.on_unfinished = on_unfinished;
  return mine;
}

TEST(continuation, goes_on_with_what_has_a_plan_and_not_with_a_later_claim_without_one) {
  run_row late = run("i", "claimed", owner::released, 4);
  late.has_marks = false;
  const run_row loading = run("i", "loading", owner::dead, 5);
  for (const auto how : {unfinished::automatic, unfinished::resume}) {
    const continuation answer = decide_continuation({late, loading}, start(how));
    const auto* go_on = std::get_if<go_on_with>(&answer);
    ASSERT_NE(go_on, nullptr);
    EXPECT_EQ(go_on->run.run, loading.run);
  }
  start_facts once = start();
  once.once = true;
  const run_row done = run("i", "done", owner::released, 5);
  EXPECT_EQ(std::get<refuse_start>(decide_continuation({late, done}, once)).why.code, done_code);
  EXPECT_TRUE(std::holds_alternative<only_release>(
      decide_continuation({late, run("i", "done", owner::dead, 5)}, start())));
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({late, done}, start())))
      << "without a planned time the job runs again";
  const continuation alone = decide_continuation({late}, start());
  ASSERT_TRUE(std::holds_alternative<go_on_with>(alone));
}

enum class expected { fresh, go_on, release, refused };

struct continuation_case {
  const char* what;
  std::vector<run_row> found;
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
      {"held, and not renewed for long",
       {run("i", "loading", owner::alive, 600)},
       unfinished::automatic,
       true,
       expected::refused},
      {"its session gone, renewed a moment ago",
       {run("i", "loading", owner::dead, 1)},
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
    const continuation answer = decide_continuation(c.found, start(c.on_unfinished, c.may_resume));
    EXPECT_EQ(answer.index(), static_cast<std::size_t>(c.answer)) << c.what;
  }
}

TEST(continuation, fresh_names_what_is_forgotten_and_a_refusal_names_both_ways_on) {
  const auto half = run("i", "loading", owner::dead, 7200);
  auto answer = decide_continuation({half}, start(unfinished::fresh));
  EXPECT_EQ(std::get<begin_fresh>(answer).discard, std::vector<run_id>{half.run});
  answer = decide_continuation({half}, start());
  const std::string message = std::get<refuse_start>(answer).why.message;
  EXPECT_NE(message.find("--on-unfinished resume"), std::string::npos);
  EXPECT_NE(message.find("--on-unfinished fresh"), std::string::npos);
  EXPECT_NE(message.find(half.run.text()), std::string::npos);
}

TEST(continuation, where_one_run_is_to_be_continued_nothing_else_is_done) {
  const auto half = run("i", "loading", owner::dead, 5);
  start_facts mine = start(unfinished::resume);
  mine.only = half.run;
  EXPECT_EQ(std::get<go_on_with>(decide_continuation({half}, mine)).run.run, half.run);
  struct other_case {
    const char* what;
    std::vector<run_row> found;
    const char* said;
  };
  auto changed = half;
  changed.job_key = "another";
  changed.key_parts = {{"reader", {std::string("another")}}};
  changed.written = 0;
  auto done = half;
  done.stage = "done";
  done.owner.reset();
  auto of_others = half;
  of_others.instance = "another";
  auto newer = run("i", "loading", owner::dead, 1);
  const other_case cases[] = {{"none", {}, "knows no such run"},
                              {"the job was changed", {changed}, "its reader differs"},
                              {"done", {done}, "it is done"},
                              {"other parameters", {of_others}, "its parameters or its planned time"},
                              {"another run of it", {newer}, "knows no such run"}};
  for (const other_case& c : cases) {
    const auto answer = decide_continuation(c.found, mine);
    ASSERT_TRUE(std::holds_alternative<refuse_start>(answer)) << c.what;
    EXPECT_EQ(std::get<refuse_start>(answer).why.code, not_continued_code) << c.what;
    EXPECT_NE(std::get<refuse_start>(answer).why.message.find(c.said), std::string::npos)
        << std::get<refuse_start>(answer).why.message;
  }
}

TEST(continuation, a_job_at_work_is_taken_over_only_where_that_is_asked_for) {
  auto living = run("i", "loading", owner::alive, 5);
  start_facts mine = start();
  EXPECT_EQ(std::get<refuse_start>(decide_continuation({living}, mine)).why.code, claimed_code);
  mine.takeover = true;
  EXPECT_NE(std::get<refuse_start>(decide_continuation({living}, mine)).why.message.find("kill -KILL 42"),
            std::string::npos)
      << "no session can be ended";
  living.owner->session = "s";
  EXPECT_EQ(std::get<take_over>(decide_continuation({living}, mine)).from.run, living.run);
  auto other = run("other", "loading", owner::alive, 5);
  other.owner->session = "s";
  EXPECT_EQ(std::get<take_over>(decide_continuation({other}, mine)).from.run, other.run)
      << "the claim is for the job, whatever its parameters";
  mine.on_unfinished = unfinished::fresh;
  EXPECT_EQ(std::get<take_over>(decide_continuation({living}, mine)).from.run, living.run)
      << "it is forgotten once it is nobody's";
  mine.on_unfinished = unfinished::resume;
  mine.only = living.run;
  EXPECT_EQ(std::get<take_over>(decide_continuation({living}, mine)).from.run, living.run);
  mine.only = run_id::make(99, 1, 2);
  EXPECT_EQ(std::get<refuse_start>(decide_continuation({living}, mine)).why.code, not_continued_code);
}

TEST(continuation, a_job_at_work_is_not_ended_for_a_start_that_is_refused_behind_it) {
  auto living = run("i", "loading", owner::alive, 5);
  living.owner->session = "s";
  start_facts mine = start();
  mine.takeover = true;
  mine.on_unfinished = unfinished::fail;
  EXPECT_EQ(std::get<refuse_start>(decide_continuation({living}, mine)).why.code, unfinished_code);
  mine.on_unfinished = unfinished::automatic;
  living.written_in_parts = 17;
  const std::string told = std::get<refuse_start>(decide_continuation({living}, mine)).why.message;
  EXPECT_NE(told.find("17 rows stand"), std::string::npos);
  EXPECT_NE(told.find("process 42 on host is at work on run " + living.run.text()), std::string::npos)
      << told;
  mine.on_unfinished = unfinished::resume;
  EXPECT_TRUE(std::holds_alternative<take_over>(decide_continuation({living}, mine)));
}

TEST(continuation, one_that_was_done_when_it_was_taken_is_not_done_again) {
  start_facts mine = start();
  mine.takeover = true;
  const auto done = run("i", "done", owner::released, 5);
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(decide_continuation({done}, mine)));
  mine.taken = {done.run};
  EXPECT_EQ(std::get<only_release>(decide_continuation({done}, mine)).run.run, done.run);
}

// ---- addresses

start_facts start_at(const std::string& reader_address) {
  start_facts mine = start();
  mine.job_key = "key at new addresses";
  mine.instance = "instance at new addresses";
  mine.ends = {"ends", "ends instance", reader_address};
  return mine;
}

/// Of the same job at other addresses.
run_row run_elsewhere(const std::string& stage, owner who) {
  run_row row = run("i", stage, who, 5);
  row.written = 9;
  row.key_parts = ends_parts({"ends", "ends instance", "old"});
  return row;
}

TEST(continuation, a_half_at_other_addresses_is_refused_as_such_and_goes_on_with_same_ends) {
  const auto half = run_elsewhere("loading", owner::dead);
  start_facts mine = start_at("new");
  const auto refused = std::get<refuse_start>(decide_continuation({half}, mine)).why;
  EXPECT_EQ(refused.code, other_ends_code);
  EXPECT_NE(refused.message.find("--same-ends"), std::string::npos) << refused.message;
  mine.same_ends = true;
  const auto answer = decide_continuation({half}, mine);
  ASSERT_TRUE(std::holds_alternative<go_on_with>(answer));
  EXPECT_NE(std::get<go_on_with>(answer).notices.front().find("other addresses"), std::string::npos);
  mine.ends.instance = "another day";
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(decide_continuation({half}, mine)))
      << "it is named and left";
  mine.ends.key = "another table";
  EXPECT_EQ(std::get<refuse_start>(decide_continuation({half}, mine)).why.code, unfinished_code);
}

TEST(continuation, with_same_ends_one_at_other_addresses_is_at_work_or_done_for_this_job) {
  start_facts mine = start_at("new");
  mine.once = true;
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(
      decide_continuation({run_elsewhere("done", owner::released)}, mine)));
  mine.same_ends = true;
  EXPECT_EQ(
      std::get<refuse_start>(decide_continuation({run_elsewhere("done", owner::released)}, mine)).why.code,
      done_code);
  EXPECT_EQ(
      std::get<refuse_start>(decide_continuation({run_elsewhere("loading", owner::alive)}, mine)).why.code,
      claimed_code);
}

TEST(continuation, what_would_be_read_from_another_address_of_a_data_source_is_refused_without_same_ends) {
  auto half = run("i", "loading", owner::dead, 5);
  half.key_parts = ends_parts({"ends", "ends instance", "old"});
  start_facts mine = start();
  mine.ends = {"ends", "ends instance", "new"};
  const auto refused = std::get<refuse_start>(decide_continuation({half}, mine)).why;
  EXPECT_EQ(refused.code, other_ends_code);
  EXPECT_NE(refused.message.find("data source has another address"), std::string::npos) << refused.message;
  half.stage = "post:0";
  const auto behind = decide_continuation({half}, mine);
  ASSERT_TRUE(std::holds_alternative<go_on_with>(behind)) << "nothing is read any more";
  EXPECT_TRUE(std::get<go_on_with>(behind).notices.empty()) << "nobody has said that they are the same";
  half.stage = "loading";
  mine.same_ends = true;
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({half}, mine)));
  mine.same_ends = false;
  mine.ends.reader_address = "old";
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({half}, mine)));
  mine.ends.reader_address = "new";
  half.key_parts.clear();
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({half}, mine))) << "of an older program";
}

TEST(continuation, who_is_at_work_is_named_with_the_time_and_the_ways_on) {
  auto living = run("i", "loading", owner::alive, 5);
  living.started_age_s = 3700;
  auto why = std::get<refuse_start>(decide_continuation({living}, start())).why.message;
  for (const char* part :
       {"process 42 on host", "begun 1 h 1 min ago", "renewed 5 s ago", "--if-running wait"}) {
    EXPECT_NE(why.find(part), std::string::npos) << part << " in " << why;
  }
  EXPECT_EQ(why.find("takeover"), std::string::npos) << "nobody could end what it still writes";
  living.owner->session = "s";
  why = std::get<refuse_start>(decide_continuation({living}, start())).why.message;
  EXPECT_NE(why.find("--if-running takeover"), std::string::npos) << why;
}

TEST(continuation, once_refuses_what_is_done_also_without_a_planned_time) {
  const auto done = run("i", "done", owner::released, 5);
  start_facts mine = start();
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(decide_continuation({done}, mine)));
  mine.once = true;
  const auto answer = decide_continuation({done}, mine);
  EXPECT_EQ(std::get<refuse_start>(answer).why.code, done_code);
  EXPECT_NE(
      std::get<refuse_start>(answer).why.message.find("has done this job with these parameters already"),
      std::string::npos);
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(
      decide_continuation({run("other", "done", owner::released, 5)}, mine)));
  EXPECT_TRUE(
      std::holds_alternative<go_on_with>(decide_continuation({run("i", "loading", owner::dead, 5)}, mine)));
}

// ---- steps behind the data

std::vector<target_step> steps(std::initializer_list<const char*> texts) {
  std::vector<target_step> list;
  for (const char* text : texts) {
    list.push_back({text, false});
  }
  return list;
}

TEST(continuation, steps_behind_the_data_may_be_edited_from_the_first_on_that_has_not_run) {
  const auto begun = steps({"a", "b", "c"});
  struct edit {
    const char* what;
    std::string stage;
    std::vector<target_step> now;
    bool goes_on;
  };
  const std::vector<edit> edits = {
      {"nothing", stage_behind(begun, 2), begun, true},
      {"the next one", stage_behind(begun, 2), steps({"a", "b", "other"}), true},
      {"all that is left is gone", stage_behind(begun, 2), steps({"a", "b"}), true},
      {"one more", stage_behind(begun, 3), steps({"a", "b", "c", "d"}), true},
      {"before any has run", stage_behind(begun, 0), steps({"other"}), true},
      {"before any has run, to none", stage_behind(begun, 0), {}, true},
      {"while data moves", "loading", steps({"other"}), true},
      {"one that has run", stage_behind(begun, 2), steps({"a", "other", "c"}), false},
      {"what has run is gone", stage_behind(begun, 1), steps({"b", "c"}), false},
      {"too few", stage_behind(begun, 2), steps({"a"}), false},
      {"one text in place of two", stage_behind(begun, 2), steps({"a1:b", "c"}), false},
      {"a stage set by hand", "post:2", steps({"other", "others", "c"}), true},
      {"a stage set by hand, too few", "post:2", steps({"a"}), false},
  };
  for (const edit& e : edits) {
    start_facts mine = start();
    mine.steps_after = e.now;
    const auto found = run("i", e.stage, owner::released, 5);
    const auto answer = decide_continuation({found}, mine);
    EXPECT_EQ(std::holds_alternative<go_on_with>(answer), e.goes_on) << e.what;
    if (const auto* no = std::get_if<refuse_start>(&answer)) {
      EXPECT_EQ(no->in_the_way, found.run) << e.what << ": its folder tells the difference";
    }
    mine.on_unfinished = unfinished::fresh;
    EXPECT_TRUE(std::holds_alternative<begin_fresh>(decide_continuation({found}, mine))) << e.what;
  }
}

TEST(continuation, a_step_that_has_run_and_is_another_now_is_refused_with_both_ways_on) {
  start_facts mine = start();
  mine.steps_after = steps({"x"});
  const auto message = [&](const std::string& stage) {
    return std::get<refuse_start>(decide_continuation({run("i", stage, owner::released, 5)}, mine))
        .why.message;
  };
  EXPECT_NE(
      message(stage_behind(steps({"a", "b"}), 1))
          .find("has written all its records and run the first one of its steps behind the data, which is "
                "not the first of the job any more. Leave what has run as it was"),
      std::string::npos);
  EXPECT_NE(message(stage_behind(steps({"a", "b"}), 2))
                .find("run the first 2 of its steps behind the data, and the job has only 1 now"),
            std::string::npos);
  EXPECT_NE(message("post:2 x").find("--on-unfinished fresh"), std::string::npos);
}

TEST(continuation, a_step_that_was_begun_is_asked_about_unless_the_caller_decides) {
  using unsure = run_settings::unsure_step;
  struct begun_case {
    const char* what;
    std::string stage;
    unsure pre, post;
    std::string goes_on_from;  ///< Empty: refused.
  };
  const std::vector<target_step> all = steps({"a", "CREATE INDEX CONCURRENTLY i", "c"});
  const std::string pre = stages_before_data(1, all[1].text).begun;
  const std::string post = stages_behind_data(all, 1).begun;
  const std::string first = stages_behind_data(all, 0).begun;
  const std::string edited = stages_behind_data(steps({"a", "b"}), 1).begun;
  const std::vector<begun_case> cases = {
      {"before the data", pre, unsure::ask, unsure::ask, ""},
      {"the other flag", pre, unsure::ask, unsure::skip, ""},
      {"done", pre, unsure::skip, unsure::ask, "pre:2"},
      {"to be run again, which keeps that it was begun", pre, unsure::rerun, unsure::ask, pre},
      {"behind the data", post, unsure::skip, unsure::ask, ""},
      {"done, behind the data", post, unsure::ask, unsure::skip, stage_behind(all, 2)},
      {"to be run again, behind the data", post, unsure::ask, unsure::rerun, post},
      {"the first one", first, unsure::ask, unsure::skip, stage_behind(all, 1)},
      {"edited, which cannot be done", edited, unsure::ask, unsure::skip, ""},
      {"edited, to be run", edited, unsure::ask, unsure::rerun, edited},
      {"none was begun", "pre:1", unsure::skip, unsure::skip, "pre:1"},
  };
  for (const begun_case& c : cases) {
    start_facts mine = start();
    mine.steps_before = mine.steps_after = all;
    mine.pre_sql_unsure = c.pre;
    mine.post_sql_unsure = c.post;
    const auto answer = decide_continuation({run("i", c.stage, owner::dead, 5)}, mine);
    const auto* go_on = std::get_if<go_on_with>(&answer);
    EXPECT_EQ(go_on == nullptr ? "" : go_on->stage, c.goes_on_from) << c.what;
    if (const auto* no = std::get_if<refuse_start>(&answer)) {
      EXPECT_EQ(no->why.code, step_unknown_code) << c.what;
      EXPECT_EQ(no->in_the_way.has_value(), c.stage == edited) << c.what;
    }
  }
  start_facts mine = start();
  mine.steps_before = all;
  const auto answer = decide_continuation({run("i", pre, owner::dead, 5)}, mine);
  EXPECT_NE(
      std::get<refuse_start>(answer).why.message.find(
          "has begun step 2 before the data (CREATE INDEX CONCURRENTLY i), which commits by itself, and "
          "did not record its end: nobody but you can see whether it has run; look whether what it "
          "creates is there (an index that it left half made is INVALID: drop that first), then run the "
          "same command with --skip-presql, which counts it as done, or with --rerun-presql"),
      std::string::npos)
      << std::get<refuse_start>(answer).why.message;
}

TEST(continuation, a_job_that_differs_in_post_sql_alone_and_runs_is_named_with_that) {
  auto running = run("i", "loading", owner::alive, 5);
  running.job_name = "orders and a view";
  const auto answer = decide_continuation({running}, start());
  EXPECT_NE(std::get<refuse_start>(answer).why.message.find(
                "the job is running already, as \"orders and a view\" (jobs "
                "that differ in nothing but postSql are one job)"),
            std::string::npos);
}

// ---- runs of another job key

/// A half of the job before it was changed.
run_row half(owner who, std::uint64_t written, const std::string& job_name = "orders",
             const std::string& output = "t") {
  run_row f = run("x", "loading", who, 30);
  f.job_key = "another key";
  f.job_name = job_name;
  f.output = output;
  f.written = written;
  f.key_parts = {{"reader", {std::string("r")}}, {"writer", {std::string("another")}}};
  return f;
}

struct other_key_case {
  const char* what;
  run_row found;
  bool empties;
  unfinished on_unfinished;
  expected answer;
  std::size_t notices;
  std::size_t discards;
};

run_row emptying(run_row f) {
  f.empties = true;
  return f;
}
run_row done(run_row f) {
  f.stage = "done";
  return f;
}

TEST(continuation, a_run_of_another_job_key_is_refused_where_it_has_left_rows_in_the_same_output) {
  using enum expected;
  constexpr auto automatic = unfinished::automatic;
  const std::vector<other_key_case> cases = {
      {"a changed job with rows", half(owner::dead, 5), false, automatic, refused, 0, 0},
      {"stopped in order", half(owner::released, 5), false, automatic, refused, 0, 0},
      {"resume asked for", half(owner::dead, 5), false, unfinished::resume, refused, 0, 0},
      {"also where this job empties the table", half(owner::dead, 5), true, automatic, refused, 0, 0},
      {"fresh asked for", half(owner::dead, 5), false, unfinished::fresh, fresh, 1, 1},
      {"without rows", half(owner::dead, 0), false, automatic, fresh, 1, 1},
      {"another job's rows", half(owner::dead, 5, "other"), false, automatic, refused, 0, 0},
      {"another job's, fresh", half(owner::dead, 5, "other"), false, unfinished::fresh, fresh, 1, 1},
      {"another job's without rows", half(owner::dead, 0, "other"), false, automatic, fresh, 0, 0},
      {"another table", half(owner::dead, 5, "orders", "u"), false, automatic, fresh, 1, 0},
      {"another table, fresh", half(owner::dead, 5, "orders", "u"), false, unfinished::fresh, fresh, 1, 0},
      {"another job's other table", half(owner::dead, 5, "other", "u"), false, automatic, fresh, 0, 0},
      {"an older program's", half(owner::dead, 5, "orders", ""), false, automatic, refused, 0, 0},
      {"an older program's other job", half(owner::dead, 5, "other", ""), false, automatic, fresh, 0, 0},
      {"done", done(half(owner::released, 5)), false, automatic, fresh, 0, 0},
      {"done, its claim not released", done(half(owner::dead, 5)), false, automatic, fresh, 0, 0},
      {"running", half(owner::alive, 5), false, automatic, fresh, 1, 0},
      {"another job's, running", half(owner::alive, 5, "other"), false, automatic, fresh, 0, 0},
      {"running, this one empties", half(owner::alive, 5, "other"), true, automatic, refused, 0, 0},
      {"running, that one empties", emptying(half(owner::alive, 0)), false, automatic, refused, 0, 0},
      {"running, fresh does not help", half(owner::alive, 5), true, unfinished::fresh, refused, 0, 0},
      {"running into another table", emptying(half(owner::alive, 5, "o", "u")), true, automatic, fresh, 0, 0},
  };
  for (const auto& c : cases) {
    start_facts mine = start(c.on_unfinished);
    mine.empties = c.empties;
    const continuation answer = decide_continuation({c.found}, mine);
    ASSERT_EQ(answer.index(), static_cast<std::size_t>(c.answer)) << c.what;
    if (const auto* begun = std::get_if<begin_fresh>(&answer)) {
      EXPECT_EQ(begun->notices.size(), c.notices) << c.what;
      EXPECT_EQ(begun->discard.size(), c.discards) << c.what;
    }
  }
}

TEST(continuation, the_refusal_of_a_changed_job_names_run_rows_difference_and_both_ways_on) {
  run_row f = half(owner::dead, 1'234'567);
  const auto answer = decide_continuation({f}, start());
  const refuse_start& no = std::get<refuse_start>(answer);
  EXPECT_EQ(no.why.kind, error_kind::conflict);
  EXPECT_EQ(no.in_the_way, f.run);
  EXPECT_EQ(
      no.why.message,
      "run " + f.run.text() +
          " of job \"orders\" is unfinished (loading) and has written 1,234,567 rows into sqlite shop.db "
          "table T. It is this job as it was before it was changed (its writer differs). Put the job back "
          "as it was and run it, which finishes that run, or begin anew with --on-unfinished fresh, which "
          "forgets that run: what it has written stays, and the same rows inserted again are there twice");
}

TEST(continuation, outputs_are_named_with_the_quotes_that_they_have) {
  run_row f = half(owner::dead, 5);
  start_facts mine = start();
  mine.output_name = "postgresql \"db:5432/shop\" table t";
  const auto refused = decide_continuation({f}, mine);
  EXPECT_NE(
      std::get<refuse_start>(refused).why.message.find("5 rows into postgresql \"db:5432/shop\" table t. "),
      std::string::npos);
  f.output = "\"public\".\"u\"";
  const auto begun = decide_continuation({f}, mine);
  ASSERT_EQ(std::get<begin_fresh>(begun).notices.size(), 1u);
  EXPECT_NE(std::get<begin_fresh>(begun).notices[0].find("5 rows into \"public\".\"u\"; it is left"),
            std::string::npos);
}

TEST(continuation, a_run_of_this_very_job_under_a_key_of_another_form_is_named_as_that) {
  run_row f = half(owner::dead, 5);
  f.key_parts = start().key_parts;
  const auto answer = decide_continuation({f}, start());
  EXPECT_NE(std::get<refuse_start>(answer).why.message.find(
                "It was begun by a Sluice whose job keys have another form. Run the job with that one, which "
                "finishes that run, or begin anew with --on-unfinished fresh"),
            std::string::npos);
}

TEST(continuation, an_own_unfinished_run_is_continued_whatever_else_is_half_done_there) {
  const auto mine = run("i", "loading", owner::dead, 5);
  const auto answer = decide_continuation({half(owner::dead, 5), mine}, start());
  ASSERT_TRUE(std::holds_alternative<go_on_with>(answer));
  EXPECT_EQ(std::get<go_on_with>(answer).run.run, mine.run);
}

TEST(continuation, an_own_run_that_has_yet_to_empty_the_table_waits_for_what_is_half_done_there) {
  const run_row other = half(owner::dead, 5, "other");
  run_row other_values = run("another", "loading", owner::dead, 6);
  other_values.written = 5;
  for (const run_row& there : {other, other_values}) {
    for (const char* stage : {"claimed", "pre:0", "pre:1"}) {
      const auto mine = run("i", stage, owner::dead, 5);
      start_facts how = start();
      how.empties = true;
      const auto refused = decide_continuation({mine, there}, how);
      ASSERT_TRUE(std::holds_alternative<refuse_start>(refused)) << stage;
      EXPECT_EQ(std::get<refuse_start>(refused).why.code, unfinished_code);
      EXPECT_EQ(std::get<refuse_start>(refused).in_the_way, there.run);
      how.empties = false;
      EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({mine, there}, how))) << stage;
      how.empties = true;
      how.on_unfinished = unfinished::fresh;
      const auto begun = decide_continuation({mine, there}, how);
      ASSERT_TRUE(std::holds_alternative<begin_fresh>(begun)) << stage;
      EXPECT_EQ(std::get<begin_fresh>(begun).discard.size(), 2U) << stage;
    }
    start_facts how = start();
    how.empties = true;
    const auto behind = decide_continuation({run("i", "loading", owner::dead, 5), there}, how);
    EXPECT_TRUE(std::holds_alternative<go_on_with>(behind)) << "it is emptied already";
    run_row without_rows = there;
    without_rows.written = 0;
    const auto harmless = decide_continuation({run("i", "pre:0", owner::dead, 5), without_rows}, how);
    EXPECT_TRUE(std::holds_alternative<go_on_with>(harmless));
  }
}

TEST(continuation, a_half_with_other_parameters_is_forgotten_where_this_job_empties_its_rows) {
  run_row there = run("another", "loading", owner::dead, 6);
  there.written = 5;
  start_facts how = start();
  how.empties = true;
  const auto begun = decide_continuation({there}, how);
  ASSERT_TRUE(std::holds_alternative<begin_fresh>(begun));
  EXPECT_EQ(std::get<begin_fresh>(begun).discard, std::vector<run_id>{there.run});
  ASSERT_EQ(std::get<begin_fresh>(begun).notices.size(), 1U);
  EXPECT_NE(
      std::get<begin_fresh>(begun).notices[0].find("It has written 5 rows, which go when this job empties"),
      std::string::npos)
      << std::get<begin_fresh>(begun).notices[0];
  run_row elsewhere = there;
  elsewhere.output = "u";
  run_row unwritten = there;
  unwritten.written = 0;
  for (const run_row& left : {elsewhere, unwritten}) {
    const auto answer = decide_continuation({left}, how);
    EXPECT_TRUE(std::get<begin_fresh>(answer).discard.empty());
    EXPECT_EQ(std::get<begin_fresh>(answer).notices.size(), 1U);
  }
  how.appears_whole = true;
  EXPECT_TRUE(std::get<begin_fresh>(decide_continuation({there}, how)).discard.empty());
}

start_facts start_planned(bool given, bool uses_date, unfinished on_unfinished = unfinished::automatic) {
  using namespace std::chrono;
  start_facts mine = start(on_unfinished);
  mine.planned = planned_time{local_days{2025y / 7 / 20} + 12h, "UTC", given, "", false};
  mine.uses_date = uses_date;
  return mine;
}

TEST(continuation, a_run_whose_marks_are_gone_is_never_taken_for_one_that_has_written_nothing) {
  run_row own = run("i", "loading", owner::dead, 5);
  own.has_marks = false;
  const auto answer = decide_continuation({own}, start());
  const auto* refused = std::get_if<refuse_start>(&answer);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->why.code, "marks_gone");
  EXPECT_NE(refused->why.message.find("--on-unfinished fresh"), std::string::npos) << refused->why.message;
  EXPECT_TRUE(std::holds_alternative<begin_fresh>(decide_continuation({own}, start(unfinished::fresh))));

  // Between its claim and its plan it had none yet.
  own.stage = "claimed";
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({own}, start())));

  run_row changed = run("i", "loading", owner::dead, 5);
  changed.job_key = "other";
  changed.has_marks = false;
  const auto of_changed = decide_continuation({changed}, start());
  ASSERT_TRUE(std::holds_alternative<refuse_start>(of_changed));
  EXPECT_NE(
      std::get<refuse_start>(of_changed).why.message.find("an unknown number of (its marks are gone) rows"),
      std::string::npos)
      << std::get<refuse_start>(of_changed).why.message;
}

TEST(continuation, rows_that_the_caller_alone_knows_of_are_not_written_once_more_unasked) {
  const auto text_of = [](const begin_fresh& answer) {
    return answer.notices.empty() ? std::string() : answer.notices.back();
  };
  start_facts mine = start();
  mine.keeps_marks = true;
  mine.tables = "sluice_run and sluice_progress";
  mine.left = {run_id::make(100, 1, 2), 1234, std::chrono::seconds(60)};
  auto answer = decide_continuation({}, mine);
  const auto* no = std::get_if<refuse_start>(&answer);
  ASSERT_NE(no, nullptr);
  EXPECT_EQ(no->why.code, marks_gone_code);
  EXPECT_EQ(no->in_the_way, mine.left->run);
  for (const char* text :
       {"has committed at least 1,234 rows", "sluice_run and sluice_progress", "--on-unfinished fresh"}) {
    EXPECT_NE(no->why.message.find(text), std::string::npos) << no->why.message;
  }
  answer = decide_continuation({run("other", "loading", owner::dead, 5)}, mine);
  EXPECT_TRUE(std::holds_alternative<refuse_start>(answer))
      << "another instance's half tells nothing of this one";

  const auto begins = [&](const start_facts& with, const std::vector<run_row>& found = {}) {
    const auto next = decide_continuation(found, with);
    const auto* fresh = std::get_if<begin_fresh>(&next);
    return fresh == nullptr ? "no" : text_of(*fresh);
  };
  start_facts one = mine;
  one.on_unfinished = unfinished::fresh;
  EXPECT_NE(begins(one).find("there twice"), std::string::npos);
  one = mine;
  one.may_repeat = true;
  EXPECT_NE(begins(one).find("there twice"), std::string::npos);
  one.same_again = true;
  EXPECT_NE(begins(one).find("the same values once more"), std::string::npos);
  one = mine;
  one.left->age = std::chrono::hours(7 * 24);
  EXPECT_NE(begins(one).find("done elsewhere more than 7 days ago"), std::string::npos);
  one = mine;
  one.empties = true;
  EXPECT_EQ(begins(one), "");
  one = mine;
  one.appears_whole = true;
  EXPECT_EQ(begins(one), "") << "nobody has seen its rows";
  one = mine;
  one.is_new = true;
  EXPECT_NE(begins(one).find("Neither its table nor anything else"), std::string::npos);

  run_row itself = run("i", "done", owner::released, 5);
  itself.run = mine.left->run;
  run_row later = run("i", "done", owner::released, 5);
  later.run = run_id::make(200, 1, 2);
  run_row earlier = later;
  earlier.run = run_id::make(50, 1, 2);
  EXPECT_EQ(begins(mine, {itself}), "") << "another machine has done it";
  EXPECT_EQ(begins(mine, {later}), "") << "another machine has begun it anew";
  EXPECT_EQ(begins(mine, {earlier}), "no") << "its row would be there as well";

  one = mine;
  one.keeps_marks = false;
  EXPECT_EQ(begins(one), "") << "its output begins anew";
  one.rows_stand = true;
  EXPECT_NE(begins(one).find("No marks are kept"), std::string::npos);
}

TEST(continuation, a_planned_time_that_was_given_is_done_once) {
  const auto done = run("i", "done", owner::released, 5);
  for (const unfinished what : {unfinished::automatic, unfinished::resume, unfinished::fail}) {
    const auto answer = decide_continuation({done}, start_planned(true, true, what));
    ASSERT_TRUE(std::holds_alternative<refuse_start>(answer));
    EXPECT_NE(std::get<refuse_start>(answer).why.message.find("planned time 2025-07-20 12:00:00"),
              std::string::npos);
  }
  const auto begins = [&](const start_facts& mine) {
    return std::holds_alternative<begin_fresh>(decide_continuation({done}, mine));
  };
  EXPECT_TRUE(begins(start_planned(true, true, unfinished::fresh)));
  EXPECT_TRUE(begins(start_planned(false, true)));
}

TEST(continuation, a_run_is_continued_at_the_time_and_in_the_zone_it_was_planned) {
  auto mine = run("i", "loading", owner::dead, 5);
  const auto decided = [&](bool uses_date) {
    return decide_continuation({mine}, start_planned(false, uses_date));
  };
  mine.planned_time = "now 2025-07-20 11:59:00 UTC";
  ASSERT_TRUE(std::holds_alternative<plan_otherwise>(decided(true)));
  EXPECT_EQ(std::get<plan_otherwise>(decided(true)).planned.text(), "2025-07-20 11:59:00");
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decided(false))) << "nothing in it depends on the time";
  mine.planned_time = "now 2025-07-20 12:00:00 UTC";
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decided(true)));
  mine.planned_time = "now 2025-07-20 12:00:00 Europe/Berlin";
  EXPECT_TRUE(std::holds_alternative<plan_otherwise>(decided(false)));
  mine.planned_time = "";
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decided(true))) << "kept by an earlier release";
}

TEST(continuation, the_window_counts_where_the_planned_time_was_not_given) {
  auto mine = run("i", "loading", owner::dead, 7200);
  mine.planned_time = "now 2025-07-20 12:00:00 UTC";
  EXPECT_TRUE(std::holds_alternative<refuse_start>(decide_continuation({mine}, start_planned(false, true))));
}

TEST(continuation, files_that_nobody_has_seen_are_begun_anew_where_they_are_not_to_be_gone_on_with) {
  start_facts mine = start_planned(false, true);
  mine.appears_whole = true;
  run_row recent = run("i", "loading", owner::dead, 5);
  recent.planned_time = "now 2025-07-20 12:00:00 UTC";
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({recent}, mine)));
  run_row late = recent;
  late.renewed_age_s = 7200;
  run_row in_another_zone = recent;
  in_another_zone.planned_time = "now 2025-07-20 12:00:00 Europe/Berlin";
  run_row without_marks = recent;
  without_marks.has_marks = false;
  for (const run_row& row : {late, in_another_zone, without_marks}) {
    const auto next = decide_continuation({row}, mine);
    const auto* fresh = std::get_if<begin_fresh>(&next);
    ASSERT_NE(fresh, nullptr);
    EXPECT_EQ(fresh->discard, std::vector<run_id>{row.run});
    mine.on_unfinished = unfinished::fail;
    EXPECT_TRUE(std::holds_alternative<refuse_start>(decide_continuation({row}, mine)));
    mine.on_unfinished = unfinished::automatic;
  }
}

TEST(continuation, a_run_that_is_forgotten_says_that_its_rows_stay) {
  auto mine = start(unfinished::fresh);
  run_row half = run("i", "loading", owner::released, 5);
  half.written = 1234;
  auto next = decide_continuation({half}, mine);
  const auto* fresh = std::get_if<begin_fresh>(&next);
  ASSERT_NE(fresh, nullptr);
  ASSERT_EQ(fresh->notices.size(), 1U);
  EXPECT_NE(fresh->notices[0].find("the 1,234 rows it has written stay"), std::string::npos)
      << fresh->notices[0];
  mine.empties = true;
  next = decide_continuation({half}, mine);
  EXPECT_TRUE(std::get<begin_fresh>(next).notices.empty()) << "the job removes them first";
}

TEST(continuation, rows_of_splits_in_parts_are_written_once_more_only_where_somebody_agreed) {
  run_row half = run("i", "loading", owner::dead, 5);
  half.written = 100;
  half.written_in_parts = 40;
  const auto refused = decide_continuation({half}, start());
  const auto* no = std::get_if<refuse_start>(&refused);
  ASSERT_NE(no, nullptr);
  EXPECT_NE(no->why.message.find("40 rows stand of splits that were committed in parts"), std::string::npos)
      << no->why.message;

  const auto told = decide_continuation({half}, start(unfinished::resume));
  const auto* go_on = std::get_if<go_on_with>(&told);
  ASSERT_NE(go_on, nullptr);
  ASSERT_EQ(go_on->notices.size(), 1u);
  EXPECT_NE(go_on->notices[0].find("40 rows"), std::string::npos);

  start_facts agrees = start();
  agrees.may_repeat = true;
  EXPECT_TRUE(std::holds_alternative<go_on_with>(decide_continuation({half}, agrees)));
}

}  // namespace
}  // namespace sluice
