#include "actors/pipeline/writer_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/api/read_again.h"
#include "tests/unit/actors/cores_test_kit.h"

namespace sluice {
namespace {

using namespace sluice::testing;

const epoch_number first_epoch = epoch_number::make(1, 1, 0);

class writer_core_test : public ::testing::Test {
 protected:
  void begin(std::uint64_t commit_rows = 1000) {
    writer_core::config c;
    c.memory = divide_memory(16 << 20, 1, {});
    c.memory.dirty_bytes_max = std::min(c.memory.dirty_bytes_max, dirty_bytes_max);
    c.commit_rows = commit_rows;
    c.commit_bytes = commit_bytes;
    c.line_at = line_at;
    c.retries_max = retries_max;
    c.whole = whole;
    c.whole_max = whole_max;
    c.may_repeat = may_repeat;
    c.remembers = remembers;
    core = std::make_unique<writer_core>(c, plugin, log);
    core->assign({7}, {}, first_epoch, false, never);
  }
  void opened() { core->dropped({{7}, epoch()}); }
  epoch_number epoch() { return log.drops.back().epoch; }
  /// As of a reader that makes no cursors.
  batch_ptr whole_numbers(std::int64_t first, std::uint32_t count, std::uint64_t sequence, bool end = false) {
    auto b = numbers(first, count, sequence, epoch(), end);
    b->after.reset();
    return b;
  }

  std::shared_ptr<scripted_writer> plugin = std::make_shared<scripted_writer>();
  writer_log log;
  decltype(writer_core::config::line_at) line_at;
  std::uint64_t commit_bytes = std::uint64_t{64} << 20;
  std::uint64_t dirty_bytes_max = ~std::uint64_t{0};
  std::uint32_t retries_max = retries_max_default;
  whole_splits whole = whole_splits::one_transaction;
  transaction_bound whole_max;
  bool may_repeat = false;
  bool remembers = false;
  std::unique_ptr<writer_core> core;
  stop_signal never;
};

TEST_F(writer_core_test,
       the_reader_is_sent_to_the_mark_only_after_the_error_actor_has_dropped_what_is_above_it) {
  plugin->durable.position = 5;
  plugin->durable.after = cursor{{"next", {std::int64_t{5}}}};
  begin();
  ASSERT_EQ(log.drops.size(), 1u);
  EXPECT_EQ(log.drops[0].position, 5u);
  EXPECT_TRUE(log.rewinds.empty());
  opened();
  ASSERT_EQ(log.rewinds.size(), 1u);
  EXPECT_EQ(log.rewinds[0].position, 5u);
  EXPECT_EQ(log.rewinds[0].after, plugin->durable.after);
}

TEST_F(writer_core_test, a_dirty_record_whose_line_nobody_knows_has_it_counted_by_its_byte) {
  line_at = [](const std::string& file, std::uint64_t byte_offset, const stop_signal&) {
    return file == "orders.csv" ? std::optional(byte_offset / 10 + 1) : std::nullopt;
  };
  begin();
  opened();
  auto b = std::make_shared<batch>(*numbers(0, 3, 1, epoch()));
  for (const auto& [position, source, line] :
       std::initializer_list<std::tuple<std::uint64_t, std::string, std::optional<std::uint64_t>>>{
           {3, "orders.csv", std::nullopt}, {4, "orders.csv", 99}, {5, "gone.csv", std::nullopt}}) {
    dirty_record d;
    d.position = position;
    d.source = source;
    d.line = line;
    d.byte_offset = 10 * position;
    b->dirty.push_back(std::move(d));
  }
  b->records_read = 6;
  core->take(b, never);
  ASSERT_EQ(log.reports.size(), 1u);
  const auto& records = log.reports[0].records;
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].line, 4u);
  EXPECT_EQ(records[1].line, 99u) << "known already";
  EXPECT_FALSE(records[2].line);
}

TEST_F(writer_core_test, a_mark_has_the_changes_and_dirty_bytes_of_its_whole_split_each_once) {
  plugin->durable.changes = {{{0, change_rule::fraction_cut}, 5}};  // by an earlier process
  plugin->durable.counts.dirty_bytes = 100;
  begin();
  opened();
  const auto changed = [](std::shared_ptr<batch> b) {
    b->changes = {{{0, change_rule::fraction_cut}, 2}, {{0, change_rule::rounded}, 1}};
    dirty_record d;
    d.position = b->position_first + b->rows;
    d.record_bytes = 30;
    b->dirty.push_back(std::move(d));
    ++b->records_read;
    b->filtered_bytes = 4;
    return b;
  };
  plugin->next_write = {{error_kind::not_connected, "lost", "", false}};
  core->take(changed(numbers(0, 3, 1, epoch())), never);
  ASSERT_EQ(log.losses.size(), 1u);
  core->retry(never);
  opened();
  core->take(changed(numbers(0, 3, 1, epoch())), never);
  core->commit_timer(never);
  ASSERT_FALSE(log.syncs.empty());
  core->synced({{7}, epoch(), 1}, never);
  ASSERT_EQ(log.commits.size(), 1u);
  const change_counts expected = {{{0, change_rule::fraction_cut}, 7}, {{0, change_rule::rounded}, 1}};
  EXPECT_EQ(log.commits[0].changes, expected);
  EXPECT_EQ(log.commits[0].counts.dirty_bytes, 130u);
  EXPECT_EQ(log.commits[0].counts.filtered_bytes, 4u);
}

TEST_F(writer_core_test, a_mark_has_what_the_destination_made_of_the_records_of_its_whole_split_each_once) {
  plugin->durable.counts.read = plugin->durable.counts.written = 5;  // by an earlier process
  plugin->durable.position = 5;
  plugin->durable.after = cursor{{"next", {std::int64_t{5}}}};
  plugin->durable.parts = {2, 1, 0, 0};
  plugin->parts = {1, 2, 0, 0};
  plugin->changes = {{{0, change_rule::nul_removed}, 1}};
  begin();
  opened();
  plugin->next_write = {{error_kind::not_connected, "lost", "", false}};
  core->take(numbers(5, 3, 1, epoch()), never);
  core->retry(never);
  opened();
  core->take(numbers(5, 3, 1, epoch(), true), never);
  ASSERT_EQ(log.commits.size(), 1u);
  EXPECT_EQ(log.commits[0].parts, (written_parts{3, 3, 0, 0}));
  EXPECT_EQ(log.commits[0].changes, plugin->changes);
  EXPECT_TRUE(log.commits[0].sums.changed) << "what arrived is not what was read";
}

TEST_F(writer_core_test, a_destination_that_made_more_of_the_records_than_it_was_given_is_not_believed) {
  plugin->parts = {3, 1, 0, 0};
  begin();
  opened();
  core->take(numbers(0, 3, 1, epoch(), true), never);
  EXPECT_TRUE(log.commits.empty());
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_NE(log.failures[0].message.find("(inserted=3,updated=1)"), std::string::npos);
}

TEST_F(writer_core_test, a_split_that_is_done_already_is_not_read_again) {
  plugin->durable.done = true;
  begin();
  opened();
  EXPECT_TRUE(log.rewinds.empty());
  ASSERT_EQ(log.commits.size(), 1u);
  EXPECT_TRUE(log.commits[0].done);
  EXPECT_TRUE(core->idle());
}

TEST_F(writer_core_test, the_end_of_a_split_commits_rows_and_a_mark_whose_account_closes) {
  begin();
  opened();
  core->take(numbers(0, 10, 1, epoch()), never);
  core->take(numbers(10, 5, 2, epoch(), true), never);
  ASSERT_EQ(plugin->commits.size(), 1u);
  const mark& m = plugin->commits[0];
  EXPECT_TRUE(m.done);
  EXPECT_EQ(m.counts.read, 15u);
  EXPECT_EQ(m.counts.written, 15u);
  EXPECT_EQ(m.transaction, 1u);
  EXPECT_TRUE(m.counts.closes());
  EXPECT_EQ(m.sums.read, m.sums.written);
  EXPECT_EQ(plugin->rows.size(), 15u);
}

TEST_F(writer_core_test, totals_in_marks_grow_and_transaction_numbers_count_up) {
  begin(10);
  opened();
  core->take(numbers(0, 10, 1, epoch()), never);
  core->take(numbers(10, 10, 2, epoch()), never);
  ASSERT_EQ(plugin->commits.size(), 2u);
  EXPECT_EQ(plugin->commits[1].counts.read, 20u);
  EXPECT_EQ(plugin->commits[1].transaction, 2u);
  EXPECT_EQ(plugin->commits[1].after, (cursor{{"next", {std::int64_t{20}}}}));
}

TEST_F(writer_core_test, repeats_are_dropped_and_a_gap_goes_back_to_the_mark_under_the_next_epoch) {
  begin();
  opened();
  core->take(numbers(0, 10, 1, epoch()), never);
  core->take(numbers(0, 10, 1, epoch()), never);
  EXPECT_EQ(plugin->buffer.size(), 10u);
  core->take(numbers(20, 10, 3, epoch()), never);
  EXPECT_EQ(plugin->rollbacks, 1);
  EXPECT_EQ(log.losses.size(), 1u);
  EXPECT_TRUE(plugin->buffer.empty());
  core->retry(never);
  EXPECT_EQ(epoch(), first_epoch.next());
  core->take(numbers(30, 10, 4, first_epoch), never);
  EXPECT_TRUE(plugin->buffer.empty()) << "a batch of the old epoch was written";
}

TEST_F(writer_core_test, what_is_of_the_former_epoch_counts_nothing_once_the_split_is_open_again) {
  begin();
  opened();
  core->reopen(first_epoch, {error_kind::not_connected, "gone", "", false});
  core->retry(never);
  opened();
  ASSERT_EQ(epoch(), first_epoch.next());
  core->take(numbers(0, 10, 1, first_epoch), never);
  EXPECT_TRUE(plugin->buffer.empty()) << "a batch of the old epoch was written";
  core->reopen(first_epoch, {error_kind::not_connected, "gone", "", false});
  EXPECT_EQ(log.losses.size(), 1u) << "the reader of the old epoch has failed, not this one";
  core->take(numbers(0, 10, 1, epoch()), never);
  EXPECT_EQ(plugin->buffer.size(), 10u);
}

TEST_F(writer_core_test, a_sender_that_has_sent_more_than_came_is_answered_by_a_rewind) {
  begin();
  opened();
  core->sent({{7}, epoch(), 0, false});
  EXPECT_EQ(log.losses.size(), 0u);
  core->sent({{7}, epoch(), 1, true});
  EXPECT_EQ(log.losses.size(), 1u);
}

TEST_F(writer_core_test, a_lost_answer_to_a_commit_is_settled_by_open_and_doubles_nothing) {
  begin(10);
  opened();
  plugin->next_commit = {{error_kind::not_connected, "gone", "", false}};
  plugin->commit_is_applied = true;
  core->take(numbers(0, 10, 1, epoch()), never);
  EXPECT_EQ(log.retry_timers, 1);
  core->retry(never);
  opened();
  EXPECT_EQ(log.rewinds.back().position, 10u);
  core->take(numbers(10, 10, 1, epoch(), true), never);
  EXPECT_EQ(plugin->rows.size(), 20u);
  EXPECT_EQ(plugin->durable.counts.read, 20u);
}

TEST_F(writer_core_test,
       rows_refused_by_the_destination_become_dirty_records_in_order_with_those_of_the_batch) {
  begin();
  opened();
  auto b = numbers(0, 3, 1, epoch(), true);
  dirty_record early;
  early.position = 3;
  early.code = "not_a_number";
  b->dirty = {early};
  b->records_read = 4;
  plugin->refuse = {{1, "n", "UNIQUE", "it is there already"}};
  core->take(b, never);
  ASSERT_EQ(log.reports.size(), 1u);
  ASSERT_EQ(log.reports[0].records.size(), 2u);
  EXPECT_EQ(log.reports[0].records[0].position, 1u);
  EXPECT_EQ(log.reports[0].records[0].side, dirty_side::writer);
  EXPECT_EQ(log.reports[0].records[0].value, "1");
  EXPECT_EQ(log.reports[0].records[1].code, "not_a_number");
}

TEST_F(writer_core_test, a_row_refused_for_a_key_of_several_columns_shows_their_values) {
  begin();
  opened();
  plugin->refuse = {{0, "n, n", "UNIQUE", "it is there already"}, {1, "n, m", "UNIQUE", "it is another's"}};
  core->take(numbers(4, 3, 1, epoch(), true), never);
  ASSERT_EQ(log.reports.size(), 1u);
  const auto& records = log.reports[0].records;
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].column, "n, n");
  EXPECT_EQ(records[0].value, "4, 4");
  EXPECT_EQ(records[0].target_type, "int64, int64");
  EXPECT_EQ(records[1].value, std::nullopt);
}

TEST_F(writer_core_test, a_commit_that_covers_dirty_records_waits_until_they_are_durable) {
  begin();
  opened();
  plugin->refuse = {{0, "n", "UNIQUE", "it is there already"}};
  core->take(numbers(0, 3, 1, epoch(), true), never);
  EXPECT_TRUE(plugin->commits.empty());
  ASSERT_EQ(log.syncs.size(), 1u);
  core->synced({{7}, epoch(), log.syncs[0].sequence - 1}, never);
  core->synced({{7}, epoch_number::make(1, 0, 9), log.syncs[0].sequence}, never);
  EXPECT_TRUE(plugin->commits.empty()) << "an answer to another question";
  core->synced({{7}, epoch(), log.syncs[0].sequence}, never);
  ASSERT_EQ(plugin->commits.size(), 1u);
  EXPECT_EQ(plugin->commits[0].counts.dirty, 1u);
  ASSERT_EQ(log.dirty_commits.size(), 1u);
  EXPECT_EQ(log.dirty_commits[0].position, 3u);
}

TEST_F(writer_core_test, a_dirty_file_that_fails_ends_the_split_without_a_commit) {
  begin();
  opened();
  plugin->refuse = {{0, "n", "UNIQUE", "it is there already"}};
  core->take(numbers(0, 3, 1, epoch(), true), never);
  core->dirty_file_failed(epoch(), {error_kind::no_room, "disk full", "", false});
  EXPECT_TRUE(plugin->commits.empty());
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_EQ(log.failures[0].kind, error_kind::no_room);
}

TEST_F(writer_core_test, a_dirty_file_that_fails_is_not_tried_again_whatever_the_failure_is) {
  begin();
  opened();
  plugin->refuse = {{0, "n", "UNIQUE", "it is there already"}};
  core->take(numbers(0, 3, 1, epoch(), true), never);
  core->dirty_file_failed(epoch(), {error_kind::busy, "the disk is busy", "", false});
  EXPECT_TRUE(log.tries.empty());
  EXPECT_EQ(log.failures.size(), 1u);
}

TEST_F(writer_core_test, a_dirty_file_that_fails_ends_no_split_that_does_not_wait_for_it) {
  const error full{error_kind::no_room, "disk full", "", false};
  begin();
  opened();
  plugin->refuse = {{0, "n", "UNIQUE", "it is there already"}};
  core->take(numbers(0, 3, 1, epoch(), true), never);
  core->dirty_file_failed(epoch_number::make(1, 0, 9), full);
  EXPECT_TRUE(log.failures.empty()) << "an answer to another question";
  core->reopen(epoch(), {error_kind::not_connected, "lost", "", false});
  core->dirty_file_failed(epoch(), full);
  EXPECT_TRUE(log.failures.empty()) << "it is read again, and tells then";
}

TEST_F(writer_core_test, a_commit_is_due_by_bytes_too) {
  commit_bytes = 1;
  begin();
  opened();
  core->take(numbers(0, 3, 1, epoch()), never);
  EXPECT_EQ(log.commits.size(), 1u);
}

TEST_F(writer_core_test, a_commit_that_falls_due_where_no_cursor_stands_comes_with_the_next_one) {
  begin();
  opened();
  core->take(whole_numbers(0, 3, 1), never);
  core->commit_timer(never);
  EXPECT_TRUE(log.commits.empty());
  core->take(numbers(3, 3, 2, epoch()), never);
  EXPECT_EQ(log.commits.size(), 1u);
}

TEST_F(writer_core_test, a_commit_that_falls_due_while_the_dirty_file_is_waited_for_comes_behind_it) {
  dirty_bytes_max = 0;
  begin();
  opened();
  for (const bool fires : {false, true}) {
    plugin->refuse = {{0, "n", "UNIQUE", "it is there already"}};
    core->take(numbers(fires ? 3 : 0, 3, fires ? 2 : 1, epoch()), never);
    if (fires) {
      core->commit_timer(never);
    }
    EXPECT_TRUE(log.commits.empty());
    core->synced({{7}, epoch(), log.syncs.back().sequence}, never);
    EXPECT_EQ(log.commits.size(), fires ? 1u : 0u);
  }
}

TEST_F(writer_core_test, the_timer_commits_what_was_written_and_a_stop_commits_its_mark) {
  begin();
  opened();
  core->take(numbers(0, 3, 1, epoch()), never);
  EXPECT_EQ(log.commit_timers, 1);
  core->commit_timer(never);
  EXPECT_EQ(plugin->rows.size(), 3u);
  core->take(numbers(3, 3, 2, epoch()), never);
  core->stop(never);
  EXPECT_EQ(plugin->rows.size(), 6u);
  EXPECT_EQ(log.stops, 1);
  core->take(numbers(6, 3, 3, epoch()), never);
  EXPECT_TRUE(plugin->buffer.empty()) << "a batch was written after the stop";
}

TEST_F(writer_core_test, a_reader_without_cursors_has_its_split_committed_whole) {
  begin(10);
  opened();
  for (std::uint64_t i = 0; i < 5; ++i) {
    auto b = numbers(static_cast<std::int64_t>(10 * i), 10, i + 1, epoch(), i == 4);
    b->after.reset();
    core->take(b, never);
    EXPECT_EQ(plugin->commits.size(), i == 4 ? 1u : 0u);
  }
  EXPECT_EQ(plugin->rows.size(), 50u);
}

TEST_F(writer_core_test, behind_a_deadlock_transactions_are_one_batch_for_a_while) {
  begin(1'000'000);
  opened();
  const auto batches = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      core->take(numbers(static_cast<std::int64_t>(10 * i), 10, i + 1, epoch()), never);
    }
  };
  batches(5);
  EXPECT_EQ(plugin->commits.size(), 0u);
  plugin->next_write = {{error_kind::busy, "deadlock", "", false}};
  core->take(numbers(50, 10, 6, epoch()), never);
  core->retry(never);
  opened();
  batches(40);
  EXPECT_EQ(plugin->commits.size(), 32u);
}

TEST_F(writer_core_test, a_newer_owner_stops_this_pipeline_without_a_retry) {
  begin();
  opened();
  plugin->next_write = {{error_kind::conflict, "a newer epoch", "", false}};
  core->take(numbers(0, 3, 1, epoch()), never);
  EXPECT_EQ(log.retry_timers, 0);
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_EQ(log.failures[0].kind, error_kind::conflict);
}

TEST_F(writer_core_test, retries_end_after_their_number_and_a_plugin_that_waited_itself_is_not_tried_again) {
  retries_max = 3;
  begin();
  opened();
  for (std::uint32_t i = 0; i < 3; ++i) {
    plugin->next_write = {{error_kind::busy, "deadlock", "", false}};
    core->take(numbers(0, 3, 1, epoch()), never);
    ASSERT_EQ(log.tries.size(), i + 1);
    EXPECT_EQ(log.tries[i].number, i + 1);
    EXPECT_EQ(log.tries[i].of, 3U);
    EXPECT_EQ(log.tries[i].wait, log.retry_waits[i]);
    core->retry(never);
    opened();
  }
  plugin->next_write = {{error_kind::busy, "deadlock", "", false}};
  core->take(numbers(0, 3, 1, epoch()), never);
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_EQ(log.failures[0].message, "deadlock; it was tried again 3 times in a row (--retries)");

  writer_log log2;
  auto waited = std::make_shared<scripted_writer>();
  writer_core::config c;
  c.memory = divide_memory(16 << 20, 1, {});
  writer_core other(c, waited, log2);
  other.assign({1}, {}, first_epoch, false, never);
  other.dropped({{1}, first_epoch});
  waited->next_write = {{error_kind::busy, "locked for 30 s", "", true}};
  auto b = numbers(0, 3, 1, first_epoch);
  b->split = {1};
  other.take(b, never);
  EXPECT_EQ(log2.failures.size(), 1u);
  EXPECT_EQ(log2.retry_timers, 0);
}

TEST_F(writer_core_test, a_commit_begins_the_count_of_retries_anew_and_both_ends_are_counted_together) {
  retries_max = 2;
  begin(3);
  opened();
  const auto goes_on = [&] {
    core->retry(never);
    opened();
    EXPECT_TRUE(log.failures.empty());
  };
  for (std::uint32_t i = 0; i < 3; ++i) {
    plugin->next_write = {{error_kind::not_connected, "lost", "", false}};
    core->take(numbers(3 * i, 3, i == 0 ? 1 : 2, epoch()), never);
    EXPECT_EQ(log.tries.back().number, 1U) << i;
    EXPECT_EQ(log.lost_ends.back(), std::optional(dirty_side::writer));
    goes_on();
    core->reopen(epoch(), {error_kind::not_connected, "lost", "", false});
    EXPECT_EQ(log.tries.back().number, 2U) << i;
    EXPECT_EQ(log.lost_ends.back(), std::optional(dirty_side::reader));
    goes_on();
    core->take(numbers(3 * i, 3, 1, epoch()), never);
    EXPECT_EQ(log.commits.size(), i + 1);
  }
}

TEST_F(writer_core_test, without_retries_what_was_lost_ends_the_split_and_a_refused_row_is_still_looked_for) {
  retries_max = 0;
  begin();
  opened();
  plugin->next_write = {{error_kind::busy, "a row was refused", read_again_code, false}};
  core->take(numbers(0, 3, 1, epoch()), never);
  ASSERT_EQ(log.tries.size(), 1u);
  EXPECT_EQ(log.tries[0].number, 0U) << "not counted";
  core->retry(never);
  opened();
  EXPECT_TRUE(log.failures.empty());
  plugin->next_write = {{error_kind::not_connected, "lost", "", false}};
  core->take(numbers(0, 3, 1, epoch()), never);
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_EQ(log.failures[0].message, "lost");
  EXPECT_EQ(log.retry_timers, 1);
}

TEST_F(writer_core_test, a_writer_that_goes_on_carefully_reads_again_at_once_and_without_a_retry) {
  begin();
  opened();
  for (int i = 0; i < 10; ++i) {
    plugin->next_write = {{error_kind::busy, "a row was refused", read_again_code, false}};
    core->take(numbers(0, 3, 1, epoch()), never);
    EXPECT_EQ(log.retry_waits.back(), std::chrono::milliseconds(0));
    core->retry(never);
    opened();
  }
  EXPECT_TRUE(log.failures.empty());
  core->take(numbers(0, 3, 1, epoch()), never);
  EXPECT_TRUE(log.failures.empty());
}

TEST_F(writer_core_test, credit_goes_back_for_what_the_destination_took) {
  begin();
  opened();
  const auto b = numbers(0, 1000, 1, epoch());
  core->take(b, never);
  ASSERT_EQ(log.credits.size(), 1u);
  EXPECT_EQ(log.credits[0].bytes_total, log.rewinds[0].window_bytes + b->bytes_held());
}

// ---- splits whose readers make no cursors

TEST_F(writer_core_test, a_split_without_cursors_is_one_transaction_up_to_its_bound_and_in_parts_beyond) {
  whole = whole_splits::up_to_bound;
  whole_max = {.bytes = 0, .rows = 10};
  begin(4);
  opened();
  core->take(whole_numbers(0, 5, 1), never);
  core->take(whole_numbers(5, 5, 2), never);
  core->commit_timer(never);
  EXPECT_TRUE(log.commits.empty()) << "10 records are within the bound, whatever the interval of marks";
  core->take(whole_numbers(10, 1, 3), never);
  ASSERT_EQ(log.commits.size(), 1u);
  EXPECT_TRUE(is_in_parts(log.commits[0]));
  EXPECT_EQ(log.commits[0].counts.written, 11u);
  EXPECT_EQ(plugin->forbidden, 1) << "a refused row must not cost what stands";
  core->take(whole_numbers(11, 4, 4), never);
  EXPECT_EQ(log.commits.size(), 2u) << "from there on at each interval";
  core->take(whole_numbers(15, 1, 5, true), never);
  ASSERT_EQ(log.commits.size(), 3u);
  EXPECT_TRUE(log.commits[2].done);
  EXPECT_EQ(log.commits[2].counts.read, 16u);
  EXPECT_EQ(plugin->rows.size(), 16u);
}

TEST_F(writer_core_test, a_split_of_one_transaction_has_no_bound) {
  whole_max = {.bytes = 0, .rows = 10};
  begin(4);
  opened();
  for (std::uint64_t i = 0; i < 20; ++i) {
    core->take(whole_numbers(static_cast<std::int64_t>(5 * i), 5, i + 1, i == 19), never);
  }
  ASSERT_EQ(log.commits.size(), 1u);
  EXPECT_EQ(log.commits[0].counts.read, 100u);
}

TEST_F(writer_core_test, what_stands_of_a_split_in_parts_is_not_written_once_more_unasked) {
  whole = whole_splits::up_to_bound;
  whole_max = {.bytes = 0, .rows = 3};
  begin();
  opened();
  core->take(whole_numbers(0, 5, 1), never);
  ASSERT_EQ(log.commits.size(), 1u);
  plugin->next_write = {{error_kind::not_connected, "the server went away", "", false}};
  core->take(whole_numbers(5, 5, 2), never);
  EXPECT_TRUE(log.tries.empty());
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_EQ(log.failures[0].code, rows_stand_code);
  EXPECT_THAT(log.failures[0].message,
              ::testing::HasSubstr("the server went away; 5 rows of the split stand"));
}

TEST_F(writer_core_test, waits_for_the_destination_until_its_next_try_where_that_has_failed) {
  begin();
  opened();
  plugin->next_write = {{error_kind::not_connected, "the server went away", "", false}};
  core->take(numbers(0, 5, 1, epoch()), never);
  EXPECT_TRUE(core->waits_for_destination());
  core->retry(never);
  EXPECT_FALSE(core->waits_for_destination());
  opened();
  core->reopen(epoch(), {error_kind::not_connected, "the source went away", "", false});
  EXPECT_FALSE(core->waits_for_destination());
}

TEST_F(writer_core_test, before_anything_stands_a_split_that_is_lost_is_read_again) {
  whole = whole_splits::up_to_bound;
  whole_max = {.bytes = 0, .rows = 8};
  begin();
  opened();
  core->take(whole_numbers(0, 5, 1), never);
  plugin->next_write = {{error_kind::not_connected, "lost", "", false}};
  core->take(whole_numbers(5, 2, 2), never);
  ASSERT_EQ(log.tries.size(), 1u);
  core->retry(never);
  opened();
  EXPECT_EQ(log.rewinds.back().position, 0u);
  core->take(whole_numbers(0, 5, 1, true), never);
  EXPECT_EQ(log.commits.size(), 1u);
}

TEST_F(writer_core_test, where_it_may_repeat_a_split_in_parts_is_counted_anew_when_it_is_read_again) {
  whole = whole_splits::in_parts;
  may_repeat = true;
  begin(5);
  opened();
  core->take(whole_numbers(0, 5, 1), never);
  ASSERT_EQ(log.commits.size(), 1u);
  plugin->next_write = {{error_kind::busy, "deadlock", "", false}};
  core->take(whole_numbers(5, 5, 2), never);
  ASSERT_EQ(log.tries.size(), 1u);
  core->retry(never);
  EXPECT_EQ(log.drops.back().position, 0u) << "dirty records of the whole split are dropped";
  opened();
  EXPECT_EQ(log.rewinds.back().position, 0u);
  EXPECT_FALSE(log.rewinds.back().after.has_value());
  core->take(whole_numbers(0, 6, 1, true), never);
  ASSERT_EQ(log.commits.size(), 2u);
  EXPECT_EQ(log.commits[1].counts.read, 6u);
  EXPECT_EQ(log.commits[1].counts.written, 6u);
  EXPECT_EQ(log.beside.rows, 5u) << "they stand, and the mark does not count them any more";
  EXPECT_TRUE(log.beside.sure);
}

TEST_F(writer_core_test, rows_beside_the_mark_are_not_sure_where_the_answer_to_their_commit_was_lost) {
  whole = whole_splits::in_parts;
  may_repeat = true;
  for (const bool came : {false, true}) {
    log = {};
    plugin = std::make_shared<scripted_writer>();
    plugin->durable.position = 5;  // by an earlier process
    plugin->durable.counts.read = plugin->durable.counts.written = 5;
    begin(3);
    opened();
    EXPECT_EQ(log.beside.rows, 0u) << "the mark at the destination counts them until the next commit";
    plugin->next_commit = {{error_kind::not_connected, "gone", "", false}};
    plugin->commit_is_applied = came;
    core->take(whole_numbers(0, 3, 1), never);
    core->retry(never);
    opened();
    core->take(whole_numbers(0, 6, 1, true), never);
    ASSERT_EQ(log.commits.size(), 1u);
    EXPECT_EQ(log.beside.rows, came ? 8u : 5u);
    EXPECT_EQ(log.beside.sure, !came);
  }
}

TEST_F(writer_core_test, without_marks_rows_of_a_commit_that_may_have_come_stand_beside) {
  whole = whole_splits::in_parts;
  remembers = may_repeat = true;
  begin(5);
  opened();
  plugin->next_commit = {{error_kind::not_connected, "lost", "", false}};
  core->take(numbers(0, 5, 1, epoch()), never);
  core->retry(never);
  EXPECT_EQ(log.beside.rows, 5u);
  EXPECT_FALSE(log.beside.sure);
}

TEST_F(writer_core_test, what_an_earlier_process_committed_in_parts_is_written_once_more_only_where_told) {
  plugin->durable.position = 5;
  plugin->durable.counts.read = plugin->durable.counts.written = 5;
  whole = whole_splits::up_to_bound;
  whole_max = {.bytes = 0, .rows = 100};
  begin();
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_EQ(log.failures[0].code, rows_stand_code);

  core->assign({7}, {}, first_epoch.next(), true, never);
  ASSERT_FALSE(log.opens.empty());
  EXPECT_EQ(log.opens.back().position, 0u);
  opened();
  core->take(whole_numbers(0, 6, 1, true), never);
  ASSERT_EQ(log.commits.size(), 1u);
  EXPECT_EQ(log.commits[0].counts.read, 6u);
  EXPECT_EQ(log.beside.rows, 5u);
}

TEST_F(writer_core_test, what_was_agreed_to_be_written_once_more_is_not_written_a_third_time) {
  whole = whole_splits::up_to_bound;
  whole_max = {.bytes = 0, .rows = 2};
  for (const bool came : {false, true}) {
    log = {};
    plugin = std::make_shared<scripted_writer>();
    plugin->durable.position = 5;  // by an earlier process
    plugin->durable.counts.read = plugin->durable.counts.written = 5;
    begin();
    log.failures.clear();
    core->assign({7}, {}, first_epoch.next(), true, never);
    opened();
    plugin->next_commit = {{error_kind::not_connected, "gone", "", false}};
    plugin->commit_is_applied = came;
    core->take(whole_numbers(0, 4, 1), never);
    ASSERT_EQ(log.losses.size(), 1u);
    core->retry(never);
    ASSERT_EQ(log.failures.size(), came ? 1u : 0u);
    if (came) {
      EXPECT_EQ(log.failures[0].code, rows_stand_code);
    }
  }
}

TEST_F(writer_core_test, what_was_written_once_more_on_somebodys_word_is_not_meant_by_it_itself) {
  whole = whole_splits::up_to_bound;
  whole_max = {.bytes = 0, .rows = 2};
  plugin->durable.position = 5;  // by an earlier process
  plugin->durable.counts.read = plugin->durable.counts.written = 5;
  begin();
  log.failures.clear();
  core->assign({7}, {}, first_epoch.next(), true, never);
  opened();
  core->take(whole_numbers(0, 4, 1), never);
  ASSERT_EQ(log.commits.size(), 1u);
  plugin->next_write = {{error_kind::not_connected, "gone", "", false}};
  core->take(whole_numbers(4, 1, 2), never);
  EXPECT_TRUE(log.tries.empty());
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_EQ(log.failures[0].code, rows_stand_code);
}

TEST_F(writer_core_test, dirty_records_of_a_split_in_parts_wait_for_its_end) {
  whole = whole_splits::in_parts;
  begin(5);
  opened();
  plugin->refuse = {{2, "n", "refused", "the destination refuses it"}};
  core->take(whole_numbers(0, 5, 1), never);
  ASSERT_EQ(log.syncs.size(), 1u);
  core->synced({{7}, epoch(), 1}, never);
  ASSERT_EQ(log.commits.size(), 1u);
  EXPECT_TRUE(log.dirty_commits.empty()) << "no mark covers them yet";
  core->take(whole_numbers(5, 1, 2, true), never);
  ASSERT_EQ(log.commits.size(), 2u);
  ASSERT_EQ(log.dirty_commits.size(), 1u);
}

TEST_F(writer_core_test, a_stop_commits_nothing_more_of_a_split_in_parts) {
  whole = whole_splits::in_parts;
  begin(5);
  opened();
  core->take(whole_numbers(0, 5, 1), never);
  core->take(whole_numbers(5, 2, 2), never);
  core->stop(never);
  EXPECT_EQ(log.commits.size(), 1u);
  EXPECT_EQ(log.stops, 1);
}

TEST_F(writer_core_test, without_marks_a_split_goes_on_from_what_this_process_has_committed) {
  whole = whole_splits::in_parts;
  remembers = true;
  begin(5);
  opened();
  core->take(numbers(0, 5, 1, epoch()), never);
  ASSERT_EQ(log.commits.size(), 1u);
  plugin->durable = {};  // it keeps none
  plugin->next_write = {{error_kind::not_connected, "lost", "", false}};
  core->take(numbers(5, 5, 2, epoch()), never);
  ASSERT_EQ(log.tries.size(), 1u);
  core->retry(never);
  opened();
  EXPECT_EQ(log.rewinds.back().position, 5u);
  EXPECT_TRUE(log.rewinds.back().after.has_value());
}

TEST_F(writer_core_test, without_marks_a_commit_whose_answer_is_lost_ends_the_split) {
  whole = whole_splits::in_parts;
  remembers = true;
  begin(5);
  opened();
  plugin->next_commit = {{error_kind::not_connected, "lost", "", false}};
  core->take(numbers(0, 5, 1, epoch()), never);
  EXPECT_TRUE(log.tries.empty());
  ASSERT_EQ(log.failures.size(), 1u);
  EXPECT_THAT(log.failures[0].message, ::testing::HasSubstr("maybe those of the last commit"));
}

}  // namespace
}  // namespace sluice
