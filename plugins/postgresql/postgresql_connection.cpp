#include "plugins/postgresql/postgresql_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <future>
#include <thread>
#include <utility>

#include "plugins/api/time_limit.h"
#include "plugins/common/relational/lock_watch.h"
#include "plugins/common/relational/socket_reset.h"
#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_codes.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using clock = std::chrono::steady_clock;
using relational::sql_row;
using relational::sql_text;

constexpr const char* lock_not_available = "55P03";
constexpr std::size_t name_part_max = 28;  ///< Of what a connection of a run is for.
/// Where nothing limits a wait but the stop.
constexpr std::chrono::hours no_limit{24 * 365};
/// How long a cancel request may take before the connection is given up without it.
constexpr std::chrono::seconds cancel_wait{2};
/// libpq keeps what is handed to it in one buffer, which never shrinks.
constexpr std::size_t copy_piece_bytes = std::size_t{256} << 10;

/// Warnings that are not of a row, which any statement may meet: of the server's supply of transaction
/// numbers, and of collations that another version of a library orders now.
constexpr auto server_warning_sources =
    std::to_array<std::string_view>({"varsup.c", "multixact.c", "pg_locale.c", "postinit.c"});

struct result_holder {
  pg_result* r = nullptr;
  explicit result_holder(pg_result* given) : r(given) {}
  ~result_holder() { PQclear(r); }
  result_holder(const result_holder&) = delete;
  result_holder& operator=(const result_holder&) = delete;
};

std::string field_of(const pg_result* r, int field) {
  const char* text = PQresultErrorField(r, field);
  return text == nullptr ? std::string() : std::string(text);
}

bool is_good(ExecStatusType status) {
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}
bool is_copy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/// A statement as it stands in a message.
std::string shown(std::string_view sql) {
  constexpr std::size_t shown_max = 300;
  const std::string whole = statement_text(sql);
  return whole.size() <= shown_max ? whole : escaped(whole, shown_max);
}

}  // namespace

struct connection::cancel_handle {
  PGcancel* request;
  explicit cancel_handle(PGcancel* r) : request(r) {}
  ~cancel_handle() { PQfreeCancel(request); }
  cancel_handle(const cancel_handle&) = delete;
  cancel_handle& operator=(const cancel_handle&) = delete;
};

connection::~connection() {
  PQfreemem(message_);
  PQfinish(conn_);
}

void connection::adopt() {
  cancel_ = std::make_shared<cancel_handle>(PQgetCancel(conn_));
  PQsetnonblocking(conn_, 1);
  // libpq would write them to stderr.
  PQsetNoticeReceiver(
      conn_,
      [](void* self, const pg_result* notice) { static_cast<connection*>(self)->keep_warning(notice); },
      this);
}

void connection::keep_warning(const pg_result* notice) {
  const bool of_a_row = field_of(notice, PG_DIAG_SEVERITY_NONLOCALIZED) == "WARNING" &&
                        std::find(server_warning_sources.begin(), server_warning_sources.end(),
                                  field_of(notice, PG_DIAG_SOURCE_FILE)) == server_warning_sources.end();
  if (of_a_row && !warning_) {
    warning_ = words_of(notice);
  }
}

server_failure connection::words_of(const pg_result* r) {
  server_failure words;
  words.sqlstate = field_of(r, PG_DIAG_SQLSTATE);
  words.message = field_of(r, PG_DIAG_MESSAGE_PRIMARY);
  words.column = field_of(r, PG_DIAG_COLUMN_NAME);
  words.constraint = field_of(r, PG_DIAG_CONSTRAINT_NAME);
  words.context = field_of(r, PG_DIAG_CONTEXT);
  words.position = field_of(r, PG_DIAG_STATEMENT_POSITION);
  for (const char more : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT}) {
    if (const std::string text = field_of(r, more); !text.empty()) {
      words.message += (words.message.ends_with('.') ? " " : ". ") + text;
    }
  }
  return words;
}

int connection::version() const {
  return PQserverVersion(conn_);
}

std::string connection::parameter(const char* name) const {
  const char* value = PQparameterStatus(conn_, name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string connection::tls_text() const {
  const char* protocol = PQsslInUse(conn_) != 0 ? PQsslAttribute(conn_, "protocol") : nullptr;
  return protocol == nullptr ? std::string() : std::string(protocol);
}

int connection::backend() const {
  return PQbackendPID(conn_);
}

bool connection::in_transaction() const {
  const PGTransactionStatusType status = PQtransactionStatus(conn_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

bool connection::is_lost() const {
  return dead_ || PQstatus(conn_) != CONNECTION_OK;
}

error connection::lost(std::string_view doing) {
  dead_ = true;
  std::string why = PQerrorMessage(conn_);
  while (why.ends_with('\n')) {
    why.pop_back();
  }
  return {error_kind::not_connected,
          fmt::format("{}: {}: the connection was lost{}{}", place_, shown(doing), why.empty() ? "" : ": ",
                      statement_text(why)),
          "connection_lost", false};
}

error connection::stopped() {
  dead_ = true;
  // Asked for on a thread of its own: the server's host may be gone, and libpq waits for it.
  auto asked = std::make_shared<std::promise<void>>();
  std::future<void> done = asked->get_future();
  std::thread([handle = cancel_, asked] {
    char ignored[256];
    PQcancel(handle->request, ignored, sizeof ignored);
    asked->set_value();
  }).detach();
  done.wait_for(cancel_wait);
  return {error_kind::cancelled, fmt::format("{}: stopped on request", place_), "", false};
}

void connection::interrupt() {
  interrupted_ = true;
  std::thread([handle = cancel_] {
    char ignored[256];
    PQcancel(handle->request, ignored, sizeof ignored);
  }).detach();
}

error connection::failed(const pg_result* r, std::string_view sql, carries what) {
  if (PQstatus(conn_) != CONNECTION_OK && PQresultErrorField(r, PG_DIAG_SQLSTATE) == nullptr) {
    return lost(sql);
  }
  failure_ = words_of(r);
  const std::string in_vain = std::exchange(in_vain_, {});
  code_meaning meaning = meaning_of(failure_.sqlstate);
  const bool was_cancelled = failure_.sqlstate == "57014";
  if (was_cancelled && (interrupted_ || stop_.fired())) {
    meaning = {failure_.sqlstate, error_kind::cancelled, ""};
  } else if (was_cancelled && !in_vain.empty()) {
    meaning = {failure_.sqlstate, error_kind::bad_option, in_vain};
  }
  if (PQstatus(conn_) != CONNECTION_OK) {
    dead_ = true;
  }
  if (meaning.kind == error_kind::bad_row && what == carries::no_rows) {
    meaning.kind = error_kind::bad_option;
  }
  error e{meaning.kind,
          fmt::format("{}: {}: {} ({}){}{}", place_, shown(sql), statement_text(failure_.message),
                      failure_.sqlstate, meaning.advice.empty() ? "" : "; ", meaning.advice),
          failure_.sqlstate, false};
  if (meaning.kind == error_kind::busy && was_cancelled && limits_time_) {
    e.code = time_limit_code;
    e.final = true;
  } else if (failure_.sqlstate == lock_not_available && !lock_limit_.empty()) {
    e.message += "; " + lock_limit_;
  }
  return e;
}

result<void> connection::flush() {
  for (;;) {
    const int left = PQflush(conn_);
    if (left == 0) {
      return {};
    }
    if (left < 0) {
      return fail(lost("send"));
    }
    // Both ways: a server that waits for us to read its notices reads nothing itself.
    pollfd fds[2] = {{PQsocket(conn_), POLLIN | POLLOUT, 0}, {stop_.fd(), POLLIN, 0}};
    const int timeout = socket_timeout_.count() == 0 ? -1 : static_cast<int>(socket_timeout_.count());
    const int ready = ::poll(fds, 2, timeout);
    if (stop_.fired()) {
      return fail(stopped());
    }
    if (ready == 0) {
      dead_ = true;
      return fail(error_kind::not_connected, "{}: the server has taken nothing for {}", place_,
                  duration_text(static_cast<double>(socket_timeout_.count()) / 1000));
    }
    if (ready > 0 && (fds[0].revents & POLLIN) != 0 && PQconsumeInput(conn_) == 0) {
      return fail(lost("send"));
    }
  }
}

void connection::wake_with(int bytes) {
  if (wakes_with_ != bytes &&
      ::setsockopt(PQsocket(conn_), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0) {
    wakes_with_ = bytes;
  }
}

result<void> connection::wait_for_rows() {
  // The server sends 8 KiB at a time: woken by each, a thread does little else, and each waking costs as much
  // as some 50 rows.
  constexpr int worth_waking = 192 << 10;
  constexpr std::chrono::milliseconds while_more_comes(2);
  wake_with(worth_waking);
  auto ready = wait(PQsocket(conn_), wait_for::readable, clock::now() + while_more_comes, stop_);
  if (!ready) {
    return ready.error().kind == error_kind::cancelled ? fail(stopped()) : wait_for_answer();
  }
  if (PQconsumeInput(conn_) == 0) {
    return fail(lost("read the answer"));
  }
  // libpq's buffer is twice as large where more is taken in than it holds: a few times, from its 16 KiB to
  // about what is worth waking for, and not to all that the system may hold for a slow reader.
  constexpr int doublings_max = 4;
  int left = 0;
  if (doublings_ < doublings_max && ::ioctl(PQsocket(conn_), FIONREAD, &left) == 0 && left > 0) {
    ++doublings_;
    if (PQconsumeInput(conn_) == 0) {
      return fail(lost("read the answer"));
    }
  }
  return {};
}

result<void> connection::wait_for_answer() {
  wake_with(1);
  in_vain_.clear();
  const auto since = clock::now();
  const auto limit = since + (socket_timeout_.count() == 0 ? no_limit : socket_timeout_);
  auto look_at = look_ ? since + relational::lock_watch::first_look : limit;
  for (;;) {
    const auto ready = wait(PQsocket(conn_), wait_for::readable, std::min(limit, look_at), stop_);
    if (ready) {
      break;
    }
    if (ready.error().kind == error_kind::cancelled) {
      return fail(stopped());
    }
    if (look_at < limit) {
      if (std::string why = look_(clock::now() - since, stop_); !why.empty()) {
        in_vain_ = std::move(why);
      }
      look_at = relational::lock_watch::next_look(since, look_at);
      continue;
    }
    dead_ = true;
    return fail(error_kind::not_connected, "{}: the server has not answered for {}", place_,
                duration_text(static_cast<double>(socket_timeout_.count()) / 1000));
  }
  if (PQconsumeInput(conn_) == 0) {
    return fail(lost("read the answer"));
  }
  return {};
}

result<pg_result*> connection::next_result() {
  while (PQisBusy(conn_) != 0) {
    SLUICE_CHECK(wait_for_answer());
  }
  return PQgetResult(conn_);
}

result<void> connection::finish(std::string_view sql, const std::function<void(const pg_result*)>& take,
                                carries what) {
  std::optional<error> first;
  for (;;) {
    SLUICE_TRY(pg_result* const next, next_result());
    const result_holder answer(next);
    if (answer.r == nullptr) {
      break;
    }
    if (first) {
      continue;
    }
    if (is_copy(PQresultStatus(answer.r))) {
      // libpq would give the same answer for ever: nobody here has bytes for it, or wants them.
      dead_ = true;
      return fail(
          error_kind::bad_option,
          "{}: {}: COPY from or to the client cannot stand here; let Sluice read or write the rows, or "
          "name a file of the server",
          place_, shown(sql));
    }
    if (!is_good(PQresultStatus(answer.r))) {
      first = failed(answer.r, sql, what);
    } else if (take) {
      take(answer.r);
    }
  }
  return first ? result<void>(fail(std::move(*first))) : result<void>();
}

result<std::uint64_t> connection::finish_rows(std::string_view sql) {
  std::uint64_t met = 0;
  const auto count = [&](const pg_result* r) {
    met = std::strtoull(PQcmdTuples(const_cast<pg_result*>(r)), nullptr, 10);
  };
  SLUICE_CHECK(finish(sql, count, carries::rows));
  return met;
}

result<void> connection::send(const std::string& sql, const std::vector<sql_text>& values) {
  if (is_lost()) {
    return fail(lost(sql));
  }
  std::vector<const char*> texts;
  for (const sql_text& v : values) {
    texts.push_back(v ? v->c_str() : nullptr);
  }
  if (PQsendQueryParams(conn_, sql.c_str(), static_cast<int>(values.size()), nullptr, texts.data(), nullptr,
                        nullptr, 0) == 0) {
    return fail(lost(sql));
  }
  return flush();
}

result<std::vector<sql_row>> connection::finish_asking(std::string_view sql, carries what) {
  std::vector<sql_row> rows;
  const auto take = [&](const pg_result* r) {
    const int columns = PQnfields(r);
    for (int i = 0; i < PQntuples(r); ++i) {
      sql_row row;
      for (int c = 0; c < columns; ++c) {
        if (PQgetisnull(r, i, c) != 0) {
          row.emplace_back();
        } else {
          row.emplace_back(std::string(PQgetvalue(r, i, c), static_cast<std::size_t>(PQgetlength(r, i, c))));
        }
      }
      rows.push_back(std::move(row));
    }
  };
  SLUICE_CHECK(finish(sql, take, what));
  return rows;
}

result<std::vector<sql_row>> connection::ask(const std::string& sql, const std::vector<sql_text>& values) {
  SLUICE_CHECK(send(sql, values));
  return finish_asking(sql, carries::no_rows);
}

result<std::vector<sql_row>> connection::run_and_ask(const std::string& sql) {
  SLUICE_CHECK(send(sql, {}));
  return finish_asking(sql, carries::rows);
}

result<std::uint64_t> connection::run(const std::string& sql, const std::vector<sql_text>& values) {
  SLUICE_CHECK(send(sql, values));
  return finish_rows(sql);
}

result<std::uint64_t> connection::run_with(const std::string& sql,
                                           const std::vector<statement_value>& values) {
  if (is_lost()) {
    return fail(lost(sql));
  }
  std::vector<Oid> types;
  std::vector<const char*> places;
  std::vector<int> lengths;
  std::vector<int> formats;
  std::deque<std::string> texts;  // libpq looks for the end of a text itself
  for (const statement_value& v : values) {
    types.push_back(v.type);
    lengths.push_back(v.bytes ? static_cast<int>(v.bytes->size()) : 0);
    formats.push_back(v.is_text ? 0 : 1);
    places.push_back(!v.bytes ? nullptr : v.is_text ? texts.emplace_back(*v.bytes).c_str() : v.bytes->data());
  }
  if (PQsendQueryParams(conn_, sql.c_str(), static_cast<int>(values.size()), types.data(), places.data(),
                        lengths.data(), formats.data(), 0) == 0) {
    return fail(lost(sql));
  }
  SLUICE_CHECK(flush());
  return finish_rows(sql);
}

result<void> connection::run_script(const std::string& sql) {
  if (is_lost() || PQsendQuery(conn_, sql.c_str()) == 0) {
    return fail(lost(sql));
  }
  SLUICE_CHECK(flush());
  return finish(sql);
}

result<void> connection::commit() {
  if (is_lost() || PQsendQuery(conn_, "COMMIT") == 0) {
    return fail(lost("COMMIT"));
  }
  SLUICE_CHECK(flush());
  bool committed = false;
  SLUICE_CHECK(finish("COMMIT", [&](const pg_result* r) {
    committed = std::string_view(PQcmdStatus(const_cast<pg_result*>(r))) == "COMMIT";
  }));
  if (!committed) {
    return fail(error_kind::busy, "{}: COMMIT: the server rolled the transaction back", place_);
  }
  return {};
}

void connection::rollback() {
  copy_abandon();
  if (!is_lost() && in_transaction()) {
    if (!run_script("ROLLBACK")) {
      dead_ = true;
    }
  }
}

result<std::vector<described_column>> connection::describe(const std::string& sql) {
  if (is_lost() || PQsendPrepare(conn_, "", sql.c_str(), 0, nullptr) == 0) {
    return fail(lost(sql));
  }
  SLUICE_CHECK(flush());
  SLUICE_CHECK(finish(sql));
  if (PQsendDescribePrepared(conn_, "") == 0) {
    return fail(lost(sql));
  }
  SLUICE_CHECK(flush());
  std::vector<described_column> columns;
  SLUICE_CHECK(finish(sql, [&](const pg_result* r) {
    for (int i = 0; i < PQnfields(r); ++i) {
      columns.push_back({PQfname(r, i), PQftype(r, i), PQfmod(r, i), PQftable(r, i), PQftablecol(r, i)});
    }
  }));
  return columns;
}

result<void> connection::copy_out(const std::string& sql) {
  if (is_lost() || PQsendQuery(conn_, sql.c_str()) == 0) {
    return fail(lost(sql));
  }
  SLUICE_CHECK(flush());
  SLUICE_TRY(pg_result* const next, next_result());
  const result_holder answer(next);
  if (answer.r != nullptr && PQresultStatus(answer.r) == PGRES_COPY_OUT) {
    copying_ = copying::out;
    relational::reset_when_closed(PQsocket(conn_), true);
    copy_sql_ = sql;
    return {};
  }
  error why = answer.r == nullptr ? lost(sql) : failed(answer.r, sql);
  (void)finish(sql);
  return fail(std::move(why));
}

result<void> connection::rows_out(const std::string& sql) {
  constexpr int binary = 1;
  if (is_lost() ||
      PQsendQueryParams(conn_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, binary) == 0 ||
      PQsetSingleRowMode(conn_) == 0) {
    return fail(lost(sql));
  }
  SLUICE_CHECK(flush());
  copying_ = copying::rows;
  relational::reset_when_closed(PQsocket(conn_), true);
  copy_sql_ = sql;
  rows_begun_ = rows_ended_ = false;
  return {};
}

result<std::optional<std::string_view>> connection::row_message() {
  if (rows_ended_) {
    copying_ = copying::none;
    relational::reset_when_closed(PQsocket(conn_), false);
    SLUICE_CHECK(finish(copy_sql_));
    return std::optional<std::string_view>();
  }
  while (PQisBusy(conn_) != 0) {
    SLUICE_CHECK(wait_for_rows());
  }
  const result_holder answer(PQgetResult(conn_));
  const auto status = answer.r == nullptr ? PGRES_FATAL_ERROR : PQresultStatus(answer.r);
  if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
    copying_ = copying::none;
    relational::reset_when_closed(PQsocket(conn_), false);
    error why = answer.r == nullptr ? lost(copy_sql_) : failed(answer.r, copy_sql_);
    if (!is_lost()) {
      (void)finish(copy_sql_);
    }
    return fail(std::move(why));
  }
  row_.assign(rows_begun_ ? std::string_view() : copy_signature);
  rows_begun_ = true;
  if (status == PGRES_TUPLES_OK) {
    rows_ended_ = true;
    row_ += copy_trailer;
    return std::optional<std::string_view>(row_);
  }
  const auto put = [&](auto number) {
    std::array<std::byte, sizeof number> bytes;
    write_big(number, bytes.data());
    row_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const int fields = PQnfields(answer.r);
  put(static_cast<std::uint16_t>(fields));
  for (int i = 0; i < fields; ++i) {
    if (PQgetisnull(answer.r, 0, i) != 0) {
      put(null_field);
      continue;
    }
    const auto bytes = static_cast<std::uint32_t>(PQgetlength(answer.r, 0, i));
    put(bytes);
    row_.append(PQgetvalue(answer.r, 0, i), bytes);
  }
  return std::optional<std::string_view>(row_);
}

result<std::optional<std::string_view>> connection::copy_message() {
  if (copying_ == copying::rows) {
    return row_message();
  }
  PQfreemem(message_);
  message_ = nullptr;
  for (;;) {
    const int bytes = PQgetCopyData(conn_, &message_, 1);
    if (bytes > 0) {
      return std::string_view(message_, static_cast<std::size_t>(bytes));
    }
    if (bytes == 0) {
      SLUICE_CHECK(wait_for_rows());
      continue;
    }
    if (bytes == -2) {
      return fail(lost(copy_sql_));
    }
    copying_ = copying::none;
    relational::reset_when_closed(PQsocket(conn_), false);
    SLUICE_CHECK(finish(copy_sql_));
    return std::optional<std::string_view>();
  }
}

result<void> connection::copy_in(const std::string& sql) {
  if (is_lost() || PQsendQuery(conn_, sql.c_str()) == 0) {
    return fail(lost(sql));
  }
  SLUICE_CHECK(flush());
  SLUICE_TRY(pg_result* const next, next_result());
  const result_holder answer(next);
  if (answer.r != nullptr && PQresultStatus(answer.r) == PGRES_COPY_IN) {
    copying_ = copying::in;
    copy_sql_ = sql;
    return {};
  }
  error why = answer.r == nullptr ? lost(sql) : failed(answer.r, sql);
  (void)finish(sql);
  return fail(std::move(why));
}

result<void> connection::copy_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t piece = std::min(bytes.size(), copy_piece_bytes);
    const int taken = PQputCopyData(conn_, bytes.data(), static_cast<int>(piece));
    if (taken < 0) {
      return fail(lost(copy_sql_));
    }
    SLUICE_CHECK(flush());
    if (taken == 1) {
      bytes.remove_prefix(piece);
    }
  }
  return {};
}

bool connection::copy_has_answer() const {
  pollfd fd = {PQsocket(conn_), POLLIN, 0};
  return copying_ == copying::in && ::poll(&fd, 1, 0) > 0;
}

result<std::uint64_t> connection::copy_end() {
  int taken = PQputCopyEnd(conn_, nullptr);
  while (taken == 0) {
    SLUICE_CHECK(flush());
    taken = PQputCopyEnd(conn_, nullptr);
  }
  copying_ = copying::none;
  if (taken < 0) {
    return fail(lost(copy_sql_));
  }
  SLUICE_CHECK(flush());
  return finish_rows(copy_sql_);
}

void connection::copy_abandon() {
  PQfreemem(message_);
  message_ = nullptr;
  if (copying_ == copying::none || is_lost()) {
    copying_ = copying::none;
    return;
  }
  if (copying_ == copying::out || copying_ == copying::rows) {
    // What is left of it could be the whole table.
    copying_ = copying::none;
    (void)stopped();
    return;
  }
  copying_ = copying::none;
  if (PQputCopyEnd(conn_, "given up") != 1 || !flush() ||
      (!finish(copy_sql_) && PQstatus(conn_) != CONNECTION_OK)) {
    dead_ = true;
  }
}

std::string quote_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + '"';
}

std::string quote_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

std::string connection_name(std::string_view job, std::string_view run, std::string_view part) {
  constexpr std::size_t name_max = 63;   // NAMEDATALEN - 1; the server cuts the rest
  constexpr std::size_t run_shown = 13;  // of a UUIDv7: its time
  std::string tail = fmt::format(" {}{}{}", run.substr(0, run_shown), part.empty() ? "" : " ",
                                 part.substr(0, name_part_max));
  std::string name = fmt::format("sluice {}", job.empty() ? "job" : job);
  name = name.substr(0, name_max - std::min(name_max, tail.size())) + tail;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return name.substr(0, name_max);
}

std::string of_run_sql(std::string_view job, std::string_view run, std::string_view column) {
  // The part's length decides how much of the job's name is left.
  constexpr std::size_t head_bytes = 20;
  const std::string shortest = connection_name("", run, "");
  const std::string name = connection_name(job, run, std::string(name_part_max, 'x'));
  return fmt::format("(pg_catalog.substr({0}, 1, {1}) = {2} AND pg_catalog.strpos({0}, {3}) > 0)", column,
                     head_bytes, quote_text(name.substr(0, head_bytes)),
                     quote_text(shortest.substr(shortest.find(' ', shortest.find(' ') + 1)) + " "));
}

}  // namespace sluice::postgresql
