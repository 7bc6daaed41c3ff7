#include <fmt/format.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "plugins/common/relational/authorities.h"
#include "plugins/postgresql/postgresql_codes.h"
#include "plugins/postgresql/postgresql_connection.h"
#include "plugins/postgresql/postgresql_session.h"
#include "transport/base/text.h"

// How a connection is made: every parameter of libpq that the environment could set is set here.
namespace sluice::postgresql {
namespace {

using clock = std::chrono::steady_clock;
using relational::connect_options;
using relational::server_address;
using relational::server_role;
using relational::tls_mode;

/// A path that cannot exist: libpq looks into ~/.postgresql where it is given none.
constexpr const char* no_file = "/dev/null/none";

/// What libpq takes from the environment whatever its parameters say (PGSERVICE), sends to the server in the
/// first message, or has a parameter for only from version 16 on.
constexpr auto overruling_variables = std::to_array<const char*>(
    {"PGSERVICE", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGREQUIREAUTH", "PGSSLCERTMODE", "PGLOADBALANCEHOSTS",
     "PGGSSDELEGATION", "PGSSLNEGOTIATION", "PGMINPROTOCOLVERSION", "PGMAXPROTOCOLVERSION"});

const char* ssl_mode(tls_mode mode) {
  switch (mode) {
    case tls_mode::prefer_none:
      return "allow";
    case tls_mode::off:
      return "disable";
    case tls_mode::preferred:
      return "prefer";
    case tls_mode::required_unverified:
      return "require";
    case tls_mode::required_chain:
      return "verify-ca";
    case tls_mode::required:
      return "verify-full";
  }
  return "verify-full";
}

std::string authorities(const connect_options& options) {
  if (options.tls != tls_mode::required_chain && options.tls != tls_mode::required) {
    return no_file;  // with a file libpq would verify where it was not asked to
  }
  if (!options.ca_file.empty()) {
    return options.ca_file;
  }
  const char* found = relational::system_authorities();  // libpq 15 has no name for them
  return found == nullptr ? no_file : found;
}

/// What a server must be, in libpq's words.
const char* session_attributes(server_role role) {
  return role == server_role::primary ? "primary" : role == server_role::standby ? "standby" : "any";
}

/// Parameters for PQconnectStartParams. Overwrites its values, of which some are secrets, when it goes.
class parameter_list {
 public:
  parameter_list() { values_.reserve(parameters_max); }
  ~parameter_list() {
    for (std::string& v : values_) {
      ::explicit_bzero(v.data(), v.size());
    }
  }
  parameter_list(const parameter_list&) = delete;
  parameter_list& operator=(const parameter_list&) = delete;
  void add(const char* name, std::string value) {
    names_.push_back(name);
    values_.push_back(std::move(value));
  }
  [[nodiscard]] pg_conn* start() const {
    std::vector<const char*> names = names_;
    std::vector<const char*> values;
    for (const std::string& v : values_) {
      values.push_back(v.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    return PQconnectStartParams(names.data(), values.data(), 0);
  }

 private:
  static constexpr std::size_t parameters_max = 32;  // so that none is moved and left behind
  std::vector<const char*> names_;
  std::vector<std::string> values_;
};

/// libpq's words on one line, without `connection to server at … failed:` in front and LOCATION behind.
std::string words_of(pg_conn* c) {
  std::string text = PQerrorMessage(c);
  constexpr std::string_view failed = " failed: ";
  if (const auto at = text.find(failed);
      text.starts_with("connection to server") && at != std::string::npos) {
    text.erase(0, at + failed.size());
  }
  if (const auto at = text.find("\nLOCATION:"); at != std::string::npos) {
    text.resize(at);
  }
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

error connect_failure(pg_conn* c, const std::string& place) {
  const std::string words = words_of(c);
  const std::string_view code = sqlstate_in(words);
  const code_meaning meaning = code.empty() ? meaning_of_connect_failure(words) : meaning_of(code);
  return {meaning.kind,
          fmt::format("{}: {}{}{}", place, statement_text(words), meaning.advice.empty() ? "" : "; ",
                      meaning.advice),
          std::string(code), false};
}

/// Whether the server, where it is a replica, is one that the rule lets be read.
result<void> fits(connection& c, const relational::replica_rule& rule) {
  SLUICE_TRY(const auto state, replica_state_of(c));
  return state ? relational::check_replica(c.place(), *state, rule) : result<void>();
}

}  // namespace

void forget_environment() {
  for (const char* name : overruling_variables) {
    ::unsetenv(name);
  }
}

result<std::vector<std::string>> addresses_of(const server_address& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(server.host.c_str(), nullptr, &hints, &found); code != 0) {
    return fail(error_kind::not_connected, "the host {} is not known here ({}); correct the name",
                in_quotes(server.host), ::gai_strerror(code));
  }
  std::vector<std::string> addresses;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    std::array<char, NI_MAXHOST> text;
    if (::getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  ::freeaddrinfo(found);
  return addresses;
}

result<std::unique_ptr<connection>> connection::open(const connect_options& options, const std::string& name,
                                                     const secret_lookup& look_up, const stop_signal& stop) {
  std::optional<error> first;
  // The process's own number spreads processes, which is all that is wanted where any server will do.
  for (const relational::server_attempt& attempt :
       relational::attempts_of(options, static_cast<std::size_t>(::getpid()))) {
    auto made = open_one(options, attempt.server, session_attributes(attempt.role), name, look_up, stop);
    if (made && options.replica.looked_at) {
      if (auto fit = fits(**made, options.replica); !fit) {
        made = fail(std::move(fit).error());
      }
    }
    // A wrong password is wrong at the next server, too; a server that does not answer may have a sister.
    if (made || (made.error().kind != error_kind::not_connected && made.error().kind != error_kind::busy)) {
      return made;
    }
    if (!first) {
      first = std::move(made).error();
    } else if (first->message.find(made.error().message) == std::string::npos) {
      first->message += "; " + made.error().message;
    }
  }
  return fail(
      first ? std::move(*first)
            : error{error_kind::bad_option, fmt::format("{}: no server is named", options.place), "", false});
}

result<std::unique_ptr<connection>> connection::open_one(const connect_options& options,
                                                         const server_address& server, const char* attributes,
                                                         const std::string& name,
                                                         const secret_lookup& look_up,
                                                         const stop_signal& stop) {
  const std::string place = fmt::format("{}/{}", relational::to_text(server), options.database);
  auto addresses = addresses_of(server);
  if (!addresses) {
    error e = std::move(addresses).error();
    e.message = fmt::format("{}: {}", place, e.message);
    return fail(std::move(e));
  }
  parameter_list p;
  std::string hosts;
  std::string numbers;
  for (const std::string& address : *addresses) {
    hosts += (hosts.empty() ? "" : ",") + server.host;
    numbers += (numbers.empty() ? "" : ",") + address;
  }
  p.add("host", hosts);
  p.add("hostaddr", numbers);
  p.add("port", fmt::to_string(server.port));
  p.add("dbname", options.database.empty() ? options.user : options.database);
  p.add("user", options.user);
  secret password;
  if (options.password) {
    SLUICE_TRY(password, look_up(*options.password, stop));
  }
  // An empty one would be looked for in PGPASSWORD; servers refuse this one as they refuse none.
  p.add("password", password.empty() ? std::string(" ") : std::string(password.reveal()));
  p.add("passfile", no_file);
  p.add("client_encoding", "UTF8");
  p.add("application_name", name);
  p.add("sslmode", ssl_mode(options.tls));
  p.add("sslrootcert", authorities(options));
  p.add("sslcert", options.cert_file.empty() ? no_file : options.cert_file);
  p.add("sslkey", !options.key_file.empty()    ? options.key_file
                  : !options.cert_file.empty() ? options.cert_file
                                               : no_file);
  secret key_password;
  if (options.key_password) {
    SLUICE_TRY(key_password, look_up(*options.key_password, stop));
    p.add("sslpassword", std::string(key_password.reveal()));
  }
  p.add("sslcrl", no_file);
  p.add("sslcrldir", no_file);
  p.add("sslcompression", "0");
  p.add("sslsni", "1");
  p.add("ssl_min_protocol_version", "TLSv1.2");
  p.add("ssl_max_protocol_version", "TLSv1.3");
  p.add("channel_binding", "prefer");
  p.add("gssencmode", "disable");
  p.add("krbsrvname", "postgres");
  p.add("target_session_attrs", attributes);
  if (std::getenv("PGOPTIONS") != nullptr) {
    p.add("options", " ");
  }
  if (options.keepalive) {
    p.add("keepalives", "1");
    p.add("keepalives_idle", "30");
    p.add("keepalives_interval", "10");
    p.add("keepalives_count", "6");
  } else {
    p.add("keepalives", "0");
  }

  std::unique_ptr<connection> made(new connection(p.start()));
  if (made->conn_ == nullptr) {
    return fail(error_kind::no_room, "{}: no memory for a connection", place);
  }
  made->place_ = place;
  made->server_ = server;
  made->stop_ = stop;
  pg_conn* const c = made->conn_;
  PQsetErrorVerbosity(c, PQERRORS_VERBOSE);  // the only way to the SQLSTATE of a refused login
  const auto deadline = clock::now() + options.connect_timeout;
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
    if (next == PGRES_POLLING_FAILED || PQstatus(c) == CONNECTION_BAD) {
      return fail(connect_failure(c, place));
    }
    const wait_for what = next == PGRES_POLLING_READING ? wait_for::readable : wait_for::writable;
    if (auto ready = wait(PQsocket(c), what, deadline, stop); !ready) {
      if (ready.error().kind == error_kind::cancelled) {
        return fail(error_kind::cancelled, "{}: stopped on request", place);
      }
      return fail(
          error_kind::not_connected,
          "{}: the server has not answered within {}; see that it runs and that no firewall stands between",
          place, duration_text(static_cast<double>(options.connect_timeout.count()) / 1000));
    }
    next = PQconnectPoll(c);
  }
  PQsetErrorVerbosity(c, PQERRORS_DEFAULT);
  made->socket_timeout_ = options.socket_timeout;
  made->adopt();
  return made;
}

}  // namespace sluice::postgresql
