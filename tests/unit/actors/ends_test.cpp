#include "actors/supervise/ends.h"

#include <gtest/gtest.h>

#include "tests/unit/actors/idle_ends.h"

namespace sluice {
namespace {

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

}  // namespace
}  // namespace sluice
