#include "transport/base/stop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(stop, a_wait_ends_when_another_thread_fires) {
  stop_source source;
  std::thread other([&] { source.fire(); });
  const auto r = wait(-1, wait_for::readable, std::chrono::steady_clock::now() + 1h, source.signal());
  other.join();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, error_kind::cancelled);
}

TEST(stop, a_wait_on_a_ready_descriptor_returns_at_once) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  EXPECT_TRUE(wait(fds[0], wait_for::readable, std::chrono::steady_clock::now() + 1h, {}));
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(stop, a_silent_descriptor_is_not_connected_at_the_deadline) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  const auto r = wait(fds[0], wait_for::readable, std::chrono::steady_clock::now(), {});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, error_kind::not_connected);
  ::close(fds[0]);
  ::close(fds[1]);
}

}  // namespace
}  // namespace sluice
