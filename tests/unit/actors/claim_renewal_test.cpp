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
  void prime(std::uint32_t, const rewind_msg&) override {}
  void make_pipeline(std::uint32_t, std::shared_ptr<writer>, std::shared_ptr<const mapping>,
                     const memory_plan&, const run_id&, bool) override {}
  void assign(std::uint32_t, assign_msg) override {}
  void reopen(std::uint32_t, reopen_msg) override {}
  void stop_reading() override { stopped = true; }
  void stop_pipeline(std::uint32_t) override {}
  void seal_errors(const error_seal&) override {}
  void interrupt() override {}
  void over(run_summary, bool) override {}
  [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return time; }
  [[nodiscard]] std::shared_ptr<const pipeline_activity> activity_of(std::uint32_t) const override {
    return nullptr;
  }
  [[nodiscard]] std::uint64_t bytes_held_peak() const override { return 0; }

  [[nodiscard]] std::ptrdiff_t renewals() const {
    return std::count_if(asked.begin(), asked.end(),
                         [](const auto& c) { return std::holds_alternative<target_renew>(c); });
  }

  std::vector<target_command> asked;
  bool stopped = false;
  std::chrono::steady_clock::time_point time{seconds(1000)};
};

/// A run of one split that has its claim; `before` is asked of the destination.
class claimed_run : public ::testing::Test {
 protected:
  claimed_run() {
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
    say(found);
    say(source_planned{*made_source().plan_splits(1, {})});
    say(readers_made{{nullptr}});
    core->on(reader_primed{1, 0, false});
    say(target_claimed{1});
  }

  void say(end_answer answer) { core->on(answer); }
  /// The data has begun.
  void load() {
    say(target_ready{*made_target().open(*made_source().open({})->columns, {})});
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

  job what;
  run_core::config config;
  recorded_out out;
  collecting_observer observer;
  std::unique_ptr<run_core> core;
};

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
}

}  // namespace
}  // namespace sluice
