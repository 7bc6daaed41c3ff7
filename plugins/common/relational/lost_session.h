#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/takeover.h"
#include "transport/base/result.h"
#include "transport/base/stop.h"

namespace sluice::relational {

/// What a plugin asks and orders of sessions, over the connection that took the place of the lost one.
struct session_control {
  /// As `progress_home::session_lives`.
  std::function<result<std::optional<bool>>(const std::string& name)> lives;
  /// Ends it, where it may.
  std::function<result<void>(const std::string& name)> end;
};

/// The sessions that a writer has lost and that may still be on the server, with the locks of what they had
/// not committed. The writer owns it; one thread.
class lost_sessions {
 public:
  void add(std::string name) { names_.push_back(std::move(name)); }
  [[nodiscard]] bool any() const { return !names_.empty(); }

  /// Waits up to `wait_max` for all of them to be gone, ends those that are not, and forgets them. Where the
  /// server does not tell of one, or does not let it be ended, nothing is done: whoever needs its locks waits
  /// for them. `not_connected` where this connection is lost as well, `cancelled` where `stop` fires; those
  /// that are left are kept then.
  result<void> end(const session_control& control, const stop_signal& stop,
                   std::chrono::milliseconds wait_max = takeover_wait);

  /// What came of opening a split. A wait for locks in vain (`busy`) gets the reason why a session that may
  /// hold them could not be ended.
  template <class T>
  result<T> explained(result<T> opened) {
    if (opened) {
      not_ended_.clear();
    } else if (opened.error().kind == error_kind::busy && !not_ended_.empty()) {
      error why = std::move(opened).error();
      why.message += "; a session that this run has lost may hold it, and could not be ended: " + not_ended_;
      return fail(std::move(why));
    }
    return opened;
  }

 private:
  std::vector<std::string> names_;
  std::string not_ended_;  ///< Why, of the last one; until a split was opened.
};

}  // namespace sluice::relational
