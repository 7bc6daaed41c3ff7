#include "actors/supervise/ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/api/marks_lost.h"
#include "plugins/api/step_stage.h"
#include "tests/unit/actors/idle_ends.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Loses its connections, as often as it is told to, once they are used.
class losing_target : public idle_target {
 public:
  losing_target(error_kind early, error_kind on_open, int losses)
      : early_(early), on_open_(on_open), losses_(losses) {}
  result<void> connect_early(const stop_signal&) override {
    return early_ == error_kind::internal ? result<void>() : fail(early_, "refused early");
  }
  result<target_description> open(const schema&, const stop_signal&) override {
    if (++opened_ <= losses_) {
      return fail(on_open_, "lost {}", opened_);
    }
    return target_description{};
  }
  [[nodiscard]] int opened() const { return opened_; }

 private:
  error_kind early_;  ///< `internal`: it connects.
  error_kind on_open_;
  int losses_;
  int opened_ = 0;
};

/// What opening says, after connecting early; empty where it succeeds.
std::string said(const std::shared_ptr<losing_target>& to) {
  target_end end(to, std::make_shared<idle_source>());
  end.connect_early({});
  const end_answer answer = end.carry_out(target_open{std::make_shared<const schema>(), "", ""}, {});
  const auto* failed = std::get_if<end_failed>(&answer);
  return failed == nullptr ? "" : failed->why.message;
}

TEST(target_end, opens_anew_where_the_early_connection_is_lost_and_no_more_than_that) {
  const auto once = std::make_shared<losing_target>(error_kind::internal, error_kind::not_connected, 1);
  EXPECT_EQ(said(once), "");
  EXPECT_EQ(once->opened(), 2);
  const auto again = std::make_shared<losing_target>(error_kind::internal, error_kind::not_connected, 9);
  EXPECT_EQ(said(again), "lost 2");
  EXPECT_EQ(again->opened(), 2);
  const auto denied = std::make_shared<losing_target>(error_kind::internal, error_kind::denied, 1);
  EXPECT_EQ(said(denied), "lost 1");
}

TEST(target_end, tries_once_more_where_the_early_connection_did_not_come_to_be) {
  const auto once = std::make_shared<losing_target>(error_kind::not_connected, error_kind::not_connected, 0);
  EXPECT_EQ(said(once), "");
  EXPECT_EQ(once->opened(), 1);
  const auto gone = std::make_shared<losing_target>(error_kind::not_connected, error_kind::not_connected, 9);
  EXPECT_EQ(said(gone), "lost 1");
  EXPECT_EQ(gone->opened(), 1);
}

TEST(target_end, tells_why_it_could_not_connect_early_and_does_not_ask_twice) {
  const auto refused = std::make_shared<losing_target>(error_kind::denied, error_kind::internal, 0);
  EXPECT_EQ(said(refused), "refused early");
  EXPECT_EQ(refused->opened(), 0);
}

/// What is asked of a destination, in order.
using calls = std::vector<std::string>;

/// Claims and marks as a test has them.
class scripted_store : public progress_store {
 public:
  explicit scripted_store(calls& to) : calls_(to) {}
  std::vector<std::vector<run_row>> runs;  ///< As each look finds them; the last for all that follow.
  std::vector<progress_row> marks;
  std::string stage;  ///< As it stands there.
  int looks = 0;

  [[nodiscard]] std::string tables() const override { return "marks"; }
  result<std::vector<run_row>> runs_of(const run_query&) override {
    ++looks;
    if (runs.empty()) {
      return std::vector<run_row>();
    }
    const std::vector<run_row> now = runs.front();
    if (runs.size() > 1) {
      runs.erase(runs.begin());
    }
    return now;
  }
  result<void> make_tables() override { return {}; }
  result<void> claim_new(const run_row&) override { return called("claim"); }
  result<std::uint16_t> claim_again(const run_row&, const claim_owner&) override { return std::uint16_t{2}; }
  result<void> take(const run_row&) override { return {}; }
  result<void> freeze(const run_id&, const std::vector<progress_row>&) override { return called("freeze"); }
  result<std::vector<progress_row>> load(const run_id&) override { return marks; }
  result<void> set_stage(const run_id&, const std::string& to) override { return called("stage " + to); }
  result<void> renew(const run_id&) override { return {}; }
  result<std::string> reclaim(const run_id&) override {
    SLUICE_CHECK(called("reclaim"));
    return stage;
  }
  result<run_totals> finish(const run_id&, const dirty_totals&) override {
    SLUICE_CHECK(called("done"));
    return run_totals();
  }
  result<void> release(const run_id&) override { return called("release"); }
  result<void> discard(const run_id&) override { return called("discard"); }

 private:
  result<void> called(std::string what) {
    calls_.push_back(std::move(what));
    return {};
  }
  calls& calls_;
};

/// A destination with two steps before and two behind the data.
class scripted_target : public idle_target {
 public:
  explicit scripted_target(calls& to) : store(to), calls_(to) {}
  scripted_store store;
  bool rows_are_gone = false;

  progress_store* progress() override { return &store; }
  result<void> check_rows(const committed_rows&, bool at_end, const stop_signal&) override {
    calls_.push_back(at_end ? "rows at the end" : "rows");
    return rows_are_gone ? fail(error_kind::conflict, "rows are gone") : result<void>();
  }
  [[nodiscard]] std::vector<target_step> steps_before() const override {
    return {{"b0", true}, {"b1", true}};
  }
  [[nodiscard]] std::vector<target_step> steps_after() const override { return {{"a0", true}, {"a1", true}}; }
  result<void> run_step_before(std::size_t i, const stop_signal&) override {
    calls_.push_back(steps_before()[i].text);
    return {};
  }
  result<void> run_step_after(std::size_t i, const stop_signal&) override {
    calls_.push_back(steps_after()[i].text);
    return {};
  }
  result<void> finish(const stop_signal&) override {
    calls_.emplace_back("finish");
    return {};
  }

 private:
  calls& calls_;
};

class scripted_end : public ::testing::Test {
 protected:
  end_answer ask(const target_command& c) { return end.carry_out(c, {}); }
  /// Empty where it succeeded.
  static std::string code_of(const end_answer& answer) {
    const auto* failed = std::get_if<end_failed>(&answer);
    return failed == nullptr ? "" : failed->why.code.empty() ? failed->why.message : failed->why.code;
  }
  static progress_row split(bool done) {
    progress_row row;
    row.at.done = done;
    return row;
  }
  /// A start's claim of run 1, which was decided on knowing run 2.
  static target_claim new_claim(std::size_t splits = 1) {
    target_claim c;
    c.mine.run = run_id::make(1, 1, 1);
    c.mine.job_key = "key";
    c.mine.instance = "instance";
    c.splits.resize(splits);
    c.known = {run_id::make(2, 2, 2)};
    return c;
  }
  /// Describes the destination again and says that rows are written.
  void begin_data(bool loading = true) {
    target_before before;
    before.loading = loading;
    before.source_columns = std::make_shared<const schema>();
    EXPECT_EQ(code_of(ask(before)), "");
  }
  target_after after(bool again = false, std::optional<std::size_t> first_step = std::nullopt) {
    target_after a;
    a.first_step = first_step;
    a.again = again;
    return a;
  }

  calls called;
  std::shared_ptr<scripted_target> to = std::make_shared<scripted_target>(called);
  target_end end{to, std::make_shared<idle_source>(), std::chrono::seconds(20)};
};

TEST_F(scripted_end, does_not_do_once_more_what_another_start_did_since_this_one_looked) {
  run_row other;
  other.run = run_id::make(3, 3, 3);
  other.job_key = "key";
  other.instance = "instance";
  other.stage = "done";
  to->store.runs = {{other}};
  EXPECT_EQ(code_of(ask(new_claim())), "came_between");
  EXPECT_THAT(called, ElementsAre("claim", "discard"));
  called.clear();
  other.run = run_id::make(2, 2, 2);
  to->store.runs = {{other}};
  EXPECT_EQ(code_of(ask(new_claim())), "");
  EXPECT_THAT(called, ElementsAre("claim", "freeze"));
}

TEST_F(scripted_end, empties_nothing_that_another_run_has_half_written_since_this_start_looked) {
  run_row other;
  other.run = run_id::make(3, 3, 3);
  other.job_key = "another key";
  other.stage = "loading";
  other.output = "orders";
  other.written = 5;
  to->store.runs = {{other}};
  target_claim claim = new_claim();
  claim.mine.output = "orders";
  claim.mine.empties = true;
  for (const char* stage : {"claimed", "pre:1", "pre:0 begun 1"}) {
    claim.mine.stage = stage;
    called.clear();
    EXPECT_EQ(code_of(ask(claim)), "came_between") << stage;
    EXPECT_THAT(called, ElementsAre("claim", "discard"));
    called.clear();
    target_claim again = claim;
    again.seen = again.mine;
    EXPECT_EQ(code_of(ask(again)), "came_between") << stage;
    EXPECT_THAT(called, ElementsAre("release"));
  }
  target_claim behind = claim;
  behind.mine.stage = "loading";
  behind.seen = behind.mine;
  EXPECT_EQ(code_of(ask(behind)), "");
  claim.mine.stage = "claimed";
  run_row done = other;
  done.stage = "done";
  run_row elsewhere = other;
  elsewhere.output = "customers";
  run_row without_rows = other;
  without_rows.written = 0;
  to->store.runs = {{done, elsewhere, without_rows}};
  EXPECT_EQ(code_of(ask(claim)), "");
  to->store.runs = {{other}};
  claim.mine.empties = false;
  EXPECT_EQ(code_of(ask(claim)), "");
}

TEST_F(scripted_end, waits_for_the_session_of_a_process_that_was_killed_on_another_host) {
  run_row killed;
  killed.job_key = "key";
  killed.owner = claim_owner{"another host", 1, "then", "7"};
  killed.held = true;
  run_row gone = killed;
  gone.held = false;
  to->store.runs = {{killed}, {gone}};
  const end_answer answer = ask(target_open{std::make_shared<const schema>(), "key", "job"});
  const auto* opened = std::get_if<target_opened>(&answer);
  ASSERT_NE(opened, nullptr);
  ASSERT_EQ(opened->runs.size(), 1U);
  EXPECT_FALSE(opened->runs[0].held);
  EXPECT_EQ(to->store.looks, 2);
}

TEST_F(scripted_end, runs_the_steps_before_the_data_once_and_then_says_that_it_loads) {
  target_before c;
  c.source_columns = std::make_shared<const schema>();
  c.first_step = 1;
  EXPECT_EQ(code_of(ask(c)), "");
  EXPECT_THAT(called, ElementsAre("b1", "rows", "stage loading"));
  called.clear();
  c.loading = true;
  c.first_step = 0;
  EXPECT_EQ(code_of(ask(c)), "");
  EXPECT_THAT(called, ElementsAre("rows"));
}

TEST_F(scripted_end, misses_rows_before_and_behind_the_data) {
  to->rows_are_gone = true;
  target_before c;
  c.source_columns = std::make_shared<const schema>();
  c.loading = true;
  EXPECT_EQ(code_of(ask(c)), "rows are gone");
  to->rows_are_gone = false;
  begin_data();
  to->rows_are_gone = true;
  called.clear();
  EXPECT_EQ(code_of(ask(after())), "rows are gone");
  EXPECT_THAT(called, ElementsAre("rows at the end"));
}

TEST_F(scripted_end, records_that_its_steps_begin_before_the_first_one_runs) {
  begin_data();
  called.clear();
  EXPECT_EQ(code_of(ask(after())), "");
  EXPECT_THAT(called, ElementsAre("rows at the end", "finish", "stage " + stage_behind(to->steps_after(), 0),
                                  "a0", "a1", "done"));
}

TEST_F(scripted_end, goes_on_at_the_step_that_the_stage_names_once_the_connection_is_back) {
  begin_data();
  called.clear();
  to->store.stage = stage_behind(to->steps_after(), 1);
  EXPECT_EQ(code_of(ask(after(true))), "");
  EXPECT_THAT(called, ElementsAre("reclaim", "finish", "a1", "done"))
      << "a step may have put the rows elsewhere";
}

TEST_F(scripted_end, does_nothing_more_where_the_lost_answer_was_that_it_is_done) {
  begin_data();
  called.clear();
  to->store.stage = "done";
  const end_answer answer = ask(after(true, 1));
  EXPECT_TRUE(std::holds_alternative<target_finished>(answer));
  EXPECT_THAT(called, ElementsAre("reclaim"));
}

TEST_F(scripted_end, is_not_done_where_the_destination_has_lost_a_split_that_it_had_confirmed) {
  EXPECT_EQ(code_of(ask(new_claim(2))), "");
  begin_data();
  for (const std::vector<progress_row>& left :
       {std::vector<progress_row>{split(true)}, {split(true), split(false)}}) {
    called.clear();
    to->store.marks = left;
    EXPECT_EQ(code_of(ask(after())), marks_lost_code);
    EXPECT_THAT(called, IsEmpty());
  }
  to->store.marks = {split(true), split(true)};
  EXPECT_EQ(code_of(ask(after())), "");
}

}  // namespace
}  // namespace sluice
