#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_session_sql.h"

// What the sources of mysql_connection.h share: the connector's own object and how its calls are driven.
// mysql.h declares them so; each source includes it.
struct st_mysql;
struct st_mysql_res;

namespace sluice::mysql {

using connection_clock = std::chrono::steady_clock;
inline constexpr auto never = connection_clock::time_point::max();
/// For ending a statement of ours over a second connection.
inline constexpr std::chrono::milliseconds tidy_up_time{3000};
/// For a rollback, which on the server takes about as long as what it takes back.
inline constexpr std::chrono::milliseconds rollback_time{60'000};

/// A server by its number, host and port: nodes of a cluster may share the number.
inline constexpr std::string_view server_name_sql = "CONCAT_WS('/', @@server_id, @@hostname, @@port)";

/// The session that answers, by its number and its server.
inline constexpr std::string_view session_sql =
    "CONNECTION_ID(), CONCAT_WS('/', @@server_id, @@hostname, @@port)";

/// The bytes that LOAD DATA LOCAL is about to read: nothing but what is lent here is ever sent, whatever file
/// a server asks for.
struct lent_bytes {
  const std::function<std::string_view()>* next = nullptr;  ///< Nothing is lent where it is not set.
  std::string_view piece;
};

struct connection::state {
  explicit state(connection_plan p) : plan(std::move(p)) {}
  ~state() { drop(); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  /// Waits for what the connector asks for (MYSQL_WAIT_*), until the deadline.
  result<int> wait_until(int wanted, connection_clock::time_point deadline, const stop_signal& stop);
  /// Runs a non-blocking call to its end.
  template <class Start, class Continue>
  result<void> drive(const Start& start, const Continue& go_on, connection_clock::time_point deadline,
                     const stop_signal& stop);
  template <class Start, class Continue>
  result<void> drive(const Start& start, const Continue& go_on, const stop_signal& stop) {
    const auto limit = plan.connect.socket_timeout;
    return drive(start, go_on, limit.count() > 0 ? connection_clock::now() + limit : never, stop);
  }

  result<void> connect(const relational::server_address& to, bool tls, const stop_signal& stop);
  void set_options(bool tls);
  result<void> set_session(const stop_signal& stop);
  /// What the session has, and what the server says of itself, before anything is set.
  result<relational::sql_row> first_look(const stop_signal& stop);
  void know_product(std::string_view comment);
  /// `not_supported` where a MariaDB or MySQL is older than the oldest that is read and written.
  result<void> check_version(const stop_signal& stop);
  /// Sets them, and returns those that the server has: another product than MariaDB and MySQL may lack some.
  result<std::vector<session_setting>> apply(const std::vector<session_setting>& settings,
                                             const stop_signal& stop);
  /// Keeps which session of which server this is, from an answer to `session_sql`.
  void know_session(const relational::sql_text& number, const relational::sql_text& of_server);
  /// Whether such an answer is that session's.
  [[nodiscard]] bool is_same_session(const relational::sql_text& number,
                                     const relational::sql_text& of_server) const;
  /// Sees whether a proxy stands between. `not_supported` where it gives one session's statements to several
  /// connections to the server, or one of those to several sessions.
  result<void> check_proxy(const stop_signal& stop);
  [[nodiscard]] error moved_error() const;
  /// Takes the lock that names this session, once; `session_word` is empty where the server gives none.
  result<void> name_session(const stop_signal& stop);
  /// Tells the guard of this connection, where there is one and the server names sessions.
  void tell_guard(const stop_signal& stop);
  /// The numbers of the sessions that hold the locks of these words, NULL where none does; nothing where this
  /// is no connection to the server of that name. A lock goes with its session, and no other number has it:
  /// such a number is a session of ours. It is not given to another before the server is started again, which
  /// would end this connection, too.
  std::optional<relational::sql_row> holders(std::string_view which,
                                             const std::vector<std::string_view>& words);
  /// In the guard: ends the sessions of these numbers that hold the locks of these words; true where there is
  /// none any more. False where it should be tried again: this is no connection to the server of that name.
  bool kill_left(std::string_view which, const std::vector<std::string_view>& ids,
                 const std::vector<std::string_view>& words);
  /// Runs what the job sets itself, and tells what it changed of the variables that the engine sets.
  result<jobs_settings> set_jobs_own(const stop_signal& stop);
  result<session_variables> read_variables(const stop_signal& stop);
  void know_time_limit(const jobs_settings& job);
  result<void> check_session(const std::vector<session_setting>& settings, const stop_signal& stop);
  result<void> query(std::string_view sql, const stop_signal& stop);
  /// Reads the rows of the result at hand, and drops them.
  result<void> drop_rows(const stop_signal& stop);
  /// Reads what a procedure sends behind the result at hand: an error in any of it is the statement's.
  result<void> drop_results(const stop_signal& stop);
  result<statement_answer> run(std::string_view sql, const stop_signal& stop);
  /// What the server says of the statement whose answer was read last.
  [[nodiscard]] statement_answer answer_at_hand() const;
  result<std::vector<relational::sql_row>> ask(std::string_view sql, const stop_signal& stop);
  /// The failure of the last call of the connector, kept in `failed` too.
  error failure(std::string_view doing);
  error lost_error() const;
  result<void> resolve_secrets(const stop_signal& stop);
  void keep_alive() const;
  /// Ends the statement at work over a second connection, unless that is to another server than this one: one
  /// name may stand for several, and there the number would be a stranger's.
  void kill_statement();
  /// Looks over another connection what the statement waits for, and tells it where it is a lock.
  void look_into_wait(connection_clock::duration waited, const stop_signal& stop);
  void drop();

  connection_plan plan;
  /// Kept as long as the connection, as the connector does: to end a statement there may be no time to look
  /// them up again.
  std::optional<secret> password;
  secret key_password;
  st_mysql* mysql = nullptr;
  st_mysql_res* rows = nullptr;  ///< Of a SELECT that is open.
  bool at_end = false;
  relational::server_address server_at;
  server_info server;
  server_failure failed;
  std::string at;
  std::string session_word;
  std::uint64_t session_number = 0;  ///< CONNECTION_ID(); 0 before `set_session`.
  /// The limit of a statement's time that the job set, as a message has it: `max_statement_time = 1.5, set by
  /// …`; empty: none.
  std::string time_limit;
  std::string proxy;        ///< What stands between, where one does: `ProxySQL`, or `a proxy`.
  std::string server_name;  ///< By `server_name_sql`.
  std::uint64_t packet_bytes = 1 << 20;
  bool loads = false;
  lent_bytes lent;
  bool encrypted = false;
  std::uint64_t guarded = 0;  ///< Of guard_process::leave.
  stop_source interrupted;
  bool sql_is_waiting = false;  ///< A statement was sent and its end has not been seen.
  bool kills = true;            ///< False: this is the connection that ends another's statement.
};

template <class Start, class Continue>
result<void> connection::state::drive(const Start& start, const Continue& go_on,
                                      connection_clock::time_point deadline, const stop_signal& stop) {
  if (mysql == nullptr) {
    return fail(lost_error());
  }
  int wanted = start();
  while (wanted != 0) {
    auto occurred = wait_until(wanted, deadline, stop);
    if (!occurred) {
      if (sql_is_waiting && kills) {
        kill_statement();
      }
      drop();
      return fail(std::move(occurred).error());
    }
    wanted = go_on(*occurred);
  }
  return {};
}

}  // namespace sluice::mysql
