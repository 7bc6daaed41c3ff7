#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/common/relational/connect_options.h"
#include "plugins/common/relational/sql_session.h"
#include "plugins/postgresql/postgresql_product.h"
#include "transport/base/secret.h"
#include "transport/base/stop.h"

struct pg_conn;
struct pg_result;

namespace sluice::postgresql {

using secret_lookup = std::function<result<secret>(const secret_text& written, const stop_signal& stop)>;

/// What the server said of a statement that failed.
struct server_failure {
  std::string sqlstate;
  std::string message;  ///< Its words, with DETAIL behind them.
  std::string column;
  std::string constraint;
  std::string context;
  std::string position;  ///< In the statement's text; empty where the server names none.
};

/// A column of a statement's answer, as the server describes it.
struct described_column {
  std::string name;
  std::uint32_t type = 0;  ///< Its oid; of a domain its base type's.
  std::int32_t modifier = -1;
  std::uint32_t table = 0;  ///< Its oid where the column is a table's own, and
  int number = 0;           ///< that column's there, which stays with it when columns are renamed.
  friend bool operator==(const described_column&, const described_column&) = default;
};

/// A value of a statement.
struct statement_value {
  std::optional<std::string_view> bytes = std::nullopt;  ///< Nothing: NULL.
  std::uint32_t type = 0;                                ///< Its oid.
  bool is_text = false;  ///< As the type's input function takes it; else in the type's binary form.
};

/// The one wrapper of libpq (https://www.postgresql.org/docs/15/libpq.html): a connection, non-blocking
/// inside, so that every wait ends when the stop fires; the server's statement is cancelled then. Owned and
/// used by one thread, but for `interrupt`. Nothing of the environment (`PG*`, `~/.pgpass`, service files)
/// has a say in it. Where a call has failed, `is_lost` tells whether the connection is of any use still.
class connection {
 public:
  /// Connects to the first server of the options that answers and is of the role wanted, and logs in.
  /// `name`: what it calls itself (`application_name`).
  static result<std::unique_ptr<connection>> open(const relational::connect_options& options,
                                                  const std::string& name, const secret_lookup& look_up,
                                                  const stop_signal& stop);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void use_stop(const stop_signal& stop) { stop_ = stop; }
  /// Called by a wait for the server's answer when it has lasted for a while (`lock_watch`); blocks it for as
  /// long as it takes. What it returns says why the wait was in vain, where it has cancelled the statement.
  using wait_look =
      std::function<std::string(std::chrono::steady_clock::duration waited, const stop_signal& stop)>;
  void look_into_waits(wait_look look) { look_ = std::move(look); }
  /// The one that it is connected to.
  [[nodiscard]] const relational::server_address& server() const { return server_; }
  /// `db1:5432/shop`: begins each message.
  [[nodiscard]] const std::string& place() const { return place_; }
  /// 150002 for 15.2.
  [[nodiscard]] int version() const;
  /// What the server reports of itself (`server_encoding`, `in_hot_standby`); empty where it does not.
  [[nodiscard]] std::string parameter(const char* name) const;
  [[nodiscard]] std::string tls_text() const;  ///< `TLSv1.3`, or empty: in clear.
  [[nodiscard]] int backend() const;           ///< The server's process; behind a pooler some number.
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] bool is_lost() const;
  /// What it says that it is; PostgreSQL until `know_product`.
  [[nodiscard]] const server_product& product() const { return product_; }
  [[nodiscard]] bool is_plain() const { return product_.plain; }
  void know_product(server_product product) { product_ = std::move(product); }
  /// Whether the job limits the time of its statements: one that is cancelled then is not tried again, which
  /// would end the same way.
  void know_time_limit(bool is_limited) { limits_time_ = is_limited; }
  /// What a lock that was waited for in vain says of the limit: `lock_timeout is 30s`.
  void know_lock_limit(std::string says) { lock_limit_ = std::move(says); }

  /// One statement with values in the places `$1`, `$2`, …; all its rows, as text.
  result<std::vector<relational::sql_row>> ask(const std::string& sql,
                                               const std::vector<relational::sql_text>& values = {});
  /// Likewise, the rows that it met. Here and at the end of a COPY a row that the server refuses is
  /// `bad_row`; everywhere else the statement is wrong, `bad_option`.
  result<std::uint64_t> run(const std::string& sql, const std::vector<relational::sql_text>& values = {});
  /// Likewise, at most 65,535 values of types that are named.
  result<std::uint64_t> run_with(const std::string& sql, const std::vector<statement_value>& values);
  /// Likewise, a statement that answers with rows besides.
  result<std::vector<relational::sql_row>> run_and_ask(const std::string& sql);
  /// Statements without values, one after the other; rows are dropped.
  result<void> run_script(const std::string& sql);
  result<void> begin(const std::string& how = "BEGIN") { return run_script(how); }
  /// COMMIT, and a failure where the server rolled back instead.
  result<void> commit();
  /// Does nothing where no transaction is open. Never fails: what does not answer is lost.
  void rollback();
  /// The columns that a statement will answer with; it is compiled, not run.
  result<std::vector<described_column>> describe(const std::string& sql);

  /// Begins `COPY … TO STDOUT`.
  result<void> copy_out(const std::string& sql);
  /// Begins a SELECT in its place, whose rows come one by one with all fields in their binary form. What it
  /// is refused for is told with the first message.
  result<void> rows_out(const std::string& sql);
  /// The next message of either, as the binary form of COPY has it; it holds until the next call. Nothing at
  /// the end.
  result<std::optional<std::string_view>> copy_message();
  /// Begins `COPY … FROM STDIN`.
  result<void> copy_in(const std::string& sql);
  /// Hands bytes over; returns when they are on their way.
  result<void> copy_send(std::string_view bytes);
  /// The server has something to say before the end: a refusal, most likely.
  [[nodiscard]] bool copy_has_answer() const;
  /// Ends it; how many rows the server has taken.
  result<std::uint64_t> copy_end();
  /// Ends whatever COPY is open, so that the connection can be used again or is lost. Never fails.
  void copy_abandon();

  /// Of the last statement that the server refused.
  [[nodiscard]] const server_failure& last_failure() const { return failure_; }

  /// The first warning since the last call that may be of a row: what a trigger or a function said.
  std::optional<server_failure> take_warning() { return std::exchange(warning_, std::nullopt); }

  /// Cancels the server's statement. Thread-safe, returns at once: libpq sends the request on a connection of
  /// its own, in version 15 without TLS.
  void interrupt();
  void clear_interrupt() { interrupted_ = false; }

 private:
  struct cancel_handle;
  explicit connection(pg_conn* c) : conn_(c) {}
  /// One server, whatever its role, or with it (`target_session_attrs`).
  static result<std::unique_ptr<connection>> open_one(const relational::connect_options& options,
                                                      const relational::server_address& server,
                                                      const char* attributes, const std::string& name,
                                                      const secret_lookup& look_up, const stop_signal& stop);
  /// Once it is logged in.
  void adopt();
  void keep_warning(const pg_result* notice);

  result<void> flush();
  /// Waits until there is something to read, and takes it in.
  result<void> wait_for_answer();
  /// The next result of the statement that runs; nullptr at its end.
  result<pg_result*> next_result();
  /// Whether rows of the job's are in a statement.
  enum class carries : std::uint8_t { no_rows, rows };
  /// What the server said of a statement.
  static server_failure words_of(const pg_result* r);
  /// Reads on to the end of the statement, handing each good result to `take`; the first failure.
  result<void> finish(std::string_view sql, const std::function<void(const pg_result*)>& take = {},
                      carries what = carries::no_rows);
  result<std::vector<relational::sql_row>> finish_asking(std::string_view sql, carries what);
  /// Likewise, for a statement that writes rows; how many it met.
  result<std::uint64_t> finish_rows(std::string_view sql);
  result<void> send(const std::string& sql, const std::vector<relational::sql_text>& values);
  error failed(const pg_result* r, std::string_view sql, carries what = carries::no_rows);
  error lost(std::string_view doing);
  /// After the stop: cancels and reads what is left, for a short while.
  error stopped();

  pg_conn* conn_;
  std::shared_ptr<cancel_handle> cancel_;
  std::string place_;
  relational::server_address server_;
  wait_look look_;
  std::string in_vain_;  ///< As the last look into the statement's wait says.
  stop_signal stop_;
  std::chrono::milliseconds socket_timeout_{0};
  /// `copy_message` of `rows_out`.
  result<std::optional<std::string_view>> row_message();
  /// `wait_for_answer` in a COPY out of which much may be to come.
  result<void> wait_for_rows();
  /// How much must have come before a wait for the server ends.
  void wake_with(int bytes);
  int wakes_with_ = 1;
  int doublings_ = 0;  ///< Of libpq's buffer, by `wait_for_rows`.
  enum class copying : std::uint8_t { none, in, out, rows };
  copying copying_ = copying::none;
  std::string copy_sql_;
  char* message_ = nullptr;  // of copy_message
  std::string row_;          // likewise, of `rows_out`
  bool rows_begun_ = false;
  bool rows_ended_ = false;
  server_product product_;
  bool limits_time_ = false;
  std::string lock_limit_;
  bool dead_ = false;
  std::atomic<bool> interrupted_ = false;
  server_failure failure_;
  std::optional<server_failure> warning_;
};

/// Removes from the environment what libpq takes from there whatever its parameters say. Called once, before
/// there are threads.
void forget_environment();

std::string quote_name(std::string_view name);  ///< `"na""me"`
std::string quote_text(std::string_view text);  ///< `'it''s'`, with standard_conforming_strings.

/// `sluice <job> <run> <split>` within the 63 bytes that the server keeps; in plain ASCII, as it shows it.
std::string connection_name(std::string_view job, std::string_view run, std::string_view part);
/// The condition, in SQL, that `column` is a name of one of the run's.
std::string of_run_sql(std::string_view job, std::string_view run, std::string_view column);

/// The addresses of a host, as text; `not_connected` where it has none.
result<std::vector<std::string>> addresses_of(const relational::server_address& server);

}  // namespace sluice::postgresql
