#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "transport/flow/backoff.h"
#include "transport/flow/budget.h"
#include "transport/flow/credit.h"
#include "transport/flow/rate.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(retry_wait, doubles_up_to_its_bound_which_is_nearer_where_something_is_only_busy) {
  for (std::uint64_t salt = 0; salt < 100; ++salt) {
    std::int64_t doubled = 200;
    for (std::uint32_t tries = 0; tries < 40; ++tries, doubled *= 2) {
      for (const auto& [kind, most] :
           {std::pair{error_kind::not_connected, 10'000}, std::pair{error_kind::busy, 2'000}}) {
        const std::int64_t even = std::min<std::int64_t>(doubled, most);
        const std::int64_t wait = retry_wait(kind, tries, salt).count();
        EXPECT_GE(wait, even * 3 / 4) << tries;
        EXPECT_LE(wait, even * 5 / 4) << tries;
      }
      doubled = std::min<std::int64_t>(doubled, 100'000);
    }
  }
}

TEST(retry_wait, of_all_tries_is_longer_than_a_server_takes_to_start_again) {
  for (std::uint64_t salt = 0; salt < 1000; ++salt) {
    std::chrono::milliseconds all{0};
    for (std::uint32_t tries = 0; tries < retries_max_default; ++tries) {
      all += retry_wait(error_kind::not_connected, tries, salt);
    }
    EXPECT_GT(all, 75s) << salt;
    EXPECT_LT(all, 130s) << salt;
  }
}

TEST(retry_wait, differs_between_the_splits_of_a_run_and_between_runs) {
  const auto waits = [](const run_id& run) {
    std::set<std::int64_t> all;
    for (std::uint32_t split = 0; split < 16; ++split) {
      all.insert(retry_wait(error_kind::not_connected, 6, retry_salt(run, split)).count());
    }
    return all;
  };
  const auto first = waits(run_id::make(1, 2, 3));
  EXPECT_GT(first.size(), 12U);
  EXPECT_NE(waits(run_id::make(1, 2, 4)), first);
}

TEST(credit, a_sender_stops_at_the_window_and_goes_on_by_the_receivers_total) {
  credit_sender sender;
  credit_receiver receiver;
  sender.restart(100);
  receiver.restart(100);
  sender.sent(60);
  EXPECT_FALSE(sender.can_send(41));
  EXPECT_TRUE(sender.can_send(40));
  const auto total = receiver.consume(60, false);
  ASSERT_TRUE(total);
  EXPECT_EQ(*total, 160u);
  EXPECT_TRUE(sender.raise(*total));
  EXPECT_EQ(sender.available(), 100u);
}

TEST(credit, a_small_return_waits_unless_nothing_is_queued) {
  credit_receiver receiver;
  receiver.restart(100);
  EXPECT_FALSE(receiver.consume(10, false));
  EXPECT_EQ(receiver.consume(10, true), 120u);
}

TEST(credit, late_and_repeated_totals_change_nothing) {
  credit_sender sender;
  sender.restart(100);
  EXPECT_TRUE(sender.raise(150));
  EXPECT_FALSE(sender.raise(150));
  EXPECT_FALSE(sender.raise(120));
  EXPECT_EQ(sender.available(), 150u);
}

TEST(credit, an_oversize_batch_is_charged_one_window_on_both_sides) {
  credit_sender sender;
  credit_receiver receiver;
  sender.restart(100);
  receiver.restart(100);
  EXPECT_TRUE(sender.can_send(1'000'000));
  sender.sent(1'000'000);
  EXPECT_EQ(sender.available(), 0u);
  EXPECT_TRUE(sender.raise(*receiver.consume(1'000'000, true)));
  EXPECT_EQ(sender.available(), 100u);
}

/// What passes in `seconds` when every amount passes as soon as it may, in steps of `step`.
double rate_reached(std::uint64_t per_second, std::uint64_t amount, std::chrono::milliseconds step,
                    int seconds) {
  rate_limiter limiter(per_second);
  auto now = rate_limiter::time_point{} + 1h;
  const auto end = now + std::chrono::seconds(seconds);
  double passed = 0;
  for (; now < end; now += step) {
    while (limiter.ready_at() <= now) {
      limiter.take(amount, now);
      passed += static_cast<double>(amount);
    }
  }
  return passed / seconds;
}

TEST(rate, the_long_run_rate_is_within_two_percent_whatever_the_amounts) {
  for (const std::uint64_t rate : {1u << 20, 10u << 20, 50u << 20}) {
    for (const std::uint64_t amount : {1000u, 13'107u, 524'288u}) {
      for (const auto step : {1ms, 7ms}) {
        EXPECT_NEAR(rate_reached(rate, amount, step, 60) / static_cast<double>(rate), 1.0, 0.02)
            << rate << " " << amount << " " << step.count();
      }
    }
  }
}

TEST(rate, an_idle_hour_saves_up_no_more_than_the_burst) {
  rate_limiter limiter(1'000'000, 50ms);
  auto now = rate_limiter::time_point{} + 1h;
  limiter.take(1, now);
  now += 1h;
  std::uint64_t at_once = 0;
  while (limiter.ready_at() <= now) {
    limiter.take(1000, now);
    at_once += 1000;
  }
  EXPECT_LE(at_once, 51'000u);
}

TEST(budget, all_pipelines_together_stay_within_the_memory_given) {
  for (const std::uint64_t memory : {8ull << 20, 160ull << 20, 4ull << 30}) {
    for (const std::uint32_t pipelines : {1u, 3u, 16u}) {
      const memory_plan plan = divide_memory(memory, pipelines, {});
      EXPECT_LE(plan.batch_bytes_max * memory_plan::units_per_pipeline * pipelines, memory);
      EXPECT_GE(plan.window_bytes, 4 * plan.batch_bytes_max);
      EXPECT_LT(plan.batch_bytes_target, plan.batch_bytes_max);
    }
  }
}

TEST(budget, a_throttled_batch_is_fifty_milliseconds_of_the_pipelines_share) {
  EXPECT_EQ(divide_memory(160ull << 20, 4, {.bytes_per_second = 1 << 20}).batch_bytes_target,
            (1u << 20) / 20 / 4);
  const auto rows_of = [](std::uint64_t records_per_second) {
    return divide_memory(160ull << 20, 4, {.records_per_second = records_per_second}).batch_rows_max;
  };
  EXPECT_EQ(rows_of(8'000), 100u);
  EXPECT_EQ(rows_of(10), 1u);
  EXPECT_EQ(rows_of(1'000'000'000), memory_plan::batch_rows_most);
  EXPECT_EQ(divide_memory(160ull << 20, 4, {}).batch_rows_max, memory_plan::batch_rows_most);
}

TEST(overdraft, it_is_lent_to_one_at_a_time_in_the_order_asked) {
  overdraft o;
  EXPECT_TRUE(o.ask(1));
  EXPECT_FALSE(o.ask(2));
  EXPECT_FALSE(o.ask(3));
  EXPECT_EQ(o.give_back(), 2u);
  EXPECT_EQ(o.give_back(), 3u);
  EXPECT_EQ(o.give_back(), std::nullopt);
  EXPECT_TRUE(o.ask(4));
}

}  // namespace
}  // namespace sluice
