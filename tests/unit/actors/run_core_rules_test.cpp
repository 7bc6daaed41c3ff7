// The rules of delivery.md that the supervisor keeps (docs/delivery-rules.md).
#include <gmock/gmock.h>

#include "plugins/api/marks_lost.h"
#include "plugins/api/step_stage.h"
#include "tests/unit/actors/run_core_kit.h"

namespace sluice {
namespace {

using namespace sluice::testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// A destination that knows a run of the job, at the test's stage, whose process is gone.
class found_run : public run_of_core {
 protected:
  void find(const std::string& stage, std::vector<target_step> after = {}) {
    run_row row;
    row.run = run_id::make(7, 8, 9);
    row.stage = stage;
    row.renewed_age_s = 1;
    target_opened found;
    found.what = described();
    found.has_store = true;
    found.runs = {row};
    found.after = std::move(after);
    open(std::move(found));
  }
  /// Its frozen plan: one split with this mark.
  void load_plan(const mark& at) {
    ASSERT_NE(out.last<target_load>(), nullptr);
    progress_row row;
    row.label = "all";
    row.at = at;
    say(target_loaded{{row}});
    if (out.last_of_source<source_take_up>() != nullptr) {
      say(source_taken_up{{""}});
    }
    say(readers_made{{nullptr}});
  }
  /// Ten of its records stand, and no cursor tells where to go on.
  static mark in_parts() {
    mark m;
    m.position = m.counts.read = m.counts.written = 10;
    return m;
  }
  /// Goes on with a run whose one split stands in parts, until the data has begun.
  void take_up_in_parts() {
    find("loading");
    load_plan(in_parts());
    take_claim();
    load();
  }
};

TEST_F(claimed_run, counts_a_split_that_is_found_done_when_it_is_opened) {
  load();
  split_opened opened;
  opened.at.done = true;
  core->on(opened);
  complete(0);
  complete(1);
  core->on(writer_stopped{0});
  EXPECT_NE(out.last_of_source<source_check>(), nullptr) << "all are done";
}

TEST_F(claimed_run, is_not_ended_while_the_account_of_a_split_does_not_close) {
  load();
  split_committed lost;
  lost.at.done = true;
  lost.at.counts.read = 2;
  lost.at.counts.written = 1;
  core->on(lost);
  complete(1);
  core->on(writer_stopped{0});
  EXPECT_EQ(out.last_of_source<source_check>(), nullptr);
  end();
  ASSERT_TRUE(out.ended->failure);
  EXPECT_EQ(out.ended->failure->code, "account");
}

TEST_F(claimed_run, is_not_ended_while_the_sums_of_a_split_differ) {
  load();
  split_committed other;
  other.at.done = true;
  other.at.sums.read.value = 1;
  core->on(other);
  complete(1);
  core->on(writer_stopped{0});
  end();
  ASSERT_TRUE(out.ended->failure);
  EXPECT_EQ(out.ended->failure->code, "account");
}

TEST_F(found_run, is_not_ended_where_its_steps_have_begun_and_a_split_is_not_done) {
  const std::vector<target_step> steps = {{"ANALYZE t", true}, {"DELETE FROM old", false}};
  find(stage_behind(steps, 1), steps);
  load_plan({});
  take_claim();
  EXPECT_EQ(out.last<target_after>(), nullptr);
  end();
  ASSERT_TRUE(out.ended->failure);
  EXPECT_EQ(out.ended->failure->code, "account");
}

TEST_F(found_run, that_was_loading_runs_no_step_before_the_data_again) {
  find("loading");
  load_plan({});
  take_claim();
  ASSERT_NE(out.last<target_before>(), nullptr);
  EXPECT_TRUE(out.last<target_before>()->loading);
}

TEST_F(found_run, that_was_at_its_steps_goes_on_with_the_next_one) {
  find("pre:2");
  load_plan({});
  take_claim();
  ASSERT_NE(out.last<target_before>(), nullptr);
  EXPECT_FALSE(out.last<target_before>()->loading);
  EXPECT_EQ(out.last<target_before>()->first_step, 2U);
}

TEST_F(found_run, counts_a_split_in_parts_anew_and_writes_it_once_more_on_somebodys_word_once) {
  config.settings.on_unfinished = run_settings::unfinished::resume;
  take_up_in_parts();
  ASSERT_EQ(out.assigned.size(), 1U);
  EXPECT_TRUE(out.assigned[0].repeats);
  core->tick();
  EXPECT_EQ(observer.last.counts.read, 0U);
  split_committed part;
  part.at = in_parts();
  core->on(part);
  core->on(split_failed{0, {0}, {error_kind::internal, "ended", "", false}, std::nullopt});
  ASSERT_EQ(out.assigned.size(), 2U);
  EXPECT_FALSE(out.assigned[1].repeats) << "what has come to stand since is not meant by that word";
  stop();
  end();
  EXPECT_EQ(out.ended->counts_before.written, 0U);
}

TEST_F(found_run, counts_the_rows_that_it_writes_once_more_exactly_once_their_split_is_done) {
  config.settings.on_unfinished = run_settings::unfinished::resume;
  for (const bool dirty : {false, true}) {
    take_up_in_parts();
    split_committed part;
    part.at = in_parts();
    part.more = {10, true};
    core->on(part);
    EXPECT_EQ(observer.rows_committed, 10U);
    EXPECT_EQ(observer.beside.count, 10U);
    split_committed all;
    all.at = in_parts();
    all.at.done = true;
    all.at.counts.read += 20;
    all.at.counts.written += 19;
    (dirty ? all.at.counts.dirty : all.at.counts.filtered) += 1;
    core->on(all);
    stop();
    end();
    EXPECT_EQ(out.ended->repeated.count, 10U);
    EXPECT_EQ(out.ended->repeated.at_most, dirty) << "a row may be dirty because it stands already";
    out.ended.reset();
  }
}

TEST_F(found_run, says_how_many_rows_it_may_have_written_once_more_where_it_ends_in_between) {
  config.settings.on_unfinished = run_settings::unfinished::resume;
  take_up_in_parts();
  split_committed part;
  part.at = in_parts();
  part.at.position = part.at.counts.read = part.at.counts.written = 3;
  part.more = {10, true};
  core->on(part);
  stop();
  end();
  EXPECT_EQ(out.ended->repeated.count, 10U);
  EXPECT_TRUE(out.ended->repeated.at_most);
}

TEST_F(found_run, in_which_rows_in_parts_have_come_to_stand_meanwhile_does_not_write_them_once_more) {
  take_up_in_parts();
  ASSERT_EQ(out.assigned.size(), 1U);
  EXPECT_FALSE(out.assigned[0].repeats);
}

TEST_F(claimed_run, has_a_split_that_ended_with_an_internal_error_taken_up_once_more) {
  load();
  core->on(split_failed{0, {0}, {error_kind::internal, "ended", "", false}, std::nullopt});
  EXPECT_FALSE(out.stopped);
  ASSERT_EQ(out.assigned.size(), 2U);
  EXPECT_GT(out.assigned[1].epoch, out.assigned[0].epoch);
}

TEST_F(run_of_core, has_no_split_taken_up_once_more_where_no_mark_tells_what_of_it_stands) {
  target_opened found;
  found.what = described();
  found.what.exactly_once = false;
  found.what.rows_stand = true;
  const target_description what_is_there = found.what;
  open(std::move(found));
  plan();
  core->on(reader_primed{1, 0, false});
  say(target_ready{what_is_there});
  say(writers_made{{nullptr}});
  core->on(split_failed{0, {0}, {error_kind::internal, "ended", "", false}, std::nullopt});
  EXPECT_TRUE(out.stopped);
  EXPECT_EQ(out.assigned.size(), 1U);
}

TEST_F(claimed_run, is_held_to_exactly_once_by_what_a_step_has_made_of_the_table) {
  what.delivery.mode = delivery_mode::exactly_once;
  target_description made = described();
  made.promise_gap = "the table is unlogged";
  say(target_ready{made});
  EXPECT_TRUE(out.stopped);
  EXPECT_EQ(out.last<target_make_writers>(), nullptr);
}

TEST_F(begun_run, leaves_no_trace_where_it_fails_before_its_steps) {
  core->on(reader_primed{1, 0, false});
  stop();
  say(target_claimed{1});
  core->on(error_sealed{});
  ASSERT_NE(out.last<target_release>(), nullptr);
  EXPECT_TRUE(out.last<target_release>()->forget);
}

TEST_F(claimed_run, is_not_forgotten_where_it_fails_at_its_steps) {
  say(end_failed{false, "step 1 before the data", {error_kind::bad_option, "no such table", "", false}});
  core->on(error_sealed{});
  ASSERT_NE(out.last<target_release>(), nullptr);
  EXPECT_FALSE(out.last<target_release>()->forget);
}

TEST_F(found_run, is_not_forgotten_where_the_start_that_goes_on_with_it_fails_before_its_steps) {
  find("loading");
  load_plan({});
  core->on(reader_primed{1, 0, false});
  stop();
  say(target_claimed{2});
  core->on(error_sealed{});
  ASSERT_NE(out.last<target_release>(), nullptr);
  EXPECT_TRUE(out.last<target_release>()->claimed);
  EXPECT_FALSE(out.last<target_release>()->forget);
}

TEST_F(completed_run, gives_its_claim_back_behind_its_summary) {
  int told = 0;
  observer.at_end = [&](const run_summary&) {
    ++told;
    EXPECT_EQ(out.last<target_release>(), nullptr) << "a run that is released has its summary";
  };
  say(target_finished{});
  EXPECT_EQ(told, 1);
  EXPECT_NE(out.last<target_release>(), nullptr);
}

TEST_F(claimed_run, that_was_taken_over_says_so_and_is_not_to_be_gone_on_with) {
  load();
  core->on(split_failed{0, {0}, lost(), dirty_side::writer});
  core->on(writer_stopped{0});
  core->on(error_sealed{});
  say(end_failed{false, "releasing the claim", {error_kind::conflict, "taken over", taken_over_code, true}});
  ASSERT_TRUE(out.ended && out.ended->failure);
  EXPECT_EQ(out.ended->failure->code, taken_over_code);
  EXPECT_FALSE(out.ended->resumable);
  EXPECT_FALSE(out.ended->retryable);
  EXPECT_EQ(out.ended->how_to_go_on,
            "What this process had not committed by then is not written by it; the run is the other one's.");
  EXPECT_THAT(observer.lines, Contains(HasSubstr("what failed first: ")));
}

TEST_F(claimed_run, that_fails_because_it_was_taken_over_says_that_once) {
  load();
  core->on(
      split_failed{0, {0}, {error_kind::conflict, "taken over", taken_over_code, true}, dirty_side::writer});
  core->on(writer_stopped{0});
  core->on(error_sealed{});
  say(end_failed{false, "releasing the claim", {error_kind::conflict, "taken over", taken_over_code, true}});
  ASSERT_TRUE(out.ended && out.ended->failure);
  EXPECT_THAT(observer.lines, Not(Contains(HasSubstr("taken over"))));
}

TEST_F(claimed_run, that_was_taken_over_while_it_was_stopped_says_so_and_not_that_it_was_stopped_twice) {
  load();
  stop();
  core->on(writer_stopped{0});
  core->on(error_sealed{});
  say(end_failed{false, "releasing the claim", {error_kind::conflict, "taken over", taken_over_code, true}});
  ASSERT_TRUE(out.ended && out.ended->failure);
  EXPECT_EQ(out.ended->failure->message, "stopped on request");
  EXPECT_FALSE(out.ended->resumable);
  EXPECT_EQ(observer.lines.back(), "taken over");
  EXPECT_THAT(observer.lines, Not(Contains(HasSubstr("stopped on request"))));
  EXPECT_EQ(out.ended->how_to_go_on,
            "What this process had not committed by then is not written by it; the run is the other one's.");
}

}  // namespace
}  // namespace sluice
