#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::relational {

/// What a session waits for, as another one sees it.
struct lock_wait {
  std::string on;       ///< `table public.orders`, or `rows that another transaction has changed`.
  std::string holders;  ///< `process 4711 ("psql", user admin)`; empty where the server does not tell.
  std::string limit;    ///< `lock_timeout (30s)`: what ends the wait; empty where it is not known.
};

/// The beginning of a statement, up to what may be values: enough to know it by, in quotes.
std::string statement_head(std::string_view sql);

/// Tells of sessions of one end that stand still because somebody else holds a lock. A wait is looked into,
/// over another connection that lasts for a moment, once it is `first_look` old, and each time it has become
/// four times as old; of sessions that wait side by side one is looked into. Thread-safe.
class lock_watch {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds first_look{3};
  /// How long a look may take, the connection included.
  static constexpr std::chrono::milliseconds look_time{2000};

  /// `warn`: thread-safe.
  explicit lock_watch(std::function<void(std::string)> warn) : warn_(std::move(warn)) {}

  static clock::time_point next_look(clock::time_point since, clock::time_point last) {
    constexpr int longer = 4;
    return since + (last - since) * longer;
  }
  /// False: another session was looked into just now.
  bool may_look(clock::time_point now);
  /// `place`: of the server, begins the line.
  void tell(const std::string& place, const lock_wait& what, clock::duration waited);

 private:
  std::function<void(std::string)> warn_;
  std::mutex mutex_;  ///< Guards what follows.
  std::optional<clock::time_point> looked_;
};

}  // namespace sluice::relational
