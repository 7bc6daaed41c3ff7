#include <gtest/gtest.h>

#include <algorithm>

#include "actors/supervise/run_core.h"
#include "tests/unit/actors/run_kit.h"

namespace sluice {
namespace {

using namespace sluice::testing;
using std::chrono::seconds;

/// Keeps what the core asks of the destination; the time is the test's.
class recorded_out : public run_out {
 public:
  void to_source(source_command) override {}
  void to_target(target_command c) override { asked.push_back(std::move(c)); }
  void start_dirty(const run_id&, bool, std::optional<run_id>, std::optional<std::uint64_t>,
                   const std::vector<mark>&) override {}
  void make_reader(std::uint32_t, std::shared_ptr<reader>, schema_ptr, const memory_plan&,
                   const run_id&) override {}
  void prime(std::uint32_t, const rewind_msg& at) override { primed.push_back(at.split.value); }
  void make_pipeline(std::uint32_t, std::shared_ptr<writer>, std::shared_ptr<const mapping>,
                     const memory_plan&, const run_id&, bool) override {}
  void assign(std::uint32_t, assign_msg) override {}
  void reopen(std::uint32_t, reopen_msg) override {}
  void stop_reading() override { stopped = true; }
  void stop_pipeline(std::uint32_t) override {}
  void seal_errors(const error_seal&) override {}
  void interrupt() override {}
  void over(run_summary s, bool) override { ended = std::move(s); }
  [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return time; }
  [[nodiscard]] std::shared_ptr<const pipeline_activity> activity_of(std::uint32_t) const override {
    return nullptr;
  }
  [[nodiscard]] std::uint64_t bytes_held_peak() const override { return 0; }

  [[nodiscard]] std::ptrdiff_t renewals() const {
    return std::count_if(asked.begin(), asked.end(),
                         [](const auto& c) { return std::holds_alternative<target_renew>(c); });
  }

  template <class Command>
  [[nodiscard]] const Command* last() const {
    return asked.empty() ? nullptr : std::get_if<Command>(&asked.back());
  }

  std::vector<target_command> asked;
  std::vector<std::uint32_t> primed;
  std::optional<run_summary> ended;
  bool stopped = false;
  std::chrono::steady_clock::time_point time{seconds(1000)};
};

/// A run of one pipeline and two splits whose first batch is being read.
class begun_run : public ::testing::Test {
 protected:
  begun_run() {
    what.speed.concurrent = 1;
    config.what = &what;
    config.settings.run = run_id::make(1, 2, 3);
    config.conversion.zone = *time_zone::find("UTC");
    config.me = {"host", 1, "start", ""};
    core = std::make_unique<run_core>(config, out, observer);
    core->start();
    source_opened opened{*made_source().open({})};
    target_opened found;
    found.what = *made_target().open(*opened.what.columns, {});
    found.has_store = true;
    say(opened);

    found.what.exactly_once = true;
    say(found);
    made_source two;
    two.splits = 2;
    say(source_planned{*two.plan_splits(1, {}), {"one snapshot", "one snapshot"}});
    say(readers_made{{nullptr}});
  }

  void say(end_answer answer) { core->on(answer); }
  /// The data has begun.
  void load() {
    target_ready ready{*made_target().open(*made_source().open({})->columns, {})};
    ready.what.exactly_once = true;
    say(ready);
    say(writers_made{{nullptr}});
  }
  void pass(seconds time, bool answers = true) {
    for (int i = 0; i < 5 * time.count(); ++i) {
      out.time += std::chrono::milliseconds(200);
      const auto before = out.renewals();
      core->tick();
      if (answers && out.renewals() != before) {
        say(target_renewed{});
      }
    }
  }

  static error lost() { return {error_kind::not_connected, "the connection is gone", "", false}; }
  void complete(std::uint32_t split) {
    split_committed m;
    m.at.split = {split};
    m.at.done = true;
    core->on(m);
  }

  job what;
  run_core::config config;
  recorded_out out;
  collecting_observer observer;
  std::unique_ptr<run_core> core;
};

/// It has its claim; `before` is asked of the destination.
class claimed_run : public begun_run {
 protected:
  claimed_run() {
    core->on(reader_primed{1, 0, false});
    say(target_claimed{1});
  }
};

/// Its data is complete, and the destination is asked for its end.
class completed_run : public claimed_run {
 protected:
  completed_run() {
    load();
    complete(0);
    complete(1);
    core->on(writer_stopped{0});
    say(source_checked{});
    core->on(error_sealed{});
  }
  void fail_end(error why = lost()) { say(end_failed{false, "marking the run done", std::move(why)}); }
};

TEST_F(begun_run, reads_its_first_batch_again_where_the_source_was_busy) {
  core->on(reader_failed{0, {0}, {0}, lost()});
  EXPECT_EQ(out.primed, std::vector<std::uint32_t>({0}));
  pass(seconds(1));
  EXPECT_EQ(out.primed, std::vector<std::uint32_t>({0, 0}));
  EXPECT_EQ(observer.lines.back(), "reading the first batch: the connection is gone; tried again in 200 ms");
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
            "All records are written. See what became of that step, then run the same command again, which "
            "goes on there.");
}

TEST_F(completed_run, is_stopped_while_it_waits_for_its_next_try) {
  fail_end();
  core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  ASSERT_NE(out.last<target_release>(), nullptr);
  pass(seconds(5));
  EXPECT_NE(out.last<target_release>(), nullptr);
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
