#include "actors/pipeline/reader_core.h"

#include <gtest/gtest.h>

#include "tests/unit/actors/cores_test_kit.h"

namespace sluice {
namespace {

using namespace sluice::testing;

/// Numbers from 0, a given number a batch; one record may be large.
class counting_reader : public reader {
 public:
  std::int64_t total = 100;
  std::uint32_t per_batch = 10;
  std::int64_t large_at = -1;
  std::optional<error> next_failure;
  int opens = 0;
  std::int64_t at = 0;
  std::int64_t opened_at = 0;

  result<void> open(const scalar_list&, const std::optional<cursor>& after, const stop_signal&) override {
    ++opens;
    at = after ? std::get<std::int64_t>(find(*after, "next")->value) : 0;
    opened_at = at;
    return {};
  }
  /// As of a file with three bytes a record.
  [[nodiscard]] std::uint64_t source_bytes() const override {
    return static_cast<std::uint64_t>(3 * (at - opened_at));
  }
  result<read_answer> read(batch_builder& builder, const stop_signal&) override {
    if (next_failure) {
      return fail(*std::exchange(next_failure, std::nullopt));
    }
    for (std::uint32_t i = 0; i < per_batch && at < total; ++i, ++at) {
      if (at == large_at && builder.limit().bytes_max < 5'000'000) {
        return read_answer{read_answer::kind::needs, 5'000'000};
      }
      builder.at(0).append<std::int64_t>(at);
      builder.commit_row();
    }
    builder.set_cursor({{"next", {at}}});
    return read_answer{at == total ? read_answer::kind::end : read_answer::kind::full, 0};
  }
};

class reader_core_test : public ::testing::Test {
 protected:
  /// Steps until a batch, a failure or idleness.
  reader_step run() {
    for (int i = 0; i < 100; ++i) {
      reader_step s = core.step(never);
      if (s.what != reader_step::kind::again) {
        return s;
      }
    }
    return {};
  }
  rewind_msg begin(epoch_number epoch, std::int64_t next = 0, std::uint64_t window = 1 << 20) {
    rewind_msg m{{7}, {}, epoch, std::nullopt, static_cast<std::uint64_t>(next), window};
    if (next != 0) {
      m.after = cursor{{"next", {next}}};
    }
    return m;
  }

  std::shared_ptr<counting_reader> plugin = std::make_shared<counting_reader>();
  reader_core core{{run_id{}, one_number(), buffer_pool::make(1 << 20), divide_memory(16 << 20, 1, {})},
                   plugin};
  stop_signal never;
};

TEST_F(reader_core_test, batches_have_positions_sequences_and_the_end) {
  plugin->total = 25;
  core.rewind(begin({1}));
  std::vector<batch_ptr> got;
  for (reader_step s = run(); s.what == reader_step::kind::batch; s = run()) {
    got.push_back(s.out);
  }
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[1]->sequence, 2u);
  EXPECT_EQ(got[1]->position_first, 10u);
  EXPECT_FALSE(got[1]->split_end);
  EXPECT_TRUE(got[2]->split_end);
  EXPECT_EQ(got[2]->rows, 5u);
  EXPECT_EQ(core.sent()->sequence, 3u);
  EXPECT_TRUE(core.sent()->ended);
}

TEST_F(reader_core_test, what_was_read_is_told_in_both_measures_since_the_split_was_opened) {
  core.rewind(begin({0}));
  EXPECT_EQ(run().what, reader_step::kind::primed);
  EXPECT_EQ(core.read_so_far().source_bytes, 30u);
  EXPECT_EQ(core.read_so_far().record_bytes, 80u);
  core.rewind(begin({1}));
  EXPECT_EQ(run().what, reader_step::kind::batch);
  EXPECT_EQ(core.read_so_far().source_bytes, 30u) << "priming has read it";
  EXPECT_EQ(run().what, reader_step::kind::batch);
  EXPECT_EQ(core.read_so_far().record_bytes, 160u);
  core.rewind(begin({2}, 50));
  EXPECT_EQ(run().what, reader_step::kind::batch);
  EXPECT_EQ(core.read_so_far().source_bytes, 30u) << "another epoch counts anew";
  EXPECT_EQ(core.read_so_far().record_bytes, 80u);
}

TEST_F(reader_core_test, the_first_batch_is_read_before_the_split_is_open_and_sent_only_after) {
  core.rewind(begin({0}));
  EXPECT_EQ(run().what, reader_step::kind::primed);
  EXPECT_EQ(run().what, reader_step::kind::idle);
  EXPECT_FALSE(core.sent());
  core.rewind(begin({1}));
  const reader_step s = run();
  ASSERT_EQ(s.what, reader_step::kind::batch);
  EXPECT_EQ(s.out->epoch, epoch_number{1});
  EXPECT_EQ(s.out->position_first, 0u);
  EXPECT_EQ(plugin->opens, 1) << "what was read for priming was thrown away";
}

TEST_F(reader_core_test, priming_at_another_place_than_the_mark_is_read_again) {
  core.rewind(begin({0}));
  run();
  core.rewind(begin({1}, 40));
  const reader_step s = run();
  ASSERT_EQ(s.what, reader_step::kind::batch);
  EXPECT_EQ(s.out->columns[0].get<std::int64_t>(0), 40);
  EXPECT_EQ(s.out->position_first, 40u);
}

TEST_F(reader_core_test, priming_at_another_cursor_of_the_same_position_is_read_again) {
  core.rewind(begin({0}));
  run();
  rewind_msg other = begin({1}, 40);
  other.position = 0;
  core.rewind(other);
  const reader_step s = run();
  ASSERT_EQ(s.what, reader_step::kind::batch);
  EXPECT_EQ(s.out->columns[0].get<std::int64_t>(0), 40);
}

TEST_F(reader_core_test, credit_of_another_epoch_lets_nothing_pass) {
  core.rewind(begin({2}, 0, 1));
  EXPECT_EQ(run().what, reader_step::kind::batch);
  core.credit({{7}, {1}, 1 << 20});
  EXPECT_EQ(run().what, reader_step::kind::idle);
  core.credit({{7}, {2}, 1 << 20});
  EXPECT_EQ(run().what, reader_step::kind::batch);
}

TEST_F(reader_core_test, without_credit_one_batch_is_held_and_no_more_is_read) {
  core.rewind(begin({1}, 0, 1));
  EXPECT_EQ(run().what, reader_step::kind::batch) << "a batch over the window is charged one window";
  EXPECT_EQ(run().what, reader_step::kind::idle);
  EXPECT_TRUE(core.waits_for_credit());
  const std::int64_t read = plugin->at;
  EXPECT_EQ(run().what, reader_step::kind::idle);
  EXPECT_EQ(plugin->at, read);
  core.credit({{7}, {1}, 2});
  EXPECT_EQ(run().what, reader_step::kind::batch);
}

TEST_F(reader_core_test, a_rewind_throws_away_what_is_in_hand_and_seeks) {
  core.rewind(begin({1}, 0, 1));
  run();
  run();
  core.rewind(begin({2}, 10));
  const reader_step s = run();
  ASSERT_EQ(s.what, reader_step::kind::batch);
  EXPECT_EQ(s.out->epoch, epoch_number{2});
  EXPECT_EQ(s.out->sequence, 1u);
  EXPECT_EQ(s.out->columns[0].get<std::int64_t>(0), 10);
  core.rewind(begin({1}, 0));
  EXPECT_EQ(core.sent()->epoch, epoch_number{2}) << "an older rewind that comes late changes nothing";
}

TEST_F(reader_core_test, a_large_record_waits_for_the_overdraft_and_its_batch_carries_the_lease) {
  plugin->large_at = 10;
  core.rewind(begin({1}));
  EXPECT_EQ(run().what, reader_step::kind::batch);
  EXPECT_EQ(run().what, reader_step::kind::needs);
  EXPECT_EQ(run().what, reader_step::kind::idle);
  auto lease = std::make_shared<int>(1);
  std::weak_ptr<int> lent = lease;
  core.lease(std::move(lease));
  reader_step s = run();
  ASSERT_EQ(s.what, reader_step::kind::batch);
  EXPECT_NE(s.out->lease, nullptr);
  EXPECT_FALSE(lent.expired());
  s.out.reset();
  EXPECT_TRUE(lent.expired()) << "the lease outlives the batch";
  EXPECT_EQ(run().what, reader_step::kind::batch);
}

TEST_F(reader_core_test, a_failure_ends_the_epoch_until_the_next_rewind) {
  plugin->next_failure = error{error_kind::not_connected, "gone", "", false};
  core.rewind(begin({1}));
  reader_step s = run();
  ASSERT_EQ(s.what, reader_step::kind::failed);
  EXPECT_EQ(s.failure.kind, error_kind::not_connected);
  EXPECT_EQ(run().what, reader_step::kind::idle);
  core.rewind(begin({2}));
  EXPECT_EQ(run().what, reader_step::kind::batch);
}

}  // namespace
}  // namespace sluice
