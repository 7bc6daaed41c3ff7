#include "transport/base/stop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice {

struct stop_signal::state {
  std::atomic<bool> fired = false;
  int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  state() = default;
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
};

bool stop_signal::fired() const {
  return state_ && state_->fired.load(std::memory_order_relaxed);
}
int stop_signal::fd() const {
  return state_ ? state_->fd : -1;
}

stop_source::stop_source() : state_(std::make_shared<stop_signal::state>()) {}

void stop_source::fire() const {
  state_->fired.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  // A full counter or a missing descriptor leaves the flag, which every waiter also reads.
  [[maybe_unused]] const auto n = ::write(state_->fd, &one, sizeof one);
}

result<void> wait(int fd, wait_for what, std::chrono::steady_clock::time_point deadline,
                  const stop_signal& stop) {
  using namespace std::chrono;
  const auto begin = steady_clock::now();
  while (true) {
    if (stop.fired()) {
      return fail(error_kind::cancelled, "stopped on request");
    }
    pollfd fds[2] = {{fd, static_cast<short>(what == wait_for::readable ? POLLIN : POLLOUT), 0},
                     {stop.fd(), POLLIN, 0}};
    const auto left = duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    // A signal that never fires is looked at again each hour; poll ignores negative descriptors.
    const int timeout_ms = static_cast<int>(std::clamp<long long>(left + 1, 0, 3'600'000));
    const int n = ::poll(fds, 2, timeout_ms);
    if (n < 0 && errno != EINTR) {
      return fail(error_kind::internal, "poll failed: {}", std::strerror(errno));
    }
    if (n > 0 && fds[0].revents != 0) {
      return {};
    }
    if (n == 0 && steady_clock::now() >= deadline) {
      if (fd < 0) {
        return {};
      }
      return fail(error_kind::not_connected, "no answer within {:.1f} s",
                  duration<double>(steady_clock::now() - begin).count());
    }
  }
}

}  // namespace sluice
