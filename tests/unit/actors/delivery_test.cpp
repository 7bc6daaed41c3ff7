#include "actors/plan/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const commit_limits marks = {std::uint64_t{64} << 20, 100'000, std::chrono::milliseconds(2000)};

source_description source(bool resumable) {
  source_description from;
  from.resumable = resumable;
  from.repeatable = resumable;
  return from;
}

target_description database(transaction_bound bound = {std::uint64_t{64} << 20, 100'000}) {
  target_description to;
  to.promise = "exactly once";
  to.exactly_once = true;
  to.whole_split_max = bound;
  return to;
}

delivery_settings asks(delivery_mode mode) {
  delivery_settings asked;
  asked.mode = mode;
  asked.mode_place = "j.json:3:5 setting.delivery";
  return asked;
}

std::optional<error> refusal(const source_description& from, const target_description& to) {
  job what;
  what.delivery = asks(delivery_mode::exactly_once);
  what.reader.place = "j.json:1:1 reader";
  what.writer.place = "j.json:2:1 writer";
  return delivery_failure(what, from, to);
}

TEST(delivery, exactly_once_is_refused_with_the_end_that_cannot_why_and_what_to_do) {
  EXPECT_FALSE(refusal(source(true), database()));
  EXPECT_FALSE(refusal(source(false), database())) << "a whole split is one transaction";

  target_description printed;
  printed.promise = "at least once, because what is printed cannot be taken back";
  const auto why = refusal(source(true), printed);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->kind, error_kind::bad_option);
  EXPECT_THAT(why->message, StartsWith("j.json:3:5 setting.delivery: "));
  EXPECT_THAT(why->message,
              HasSubstr("the destination (j.json:2:1 writer) is at fault, because what is printed "
                        "cannot be taken back"));
  EXPECT_THAT(why->message, HasSubstr("\"delivery\" to \"auto\""));

  target_description unlogged = database();
  unlogged.promise_gap = "table t is unlogged";
  EXPECT_THAT(refusal(source(true), unlogged)->message, HasSubstr("because table t is unlogged"));

  source_description shuffled = source(true);
  shuffled.repeatable = false;
  EXPECT_THAT(refusal(shuffled, database())->message,
              HasSubstr("the source (j.json:1:1 reader) is at fault"));
}

TEST(delivery, other_modes_are_refused_nothing) {
  job what;
  for (const delivery_mode mode : {delivery_mode::automatic, delivery_mode::at_least_once}) {
    what.delivery = asks(mode);
    EXPECT_FALSE(delivery_failure(what, source(true), target_description()));
  }
}

TEST(delivery, cursors_make_it_exactly_once_by_marks_at_their_interval) {
  for (const delivery_mode mode :
       {delivery_mode::automatic, delivery_mode::exactly_once, delivery_mode::at_least_once}) {
    const auto choice = choose_delivery(asks(mode), source(true), database(), {{"a", {}, {}}}, marks);
    EXPECT_TRUE(choice.exactly_once);
    EXPECT_EQ(choice.promise, "exactly once");
    EXPECT_EQ(choice.whole, whole_splits::one_transaction);
    EXPECT_THAT(choice.transaction, StartsWith("about 64 MiB or 100,000 records"));
  }
}

TEST(delivery, without_cursors_auto_is_one_transaction_up_to_the_bound_and_says_so_with_numbers) {
  const auto unknown =
      choose_delivery(asks(delivery_mode::automatic), source(false), database(), {{"q", {}, {}}}, marks);
  EXPECT_FALSE(unknown.exactly_once);
  EXPECT_EQ(unknown.whole, whole_splits::up_to_bound);
  EXPECT_EQ(unknown.bound, database().whole_split_max);
  EXPECT_FALSE(unknown.may_repeat);
  EXPECT_THAT(unknown.promise, StartsWith("exactly once, as long as no split has more than 64 MiB or 100,000 "
                                          "records: each is one transaction"));
  EXPECT_THAT(unknown.promise, HasSubstr("because the reader cannot begin inside it"));
  EXPECT_THAT(unknown.promise, HasSubstr("\"delivery\": \"exactly_once\" makes it one transaction"));

  const auto small = choose_delivery(asks(delivery_mode::automatic), source(false), database(),
                                     {{"q", 99'000, 1'000'000}}, marks);
  EXPECT_TRUE(small.exactly_once);
  EXPECT_EQ(small.promise, "exactly once");

  const auto large = choose_delivery(asks(delivery_mode::automatic), source(false), database(),
                                     {{"small", 9, 9}, {"a query", 5'000'000, {}}}, marks);
  EXPECT_FALSE(large.exactly_once);
  EXPECT_THAT(large.promise,
              StartsWith("at least once, because the reader cannot begin inside a split, and a query "
                         "has 5,000,000 records: more than 64 MiB or 100,000 records"));
  EXPECT_EQ(large.whole, whole_splits::up_to_bound);
}

TEST(delivery, without_cursors_exactly_once_is_one_transaction_however_large) {
  const auto choice = choose_delivery(asks(delivery_mode::exactly_once), source(false), database(),
                                      {{"q", 5'000'000, {}}}, marks);
  EXPECT_TRUE(choice.exactly_once);
  EXPECT_EQ(choice.promise, "exactly once");
  EXPECT_EQ(choice.whole, whole_splits::one_transaction);
  EXPECT_THAT(choice.transaction, HasSubstr("a whole split, however large"));
  EXPECT_THAT(choice.transaction, HasSubstr("else at most 64 MiB or 100,000 records"));
}

TEST(delivery, without_cursors_at_least_once_commits_in_parts_and_may_repeat) {
  const auto choice =
      choose_delivery(asks(delivery_mode::at_least_once), source(false), database(), {{"q", {}, {}}}, marks);
  EXPECT_EQ(choice.whole, whole_splits::in_parts);
  EXPECT_TRUE(choice.may_repeat);
  EXPECT_THAT(choice.promise, StartsWith("at least once, because the job asks for no more"));
  EXPECT_THAT(choice.promise, HasSubstr("may be there twice"));
}

TEST(delivery, what_writes_the_same_again_may_repeat_unasked) {
  target_description to = database();
  to.same_again = true;
  const auto choice = choose_delivery(asks(delivery_mode::automatic), source(false), to, {}, marks);
  EXPECT_TRUE(choice.may_repeat);
  EXPECT_THAT(choice.promise, HasSubstr("which leaves the table as it is"));
}

TEST(delivery, a_destination_without_a_bound_takes_whole_splits_as_they_are) {
  const auto choice =
      choose_delivery(asks(delivery_mode::automatic), source(false), database({}), {{"q", {}, {}}}, marks);
  EXPECT_TRUE(choice.exactly_once);
  EXPECT_EQ(choice.whole, whole_splits::one_transaction);
}

TEST(delivery, without_marks_what_is_committed_is_remembered_where_it_stays) {
  target_description to = database();
  to.exactly_once = false;
  to.promise = "at least once, because no marks are kept";
  to.rows_stand = true;
  const auto stands = choose_delivery({}, source(true), to, {}, marks);
  EXPECT_TRUE(stands.remembers);
  EXPECT_EQ(stands.whole, whole_splits::in_parts);
  EXPECT_EQ(stands.promise, to.promise);
  to.rows_stand = false;
  EXPECT_FALSE(choose_delivery({}, source(true), to, {}, marks).remembers);
}

}  // namespace
}  // namespace sluice
