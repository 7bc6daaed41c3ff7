#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/connect_options.h"
#include "plugins/common/relational/lock_watch.h"
#include "plugins/common/relational/relational_options.h"
#include "plugins/common/relational/sql_session.h"
#include "plugins/common/relational/url_properties.h"
#include "transport/base/guard_process.h"
#include "transport/base/stop.h"

/// The one home of MariaDB Connector/C (https://mariadb.com/kb/en/mariadb-connector-c/) beside the table of
/// types: connections, statements and results, through its non-blocking calls.
namespace sluice::mysql {

enum class server_product : std::uint8_t { mariadb, mysql, other };

struct other_product;

/// What the server says it is.
struct server_info {
  server_product product = server_product::other;
  std::uint32_t version = 0;             ///< 101119 for 10.11.19.
  std::string text;                      ///< As it writes it.
  const other_product* other = nullptr;  ///< Which one, of `other`.
};

/// What a connection is for: decides the settings of its session (`session_sql`).
enum class session_role : std::uint8_t {
  look,      ///< Catalogue and bounds: changes nothing.
  read,      ///< A reader's: likewise, and may wait long for a slow destination.
  snapshot,  ///< Likewise, and holds the snapshot that the readers share.
  write,     ///< A writer's data.
  manage,    ///< Claims, preSql, postSql.
};
/// What the session's `program_name` ends with: `reader`.
std::string_view word_of(session_role role);

/// What makes a connection. A value; outlives none.
struct connection_plan {
  relational::connect_options connect;
  session_role role = session_role::look;
  std::vector<relational::placed_text> statements;  ///< The job's `session`.
  std::string name;  ///< `sluice <job> <run>`: begins the attribute `program_name`, the role ends it.
  std::shared_ptr<relational::lock_watch> locks = nullptr;  ///< Of the end; nullptr: waits are not told.
  std::shared_ptr<guard_process> guard = nullptr;           ///< `plugin_context::guard`
  /// Tells what of the job's own settings does not hold; nullptr: nobody. Used by the thread that connects.
  std::shared_ptr<relational::once_warner> tell = nullptr;
  bool may_load = false;  ///< LOAD DATA LOCAL of our own bytes will be asked for.
  std::function<result<secret>(const secret_text&, const stop_signal&)> resolve_secret;
};

/// A column of a result as the server describes it (MYSQL_FIELD).
struct result_column {
  std::string name;
  int type = 0;  ///< enum_field_types
  unsigned flags = 0;
  unsigned long length = 0;
  unsigned decimals = 0;
  unsigned charset = 0;
  std::string special;  ///< MariaDB: the name of a type without a number of its own, `uuid`, `json`.
};

/// The row at hand: a pointer for each column, nullptr for NULL. Holds until the next `fetch`.
struct row_view {
  const char* const* values = nullptr;
  const unsigned long* lengths = nullptr;

  [[nodiscard]] bool is_null(std::size_t i) const { return values[i] == nullptr; }
  [[nodiscard]] std::string_view at(std::size_t i) const { return {values[i], lengths[i]}; }
};

/// What the server says of a statement that it has done.
struct statement_answer {
  std::uint64_t affected = 0;
  /// Rows found, those left as they were included, where the server says so (UPDATE); else `affected`.
  std::uint64_t matched = 0;
  std::uint64_t records = 0;  ///< Rows of the statement as the server counted them; 0 where it does not say.
  std::uint64_t duplicates = 0;  ///< Of those, met a row that was there and changed or removed it.
  std::uint64_t skipped = 0;     ///< LOAD DATA.
  std::uint32_t warnings = 0;
};

/// What became of one of several statements that were sent together.
struct piped_answer {
  statement_answer done;
  std::optional<error> failed;
  std::string message;  ///< Of a failure, in the server's words.
};

struct server_warning {
  unsigned code = 0;
  std::string message;
};

/// Why the last statement failed, in the server's words.
struct server_failure {
  unsigned code = 0;
  std::string state;
  std::string message;
};

/// A connection to a MariaDB or MySQL server over TCP. Nothing of `my.cnf` and of the environment counts.
/// Owned and used by one thread, whose waits end when the stop given fires; only `interrupt` may be called by
/// others, as long as the object lives. When a wait is cut short the statement is ended on the server with
/// KILL QUERY over a second connection (3 s at most, with the password that the first had), and the
/// connection is given up: every later call fails as `not_connected`.
class connection {
 public:
  /// Tries the servers in order. `denied`, `not_connected`, `bad_option` and so on as the table of codes
  /// says; `not_supported` for a server that is too old, and for a proxy that moves a session's statements
  /// between connections to the server.
  static result<std::unique_ptr<connection>> open(const connection_plan& plan, const stop_signal& stop);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  [[nodiscard]] const server_info& server() const;
  [[nodiscard]] const relational::server_address& address() const;
  /// `"db1:3306/shop"`: begins messages.
  [[nodiscard]] const std::string& place() const;
  /// This session as the server knows it, with a word that no later one has, and the server's own number:
  /// `4711/5f0c…@1`. The word is held as a named lock, which the server lets go of with the session.
  result<std::string> session_name(const stop_signal& stop);
  /// Of a proxy before the server that has numbers of its own for connections: what is said of it in a plan;
  /// else empty. KILL is not sent over it, because the number may be another session's.
  [[nodiscard]] std::string note_of_proxy() const;
  /// @@max_allowed_packet: the largest statement that the server takes.
  [[nodiscard]] std::uint64_t packet_bytes_max() const;
  /// LOAD DATA LOCAL is allowed by the server.
  [[nodiscard]] bool can_load() const;
  [[nodiscard]] bool alive() const;

  /// Runs one statement, of a procedure to the end; rows are dropped as they come.
  result<statement_answer> run(std::string_view sql, const stop_signal& stop);
  /// Runs one statement and keeps its rows, of several results those of the first.
  result<std::vector<relational::sql_row>> ask(std::string_view sql, const stop_signal& stop);
  /// Sends all statements before the first answer is read: each is small, and they are few (64). One that
  /// fails does not keep the next from running. An error is one of the connection. Of a product that only
  /// speaks the protocol each is asked for its answer before the next.
  result<std::vector<piped_answer>> run_piped(const std::vector<std::string>& statements,
                                              const stop_signal& stop);
  /// `LOAD DATA LOCAL INFILE 'sluice' …`. `next` gives the file piece by piece, as the server takes it, and
  /// nothing at its end; a piece lives until the next is asked for. It runs on the connector's stack, which
  /// is small (60 KiB).
  result<statement_answer> load(std::string_view sql, const std::function<std::string_view()>& next,
                                const stop_signal& stop);
  result<std::vector<server_warning>> warnings(const stop_signal& stop);
  /// The columns that a SELECT would have, without running it; of a product that prepares no such statement
  /// by running it for no rows.
  result<std::vector<result_column>> describe(std::string_view sql, const stop_signal& stop);

  /// Runs a SELECT whose rows are then fetched one by one as they come.
  result<std::vector<result_column>> select(std::string_view sql, const stop_signal& stop);
  /// The next row; false at the end.
  result<bool> fetch(row_view& row, const stop_signal& stop);
  /// Ends a SELECT that is open. One with rows left is ended on the server, and the connection given up.
  void end_select();
  /// The same, and keeps the connection with its transaction: what the server has sent already is read.
  result<void> cancel_select(const stop_signal& stop);

  result<void> begin(const stop_signal& stop);
  result<void> commit(const stop_signal& stop);
  /// Never fails: a connection that does not answer is given up, and the server rolls back.
  void rollback();
  /// As the server's last answer says.
  [[nodiscard]] bool in_transaction() const;

  /// The last failure in the server's words, and as an error: `doing` stands in front of them.
  [[nodiscard]] const server_failure& last_failure() const;

  /// A text or bytes as an SQL literal of this session.
  [[nodiscard]] std::string literal(std::string_view text) const;

  /// Ends the statement that runs: its owner does it, see above. Thread-safe, returns at once.
  void interrupt();

  /// What the guard does about connections of a process that is gone (plugin::end_left): KILL of each whose
  /// session is there still, known by the named lock that it holds. Tries for 9 s where the server does not
  /// answer.
  static void end_left(std::string_view place, const std::vector<std::string>& sessions);

 private:
  struct state;
  explicit connection(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// Takes variables out of this process's environment by which the connector would look for its plugins, those
/// of logins too, elsewhere. For a process without threads yet.
void forget_environment();

std::string quote_name(std::string_view name);  ///< `` `na``me` ``: an identifier in SQL.

/// Whether an error's kind means that the connection itself is gone.
bool is_lost(const error& e);

/// Statements for marks, claims and the catalogue: `?` outside of quotes stands for the values in order.
class mysql_session : public relational::sql_session {
 public:
  /// Both outlive this.
  explicit mysql_session(connection& c) : connection_(&c) {}
  void use_stop(const stop_signal& stop) { stop_ = stop; }
  /// Statements carry it from here on (`statement_comment`).
  void use_comment(std::string comment) { comment_ = std::move(comment); }

  result<std::vector<relational::sql_row>> ask(const std::string& sql,
                                               const std::vector<relational::sql_text>& values) override;
  result<std::uint64_t> run(const std::string& sql, const std::vector<relational::sql_text>& values) override;
  result<void> begin() override { return connection_->begin(stop_); }
  result<void> commit() override { return connection_->commit(stop_); }
  void rollback() override { connection_->rollback(); }

 private:
  [[nodiscard]] std::string with_values(const std::string& sql,
                                        const std::vector<relational::sql_text>& values) const;
  connection* connection_;
  std::string comment_;
  stop_signal stop_;
};

}  // namespace sluice::mysql
