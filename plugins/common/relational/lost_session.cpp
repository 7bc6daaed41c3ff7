#include "plugins/common/relational/lost_session.h"

#include <algorithm>

namespace sluice::relational {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_looks{100};

/// Not of one session alone.
bool ends_all(const error& e) {
  return e.kind == error_kind::not_connected || e.kind == error_kind::cancelled;
}

}  // namespace

result<void> lost_sessions::end(const session_control& control, const stop_signal& stop,
                                std::chrono::milliseconds wait_max) {
  const auto deadline = steady_clock::now() + wait_max;
  while (!names_.empty()) {
    const std::string& name = names_.back();
    const auto lives = control.lives(name);
    if (!lives) {
      if (ends_all(lives.error())) {
        return fail(lives.error());
      }
      not_ended_ = lives.error().message;
    } else if (*lives == true) {
      const auto now = steady_clock::now();
      if (now < deadline) {
        SLUICE_CHECK(wait(-1, wait_for::readable, std::min(deadline, now + between_looks), stop));
        continue;
      }
      if (const auto ended = control.end(name); !ended) {
        if (ends_all(ended.error())) {
          return fail(ended.error());
        }
        not_ended_ = ended.error().message;
      }
    }
    names_.pop_back();
  }
  return {};
}

}  // namespace sluice::relational
