#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "transport/base/result.h"
#include "transport/base/stop.h"

struct sqlite3_stmt;

/// The one wrapper of SQLite (https://sqlite.org/c3ref/intro.html), for the plugin and for the state store.
namespace sluice::sqlite {

/// What a result code of SQLite means to the engine. `kind` is `bad_row` where the row at hand can be blamed.
struct code_meaning {
  int code = 0;
  std::string_view name;  ///< `SQLITE_CONSTRAINT_UNIQUE`
  error_kind kind = error_kind::internal;
  std::string_view advice;  ///< What to do, a clause without a full stop; may be empty.
};

/// The meaning of an extended result code; of its primary code where the extended one has no row of its own.
/// `system_error` (errno) tells a full disk from a failing one.
code_meaning meaning_of(int extended_code, int system_error);

enum class open_mode {
  read_only,
  read_write,  ///< The file must exist.
  create,      ///< Made where it does not exist.
};

/// How SQLite stores a value (datatype3.html section 2).
enum class storage : std::uint8_t { integer, real, text, blob, null };
std::string_view to_string(storage s);

/// A value for a parameter. Texts must outlive the call they are given to.
using sql_value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view>;

enum class step_answer : std::uint8_t { row, done, failed };

class database;

/// A prepared statement. Must not outlive its database; used by the database's thread.
class statement {
 public:
  statement() = default;
  statement(statement&& other) noexcept;
  statement& operator=(statement&& other) noexcept;
  ~statement();

  [[nodiscard]] explicit operator bool() const { return stmt_ != nullptr; }

  // Parameters count from 1. The bytes given must stay where they are until `reset` or the next bind.
  void bind_null(int index);
  void bind(int index, std::int64_t v);
  void bind(int index, double v);
  void bind_text(int index, std::string_view utf8);
  void bind_blob(int index, std::string_view bytes);
  void bind(int index, const sql_value& v);

  /// Goes on to the next row or to the end. After `failed` the cause is in `database::failure`.
  step_answer step();
  /// Ends the execution, so that the next `step` begins anew; bindings stay.
  void reset();

  // The row at hand; columns count from 0. Views hold until the next `step` or `reset`.
  [[nodiscard]] int columns() const;
  [[nodiscard]] std::string column_name(int column) const;
  /// The declared type where the column is a table's own, else empty.
  [[nodiscard]] std::string declared_type(int column) const;
  [[nodiscard]] storage storage_at(int column) const;
  [[nodiscard]] std::int64_t int64_at(int column) const;
  [[nodiscard]] double float64_at(int column) const;
  [[nodiscard]] std::string_view bytes_at(int column) const;  ///< Of a text or blob; a number becomes text.
  [[nodiscard]] std::string text_at(int column) const { return std::string(bytes_at(column)); }

 private:
  friend class database;
  explicit statement(sqlite3_stmt* s) : stmt_(s) {}
  sqlite3_stmt* stmt_ = nullptr;
};

/// A connection to a database file. Owned and used by one thread; only `interrupt` may be called by others,
/// as long as the object lives. A locked file is waited for up to the busy timeout, less where the stop
/// fires. Double-quoted names that do not exist are errors, never texts (SQLITE_DBCONFIG_DQS_*).
class database {
 public:
  /// `bad_option` where the file is missing or is no database, `denied` where it may not be opened, else as
  /// the table of codes says. Reads the file's header, so that what is no database is seen here.
  static result<database> open(const std::string& path, open_mode mode,
                               std::chrono::milliseconds busy_timeout, const stop_signal& stop = {});
  database(database&&) noexcept;
  database& operator=(database&&) noexcept;
  ~database();

  [[nodiscard]] const std::string& path() const;
  /// Waits of later calls end when `stop` fires.
  void use_stop(const stop_signal& stop);

  /// Prepares exactly one statement; `bad_option` with SQLite's words where it is not one.
  result<statement> prepare(std::string_view sql);
  /// Compiles the first statement of a text and does not run it; returns what stands behind it. (Of a PRAGMA
  /// compiling may be running.)
  result<std::string_view> compile_first(std::string_view sql);
  /// Runs all statements of a text; rows are dropped.
  result<void> run(std::string_view sql);
  /// Runs one statement with parameters to its end; returns the number of rows changed.
  result<std::int64_t> run(std::string_view sql, std::initializer_list<sql_value> parameters);
  /// The first row's first column as text; nothing where there is no row or it is NULL.
  result<std::optional<std::string>> ask(std::string_view sql,
                                         std::initializer_list<sql_value> parameters = {});

  /// Rows inserted, updated or deleted by the last such statement, triggers not counted.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] bool in_transaction() const;
  /// The file cannot be written by this connection.
  [[nodiscard]] bool is_read_only() const;
  /// ROLLBACK where a transaction is open. Never fails: what cannot be rolled back now is by the next opener.
  void rollback();

  /// The last failure as an error; `doing` begins the message: `"shop.db": insert into "orders"`.
  [[nodiscard]] error failure(std::string_view doing) const;
  /// The name of the last failure's extended code, and SQLite's own words for it.
  [[nodiscard]] code_meaning failure_meaning() const;
  [[nodiscard]] std::string failure_text() const;

  /// Ends the statement that runs and makes later ones and waits end too, until `clear_interrupt`.
  /// Thread-safe.
  void interrupt();
  void clear_interrupt();
  [[nodiscard]] bool interrupted() const;

 private:
  struct state;
  explicit database(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

std::string quote_name(std::string_view name);  ///< `"na""me"`: an identifier in SQL.
std::string quote_text(std::string_view text);  ///< `'it''s'`: a text literal in SQL.

}  // namespace sluice::sqlite
