#include <errmsg.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <mysql.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "plugins/common/relational/authorities.h"
#include "plugins/common/relational/session_place.h"
#include "plugins/mysql/mysql_connection_state.h"
#include "plugins/mysql/mysql_products.h"
#include "plugins/mysql/mysql_replica.h"
#include "transport/base/text.h"

// How a connection is made: options of the connector, login, settings of the session.
namespace sluice::mysql {
namespace {

/// The oldest whose dialect, character set and timeouts are what is asked for here.
constexpr std::uint32_t oldest_version = 50500;

int begin_lent(void** handle, const char* /*file*/, void* user) {
  auto* lent = static_cast<lent_bytes*>(user);
  *handle = lent;
  return lent->next != nullptr ? 0 : 1;
}
int read_lent(void* handle, char* to, unsigned int room) {
  auto* lent = static_cast<lent_bytes*>(handle);
  if (lent->piece.empty()) {
    lent->piece = (*lent->next)();
  }
  const std::size_t n = std::min<std::size_t>(room, lent->piece.size());
  std::copy_n(lent->piece.data(), n, to);
  lent->piece.remove_prefix(n);
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

}  // namespace

void forget_environment() {
  ::unsetenv("MARIADB_PLUGIN_DIR");
  ::unsetenv("LIBMYSQL_PLUGINS");
}

result<void> connection::state::resolve_secrets(const stop_signal& stop) {
  if (password) {
    return {};
  }
  if (plan.connect.key_password) {
    SLUICE_TRY(key_password, plan.resolve_secret(*plan.connect.key_password, stop));
  }
  secret resolved;
  if (plan.connect.password) {
    SLUICE_TRY(resolved, plan.resolve_secret(*plan.connect.password, stop));
  }
  password = std::move(resolved);
  return {};
}

void connection::state::keep_alive() const {
  const int socket = mysql_get_socket(mysql);
  const auto set = [&](int level, int name, int value) {
    (void)::setsockopt(socket, level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, plan.connect.keepalive ? 1 : 0);  // the connector asks for it by itself
  if (plan.connect.keepalive) {
    set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 6);
  }
}

void connection::state::set_options(bool tls) {
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
  const std::string name = fmt::format("{} {}", plan.name, word_of(plan.role));
  mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", name.c_str());
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
  file(MYSQL_OPT_SSL_CERT, c.cert_file);
  file(MYSQL_OPT_SSL_KEY, c.key_file);
  if (!key_password.empty()) {
    mysql_optionsv(mysql, MARIADB_OPT_TLS_PASSPHRASE, std::string(key_password.reveal()).c_str());
  }
  const bool verified =
      c.tls == relational::tls_mode::required || c.tls == relational::tls_mode::required_chain;
  // Where no file is named, the connector trusts what SSL_CERT_FILE and SSL_CERT_DIR name.
  const char* system = verified && c.ca_file.empty() ? relational::system_authorities() : nullptr;
  file(MYSQL_OPT_SSL_CA, system != nullptr ? system : c.ca_file);
  mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, verified ? &yes : &no);
}

result<void> connection::state::connect(const relational::server_address& to, bool tls,
                                        const stop_signal& stop) {
  set_up_library();
  drop();
  server_at = to;
  encrypted = tls;
  SLUICE_CHECK(resolve_secrets(stop));
  mysql = mysql_init(nullptr);
  if (mysql == nullptr) {
    return fail(error_kind::no_room, "{}: no memory for a connection", at);
  }
  set_options(tls);
  // The connector wants the password with a zero behind it, until the login is done.
  std::string text(password->reveal());
  MYSQL* done = nullptr;
  const auto connected = drive(
      [&] {
        return mysql_real_connect_start(
            &done, mysql, to.host.c_str(), plan.connect.user.c_str(), text.c_str(),
            plan.connect.database.empty() ? nullptr : plan.connect.database.c_str(), to.port, nullptr, 0);
      },
      [&](int occurred) { return mysql_real_connect_cont(&done, mysql, occurred); },
      connection_clock::now() + plan.connect.connect_timeout, stop);
  explicit_bzero(text.data(), text.size());
  if (!connected) {
    error e = connected.error();
    if (e.kind == error_kind::not_connected) {
      e.message +=
          "; see that host and port are those of a MySQL or MariaDB server (one of PostgreSQL, at 5432 as a "
          "rule, waits for its client to begin), and that no firewall stands between";
    }
    return fail(std::move(e));
  }
  if (done == nullptr) {
    error e = failure("connect");
    drop();
    return fail(std::move(e));
  }
  ::fcntl(mysql_get_socket(mysql), F_SETFD, FD_CLOEXEC);
  keep_alive();
  server.text = mysql_get_server_info(mysql);
  know_product("");
  server.version = number_of_version(server.text);
  return {};
}

void connection::state::know_product(std::string_view comment) {
  server.other = other_product_of(server.text, comment);
  server.product = product_of(server.text, comment, mariadb_connection(mysql) != 0);
}

result<void> connection::state::check_version(const stop_signal& stop) {
  if (server.version >= oldest_version || server.product == server_product::other) {
    return {};
  }
  // What another product says of the protocol's version is no age of its own.
  const auto comment = ask("SELECT @@version_comment", stop);
  if (comment && !comment->empty() &&
      other_product_of(server.text, (*comment)[0].at(0).value_or("")) != nullptr) {
    return {};
  }
  return fail(error_kind::not_supported, "{}: the server is of version {}, expected 5.5 or later", at,
              escaped(server.text));
}

result<void> connection::state::check_session(const std::vector<session_setting>& settings,
                                              const stop_signal& stop) {
  const bool known = server.product != server_product::other;
  std::string sql = fmt::format("SELECT {}", known ? session_sql : "0, 0");
  for (const session_setting& s : settings) {
    sql += fmt::format(", @@{}", s.may_lack ? "version" : s.name);
  }
  SLUICE_TRY(const auto read, ask(sql, stop));
  if (known && !is_same_session(read[0][0], read[0][1])) {
    return fail(moved_error());
  }
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const session_setting& s = settings[i];
    const std::string found = read[0][i + 2].value_or("NULL");
    if (!s.may_lack && !s.reads_as.empty() && !holds(s, found)) {
      return fail(error_kind::bad_option,
                  "{}: the session's {} was set to {} and is {}; a proxy or a trigger of the login changes "
                  "it: name the server itself",
                  at, s.name, in_quotes(s.reads_as), in_quotes(found));
    }
  }
  return {};
}

result<session_variables> connection::state::read_variables(const stop_signal& stop) {
  SLUICE_TRY(const auto found, ask(session_variables_sql(), stop));
  session_variables out;
  for (const relational::sql_row& row : found) {
    out[row.at(0).value_or("")] = row.at(1).value_or("");
  }
  return out;
}

result<jobs_settings> connection::state::set_jobs_own(const stop_signal& stop) {
  jobs_settings job;
  if (plan.connect.session_settings.empty() && plan.statements.empty()) {
    return job;
  }
  SLUICE_TRY(job.before, read_variables(stop));
  for (const auto& [name, value] : plan.connect.session_settings) {
    job.text += name + " ";
    SLUICE_CHECK(run(fmt::format("SET SESSION {} = {}", name, value), stop));
  }
  for (const relational::placed_text& sql : plan.statements) {
    job.text += sql.text + " ";
    if (auto done = run(sql.text, stop); !done) {
      error e = std::move(done).error();
      e.message = fmt::format("{}: {}: {}", sql.place, in_quotes(sql.text), e.message);
      return fail(std::move(e));
    }
  }
  SLUICE_TRY(job.after, read_variables(stop));
  return job;
}

void connection::state::know_time_limit(const jobs_settings& job) {
  time_limit.clear();
  for (const char* name : {"max_statement_time", "max_execution_time"}) {
    if (job.sets(name)) {
      time_limit = fmt::format("{} is {}, by the job's \"session\" or \"jdbcUrl\"", name, job.after.at(name));
    }
  }
  if (const auto ms = plan.connect.statement_timeout.count(); time_limit.empty() && ms != 0) {
    time_limit = fmt::format("statementTimeout is {} ms, by the job's \"jdbcUrl\"", ms);
  }
}

void connection::state::know_session(const relational::sql_text& number,
                                     const relational::sql_text& of_server) {
  session_number = std::strtoull(number.value_or("0").c_str(), nullptr, 10);
  server_name = of_server.value_or("0");
}

error connection::state::moved_error() const {
  return {error_kind::not_supported,
          fmt::format("{}: what answers there is {} that moves the statements of a session between "
                      "connections to the server, which loses settings, locks and transactions; name the "
                      "server itself, or a port of the proxy that keeps one connection for each client "
                      "(ProxySQL: mysql-multiplexing = false; MaxScale: readconnroute; MySQL Router: "
                      "connection_sharing = 0)",
                      at, proxy.empty() ? proxy_of(server.text, "") : proxy),
          "", false};
}

bool connection::state::is_same_session(const relational::sql_text& number,
                                        const relational::sql_text& of_server) const {
  return number == std::to_string(session_number) &&
         (server_name.empty() || of_server.value_or("0") == server_name);
}

result<void> connection::state::check_proxy(const stop_signal& stop) {
  // The greeting has the lower half of a number only.
  constexpr std::uint64_t half = 0xFFFF'FFFF;
  if ((session_number & half) == (mysql_thread_id(mysql) & half)) {
    return {};
  }
  proxy = proxy_of(server.text, "");
  if (server.product == server_product::other) {
    return {};
  }
  // ProxySQL says what it is in answer to this very statement.
  if (const auto said = ask("SELECT @@version_comment LIMIT 1", stop); said && !said->empty()) {
    proxy = proxy_of(server.text, (*said)[0][0].value_or(""));
  }
  // One that keeps what a session needs gives it a connection of its own from here on.
  if (auto got = name_session(stop); !got && is_lost(got.error())) {
    return got;
  }
  const std::string sql = fmt::format("SELECT {}", session_sql);
  SLUICE_TRY(const auto named, ask(sql, stop));
  know_session(named[0][0], named[0][1]);
  if (plan.tell == nullptr || (plan.role != session_role::look && plan.role != session_role::manage)) {
    return {};  // those two come first
  }
  constexpr std::chrono::seconds patience(3);  // a pool may be used up
  constexpr int tries = 20;                    // of one that gives its connections in turn
  state other(plan);
  other.kills = false;
  other.plan.locks = nullptr;
  other.plan.role = session_role::look;
  other.plan.connect.connect_timeout = other.plan.connect.socket_timeout = patience;
  other.at = at;
  other.password.emplace(password ? password->reveal() : std::string_view());
  other.key_password = secret(key_password.reveal());
  bool asks = other.connect(server_at, encrypted, stop).has_value();
  const std::string held =
      session_word.empty() ? "CONNECTION_ID()" : fmt::format("IS_USED_LOCK('sluice/{}')", session_word);
  for (int i = 0; i < tries; ++i) {
    SLUICE_TRY(const auto mine, ask(fmt::format("{}, {}", sql, held), stop));
    if (!is_same_session(mine[0][0], mine[0][1]) || mine[0][2] != mine[0][0]) {
      return fail(moved_error());
    }
    if (asks) {
      const auto its = other.ask(sql, stop);
      asks = its.has_value();
      if (asks && is_same_session((*its)[0][0], (*its)[0][1])) {
        return fail(moved_error());
      }
    }
  }
  return {};
}

result<relational::sql_row> connection::state::first_look(const stop_signal& stop) {
  constexpr auto asked =
      std::to_array<std::string_view>({"@@sql_mode", "@@max_allowed_packet", "@@local_infile", "@@log_bin",
                                       "@@binlog_format", "@@version_comment", "CONNECTION_ID()"});
  auto first = ask(fmt::format("SELECT {}", fmt::join(asked, ", ")), stop);
  if (first) {
    return std::move((*first)[0]);
  }
  if (is_lost(first.error())) {
    return fail(std::move(first).error());
  }
  // Another product lacks some of them.
  relational::sql_row row;
  for (const std::string_view one : asked) {
    const auto answer = ask(fmt::format("SELECT {}", one), stop);
    row.push_back(answer && !answer->empty() ? (*answer)[0].at(0) : std::nullopt);
  }
  return other_product_of(server.text, row[5].value_or("")) != nullptr ? result<relational::sql_row>(row)
                                                                       : fail(std::move(first).error());
}

result<void> connection::state::set_session(const stop_signal& stop) {
  // CONNECTION_ID() alone is what ProxySQL answers by itself.
  SLUICE_TRY(const relational::sql_row row, first_look(stop));
  know_product(row[5].value_or(""));
  session_number = std::strtoull(row[6].value_or("0").c_str(), nullptr, 10);
  SLUICE_CHECK(check_proxy(stop));
  tell_guard(stop);
  packet_bytes = std::strtoull(row[1].value_or("1048576").c_str(), nullptr, 10);
  loads = plan.may_load && row[2] == "1" && server.product != server_product::other;
  session_facts facts{server,
                      row[0].value_or(""),
                      row[3] == "1" && row[4] == "STATEMENT",
                      plan.connect.statement_timeout,
                      {}};
  SLUICE_TRY(jobs_settings job, set_jobs_own(stop));
  const auto own = [&](const std::string& name) {
    return job.sets(name) ? job.after.at(name) : std::string();
  };
  if (job.sets("binlog_format")) {
    facts.logs_statements = row[3] == "1" && job.after.at("binlog_format") == "STATEMENT";
  }
  if (job.sets("sql_mode")) {
    facts.sql_mode = job.after.at("sql_mode");
  }
  if (const std::string collation = own("collation_connection"); collation.starts_with("utf8mb4_")) {
    facts.collation = collation;
  }
  know_time_limit(job);
  // Sessions that read and write are as those that look and manage, which are opened before.
  if (plan.tell != nullptr && (plan.role == session_role::look || plan.role == session_role::manage)) {
    (*plan.tell)(plan.statements.empty() ? plan.connect.place : plan.statements.front().place,
                 overruled(plan.role, facts, job));
  }
  const auto settings = without_yielding(session_settings(plan.role, facts), job);
  SLUICE_TRY(const auto set, apply(settings, stop));
  return check_session(set, stop);
}

result<std::vector<session_setting>> connection::state::apply(const std::vector<session_setting>& settings,
                                                              const stop_signal& stop) {
  const auto set = [](const session_setting& s) {
    return fmt::format("SET SESSION {} = {}", s.name, s.value);
  };
  if (server.product == server_product::other) {
    // Without these values would arrive as others, or rows be committed before their marks.
    constexpr auto needed = std::to_array<std::string_view>(
        {"time_zone", "character_set_client", "character_set_results", "sql_mode", "autocommit"});
    std::vector<session_setting> had;
    for (const session_setting& s : settings) {
      auto done = run(set(s), stop);
      const bool needs = std::find(needed.begin(), needed.end(), s.name) != needed.end();
      if (!done && (needs || is_lost(done.error()))) {
        return fail(std::move(done).error());
      }
      if (done) {
        had.push_back(s);
      }
    }
    return had;
  }
  std::string sql;
  for (const session_setting& s : settings) {
    if (!s.may_lack) {
      sql += fmt::format("{}SESSION {} = {}", sql.empty() ? "SET " : ", ", s.name, s.value);
    }
  }
  SLUICE_CHECK(run(sql, stop));
  for (const session_setting& s : settings) {
    if (s.may_lack) {
      (void)run(set(s), stop);
    }
  }
  return settings;
}

namespace {

/// Whether the server is of the role, and where it is a replica, one that may be read.
result<void> check_role(connection& c, const relational::connect_options& options,
                        relational::server_role role, const stop_signal& stop) {
  SLUICE_TRY(const bool fits, is_of_role(c, role, stop));
  if (!fits) {
    return fail(error_kind::not_connected, "{}: the server is {}", c.place(),
                role == relational::server_role::primary
                    ? "read-only, and the primary is asked for; name it"
                    : "no replica, and one is asked for (useReadOnly); name one, or let the primary be read "
                      "(\"canReadPrimary\": true)");
  }
  if (!options.replica.looked_at) {
    return {};
  }
  SLUICE_TRY(const auto state, replica_state_of(c, stop));
  return state ? relational::check_replica(c.place(), *state, options.replica) : result<void>();
}

}  // namespace

result<std::unique_ptr<connection>> connection::open(const connection_plan& plan, const stop_signal& stop) {
  using relational::tls_mode;
  const relational::connect_options& c = plan.connect;
  std::optional<error> first;
  // Where any of several servers will do, the process's own number spreads processes.
  for (const auto& [to, role] : relational::attempts_of(c, static_cast<std::size_t>(::getpid()))) {
    auto s = std::make_unique<state>(plan);
    s->at =
        in_quotes(fmt::format("{}{}{}", relational::to_text(to), c.database.empty() ? "" : "/", c.database));
    const std::string at = s->at;
    const bool in_clear = c.tls == tls_mode::off || c.tls == tls_mode::prefer_none;
    auto done = s->connect(to, !in_clear, stop);
    if (!done && c.tls == tls_mode::prefer_none && done.error().code == "ER_SECURE_TRANSPORT_REQUIRED") {
      done = s->connect(to, true, stop);
    } else if (!done && c.tls == tls_mode::preferred && done.error().code == "CR_SSL_CONNECTION_ERROR") {
      done = s->connect(to, false, stop);
    }
    if (done) {
      SLUICE_CHECK(s->check_version(stop));
      done = s->set_session(stop);
    }
    if (done) {
      std::unique_ptr<connection> made(new connection(std::move(s)));
      done = check_role(*made, c, role, stop);
      if (done) {
        return made;
      }
    }
    error why = std::move(done).error();
    // A wrong password is wrong at the next server, too; a server that does not answer may have a sister.
    const bool passes = why.kind == error_kind::not_connected || why.kind == error_kind::busy;
    if (!first || !passes) {
      first = std::move(why);
    } else if (first->message.find(why.message) == std::string::npos) {
      first->message += "; " + why.message;
    }
    if (!passes) {
      break;
    }
  }
  if (!first) {
    first = {error_kind::bad_option, "no server is named", {}, false};
  }
  return fail(first->kind == error_kind::cancelled
                  ? std::move(*first)
                  : relational::with_place_of_connection(std::move(*first), c.place, plan.statements));
}

}  // namespace sluice::mysql
