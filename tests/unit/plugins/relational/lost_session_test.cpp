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
  std::vector<std::string> names = {"a"};
  EXPECT_TRUE(end_lost_sessions(names, to.control(), {}));
  EXPECT_TRUE(names.empty() && to.ended.empty());
  EXPECT_EQ(to.looked, 2u);
}

TEST(lost_session, is_ended_when_the_time_is_over_once_whether_that_may_be_or_not) {
  server to = {{yes_no(true)}};
  std::vector<std::string> names = {"a", "b"};
  EXPECT_TRUE(end_lost_sessions(names, to.control(), {}, milliseconds(0)));
  EXPECT_TRUE(names.empty());
  EXPECT_EQ(to.ended, (std::vector<std::string>{"b", "a"}));
}

TEST(lost_session, is_left_where_the_server_does_not_tell) {
  server to = {{yes_no(), fail(error_kind::denied, "no")}};
  std::vector<std::string> names = {"a", "b"};
  EXPECT_TRUE(end_lost_sessions(names, to.control(), {}));
  EXPECT_TRUE(names.empty() && to.ended.empty());
}

TEST(lost_session, is_kept_in_mind_where_the_next_connection_is_lost_too) {
  server to = {{fail(error_kind::not_connected, "lost")}};
  std::vector<std::string> names = {"a"};
  EXPECT_EQ(end_lost_sessions(names, to.control(), {}).error().kind, error_kind::not_connected);
  EXPECT_EQ(names.size(), 1u);
}

TEST(lost_session, a_stop_ends_the_wait) {
  server to = {{yes_no(true)}};
  stop_source stop;
  stop.fire();
  std::vector<std::string> names = {"a"};
  EXPECT_EQ(end_lost_sessions(names, to.control(), stop.signal()).error().kind, error_kind::cancelled);
  EXPECT_TRUE(to.ended.empty());
}

}  // namespace
}  // namespace sluice::relational
