#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/api/marks_lost.h"
#include "tests/unit/actors/run_core_kit.h"

namespace sluice {
namespace {

using namespace sluice::testing;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST_F(begun_run, reads_its_first_batch_again_where_the_source_was_busy) {
  core->on(reader_failed{0, {0}, {0}, lost()});
  EXPECT_EQ(out.primed, std::vector<std::uint32_t>({0}));
  pass(seconds(1));
  EXPECT_EQ(out.primed, std::vector<std::uint32_t>({0, 0}));
  EXPECT_EQ(observer.lines.back(),
            "reading the first batch: the connection is gone; tried again in 0.2 s (try 1 of 3)");
  core->on(reader_primed{1, 0, false});
  EXPECT_NE(out.last<target_claim>(), nullptr);
}

TEST_F(begun_run, fails_once_its_first_batch_was_tried_for_often_enough) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(out.stopped);
    core->on(reader_failed{0, {0}, {0}, lost()});
    pass(seconds(2));
  }
  EXPECT_TRUE(out.stopped);
  EXPECT_EQ(out.primed.size(), 4U);
  core->on(error_sealed{});
  say(target_released{});
  ASSERT_TRUE(out.ended && out.ended->failure);
  EXPECT_THAT(out.ended->failure->message,
              EndsWith("the connection is gone; it was tried again 3 times in a row (--retries)"));
  EXPECT_EQ(out.ended->retries, 3U);
}

TEST_F(begun_run, says_in_its_progress_which_end_it_waits_for_and_which_try_comes_when) {
  core->on(reader_failed{0, {0}, {0}, lost()});
  core->tick();
  EXPECT_EQ(observer.last.waiting, "the connection to the source was lost; try 1 of 3 in 0.2 s");
  pass(seconds(1));
  EXPECT_EQ(observer.last.waiting, "the connection to the source was lost; try 1 of 3 has begun");
  core->on(reader_primed{1, 0, false});
  core->tick();
  EXPECT_EQ(observer.last.waiting, "");
}

TEST_F(begun_run, does_not_try_again_what_no_other_try_mends) {
  error why = lost();
  why.final = true;
  core->on(reader_failed{0, {0}, {0}, why});
  EXPECT_TRUE(out.stopped);
}

TEST_F(completed_run, asks_for_its_end_again_where_the_connection_was_lost) {
  ASSERT_NE(out.last<target_after>(), nullptr);
  EXPECT_FALSE(out.last<target_after>()->again);
  out.asked.clear();
  fail_end();
  EXPECT_TRUE(out.asked.empty());
  pass(seconds(1));
  ASSERT_NE(out.last<target_after>(), nullptr);
  EXPECT_TRUE(out.last<target_after>()->again);
  say(target_finished{});
  EXPECT_NE(out.last<target_release>(), nullptr);
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_EQ(out.ended->state, run_state::succeeded);
}

TEST_F(completed_run, fails_once_its_end_was_asked_for_often_enough_and_goes_on_from_there) {
  for (int i = 0; i < 4; ++i) {
    fail_end();
    pass(seconds(2));
  }
  ASSERT_NE(out.last<target_release>(), nullptr);
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_EQ(out.ended->how_to_go_on,
            "Run it again: all records are written, and it goes on with the step behind the data that "
            "failed.");
  EXPECT_TRUE(out.ended->resumable);
}

TEST_F(completed_run, does_not_ask_again_for_a_step_that_may_have_run) {
  fail_end({error_kind::not_connected, "lost", step_unknown_code, true});
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_FALSE(out.ended->retryable);
  EXPECT_EQ(out.ended->how_to_go_on,
            "All records are written. See what became of that step, then run the same command with "
            "--skip-postsql or --rerun-postsql.");
}

TEST_F(completed_run, does_not_say_that_all_is_written_where_the_destination_has_lost_commits) {
  fail_end({error_kind::over_limit, "lost commits", marks_lost_code, false});
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_TRUE(out.ended->retryable);
  EXPECT_TRUE(out.ended->resumable);
  EXPECT_EQ(
      out.ended->how_to_go_on,
      "Run the same command again: it goes on from the marks that the destination has kept. The account "
      "above is of what it had confirmed.");
}

TEST_F(completed_run, is_stopped_while_it_waits_for_its_next_try) {
  fail_end();
  core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  ASSERT_NE(out.last<target_release>(), nullptr);
  pass(seconds(5));
  EXPECT_NE(out.last<target_release>(), nullptr);
}

TEST_F(completed_run, gives_up_the_release_of_its_claim_where_it_is_stopped_while_it_waits) {
  say(target_finished{});
  say(end_failed{false, "releasing the claim", lost()});
  EXPECT_FALSE(out.ended);
  core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  ASSERT_TRUE(out.ended);
  EXPECT_EQ(out.ended->state, run_state::succeeded);
  EXPECT_THAT(observer.lines.back(), HasSubstr("the claim is not given back"));
}

TEST_F(completed_run, asks_again_for_the_release_of_its_claim) {
  say(target_finished{});
  out.asked.clear();
  say(end_failed{false, "releasing the claim", lost()});
  pass(seconds(1));
  EXPECT_NE(out.last<target_release>(), nullptr);
  say(target_released{});
  EXPECT_TRUE(out.ended);
}

TEST_F(claimed_run, asks_only_once_more_for_the_release_of_its_claim_when_it_has_failed) {
  load();
  core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  core->on(writer_stopped{0});
  core->on(error_sealed{});
  for (int i = 0; i < 2; ++i) {
    ASSERT_FALSE(out.ended);
    say(end_failed{false, "releasing the claim", lost()});
    pass(seconds(1));
  }
  EXPECT_TRUE(out.ended);
}

TEST_F(claimed_run, tells_of_a_lost_connection_until_records_move_again) {
  load();
  const error busy{error_kind::busy, "deadlock", "", false};
  core->on(split_rewound{0, {0}, lost(), dirty_side::writer, {2, 15, std::chrono::milliseconds(400)}});
  EXPECT_EQ(observer.lines.back(),
            "the connection is gone; tried again in 0.4 s (try 2 of 15), from the mark at record 0");
  core->tick();
  EXPECT_EQ(observer.last.waiting, "the connection to the destination was lost; try 2 of 15 in 0.4 s");
  split_opened opened;
  opened.at.split = {0};
  core->on(opened);
  core->on(split_rewound{0, {0}, busy, dirty_side::writer, {3, 15, std::chrono::milliseconds(800)}});
  core->tick();
  EXPECT_EQ(observer.last.waiting, "the destination was busy; try 3 of 15 in 0.8 s");
  core->on(split_wrote{0, {0}, {}});
  core->tick();
  EXPECT_EQ(observer.last.waiting, "");
  const error refused{error_kind::busy, "a row was refused", "read_again", false};
  core->on(split_rewound{0, {0}, refused, dirty_side::writer, {}});
  EXPECT_EQ(observer.lines.back(), "a row was refused; read again at once, from the mark at record 0");
  core->tick();
  EXPECT_EQ(observer.last.waiting, "");
  core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  core->on(writer_stopped{0});
  core->on(error_sealed{});
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_EQ(out.ended->rewinds, 3U);
  EXPECT_EQ(out.ended->retries, 2U) << "what is read again for a refused row is none";
}

TEST_F(claimed_run, calls_the_destination_slowest_where_it_was_waited_for_until_it_came_back) {
  out.board = std::make_shared<pipeline_activity>(out.time);
  load();
  out.board->writer.set(doing::destination_call, out.time);
  pass(seconds(1));
  out.board->writer.set(doing::another_try, out.time);
  pass(seconds(6));
  out.board->writer.set(doing::batches, out.time);
  pass(seconds(3));
  stop();
  end();
  EXPECT_EQ(out.ended->waits.writer_retrying, 6);
  EXPECT_EQ(out.ended->waits.writer_waiting, 3);
  EXPECT_EQ(out.ended->slowest,
            "The destination was slowest: it was away or busy, and waited for until the next try, 60% of the "
            "time.");
}

TEST_F(claimed_run, tells_its_promise_anew_where_a_step_before_the_data_has_changed_it) {
  load();
  EXPECT_TRUE(std::none_of(observer.lines.begin(), observer.lines.end(),
                           [](const auto& line) { return line.find("the promise is") != line.npos; }));
  target_ready ready{*made_target().open(*made_source().open({})->columns, {})};
  ready.what.promise = "at least once, because the step has made a table without transactions";
  say(ready);
  EXPECT_THAT(observer.lines,
              Contains("behind the steps before the data the promise is: at least once, because the step has "
                       "made a table without transactions"));
  say(writers_made{{nullptr}});
  complete(0);
  complete(1);
  core->on(writer_stopped{0});
  say(source_checked{});
  core->on(error_sealed{});
  say(target_finished{});
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_EQ(out.ended->promise, "at least once, because the step has made a table without transactions");
}

TEST_F(completed_run, does_not_say_that_a_claim_that_was_taken_ends_with_its_process) {
  say(target_finished{});
  say(end_failed{
      false, "releasing the claim", {error_kind::conflict, "another has it", taken_over_code, true}});
  ASSERT_TRUE(out.ended);
  EXPECT_EQ(out.ended->state, run_state::succeeded);
  EXPECT_EQ(observer.lines.back(), "releasing the claim: another has it");
}

TEST_F(claimed_run, says_that_splits_of_this_run_alone_cannot_be_gone_on_with_once_one_is_done) {
  load();
  complete(0);
  core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  core->on(writer_stopped{0});
  core->on(error_sealed{});
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_FALSE(out.ended->resumable);
  EXPECT_EQ(out.ended->how_to_go_on,
            "Its splits are of this run only, so that it cannot be gone on with: begin anew with "
            "--on-unfinished fresh and an emptied destination.");
}

TEST_F(claimed_run, can_be_gone_on_with_before_a_split_of_this_run_alone_is_done) {
  load();
  core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  core->on(writer_stopped{0});
  core->on(error_sealed{});
  say(target_released{});
  ASSERT_TRUE(out.ended);
  EXPECT_TRUE(out.ended->resumable);
}

TEST_F(claimed_run, renews_its_claim_every_ten_seconds_of_its_data) {
  load();
  pass(seconds(61));
  EXPECT_EQ(out.renewals(), 6);
}

TEST_F(claimed_run, asks_for_one_renewal_at_a_time) {
  load();
  pass(seconds(61), false);
  EXPECT_EQ(out.renewals(), 1);
}

TEST_F(claimed_run, asks_for_none_while_the_destination_is_busy_and_for_one_right_behind) {
  pass(seconds(61));
  EXPECT_EQ(out.renewals(), 0);
  load();
  pass(seconds(1));
  EXPECT_EQ(out.renewals(), 1);
}

TEST_F(claimed_run, stops_when_somebody_else_has_the_claim) {
  load();
  say(target_renewed{error{error_kind::conflict, "belongs to another process", "taken_over", true}});
  EXPECT_TRUE(out.stopped);
}

TEST_F(claimed_run, goes_on_when_the_destination_cannot_be_reached_for_a_moment) {
  load();
  say(target_renewed{error{error_kind::not_connected, "the connection is gone", "", false}});
  EXPECT_FALSE(out.stopped);
  EXPECT_EQ(observer.lines.back(), "renewing the claim: the connection is gone; it is tried again");
  out.asked.clear();
  pass(seconds(1));
  EXPECT_EQ(out.renewals(), 1);  // at once, and not when it would be due
}

}  // namespace
}  // namespace sluice
