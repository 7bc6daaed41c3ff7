#include "plugins/mysql/mysql_connection.h"

#include <errmsg.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <mysql.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <random>

#include "plugins/mysql/mysql_codes.h"
#include "plugins/mysql/mysql_session_sql.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto never = clock::time_point::max();
/// For ending a statement of ours over a second connection.
constexpr auto tidy_up_time = 3s;
/// For a rollback, which on the server takes about as long as what it takes back.
constexpr auto rollback_time = 60s;
/// The oldest whose dialect, character set and timeouts are what is asked for here.
constexpr std::uint32_t oldest_version = 50500;

/// The bytes that LOAD DATA LOCAL is about to read: nothing but what is lent here is ever sent, whatever file
/// a server asks for.
struct lent_bytes {
  std::string_view bytes;
  bool lent = false;
  std::size_t at = 0;
};

int begin_lent(void** handle, const char* /*file*/, void* user) {
  auto* lent = static_cast<lent_bytes*>(user);
  *handle = lent;
  return lent->lent ? 0 : 1;
}
int read_lent(void* handle, char* to, unsigned int room) {
  auto* lent = static_cast<lent_bytes*>(handle);
  const std::size_t n = std::min<std::size_t>(room, lent->bytes.size() - lent->at);
  std::memcpy(to, lent->bytes.data() + lent->at, n);
  lent->at += n;
  return static_cast<int>(n);
}
void end_lent(void* /*handle*/) {}
int explain_lent(void* /*handle*/, char* to, unsigned int room) {
  std::snprintf(to, room, "the server asked for a file; it gets none");
  return CR_UNKNOWN_ERROR;
}

/// The connector's own tables are set up once, before threads use them.
void set_up_library() {
  static const int done = mysql_server_init(0, nullptr, nullptr);
  (void)done;
}

std::string random_word() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

std::uint32_t number_of_version(std::string_view text) {
  // MariaDB 10 puts `5.5.5-` before its own for old replicas.
  if (text.starts_with("5.5.5-")) {
    text.remove_prefix(6);
  }
  std::uint32_t parts[3] = {};
  for (std::uint32_t& part : parts) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), part);
    if (failure != std::errc()) {
      break;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with('.')) {
      break;
    }
    text.remove_prefix(1);
  }
  return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

/// The number behind `name` in the server's sentence: 3 of `Records: 3  Duplicates: 0`.
std::uint64_t number_in(std::string_view info, std::string_view name) {
  const std::size_t at = info.find(name);
  std::uint64_t n = 0;
  if (at != std::string_view::npos) {
    std::from_chars(info.data() + at + name.size(), info.data() + info.size(), n);
  }
  return n;
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

struct connection::state {
  explicit state(connection_plan p) : plan(std::move(p)) {}
  ~state() { drop(); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  /// Waits for what the connector asks for (MYSQL_WAIT_*), until the deadline.
  result<int> wait_until(int wanted, clock::time_point deadline, const stop_signal& stop);
  /// Runs a non-blocking call to its end.
  template <class Start, class Continue>
  result<void> drive(const Start& start, const Continue& go_on, clock::time_point deadline,
                     const stop_signal& stop);
  template <class Start, class Continue>
  result<void> drive(const Start& start, const Continue& go_on, const stop_signal& stop) {
    const auto limit = plan.connect.socket_timeout;
    return drive(start, go_on, limit.count() > 0 ? clock::now() + limit : never, stop);
  }

  result<void> connect(const relational::server_address& to, bool tls, const stop_signal& stop);
  void set_options(bool tls, const secret& key_password);
  result<void> set_session(const stop_signal& stop);
  result<void> check_session(const std::vector<session_setting>& settings, const stop_signal& stop);
  result<void> query(std::string_view sql, const stop_signal& stop);
  result<statement_answer> run(std::string_view sql, const stop_signal& stop);
  result<std::vector<relational::sql_row>> ask(std::string_view sql, const stop_signal& stop);
  /// The failure of the last call of the connector, kept in `failed` too.
  error failure(std::string_view doing);
  error lost_error() const;
  void kill_statement();
  void drop();

  connection_plan plan;
  MYSQL* mysql = nullptr;
  MYSQL_RES* rows = nullptr;  ///< Of a SELECT that is open.
  bool at_end = false;
  relational::server_address server_at;
  server_info server;
  server_failure failed;
  std::string at;
  std::string session_word;
  std::uint64_t packet_bytes = 1 << 20;
  bool loads = false;
  lent_bytes lent;
  bool encrypted = false;
  stop_source interrupted;
  bool sql_is_waiting = false;  ///< A statement was sent and its end has not been seen.
  bool kills = true;            ///< False: this is the connection that ends another's statement.
};

result<int> connection::state::wait_until(int wanted, clock::time_point deadline, const stop_signal& stop) {
  const stop_signal cut = interrupted.signal();
  auto limit = deadline;
  bool library_limit = false;
  if ((wanted & MYSQL_WAIT_TIMEOUT) != 0) {
    const unsigned ms = mysql_get_timeout_value_ms(mysql);
    if (ms != 0 && clock::now() + std::chrono::milliseconds(ms) < limit) {
      limit = clock::now() + std::chrono::milliseconds(ms);
      library_limit = true;
    }
  }
  const auto begin = clock::now();
  for (;;) {
    if (stop.fired() || cut.fired()) {
      return fail(error_kind::cancelled, "{}: stopped on request", at);
    }
    std::array<pollfd, 3> fds = {
        {{mysql_get_socket(mysql), 0, 0}, {stop.fd(), POLLIN, 0}, {cut.fd(), POLLIN, 0}}};
    fds[0].events = static_cast<short>(((wanted & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
                                       ((wanted & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0) |
                                       ((wanted & MYSQL_WAIT_EXCEPT) != 0 ? POLLPRI : 0));
    using std::chrono::milliseconds;
    const auto left = limit == never ? milliseconds(3'600'000)
                                     : std::chrono::duration_cast<milliseconds>(limit - clock::now());
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
    if (n == 0 && clock::now() >= limit) {
      if (library_limit) {
        return MYSQL_WAIT_TIMEOUT;
      }
      return fail(error_kind::not_connected, "{}: no answer within {}", at,
                  duration_text(std::chrono::duration<double>(clock::now() - begin).count()));
    }
  }
}

template <class Start, class Continue>
result<void> connection::state::drive(const Start& start, const Continue& go_on, clock::time_point deadline,
                                      const stop_signal& stop) {
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

error connection::state::lost_error() const {
  return {error_kind::not_connected, fmt::format("{}: the connection is gone", at), "CR_SERVER_LOST", false};
}

error connection::state::failure(std::string_view doing) {
  failed = {mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql)};
  code_meaning m = meaning_of(failed.code, failed.state, failed.message);
  error e{m.kind, {}, m.name, false};
  e.message = fmt::format("{}: {}{}{} ({}, {})", at, doing, doing.empty() ? "" : ": ",
                          escaped(failed.message, 1000), m.name, failed.code);
  if (!m.advice.empty()) {
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
}

void connection::state::kill_statement() {
  const unsigned long id = mysql_thread_id(mysql);
  state second(plan);
  second.kills = false;
  second.plan.connect.socket_timeout = tidy_up_time;
  second.plan.connect.connect_timeout = tidy_up_time;
  second.at = at;
  if (second.connect(server_at, encrypted, {})) {
    (void)second.run(fmt::format("KILL QUERY {}", id), {});
  }
}

void connection::state::set_options(bool tls, const secret& key_password) {
  const relational::connect_options& c = plan.connect;
  const unsigned int protocol = MYSQL_PROTOCOL_TCP;  // also for `localhost`
  const my_bool no = 0;
  const my_bool yes = 1;
  const unsigned int load = plan.may_load ? 1 : 0;
  const unsigned long packet = std::uint32_t{1} << 30;
  const auto seconds =
      static_cast<unsigned int>(std::max<std::int64_t>(1, (c.connect_timeout.count() + 999) / 1000));
  mysql_options(mysql, MYSQL_OPT_NONBLOCK, nullptr);
  mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
  mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &load);
  mysql_set_local_infile_handler(mysql, begin_lent, read_lent, end_lent, explain_lent, &lent);
  mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", plan.name.c_str());
  if (c.compression) {
    mysql_options(mysql, MYSQL_OPT_COMPRESS, nullptr);
  }
  // A server must not be able to ask for the password in clear.
  mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH,
                 "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519");
  if (!tls) {
    return;
  }
  mysql_optionsv(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
  const auto file = [&](mysql_option option, const std::string& path) {
    if (!path.empty()) {
      mysql_optionsv(mysql, option, path.c_str());
    }
  };
  file(MYSQL_OPT_SSL_CA, c.ca_file);
  file(MYSQL_OPT_SSL_CERT, c.cert_file);
  file(MYSQL_OPT_SSL_KEY, c.key_file);
  if (!key_password.empty()) {
    mysql_optionsv(mysql, MARIADB_OPT_TLS_PASSPHRASE, std::string(key_password.reveal()).c_str());
  }
  const bool verified =
      c.tls == relational::tls_mode::required || c.tls == relational::tls_mode::required_chain;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, verified ? &yes : &no);
}

result<void> connection::state::connect(const relational::server_address& to, bool tls,
                                        const stop_signal& stop) {
  set_up_library();
  drop();
  server_at = to;
  encrypted = tls;
  secret password;
  if (plan.connect.password) {
    SLUICE_TRY(password, plan.resolve_secret(*plan.connect.password, stop));
  }
  secret key_password;
  if (plan.connect.key_password) {
    SLUICE_TRY(key_password, plan.resolve_secret(*plan.connect.key_password, stop));
  }
  mysql = mysql_init(nullptr);
  if (mysql == nullptr) {
    return fail(error_kind::no_room, "{}: no memory for a connection", at);
  }
  set_options(tls, key_password);
  // The connector wants the password with a zero behind it, until the login is done.
  std::string text(password.reveal());
  MYSQL* done = nullptr;
  const auto connected = drive(
      [&] {
        return mysql_real_connect_start(
            &done, mysql, to.host.c_str(), plan.connect.user.c_str(), text.c_str(),
            plan.connect.database.empty() ? nullptr : plan.connect.database.c_str(), to.port, nullptr, 0);
      },
      [&](int occurred) { return mysql_real_connect_cont(&done, mysql, occurred); },
      clock::now() + plan.connect.connect_timeout, stop);
  explicit_bzero(text.data(), text.size());
  SLUICE_CHECK(connected);
  if (done == nullptr) {
    error e = failure("connect");
    drop();
    return fail(std::move(e));
  }
  ::fcntl(mysql_get_socket(mysql), F_SETFD, FD_CLOEXEC);
  server.text = mysql_get_server_info(mysql);
  server.product = mariadb_connection(mysql) != 0 ? server_product::mariadb : server_product::mysql;
  server.version = number_of_version(server.text);
  constexpr std::array<std::string_view, 4> others = {"TiDB", "OceanBase", "AnalyticDB", "polardbx"};
  for (const std::string_view other : others) {
    if (server.text.find(other) != std::string::npos) {
      server.product = server_product::other;
    }
  }
  return {};
}

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
    MYSQL_RES* kept = nullptr;
    SLUICE_CHECK(drive([&] { return mysql_store_result_start(&kept, mysql); },
                       [&](int occurred) { return mysql_store_result_cont(&kept, mysql, occurred); }, stop));
    sql_is_waiting = false;
    if (kept == nullptr) {
      return fail(failure(""));
    }
    mysql_free_result(kept);
    return statement_answer{};
  }
  statement_answer answer;
  answer.affected = mysql_affected_rows(mysql);
  answer.matched = answer.affected;
  answer.warnings = mysql_warning_count(mysql);
  if (const char* text = mysql_info(mysql); text != nullptr) {
    const std::string_view info = text;
    if (info.starts_with("Rows matched: ")) {
      answer.matched = number_in(info, "Rows matched: ");
    }
    answer.records = number_in(info, "Records: ");
    answer.skipped = number_in(info, "Skipped: ");
  }
  return answer;
}

result<std::vector<relational::sql_row>> connection::state::ask(std::string_view sql,
                                                                const stop_signal& stop) {
  SLUICE_CHECK(query(sql, stop));
  std::vector<relational::sql_row> out;
  if (mysql_field_count(mysql) == 0) {
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
  return out;
}

result<void> connection::state::check_session(const std::vector<session_setting>& settings,
                                              const stop_signal& stop) {
  std::string sql;
  for (const session_setting& s : settings) {
    sql += fmt::format("{}@@{}", sql.empty() ? "SELECT " : ", ", s.may_lack ? "version" : s.name);
  }
  SLUICE_TRY(const auto read, ask(sql, stop));
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const session_setting& s = settings[i];
    const std::string found = read[0][i].value_or("NULL");
    if (!s.may_lack && !s.reads_as.empty() && !holds(s, found)) {
      return fail(error_kind::bad_option,
                  "{}: the session's {} was set to {} and is {}; a proxy or a trigger of the login changes "
                  "it: name the server itself",
                  at, s.name, in_quotes(s.reads_as), in_quotes(found));
    }
  }
  return {};
}

result<void> connection::state::set_session(const stop_signal& stop) {
  SLUICE_TRY(
      const auto first,
      ask("SELECT @@sql_mode, @@max_allowed_packet, @@local_infile, @@log_bin, @@binlog_format", stop));
  const relational::sql_row& row = first[0];
  packet_bytes = std::strtoull(row[1].value_or("1048576").c_str(), nullptr, 10);
  loads = plan.may_load && row[2] == "1";
  session_facts facts{server, row[0].value_or(""), row[3] == "1" && row[4] == "STATEMENT",
                      plan.connect.statement_timeout};
  for (const auto& [name, value] : plan.connect.session_settings) {
    if (auto set = run(fmt::format("SET SESSION {} = {}", name, value), stop); !set) {
      error e = std::move(set).error();
      e.message = fmt::format("{}: {}", plan.connect.place, e.message);
      return fail(std::move(e));
    }
  }
  for (const relational::placed_text& sql : plan.statements) {
    if (auto done = run(sql.text, stop); !done) {
      error e = std::move(done).error();
      e.message = fmt::format("{}: {}: {}", sql.place, in_quotes(sql.text), e.message);
      return fail(std::move(e));
    }
  }
  const auto settings = session_settings(plan.role, facts);
  std::string sql;
  for (const session_setting& s : settings) {
    if (!s.may_lack) {
      sql += fmt::format("{}SESSION {} = {}", sql.empty() ? "SET " : ", ", s.name, s.value);
    }
  }
  SLUICE_CHECK(run(sql, stop));
  for (const session_setting& s : settings) {
    if (s.may_lack) {
      (void)run(fmt::format("SET SESSION {} = {}", s.name, s.value), stop);
    }
  }
  return check_session(settings, stop);
}

connection::connection(std::unique_ptr<state> s) : state_(std::move(s)) {}
connection::~connection() = default;

result<std::unique_ptr<connection>> connection::open(const connection_plan& plan, const stop_signal& stop) {
  using relational::tls_mode;
  auto s = std::make_unique<state>(plan);
  const relational::connect_options& c = plan.connect;
  error last{error_kind::bad_option, fmt::format("{}: no server is named", c.place), {}, false};
  for (const relational::server_address& to : c.servers) {
    s->at =
        in_quotes(fmt::format("{}{}{}", relational::to_text(to), c.database.empty() ? "" : "/", c.database));
    const bool in_clear = c.tls == tls_mode::off || c.tls == tls_mode::prefer_none;
    auto done = s->connect(to, !in_clear, stop);
    if (!done && c.tls == tls_mode::prefer_none && done.error().code == "ER_SECURE_TRANSPORT_REQUIRED") {
      done = s->connect(to, true, stop);
    } else if (!done && c.tls == tls_mode::preferred && done.error().code == "CR_SSL_CONNECTION_ERROR") {
      done = s->connect(to, false, stop);
    }
    if (done && s->server.version < oldest_version) {
      return fail(error_kind::not_supported, "{}: the server is of version {}, expected 5.5 or later", s->at,
                  escaped(s->server.text));
    }
    if (done) {
      done = s->set_session(stop);
    }
    if (done) {
      return std::unique_ptr<connection>(new connection(std::move(s)));
    }
    last = std::move(done).error();
    if (last.kind != error_kind::not_connected) {
      break;
    }
  }
  if (!c.place.empty() && last.kind != error_kind::cancelled) {
    last.message = fmt::format("{}: {}", c.place, last.message);
  }
  return fail(std::move(last));
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

result<std::string> connection::session_name(const stop_signal& stop) {
  if (state_->session_word.empty()) {
    const std::string word = random_word();
    SLUICE_TRY(const auto got, ask(fmt::format("SELECT GET_LOCK('sluice/{}', 0)", word), stop));
    if (got.empty() || got[0][0] != "1") {
      return std::string();
    }
    state_->session_word = word;
  }
  return fmt::format("{}/{}", mysql_thread_id(state_->mysql), state_->session_word);
}

result<statement_answer> connection::run(std::string_view sql, const stop_signal& stop) {
  return state_->run(sql, stop);
}

result<std::vector<relational::sql_row>> connection::ask(std::string_view sql, const stop_signal& stop) {
  return state_->ask(sql, stop);
}

result<statement_answer> connection::load(std::string_view sql, std::string_view bytes,
                                          const stop_signal& stop) {
  state_->lent = {bytes, true, 0};
  auto answer = state_->run(sql, stop);
  state_->lent = {};
  return answer;
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
    MARIADB_CONST_STRING special{};
    if (mariadb_field_attr(&special, &f, MARIADB_FIELD_ATTR_DATA_TYPE_NAME) == 0 && special.length != 0) {
      c.special.assign(special.str, special.length);
    } else if (mariadb_field_attr(&special, &f, MARIADB_FIELD_ATTR_FORMAT_NAME) == 0 && special.length != 0) {
      c.special.assign(special.str, special.length);
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
    return fail(s.failure(""));
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
  end_select();
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
  return out;
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
