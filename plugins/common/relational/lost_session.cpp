#include "plugins/common/relational/lost_session.h"

#include <algorithm>

namespace sluice::relational {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_looks{100};

}  // namespace

result<void> end_lost_sessions(std::vector<std::string>& names, const session_control& control,
                               const stop_signal& stop, std::chrono::milliseconds wait_max) {
  const auto deadline = steady_clock::now() + wait_max;
  while (!names.empty()) {
    const std::string& name = names.back();
    const auto lives = control.lives(name);
    if (!lives &&
        (lives.error().kind == error_kind::not_connected || lives.error().kind == error_kind::cancelled)) {
      return fail(lives.error());
    }
    if (lives && *lives == true) {
      const auto now = steady_clock::now();
      if (now < deadline) {
        SLUICE_CHECK(wait(-1, wait_for::readable, std::min(deadline, now + between_looks), stop));
        continue;
      }
      (void)control.end(name);
    }
    names.pop_back();
  }
  return {};
}

}  // namespace sluice::relational
