// What runs on a server for a process that was killed: MySQL and MariaDB notice a client's end only when they
// next send to it, or sleep. The guard (transport/base/guard_process.h) ends it.
#include <fmt/format.h>
#include <mysql.h>
#include <netdb.h>
#include <sys/socket.h>

#include <charconv>
#include <thread>

#include "plugins/mysql/mysql_connection_state.h"
#include "transport/base/packed_texts.h"

namespace sluice::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Of each step of a try.
constexpr milliseconds step_time{3000};
/// The last try begins before this; what it takes beyond `guard_time` it does not get.
constexpr seconds tries_time{9};
constexpr milliseconds between_tries{500};

/// A place, as the guard keeps it: where the server is, what it calls itself, and as whom it takes us.
/// Without a database, which may be gone.
struct place_part {
  enum : std::size_t {
    host,
    port,
    server_name,
    encrypted,
    tls,
    compression,
    user,
    ca_file,
    cert_file,
    key_file,
    password,
    key_password,
    title,
    count
  };
};

std::string as_text(std::uint64_t n) {
  return std::to_string(n);
}

unsigned as_number(std::string_view text) {
  unsigned n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

/// The other side of a connection in digits; empty where that cannot be told.
std::string peer_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* peer = reinterpret_cast<sockaddr*>(&address);
  char digits[NI_MAXHOST] = {};
  const bool told = ::getpeername(socket, peer, &size) == 0 &&
                    ::getnameinfo(peer, size, digits, sizeof digits, nullptr, 0, NI_NUMERICHOST) == 0;
  return told ? digits : "";
}

}  // namespace

void connection::state::tell_guard(const stop_signal& stop) {
  // Over a proxy KILL may end a stranger.
  if (plan.guard == nullptr || !proxy.empty() || server.product == server_product::other ||
      !name_session(stop) || session_word.empty()) {
    return;
  }
  const relational::connect_options& c = plan.connect;
  // A name may stand for several servers; it counts only where a certificate must be made out to it.
  const bool verified =
      encrypted && (c.tls == relational::tls_mode::required || c.tls == relational::tls_mode::required_chain);
  const std::string peer = verified ? std::string() : peer_of(mysql_get_socket(mysql));
  std::string place = packed_texts(
      {peer.empty() ? server_at.host : peer, as_text(server_at.port), server_name, as_text(encrypted ? 1 : 0),
       as_text(static_cast<unsigned>(c.tls)), as_text(c.compression ? 1 : 0), c.user, c.ca_file, c.cert_file,
       c.key_file, password->reveal(), key_password.reveal(), plan.name});
  guarded = plan.guard->leave("mysql", place, packed_texts({as_text(mysql_thread_id(mysql)), session_word}));
  ::explicit_bzero(place.data(), place.size());
}

std::optional<relational::sql_row> connection::state::holders(std::string_view which,
                                                              const std::vector<std::string_view>& words) {
  std::string sql = fmt::format("SELECT {}", server_name_sql);
  for (const std::string_view word : words) {
    sql += fmt::format(", IS_USED_LOCK('sluice/{}')", word);
  }
  const auto answer = ask(sql, {});
  if (!answer || answer->empty() || (*answer)[0][0] != which) {
    return std::nullopt;  // Another server than that which it was: one name may stand for several.
  }
  return relational::sql_row((*answer)[0].begin() + 1, (*answer)[0].end());
}

bool connection::state::kill_left(std::string_view which, const std::vector<std::string_view>& ids,
                                  const std::vector<std::string_view>& words) {
  const auto of_words = holders(which, words);
  bool done = of_words.has_value();
  for (std::size_t i = 0; of_words && i < ids.size(); ++i) {
    if ((*of_words)[i] == ids[i]) {
      done = run(fmt::format("KILL {}", ids[i]), {}) && done;
    }
  }
  return done;
}

void connection::end_left(std::string_view place, const std::vector<std::string>& sessions) {
  const auto parts = unpacked_texts(place, place_part::count);
  if (!parts) {
    return;
  }
  std::vector<std::string_view> ids;
  std::vector<std::string_view> words;
  for (const std::string& session : sessions) {
    if (const auto both = unpacked_texts(session, 2)) {
      ids.push_back((*both)[0]);
      words.push_back((*both)[1]);
    }
  }
  const auto part = [&](std::size_t which) { return std::string((*parts)[which]); };
  connection_plan plan;
  relational::connect_options& c = plan.connect;
  c.user = part(place_part::user);
  c.tls = static_cast<relational::tls_mode>(as_number(part(place_part::tls)));
  c.compression = part(place_part::compression) == "1";
  c.ca_file = part(place_part::ca_file);
  c.cert_file = part(place_part::cert_file);
  c.key_file = part(place_part::key_file);
  c.connect_timeout = c.socket_timeout = step_time;
  plan.name = part(place_part::title);
  const relational::server_address to{part(place_part::host),
                                      static_cast<std::uint16_t>(as_number(part(place_part::port)))};
  state s(std::move(plan));
  s.at = relational::to_text(to);
  s.kills = false;
  s.password.emplace((*parts)[place_part::password]);
  s.key_password = secret((*parts)[place_part::key_password]);
  const auto last_try = connection_clock::now() + tries_time;
  while (true) {
    const auto connected = s.connect(to, part(place_part::encrypted) == "1", {});
    if (connected && s.kill_left((*parts)[place_part::server_name], ids, words)) {
      return;
    }
    // What is refused once is refused again, and a server may lock out whoever asks too often.
    const bool passes = connected || connected.error().kind == error_kind::not_connected ||
                        connected.error().kind == error_kind::busy;
    if (!passes || connection_clock::now() + between_tries > last_try) {
      return;
    }
    std::this_thread::sleep_for(between_tries);
  }
}

}  // namespace sluice::mysql
