#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <stdexcept>
#include <thread>

#include "tests/unit/actors/run_kit.h"

namespace sluice {
namespace {

using namespace sluice::testing;

TEST(run, every_record_is_read_written_and_accounted_for) {
  threaded_run r;
  r.from->splits = 7;
  r.from->records = 10'000;
  r.what.speed.concurrent = 3;
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::succeeded);
  EXPECT_EQ(s.counts.read, 70'000u);
  EXPECT_EQ(s.counts.written, 70'000u);
  EXPECT_EQ(s.counts.bytes, 7'000'000u);
  EXPECT_EQ(s.sums.read, s.sums.written);
  EXPECT_EQ(s.splits_done, 7u);
  EXPECT_EQ(s.concurrency_peak, 3u);
  EXPECT_TRUE(r.to->finished);
  EXPECT_FALSE(r.to->abandoned);
}

TEST(run, concurrency_is_what_was_asked_or_what_there_is_to_read_with_its_reason) {
  threaded_run r;
  r.from->splits = 2;
  r.what.speed.concurrent = 8;
  const run_summary s = r.run();
  EXPECT_EQ(s.concurrency_asked, 8u);
  EXPECT_LE(s.concurrency_peak, 2u);
  EXPECT_EQ(s.concurrency_reason, "2 of 8 asked for: there are 2 splits to read");
}

TEST(run, an_exception_of_a_plugin_ends_the_run_and_is_told) {
  for (const std::string_view at :
       {"source open", "reader open", "read", "connect", "target open", "writer open", "commit", "finish"}) {
    threaded_run r;
    const auto throws = [at](std::string_view call) {
      if (call == at) {
        throw std::runtime_error("of a library");
      }
    };
    r.from->at_call = throws;
    r.to->at_call = throws;
    const run_summary s = r.run();
    EXPECT_EQ(s.state, run_state::failed) << at;
    ASSERT_TRUE(s.failure) << at;
    EXPECT_EQ(s.failure->kind, error_kind::internal) << at;
    EXPECT_NE(s.failure->message.find("an unexpected exception: of a library; please report it"),
              std::string::npos)
        << s.failure->message;
  }
  threaded_run r;
  r.to->on_write = [](const batch&) -> result<write_answer> { throw std::bad_alloc(); };
  const run_summary s = r.run();
  ASSERT_TRUE(s.failure);
  EXPECT_EQ(s.failure->kind, error_kind::no_room);
}

TEST(run, an_exception_beside_the_plugins_ends_the_run_too) {
  struct broken_observer : collecting_observer {
    void progress(const progress_snapshot&) override { throw std::runtime_error("of the display"); }
  };
  broken_observer broken;
  threaded_run of_supervisor;
  of_supervisor.env->observer = &broken;
  of_supervisor.from->at_call = [](std::string_view) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until progress is shown
  };
  const run_summary s = of_supervisor.run();
  ASSERT_TRUE(s.failure);
  EXPECT_NE(s.failure->message.find("of the display"), std::string::npos) << s.failure->message;

  struct broken_store : counting_store {
    result<void> append(split_index, epoch_number, std::span<const dirty_record>) override {
      throw std::runtime_error("of the dirty file");
    }
  };
  threaded_run of_dirty_file;
  of_dirty_file.env->settings.stop_timeout = std::chrono::milliseconds(50);
  of_dirty_file.env->open_dirty = [](const run_id&, bool,
                                     std::optional<run_id>) -> result<std::unique_ptr<dirty_store>> {
    return std::make_unique<broken_store>();
  };
  of_dirty_file.to->on_write = [](const batch& b) -> result<write_answer> {
    write_answer a;
    a.written = b.rows - 1;
    a.refused.push_back({0, "t", "code", "refused"});
    a.written_sum = b.rows_sum;
    a.written_sum -= canonical_sum(b.columns, *b.columns_schema, 0, 1);
    return a;
  };
  const run_summary d = of_dirty_file.run();
  ASSERT_TRUE(d.failure);
  EXPECT_NE(d.failure->message.find("of the dirty file"), std::string::npos) << d.failure->message;
}

TEST(run, nothing_changes_at_the_destination_before_the_source_has_delivered_its_first_batch) {
  threaded_run r;
  r.to->before = {{"DELETE FROM t", true}};
  r.from->first_read = error{error_kind::denied, "no right to read", "", false};
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::failed);
  ASSERT_TRUE(s.failure);
  EXPECT_EQ(s.failure->kind, error_kind::denied);
  EXPECT_EQ(r.to->changes, 0);
  EXPECT_EQ(s.how_to_go_on, "Nothing was changed at the destination.");
}

TEST(run, an_expectation_that_is_known_to_fail_fails_before_anything_changes) {
  threaded_run r;
  r.from->records = 100;
  r.what.expect.min_records = 101;
  const run_summary s = r.run();
  EXPECT_EQ(s.failure->code, "expect");
  EXPECT_EQ(r.to->changes, 0);
}

TEST(run, an_expectation_that_the_first_batches_decide_fails_before_anything_changes) {
  for (const std::uint64_t splits : {1, 3}) {
    for (const std::uint64_t records : {0, 2, 4}) {
      threaded_run r;
      r.from->counts_known = false;
      r.from->splits = static_cast<std::uint32_t>(splits);
      r.from->records = records;
      r.to->before = {{"DELETE FROM t", true}};
      r.what.expect.min_records = splits * records + 1;
      const run_summary s = r.run();
      ASSERT_TRUE(s.failure);
      EXPECT_EQ(s.failure->code, "expect");
      EXPECT_EQ(r.to->changes, 0) << splits << " splits of " << records;
      EXPECT_EQ(s.how_to_go_on, "Nothing was changed at the destination.");
    }
  }
  threaded_run r;
  r.from->counts_known = false;
  r.from->splits = 3;
  r.from->records = 2;
  r.what.expect.max_records = 3;
  const run_summary s = r.run();
  EXPECT_EQ(r.to->changes, 0);
  EXPECT_NE(s.failure->message.find("at most 3 records are expected, but the source has at least 4"),
            std::string::npos)
      << s.failure->message;
}

TEST(run, a_look_at_the_first_batches_loses_and_doubles_nothing) {
  for (const std::uint32_t concurrent : {1, 2}) {
    threaded_run r;
    r.from->counts_known = false;
    r.from->splits = 5;
    r.from->records = 3;
    r.what.speed.concurrent = concurrent;
    r.what.expect.min_records = 7;
    r.what.expect.max_records = 15;
    const run_summary s = r.run();
    EXPECT_EQ(s.state, run_state::succeeded) << (s.failure ? s.failure->message : "");
    EXPECT_EQ(s.counts.written, 15u);
  }
}

TEST(run, a_refused_row_beyond_the_limit_stops_the_run_and_no_batch_is_written_after_the_stop) {
  threaded_run r;
  r.from->records = 1'000'000;
  r.what.errors.records = 0;
  std::atomic<int> batches = 0;
  r.to->on_write = [&](const batch& b) -> result<write_answer> {
    ++batches;
    write_answer a;
    a.written = b.rows - 1;
    a.refused.push_back({0, "t", "too_bad", "it is refused"});
    return a;
  };
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::failed);
  EXPECT_EQ(s.failure->code, "errorLimit");
  EXPECT_NE(s.failure->message.find("dirty record 1 crossed it: split 0 record 0 column t: it is refused"),
            std::string::npos)
      << s.failure->message;
  // Within one credit window: what was on its way when the first record was refused.
  const memory_plan memory = divide_memory(r.env->settings.memory_bytes, 1, {});
  EXPECT_LE(r.from->records_made.load() * 100, 2 * memory.window_bytes + 4 * memory.batch_bytes_max);
  EXPECT_TRUE(r.to->abandoned);
  ASSERT_FALSE(r.observer.first_dirty.empty());
  EXPECT_EQ(s.dirty_by_code.at("too_bad"), static_cast<std::uint64_t>(batches.load()));
}

TEST(run, records_refused_within_the_limit_are_kept_and_the_run_succeeds_with_them) {
  threaded_run r;
  r.from->records = 1000;
  r.to->on_write = [&](const batch& b) -> result<write_answer> {
    write_answer a;
    a.written = b.rows - 1;
    a.refused.push_back({0, "t", "too_bad", "it is refused"});
    a.written_sum = canonical_sum(b.columns, *b.columns_schema, 1, b.rows);
    return a;
  };
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::succeeded_with_dirty) << (s.failure ? s.failure->message : "");
  EXPECT_GT(s.counts.dirty, 0u);
  EXPECT_EQ(s.counts.read, s.counts.written + s.counts.dirty);
  EXPECT_EQ(s.sums.read, s.sums.written + s.sums.dirty);
  EXPECT_EQ(s.only_reason, "column t: it is refused");
}

TEST(run, with_a_stuck_writer_the_reader_stands_still_and_the_bytes_held_stay_within_the_budget) {
  threaded_run r;
  r.from->splits = 2;
  r.from->records = 10'000'000;
  r.what.speed.concurrent = 2;
  r.env->settings.memory_bytes = std::uint64_t{16} << 20;
  r.env->settings.stop_timeout = std::chrono::milliseconds(100);
  std::mutex mutex;
  std::condition_variable released;
  bool open = false;
  r.to->on_write = [&](const batch&) -> result<write_answer> {
    std::unique_lock lock(mutex);
    released.wait(lock, [&] { return open; });
    return fail(error_kind::cancelled, "let go");
  };
  r.start();
  // Until nothing is made any more for a while: a reader with credit makes a thousand records in this time.
  std::uint64_t before = ~std::uint64_t{0};
  std::uint64_t now = 0;
  while (before != now || now == 0) {
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    now = r.from->records_made;
  }
  EXPECT_LE(r.env->pool->bytes_held(), r.env->settings.memory_bytes);
  EXPECT_LT(now, 10'000'000u);
  tell(r.supervisor, stop_request{{error_kind::cancelled, "stopped on request", "", false}});
  {
    const std::lock_guard lock(mutex);
    open = true;
  }
  released.notify_all();
  const run_summary s = r.wait();
  EXPECT_EQ(s.state, run_state::stopped);
}

TEST(run, sixteen_pipelines_of_large_records_end_within_the_budget_plus_four_times_the_record) {
  threaded_run r;
  constexpr std::uint64_t record = std::uint64_t{60} << 20;
  r.from->splits = 16;
  r.from->records = 1;
  r.from->record_bytes = record;
  r.what.speed.concurrent = 16;
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::succeeded) << (s.failure ? s.failure->message : "");
  EXPECT_EQ(s.counts.written, 16u);
  EXPECT_LE(s.bytes_held_peak, r.env->settings.memory_bytes + 4 * record);
}

TEST(run, zero_records_are_a_success) {
  threaded_run r;
  r.from->records = 0;
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::succeeded);
  EXPECT_EQ(s.counts.read, 0u);
}

TEST(run, a_stop_request_ends_in_order_and_says_stopped) {
  threaded_run r;
  r.from->records = ~std::uint64_t{0} >> 1;
  r.to->on_write = [&](const batch& b) -> result<write_answer> {
    tell(r.supervisor, stop_request{{error_kind::cancelled, "stopped on request", "", false}});
    write_answer a;
    a.written = b.rows;
    return a;
  };
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::stopped);
  EXPECT_TRUE(s.counts.closes());
}

TEST(run, a_snapshot_that_becomes_older_than_it_may_fails_the_run_by_name) {
  threaded_run r;
  r.from->records = ~std::uint64_t{0} >> 1;
  r.from->snapshot = {std::chrono::steady_clock::now(), std::chrono::milliseconds(1),
                      "job.json: snapshotMax"};
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::failed);
  ASSERT_TRUE(s.failure);
  EXPECT_EQ(s.failure->kind, error_kind::over_limit);
  EXPECT_EQ(s.failure->code, snapshot_max_code);
  EXPECT_EQ(s.failure->message.find("job.json: snapshotMax: the snapshot"), 0U) << s.failure->message;
  EXPECT_NE(s.how_to_go_on.find("a greater snapshotMax"), std::string::npos) << s.how_to_go_on;
}

TEST(run, a_snapshot_without_a_limit_lasts_as_long_as_the_run) {
  threaded_run r;
  r.from->snapshot = {std::chrono::steady_clock::now() - std::chrono::hours(24), std::chrono::milliseconds(0),
                      ""};
  EXPECT_EQ(r.run().state, run_state::succeeded);
}

TEST(run, a_destination_that_loses_a_transaction_is_tried_again_from_the_mark) {
  threaded_run r;
  r.from->records = 50'000;
  std::atomic<int> calls = 0;
  r.to->on_write = [&](const batch& b) -> result<write_answer> {
    if (++calls == 2) {
      return fail(error_kind::busy, "deadlock");
    }
    write_answer a;
    a.written = b.rows;
    return a;
  };
  const run_summary s = r.run();
  EXPECT_EQ(s.state, run_state::succeeded) << (s.failure ? s.failure->message : "");
  EXPECT_EQ(s.rewinds, 1u);
  EXPECT_EQ(s.counts.written, 50'000u);
}

}  // namespace
}  // namespace sluice
