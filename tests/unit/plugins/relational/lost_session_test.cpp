#include "plugins/common/relational/lost_session.h"

#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

using std::chrono::milliseconds;

/// A server that tells of a session what `looks` says, the last for ever, and has what it was told to end.
struct server {
  std::vector<result<std::optional<bool>>> looks;
  std::vector<std::string> ended = {};
  std::size_t looked = 0;

  session_control control() {
    return {[this](const std::string&) { return looks[std::min(looked++, looks.size() - 1)]; },
            [this](const std::string& name) -> result<void> {
              ended.push_back(name);
              return fail(error_kind::denied, "not yours");
            }};
  }
};

using yes_no = std::optional<bool>;

TEST(lost_session, is_given_time_to_end_by_itself) {
  server to = {{yes_no(true), yes_no(false)}};
  lost_sessions lost;
  lost.add("a");
  EXPECT_TRUE(lost.end(to.control(), {}));
  EXPECT_TRUE(!lost.any() && to.ended.empty());
  EXPECT_EQ(to.looked, 2u);
}

TEST(lost_session, is_ended_when_the_time_is_over_once_whether_that_may_be_or_not) {
  server to = {{yes_no(true)}};
  lost_sessions lost;
  lost.add("a");
  lost.add("b");
  EXPECT_TRUE(lost.end(to.control(), {}, milliseconds(0)));
  EXPECT_FALSE(lost.any());
  EXPECT_EQ(to.ended, (std::vector<std::string>{"b", "a"}));
}

TEST(lost_session, is_left_where_the_server_does_not_tell) {
  server to = {{yes_no(), fail(error_kind::denied, "no")}};
  lost_sessions lost;
  lost.add("a");
  lost.add("b");
  EXPECT_TRUE(lost.end(to.control(), {}));
  EXPECT_TRUE(!lost.any() && to.ended.empty());
}

TEST(lost_session, is_kept_in_mind_where_the_next_connection_is_lost_too) {
  server to = {{fail(error_kind::not_connected, "lost")}};
  lost_sessions lost;
  lost.add("a");
  EXPECT_EQ(lost.end(to.control(), {}).error().kind, error_kind::not_connected);
  EXPECT_TRUE(lost.any());
}

TEST(lost_session, a_stop_ends_the_wait) {
  server to = {{yes_no(true)}};
  stop_source stop;
  stop.fire();
  lost_sessions lost;
  lost.add("a");
  EXPECT_EQ(lost.end(to.control(), stop.signal()).error().kind, error_kind::cancelled);
  EXPECT_TRUE(to.ended.empty());
}

TEST(lost_session, tells_a_wait_in_vain_why_it_could_not_be_ended_until_a_split_is_opened) {
  server to = {{yes_no(true)}};
  lost_sessions lost;
  const result<int> in_vain = fail(error_kind::busy, "lock timeout");
  EXPECT_EQ(lost.explained(in_vain).error().message, "lock timeout");
  lost.add("a");
  ASSERT_TRUE(lost.end(to.control(), {}, milliseconds(0)));
  EXPECT_EQ(lost.explained(in_vain).error().message,
            "lock timeout; a session that this run has lost may hold it, and could not be ended: not yours");
  const result<int> other = fail(error_kind::denied, "no right");
  EXPECT_EQ(lost.explained(other).error().message, "no right");
  EXPECT_EQ(*lost.explained(result<int>(3)), 3);
  EXPECT_EQ(lost.explained(in_vain).error().message, "lock timeout");
}

TEST(lost_session, is_kept_where_the_connection_is_lost_that_was_to_end_it) {
  lost_sessions lost;
  lost.add("a");
  const session_control control = {
      [](const std::string&) { return result<std::optional<bool>>(yes_no(true)); },
      [](const std::string&) -> result<void> { return fail(error_kind::not_connected, "lost"); }};
  EXPECT_EQ(lost.end(control, {}, milliseconds(0)).error().kind, error_kind::not_connected);
  EXPECT_TRUE(lost.any());
}

}  // namespace
}  // namespace sluice::relational
