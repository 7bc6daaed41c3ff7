#include <fmt/format.h>
#include <mysql.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <random>
#include <utility>

#include "plugins/api/time_limit.h"
#include "plugins/common/relational/socket_reset.h"
#include "plugins/common/relational/sql_text.h"
#include "plugins/mysql/mysql_codes.h"
#include "plugins/mysql/mysql_connection_state.h"
#include "plugins/mysql/mysql_options.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

std::string random_word() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

/// The numbers in the server's sentence, in order: 3 and 0 of `Records: 3  Duplicates: 0`. Its words are in
/// the session's language; their order is not.
std::vector<std::uint64_t> numbers_in(std::string_view info) {
  std::vector<std::uint64_t> out;
  for (std::size_t at = 0; (at = info.find_first_of("0123456789", at)) != std::string_view::npos;) {
    std::uint64_t n = 0;
    const auto read = std::from_chars(info.data() + at, info.data() + info.size(), n);
    out.push_back(n);
    at = static_cast<std::size_t>(read.ptr - info.data());
  }
  return out;
}

}  // namespace

std::string quote_name(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    out += c;
    if (c == '`') {
      out += c;
    }
  }
  return out + "`";
}

bool is_lost(const error& e) {
  return e.kind == error_kind::not_connected || e.kind == error_kind::cancelled;
}

result<int> connection::state::wait_until(int wanted, connection_clock::time_point deadline,
                                          const stop_signal& stop) {
  const stop_signal cut = interrupted.signal();
  auto limit = deadline;
  bool library_limit = false;
  if ((wanted & MYSQL_WAIT_TIMEOUT) != 0) {
    const unsigned ms = mysql_get_timeout_value_ms(mysql);
    if (ms != 0 && connection_clock::now() + std::chrono::milliseconds(ms) < limit) {
      limit = connection_clock::now() + std::chrono::milliseconds(ms);
      library_limit = true;
    }
  }
  const auto begin = connection_clock::now();
  auto look_at = sql_is_waiting && plan.locks != nullptr ? begin + relational::lock_watch::first_look : never;
  for (;;) {
    if (connection_clock::now() >= look_at) {
      look_into_wait(connection_clock::now() - begin, stop);
      look_at = relational::lock_watch::next_look(begin, look_at);
    }
    if (stop.fired() || cut.fired()) {
      return fail(error_kind::cancelled, "{}: stopped on request", at);
    }
    std::array<pollfd, 3> fds = {
        {{mysql_get_socket(mysql), 0, 0}, {stop.fd(), POLLIN, 0}, {cut.fd(), POLLIN, 0}}};
    fds[0].events = static_cast<short>(((wanted & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
                                       ((wanted & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0) |
                                       ((wanted & MYSQL_WAIT_EXCEPT) != 0 ? POLLPRI : 0));
    using std::chrono::milliseconds;
    const auto next = std::min(limit, look_at);
    const auto left = next == never
                          ? milliseconds(3'600'000)
                          : std::chrono::duration_cast<milliseconds>(next - connection_clock::now());
    const int n = ::poll(fds.data(), fds.size(),
                         static_cast<int>(std::clamp<long long>(left.count() + 1, 0, 3'600'000)));
    if (n < 0 && errno != EINTR) {
      return fail(error_kind::internal, "poll failed: {}", std::strerror(errno));
    }
    if (n > 0 && fds[0].revents != 0) {
      int occurred = 0;
      occurred |= (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 ? MYSQL_WAIT_READ : 0;
      occurred |= (fds[0].revents & (POLLOUT | POLLERR)) != 0 ? MYSQL_WAIT_WRITE : 0;
      occurred |= (fds[0].revents & POLLPRI) != 0 ? MYSQL_WAIT_EXCEPT : 0;
      return occurred & wanted;
    }
    if (n == 0 && connection_clock::now() >= limit) {
      if (library_limit) {
        return MYSQL_WAIT_TIMEOUT;
      }
      return fail(error_kind::not_connected, "{}: no answer within {}", at,
                  duration_text(std::chrono::duration<double>(connection_clock::now() - begin).count()));
    }
  }
}

error connection::state::lost_error() const {
  return {error_kind::not_connected, fmt::format("{}: the connection is gone", at), "CR_SERVER_LOST", false};
}

error connection::state::failure(std::string_view doing) {
  failed = {mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql)};
  code_meaning m = meaning_of(failed.code, failed.state, failed.message);
  error e{m.kind, {}, m.name, false};
  e.message = fmt::format("{}: {}{}{} ({}, {})", at, doing, doing.empty() ? "" : ": ",
                          escaped(failed.message, 1000), m.name, failed.code);
  if (is_time_limit(failed.code) && !time_limit.empty()) {
    e.message += fmt::format("; {}: raise it there, or take it out", time_limit);
    e.code = time_limit_code;
    e.final = true;
  } else if (!m.advice.empty()) {
    e.message += fmt::format("; {}", m.advice);
  }
  if (m.kind == error_kind::not_connected) {
    drop();
  }
  return e;
}

void connection::state::drop() {
  if (mysql == nullptr) {
    return;
  }
  // What is left of a call that was cut short must not wait for the server any more.
  mariadb_cancel(mysql);
  if (rows != nullptr) {
    mysql_free_result(rows);
    rows = nullptr;
  }
  mysql_close(mysql);
  mysql = nullptr;
  sql_is_waiting = false;
  if (guarded != 0) {
    plan.guard->take_back(std::exchange(guarded, 0));
  }
}

void connection::state::kill_statement() {
  using std::chrono::milliseconds;
  if (!proxy.empty()) {
    return;  // the number may be one of the proxy's own, or another session's of the server
  }
  if (session_number == 0 || (server.product == server_product::other && session_word.empty())) {
    return;  // or of another node of the cluster; before the session is known nothing runs that takes time
  }
  const unsigned long id = mysql_thread_id(mysql);
  const auto until = connection_clock::now() + tidy_up_time;
  state second(plan);
  second.plan.role = session_role::look;
  second.kills = false;
  second.plan.connect.connect_timeout = tidy_up_time;
  second.at = at;
  second.password.emplace(password ? password->reveal() : std::string_view());
  second.key_password = secret(key_password.reveal());
  if (second.connect(server_at, encrypted, {})) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - connection_clock::now());
    second.plan.connect.socket_timeout = std::max(left, milliseconds(1));
    const auto holder =
        session_word.empty() ? relational::sql_row{""} : second.holders(server_name, {session_word});
    if (holder && holder->front()) {
      (void)second.run(fmt::format("KILL QUERY {}", id), {});
    }
  }
}

connection::connection(std::unique_ptr<state> s) : state_(std::move(s)) {}
connection::~connection() = default;

result<void> connection::state::query(std::string_view sql, const stop_signal& stop) {
  if (mysql == nullptr) {
    return fail(lost_error());
  }
  if (rows != nullptr) {
    return fail(error_kind::internal, "{}: a statement was sent while rows of another are read", at);
  }
  int failed_call = 0;
  sql_is_waiting = true;
  SLUICE_CHECK(drive([&] { return mysql_real_query_start(&failed_call, mysql, sql.data(), sql.size()); },
                     [&](int occurred) { return mysql_real_query_cont(&failed_call, mysql, occurred); },
                     stop));
  sql_is_waiting = mysql != nullptr && failed_call == 0 && mysql_field_count(mysql) != 0;
  if (failed_call != 0) {
    return fail(failure(""));
  }
  return {};
}

result<statement_answer> connection::state::run(std::string_view sql, const stop_signal& stop) {
  SLUICE_CHECK(query(sql, stop));
  if (mysql_field_count(mysql) != 0) {
    SLUICE_CHECK(drop_rows(stop));
  }
  SLUICE_CHECK(drop_results(stop));
  return mysql_field_count(mysql) != 0 ? statement_answer{} : answer_at_hand();
}

result<void> connection::state::drop_rows(const stop_signal& stop) {
  sql_is_waiting = true;
  rows = mysql_use_result(mysql);
  MYSQL_ROW row = nullptr;
  do {
    if (rows == nullptr) {
      return fail(failure(""));
    }
    SLUICE_CHECK(drive([&] { return mysql_fetch_row_start(&row, rows); },
                       [&](int occurred) { return mysql_fetch_row_cont(&row, rows, occurred); }, stop));
  } while (row != nullptr);
  const bool failed_read = mysql_errno(mysql) != 0;
  mysql_free_result(rows);
  rows = nullptr;
  sql_is_waiting = false;
  return failed_read ? result<void>(fail(failure(""))) : result<void>();
}

result<void> connection::state::drop_results(const stop_signal& stop) {
  while (mysql_more_results(mysql)) {
    int failed_call = 0;
    sql_is_waiting = true;
    SLUICE_CHECK(drive([&] { return mysql_next_result_start(&failed_call, mysql); },
                       [&](int occurred) { return mysql_next_result_cont(&failed_call, mysql, occurred); },
                       stop));
    sql_is_waiting = false;
    if (failed_call > 0) {
      return fail(failure(""));
    }
    if (mysql_field_count(mysql) != 0) {
      SLUICE_CHECK(drop_rows(stop));
    }
  }
  return {};
}

statement_answer connection::state::answer_at_hand() const {
  statement_answer answer;
  answer.affected = mysql_affected_rows(mysql);
  answer.matched = answer.affected;
  answer.warnings = mysql_warning_count(mysql);
  if (const char* text = mysql_info(mysql); text != nullptr) {
    // Of UPDATE: matched, changed, warnings. Of several rows: records, duplicates, warnings. Of LOAD DATA:
    // records, deleted, skipped, warnings.
    const std::vector<std::uint64_t> numbers = numbers_in(text);
    if (numbers.size() >= 3) {
      answer.matched = answer.records = numbers[0];
      answer.duplicates = numbers[1];
      answer.skipped = numbers.size() > 3 ? numbers[2] : 0;
    }
  }
  return answer;
}

result<std::vector<relational::sql_row>> connection::state::ask(std::string_view sql,
                                                                const stop_signal& stop) {
  SLUICE_CHECK(query(sql, stop));
  std::vector<relational::sql_row> out;
  if (mysql_field_count(mysql) == 0) {
    SLUICE_CHECK(drop_results(stop));
    return out;
  }
  MYSQL_RES* kept = nullptr;
  SLUICE_CHECK(drive([&] { return mysql_store_result_start(&kept, mysql); },
                     [&](int occurred) { return mysql_store_result_cont(&kept, mysql, occurred); }, stop));
  sql_is_waiting = false;
  if (kept == nullptr) {
    return fail(failure(""));
  }
  const unsigned columns = mysql_num_fields(kept);
  while (MYSQL_ROW row = mysql_fetch_row(kept)) {
    const unsigned long* lengths = mysql_fetch_lengths(kept);
    relational::sql_row values(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (row[i] != nullptr) {
        values[i].emplace(row[i], lengths[i]);
      }
    }
    out.push_back(std::move(values));
  }
  mysql_free_result(kept);
  SLUICE_CHECK(drop_results(stop));
  return out;
}

const server_info& connection::server() const {
  return state_->server;
}
const relational::server_address& connection::address() const {
  return state_->server_at;
}
const std::string& connection::place() const {
  return state_->at;
}
std::string connection::note_of_proxy() const {
  return state_->proxy.empty()
             ? std::string()
             : fmt::format(
                   "{}: {} stands before the server and gives connections numbers of its own: a "
                   "statement that is stopped, or left by a process that is killed, is not ended by "
                   "KILL, and runs until that proxy closes its connection to the server.",
                   state_->at, state_->proxy);
}
std::uint64_t connection::packet_bytes_max() const {
  return state_->packet_bytes;
}
bool connection::can_load() const {
  return state_->loads;
}
bool connection::alive() const {
  return state_->mysql != nullptr;
}
const server_failure& connection::last_failure() const {
  return state_->failed;
}
bool connection::in_transaction() const {
  return state_->mysql != nullptr && (state_->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

result<void> connection::state::name_session(const stop_signal& stop) {
  if (!session_word.empty()) {
    return {};
  }
  const std::string word = random_word();
  const auto got = ask(fmt::format("SELECT GET_LOCK('sluice/{}', 0), {}", word, server_name_sql), stop);
  if (!got) {
    // Other products may have no such locks.
    return server.product == server_product::other && !is_lost(got.error()) ? result<void>()
                                                                            : fail(got.error());
  }
  if (!got->empty() && (*got)[0][0] == "1") {
    session_word = word;
    server_name = (*got)[0][1].value_or("0");
  }
  return {};
}

result<std::string> connection::session_name(const stop_signal& stop) {
  SLUICE_CHECK(state_->name_session(stop));
  return state_->session_word.empty()
             ? std::string()
             : fmt::format("{}/{}@{}", state_->session_number, state_->session_word, state_->server_name);
}

result<statement_answer> connection::run(std::string_view sql, const stop_signal& stop) {
  return state_->run(sql, stop);
}

result<std::vector<relational::sql_row>> connection::ask(std::string_view sql, const stop_signal& stop) {
  return state_->ask(sql, stop);
}

result<statement_answer> connection::load(std::string_view sql, const std::function<std::string_view()>& next,
                                          const stop_signal& stop) {
  state_->lent = {&next, {}};
  auto answer = state_->run(sql, stop);
  state_->lent = {};
  return answer;
}

result<std::vector<piped_answer>> connection::run_piped(const std::vector<std::string>& statements,
                                                        const stop_signal& stop) {
  state& s = *state_;
  if (s.mysql == nullptr) {
    return fail(s.lost_error());
  }
  std::vector<piped_answer> out;
  for (std::size_t i = 0; s.server.product == server_product::other && i < statements.size(); ++i) {
    auto done = s.run(statements[i], stop);
    if (!done && s.mysql == nullptr) {
      return fail(std::move(done).error());
    }
    out.push_back(done ? piped_answer{*done, std::nullopt, {}}
                       : piped_answer{{}, std::move(done).error(), s.failed.message});
  }
  if (!out.empty()) {
    return out;
  }
  s.sql_is_waiting = true;
  for (const std::string& sql : statements) {
    int failed_call = 0;
    SLUICE_CHECK(
        s.drive([&] { return mysql_send_query_start(&failed_call, s.mysql, sql.data(), sql.size()); },
                [&](int occurred) { return mysql_send_query_cont(&failed_call, s.mysql, occurred); }, stop));
    if (failed_call != 0) {
      // What the server thinks of it is not known: the connection is no good any more.
      error e = s.failure("");
      e.kind = error_kind::not_connected;
      s.drop();
      return fail(std::move(e));
    }
  }
  for (std::size_t i = 0; i < statements.size(); ++i) {
    my_bool failed_call = 0;
    SLUICE_CHECK(s.drive(
        [&] { return mysql_read_query_result_start(&failed_call, s.mysql); },
        [&](int occurred) { return mysql_read_query_result_cont(&failed_call, s.mysql, occurred); }, stop));
    piped_answer answer;
    if (failed_call != 0) {
      answer.failed = s.failure("");
      answer.message = s.failed.message;
      if (s.mysql == nullptr) {
        return fail(std::move(*answer.failed));
      }
    } else {
      answer.done = s.answer_at_hand();
    }
    out.push_back(std::move(answer));
  }
  s.sql_is_waiting = false;
  return out;
}

result<std::vector<server_warning>> connection::warnings(const stop_signal& stop) {
  SLUICE_TRY(const auto rows, ask("SHOW WARNINGS", stop));
  std::vector<server_warning> out;
  for (const relational::sql_row& row : rows) {
    if (row.size() == 3) {
      out.push_back({static_cast<unsigned>(std::strtoul(row[1].value_or("0").c_str(), nullptr, 10)),
                     row[2].value_or("")});
    }
  }
  return out;
}

namespace {

std::vector<result_column> columns_of(const MYSQL_FIELD* fields, unsigned count) {
  std::vector<result_column> out;
  for (unsigned i = 0; i < count; ++i) {
    const MYSQL_FIELD& f = fields[i];
    result_column c{
        {f.name, f.name_length}, static_cast<int>(f.type), f.flags, f.length, f.decimals, f.charsetnr, {}};
    for (const auto attribute : {MARIADB_FIELD_ATTR_DATA_TYPE_NAME, MARIADB_FIELD_ATTR_FORMAT_NAME}) {
      MARIADB_CONST_STRING special{};
      if (mariadb_field_attr(&special, &f, attribute) == 0 && special.length != 0) {
        c.special.assign(special.str, special.length);
        break;
      }
    }
    out.push_back(std::move(c));
  }
  return out;
}

}  // namespace

result<std::vector<result_column>> connection::describe(std::string_view sql, const stop_signal& stop) {
  state& s = *state_;
  if (s.mysql == nullptr) {
    return fail(s.lost_error());
  }
  const std::unique_ptr<MYSQL_STMT, my_bool (*)(MYSQL_STMT*)> prepared(mysql_stmt_init(s.mysql),
                                                                       mysql_stmt_close);
  if (prepared == nullptr) {
    return fail(error_kind::no_room, "{}: no memory for a statement", s.at);
  }
  int failed_call = 0;
  SLUICE_CHECK(s.drive(
      [&] { return mysql_stmt_prepare_start(&failed_call, prepared.get(), sql.data(), sql.size()); },
      [&](int occurred) { return mysql_stmt_prepare_cont(&failed_call, prepared.get(), occurred); }, stop));
  if (failed_call != 0) {
    error why = s.failure("");
    const bool reads = relational::begins_with_word(sql, "SELECT", sql_rules()) ||
                       relational::begins_with_word(sql, "WITH", sql_rules());
    if (s.mysql == nullptr || s.server.product != server_product::other || !reads) {
      return fail(std::move(why));
    }
    SLUICE_TRY(auto columns,
               select(fmt::format("SELECT * FROM ({}\n) AS sluice_described LIMIT 0", sql), stop));
    row_view none;
    SLUICE_CHECK(fetch(none, stop));
    return columns;
  }
  const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> described(mysql_stmt_result_metadata(prepared.get()),
                                                                   mysql_free_result);
  if (described == nullptr) {
    return std::vector<result_column>();
  }
  return columns_of(mysql_fetch_fields(described.get()), mysql_num_fields(described.get()));
}

result<std::vector<result_column>> connection::select(std::string_view sql, const stop_signal& stop) {
  state& s = *state_;
  if (s.mysql != nullptr) {
    relational::reset_when_closed(mysql_get_socket(s.mysql), true);
  }
  SLUICE_CHECK(s.query(sql, stop));
  s.at_end = false;
  if (mysql_field_count(s.mysql) == 0) {
    return fail(error_kind::bad_option, "{}: the statement returns no rows, expected a SELECT", s.at);
  }
  s.rows = mysql_use_result(s.mysql);
  if (s.rows == nullptr) {
    return fail(s.failure(""));
  }
  return columns_of(mysql_fetch_fields(s.rows), mysql_num_fields(s.rows));
}

result<bool> connection::fetch(row_view& row, const stop_signal& stop) {
  state& s = *state_;
  if (s.rows == nullptr) {
    return fail(s.lost_error());
  }
  MYSQL_ROW values = nullptr;
  SLUICE_CHECK(s.drive([&] { return mysql_fetch_row_start(&values, s.rows); },
                       [&](int occurred) { return mysql_fetch_row_cont(&values, s.rows, occurred); }, stop));
  if (values != nullptr) {
    row = {values, mysql_fetch_lengths(s.rows)};
    return true;
  }
  if (mysql_errno(s.mysql) != 0) {
    return fail(s.failure("read"));
  }
  s.at_end = true;
  s.sql_is_waiting = false;
  relational::reset_when_closed(mysql_get_socket(s.mysql), false);
  end_select();
  SLUICE_CHECK(s.drop_results(stop));
  return false;
}

void connection::end_select() {
  state& s = *state_;
  if (s.rows == nullptr) {
    return;
  }
  if (!s.at_end) {
    s.kill_statement();
    s.drop();
    return;
  }
  mysql_free_result(s.rows);
  s.rows = nullptr;
}

result<void> connection::cancel_select(const stop_signal& stop) {
  state& s = *state_;
  if (s.rows == nullptr) {
    return {};
  }
  s.kill_statement();
  row_view row;
  result<bool> more = true;
  while (more && *more) {
    more = fetch(row, stop);
  }
  if (s.mysql == nullptr) {
    return fail(std::move(more).error());
  }
  if (s.rows != nullptr) {
    mysql_free_result(s.rows);
    s.rows = nullptr;
  }
  s.sql_is_waiting = false;
  // A KILL that came behind the last row ends the next statement.
  if (auto none = run("DO 0", stop); !none && s.mysql == nullptr) {
    return fail(std::move(none).error());
  }
  return {};
}

result<void> connection::begin(const stop_signal& stop) {
  SLUICE_CHECK(run("START TRANSACTION", stop));
  return {};
}

result<void> connection::commit(const stop_signal& stop) {
  SLUICE_CHECK(run("COMMIT", stop));
  return {};
}

void connection::rollback() {
  state& s = *state_;
  if (s.mysql == nullptr || !in_transaction()) {
    return;
  }
  const auto limit = s.plan.connect.socket_timeout;
  s.plan.connect.socket_timeout = rollback_time;
  if (!s.run("ROLLBACK", {})) {
    s.drop();
  }
  s.plan.connect.socket_timeout = limit;
}

std::string connection::literal(std::string_view text) const {
  std::string out(text.size() * 2 + 3, '\0');
  out[0] = '\'';
  const unsigned long n = state_->mysql == nullptr ? 0
                                                   : mysql_real_escape_string(state_->mysql, out.data() + 1,
                                                                              text.data(), text.size());
  out[n + 1] = '\'';
  out.resize(n + 2);
  return out;
}

void connection::interrupt() {
  state_->interrupted.fire();
}

std::string mysql_session::with_values(const std::string& sql,
                                       const std::vector<relational::sql_text>& values) const {
  std::string out;
  std::size_t next = 0;
  char quote = 0;
  for (const char c : sql) {
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else if (c == '?' && next < values.size()) {
      const relational::sql_text& v = values[next++];
      out += v ? connection_->literal(*v) : "NULL";
      continue;
    }
    out += c;
  }
  return with_comment(std::move(out), comment_);
}

result<std::vector<relational::sql_row>> mysql_session::ask(const std::string& sql,
                                                            const std::vector<relational::sql_text>& values) {
  return connection_->ask(with_values(sql, values), stop_);
}

result<std::uint64_t> mysql_session::run(const std::string& sql,
                                         const std::vector<relational::sql_text>& values) {
  SLUICE_TRY(const statement_answer done, connection_->run(with_values(sql, values), stop_));
  return done.matched;
}

}  // namespace sluice::mysql
