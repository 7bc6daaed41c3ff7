#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "actors/supervise/run_core.h"
#include "tests/unit/actors/run_kit.h"

namespace sluice::testing {

using std::chrono::seconds;

/// Keeps what the core asks of both ends and its pipelines; the time is the test's.
class recorded_out : public run_out {
 public:
  void to_source(source_command c) override { asked_of_source.push_back(std::move(c)); }
  void to_target(target_command c) override { asked.push_back(std::move(c)); }
  void start_dirty(const run_id&, bool, std::optional<run_id>, std::optional<std::uint64_t>,
                   const std::vector<mark>&) override {}
  void make_reader(std::uint32_t, std::shared_ptr<reader>, schema_ptr, const memory_plan&,
                   const run_id&) override {}
  void prime(std::uint32_t, const rewind_msg& at) override { primed.push_back(at.split.value); }
  void make_pipeline(std::uint32_t, std::shared_ptr<writer>, std::shared_ptr<const mapping>,
                     const memory_plan&, const run_id&, const delivery_choice&) override {}
  void assign(std::uint32_t, assign_msg m) override { assigned.push_back(std::move(m)); }
  void reopen(std::uint32_t, reopen_msg) override {}
  void stop_reading() override { stopped = true; }
  void stop_pipeline(std::uint32_t) override {}
  void seal_errors(const error_seal&) override {}
  void interrupt() override {}
  void over(run_summary s, bool) override { ended = std::move(s); }
  [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return time; }
  [[nodiscard]] std::shared_ptr<const pipeline_activity> activity_of(std::uint32_t) const override {
    return board;
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

  template <class Command>
  [[nodiscard]] const Command* last_of_source() const {
    return asked_of_source.empty() ? nullptr : std::get_if<Command>(&asked_of_source.back());
  }

  std::vector<target_command> asked;
  std::vector<source_command> asked_of_source;
  std::vector<assign_msg> assigned;
  std::vector<std::uint32_t> primed;
  std::optional<run_summary> ended;
  std::shared_ptr<pipeline_activity> board;
  bool stopped = false;
  std::chrono::steady_clock::time_point time{seconds(1000)};
};

/// A run of one pipeline whose core is told what a test says.
class run_of_core : public ::testing::Test {
 protected:
  run_of_core() {
    what.speed.concurrent = 1;
    config.what = &what;
    config.settings.run = run_id::make(1, 2, 3);
    config.settings.retries_max = 3;
    config.conversion.zone = *time_zone::find("UTC");
    config.me = {"host", 1, "start", ""};
  }

  static target_description described() {
    target_description d = *made_target().open(*made_source().open({})->columns, {});
    d.exactly_once = true;
    return d;
  }
  /// Both ends are open.
  void open(target_opened found) {
    core = std::make_unique<run_core>(config, out, observer);
    core->start();
    say(source_opened{*made_source().open({})});
    say(std::move(found));
  }
  /// Two splits are planned, and the first batch is being read.
  void plan() {
    made_source two;
    two.splits = 2;
    say(source_planned{*two.plan_splits(1, {}), {"one snapshot", "one snapshot"}});
    say(readers_made{{nullptr}});
  }
  /// The first batch is there, and the claim was taken.
  void take_claim() {
    core->on(reader_primed{1, 0, false});
    say(target_claimed{1});
  }

  void say(end_answer answer) { core->on(answer); }
  /// The data has begun.
  void load() {
    say(target_ready{described()});
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
  void stop() { core->on(stop_request{{error_kind::cancelled, "stopped on request", "", false}}); }
  /// What was asked for a stop, or has failed, has come to rest; the claim is given back.
  void end() {
    core->on(writer_stopped{0});
    core->on(error_sealed{});
    say(target_released{});
    ASSERT_TRUE(out.ended);
  }

  job what;
  run_core::config config;
  recorded_out out;
  collecting_observer observer;
  std::unique_ptr<run_core> core;
};

/// Two splits are planned, and the first batch is being read.
class begun_run : public run_of_core {
 protected:
  begun_run() {
    target_opened found;
    found.what = described();
    found.has_store = true;
    open(std::move(found));
    plan();
  }
};

/// It has its claim; `before` is asked of the destination.
class claimed_run : public begun_run {
 protected:
  claimed_run() { take_claim(); }
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

}  // namespace sluice::testing
