#include "transport/base/sqlite.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice::sqlite {

using clock = std::chrono::steady_clock;

struct database::state {
  std::string path;
  sqlite3* db = nullptr;
  std::chrono::milliseconds busy_timeout{0};
  stop_signal stop;
  clock::time_point busy_until;
  std::atomic<bool> interrupted = false;
  std::mutex closing;  // interrupt() must not meet sqlite3_close

  ~state() {
    const std::lock_guard lock(closing);
    sqlite3_close_v2(db);
    db = nullptr;
  }

  [[nodiscard]] bool must_stop() const { return interrupted.load(std::memory_order_relaxed) || stop.fired(); }

  /// sqlite3_busy_handler: own waiting in place of sqlite3_busy_timeout, because that one cannot be stopped.
  static int on_busy(void* self, int calls) {
    auto& s = *static_cast<state*>(self);
    const auto now = clock::now();
    if (calls == 0) {
      s.busy_until = now + s.busy_timeout;
    }
    if (now >= s.busy_until || s.must_stop()) {
      return 0;
    }
    const auto pause = std::chrono::milliseconds(std::min(100, 1 << std::min(calls, 7)));
    (void)wait(-1, wait_for::readable, std::min(s.busy_until, now + pause), s.stop);
    return s.must_stop() ? 0 : 1;
  }
};

statement::statement(statement&& other) noexcept : stmt_(std::exchange(other.stmt_, nullptr)) {}

statement& statement::operator=(statement&& other) noexcept {
  std::swap(stmt_, other.stmt_);
  return *this;
}

statement::~statement() {
  sqlite3_finalize(stmt_);
}

// sqlite3_bind_* fail only on a wrong index or a statement that was not reset, our mistakes, which the next
// step reports as SQLITE_MISUSE or by a missing value in a test; a null pointer would bind NULL, hence "".
void statement::bind_null(int index) {
  sqlite3_bind_null(stmt_, index);
}
void statement::bind(int index, std::int64_t v) {
  sqlite3_bind_int64(stmt_, index, v);
}
void statement::bind(int index, double v) {
  sqlite3_bind_double(stmt_, index, v);
}
void statement::bind_text(int index, std::string_view utf8) {
  sqlite3_bind_text(stmt_, index, utf8.data() == nullptr ? "" : utf8.data(), static_cast<int>(utf8.size()),
                    SQLITE_STATIC);
}
void statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob(stmt_, index, bytes.data() == nullptr ? "" : bytes.data(), static_cast<int>(bytes.size()),
                    SQLITE_STATIC);
}

void statement::bind(int index, const sql_value& v) {
  if (const auto* n = std::get_if<std::int64_t>(&v)) {
    bind(index, *n);
  } else if (const auto* d = std::get_if<double>(&v)) {
    bind(index, *d);
  } else if (const auto* t = std::get_if<std::string_view>(&v)) {
    bind_text(index, *t);
  } else {
    bind_null(index);
  }
}

step_answer statement::step() {
  switch (sqlite3_step(stmt_)) {
    case SQLITE_DONE:
      return step_answer::done;
    case SQLITE_ROW:
      return step_answer::row;
    default:
      return step_answer::failed;
  }
}

void statement::reset() {
  sqlite3_reset(stmt_);
}

int statement::columns() const {
  return sqlite3_column_count(stmt_);
}

std::string statement::column_name(int column) const {
  const char* name = sqlite3_column_name(stmt_, column);
  return name == nullptr ? "" : name;
}

std::string statement::declared_type(int column) const {
  const char* type = sqlite3_column_decltype(stmt_, column);
  return type == nullptr ? "" : type;
}

storage statement::storage_at(int column) const {
  switch (sqlite3_column_type(stmt_, column)) {
    case SQLITE_INTEGER:
      return storage::integer;
    case SQLITE_FLOAT:
      return storage::real;
    case SQLITE_TEXT:
      return storage::text;
    case SQLITE_BLOB:
      return storage::blob;
    default:
      return storage::null;
  }
}

std::int64_t statement::int64_at(int column) const {
  return sqlite3_column_int64(stmt_, column);
}
double statement::float64_at(int column) const {
  return sqlite3_column_double(stmt_, column);
}

std::string_view statement::bytes_at(int column) const {
  // Text first, then the length: the order that sqlite3_column_blob's manual asks for.
  const auto* bytes = sqlite3_column_type(stmt_, column) == SQLITE_BLOB
                          ? static_cast<const char*>(sqlite3_column_blob(stmt_, column))
                          : reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  const int length = sqlite3_column_bytes(stmt_, column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(length));
}

database::database(std::unique_ptr<state> s) : state_(std::move(s)) {}
database::database(database&&) noexcept = default;
database& database::operator=(database&&) noexcept = default;
database::~database() = default;

result<database> database::open(const std::string& path, open_mode mode,
                                std::chrono::milliseconds busy_timeout, const stop_signal& stop) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == EACCES) {
      return fail(error_kind::denied, "{}: the file cannot be reached; {}", in_quotes(path),
                  "check the rights of its folders");
    }
    if (mode != open_mode::create) {
      return fail(error_kind::bad_option, "{}: there is no such file{}; check the path", in_quotes(path),
                  looked_in(path));
    }
  } else if (S_ISDIR(info.st_mode)) {
    return fail(error_kind::bad_option, "{}: this is a folder; name a database file", in_quotes(path));
  }
  auto s = std::make_unique<state>();
  s->path = path;
  s->busy_timeout = busy_timeout;
  s->stop = stop;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == open_mode::read_only    ? SQLITE_OPEN_READONLY
           : mode == open_mode::read_write ? SQLITE_OPEN_READWRITE
                                           : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &s->db, flags, nullptr);
  database db(std::move(s));
  if (code != SQLITE_OK) {
    return fail(db.failure("open"));
  }
  sqlite3* raw = db.state_->db;
  sqlite3_busy_handler(raw, &state::on_busy, db.state_.get());
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  if (auto version = db.ask("PRAGMA schema_version"); !version) {
    error e = std::move(version).error();
    if (e.code == "SQLITE_NOTADB") {
      e.kind = error_kind::bad_option;
    }
    return fail(std::move(e));
  }
  return db;
}

const std::string& database::path() const {
  return state_->path;
}
void database::use_stop(const stop_signal& stop) {
  state_->stop = stop;
}

result<statement> database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(state_->db, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  statement made(raw);
  if (code != SQLITE_OK) {
    return fail(failure(in_quotes(sql)));
  }
  const std::string_view rest(tail, static_cast<std::size_t>(sql.data() + sql.size() - tail));
  if (raw == nullptr || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    return fail(error_kind::bad_option, "{}: {}: expected exactly one SQL statement", in_quotes(path()),
                in_quotes(sql));
  }
  return made;
}

result<std::string_view> database::compile_first(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(state_->db, sql.data(), static_cast<int>(sql.size()), 0, &raw, &tail);
  const statement made(raw);
  if (code != SQLITE_OK) {
    return fail(failure(in_quotes(sql)));
  }
  return sql.substr(static_cast<std::size_t>(tail - sql.data()));
}

result<void> database::run(std::string_view sql) {
  while (sql.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    if (sqlite3_prepare_v3(state_->db, sql.data(), static_cast<int>(sql.size()), 0, &raw, &tail) !=
        SQLITE_OK) {
      return fail(failure(in_quotes(sql)));
    }
    statement one(raw);
    while (one) {
      const step_answer answer = one.step();
      if (answer == step_answer::failed) {
        return fail(failure(in_quotes(sql)));
      }
      if (answer == step_answer::done) {
        break;
      }
    }
    sql.remove_prefix(static_cast<std::size_t>(tail - sql.data()));
  }
  return {};
}

result<std::int64_t> database::run(std::string_view sql, std::initializer_list<sql_value> parameters) {
  SLUICE_TRY(statement one, prepare(sql));
  int index = 0;
  for (const sql_value& v : parameters) {
    one.bind(++index, v);
  }
  for (;;) {
    switch (one.step()) {
      case step_answer::failed:
        return fail(failure(in_quotes(sql)));
      case step_answer::done:
        return changes();
      case step_answer::row:
        break;
    }
  }
}

result<std::optional<std::string>> database::ask(std::string_view sql,
                                                 std::initializer_list<sql_value> parameters) {
  SLUICE_TRY(statement one, prepare(sql));
  int index = 0;
  for (const sql_value& v : parameters) {
    one.bind(++index, v);
  }
  switch (one.step()) {
    case step_answer::failed:
      return fail(failure(in_quotes(sql)));
    case step_answer::row:
      if (one.storage_at(0) != storage::null) {
        return std::optional(one.text_at(0));
      }
      break;
    case step_answer::done:
      break;
  }
  return std::optional<std::string>{};
}

std::int64_t database::changes() const {
  return sqlite3_changes64(state_->db);
}
bool database::in_transaction() const {
  return sqlite3_get_autocommit(state_->db) == 0;
}
bool database::is_read_only() const {
  return sqlite3_db_readonly(state_->db, "main") == 1;
}

void database::rollback() {
  if (in_transaction()) {
    sqlite3_exec(state_->db, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

code_meaning database::failure_meaning() const {
  return meaning_of(sqlite3_extended_errcode(state_->db), sqlite3_system_errno(state_->db));
}

std::string database::failure_text() const {
  const char* text = sqlite3_errmsg(state_->db);
  return text == nullptr ? "out of memory" : escaped(text);
}

error database::failure(std::string_view doing) const {
  const code_meaning m = failure_meaning();
  error e{m.kind, fmt::format("{}: {}: {} ({})", in_quotes(path()), doing, failure_text(), m.name),
          std::string(m.name), false};
  if (m.kind == error_kind::busy) {
    if (state_->must_stop()) {
      return {error_kind::cancelled,
              fmt::format("{}: {}: stopped while waiting for a lock", in_quotes(path()), doing), e.code,
              false};
    }
    const double waited = std::chrono::duration<double>(state_->busy_timeout).count();
    e.message += fmt::format(" after waiting {}", duration_text(waited));
    e.final = true;  // the wait was busyTimeout's
  }
  if (!m.advice.empty()) {
    e.message += fmt::format("; {}", m.advice);
  }
  return e;
}

void database::interrupt() {
  const std::lock_guard lock(state_->closing);
  state_->interrupted.store(true, std::memory_order_relaxed);
  if (state_->db != nullptr) {
    sqlite3_interrupt(state_->db);
  }
}

void database::clear_interrupt() {
  state_->interrupted.store(false, std::memory_order_relaxed);
}
bool database::interrupted() const {
  return state_->interrupted.load(std::memory_order_relaxed);
}

namespace {

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out.append(c == quote ? 2 : 1, c);
  }
  out += quote;
  return out;
}

}  // namespace

std::string quote_name(std::string_view name) {
  return doubled(name, '"');
}
std::string quote_text(std::string_view text) {
  return doubled(text, '\'');
}

}  // namespace sluice::sqlite
