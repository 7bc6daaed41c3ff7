#include "plugins/common/relational/lock_watch.h"

#include <fmt/format.h>

#include "transport/base/text.h"

namespace sluice::relational {

bool lock_watch::may_look(clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (looked_ && now - *looked_ < first_look / 2) {
    return false;
  }
  looked_ = now;
  return true;
}

void lock_watch::tell(const std::string& place, const lock_wait& what, clock::duration waited) {
  if (warn_) {
    warn_(fmt::format("{}: waits for a lock on {}, {} so far{}{}", place, what.on,
                      duration_text(std::chrono::duration<double>(waited).count()),
                      what.holders.empty() ? "" : "; held by " + what.holders,
                      what.limit.empty() ? "" : fmt::format("; {} ends the wait", what.limit)));
  }
}

}  // namespace sluice::relational
