#include "plugins/common/relational/lock_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice::relational {

std::string statement_head(std::string_view sql) {
  constexpr std::size_t shown = 120;
  constexpr std::string_view with = "WITH ";  // of our own, with what it is about behind
  if (const auto at = sql.find("INSERT INTO"); sql.starts_with(with) && at != std::string_view::npos) {
    sql.remove_prefix(at);
  }
  std::string rest(sql);
  // Behind the first word stands whose the statement is.
  if (const auto begin = sql.find(" /* "); begin < sql.find_first_of("('\"`")) {
    const auto end = sql.find(" */", begin);
    rest.erase(begin, end == std::string_view::npos ? end : end + 3 - begin);
  }
  std::string_view head = rest;
  head = head.substr(0, std::min({head.find('('), head.find(" CHARACTER SET "), shown}));
  while (head.ends_with(' ')) {
    head.remove_suffix(1);
  }
  return in_quotes(head);
}

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
