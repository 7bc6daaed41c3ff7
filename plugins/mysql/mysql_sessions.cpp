#include "plugins/mysql/mysql_sessions.h"

#include <fmt/format.h>

#include "transport/base/text.h"

namespace sluice::mysql {

result<std::optional<bool>> session_lives(connection& c, const std::string& name, const stop_signal& stop) {
  const std::size_t slash = name.find('/');
  const std::size_t at = name.find('@');
  if (slash == std::string::npos || at == std::string::npos || at < slash) {
    return std::optional<bool>();
  }
  const std::string lock = "sluice/" + name.substr(slash + 1, at - slash - 1);
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT IS_USED_LOCK({}), CONCAT_WS('/', @@server_id, @@hostname, @@port)",
                               c.literal(lock)),
                   stop));
  if (rows.at(0).at(1) != name.substr(at + 1)) {
    return std::optional<bool>();  // another server knows
  }
  return std::optional(rows[0][0] == name.substr(0, slash));
}

result<bool> session_works(connection& c, const std::string& name, const stop_signal& stop) {
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {} AND COMMAND <> "
                               "'Sleep'",
                               c.literal(name.substr(0, name.find('/')))),
                   stop));
  return !rows.empty();
}

result<void> end_session(connection& c, const std::string& name, const stop_signal& stop) {
  SLUICE_TRY(const std::optional<bool> lives, session_lives(c, name, stop));
  if (lives != true) {
    return {};
  }
  const std::string id = name.substr(0, name.find('/'));
  if (!c.note_of_proxy().empty()) {
    return fail(
        error_kind::not_supported,
        "{}: a session of the run that was here before, number {}, is still on the server, and KILL is "
        "not sent over the proxy that stands before it; end it on the server itself (KILL {}), and run "
        "the job again",
        c.place(), escaped(id), escaped(id));
  }
  if (id.empty() || id.find_first_not_of("0123456789") != std::string::npos) {
    return {};
  }
  const auto done = c.run(fmt::format("KILL {}", id), stop);
  constexpr unsigned no_such_thread = 1094;
  if (!done && c.last_failure().code != no_such_thread) {
    return fail(done.error());
  }
  return {};
}

}  // namespace sluice::mysql
