#include "tools/cli/network_probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using steady = std::chrono::steady_clock;
using outcome = connection_step::outcome;

/// Whoever names no port means that of the scheme; an address without a scheme is one of a cloud's services.
std::uint16_t port_of_scheme(std::string_view scheme) {
  struct known_scheme {
    std::string_view name;
    std::uint16_t port;
  };
  constexpr auto schemes = std::to_array<known_scheme>(
      {{"http", 80}, {"https", 443}, {"", 443}, {"hdfs", 8020}, {"thrift", 9083}});
  const auto at = std::find_if(schemes.begin(), schemes.end(),
                               [&](const known_scheme& s) { return same_word(s.name, scheme); });
  return at == schemes.end() ? 0 : at->port;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && end == text.data() + text.size() && port != 0 ? std::optional(port)
                                                                                 : std::nullopt;
}

/// `host`, `host:port`, `[::1]:port` with anything behind the next `/`, and behind a second colon (`:SID`).
std::optional<network_place> place_of(std::string_view text, std::uint16_t default_port) {
  text = text.substr(0, text.find_first_of("/?#"));
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    port = port.starts_with(':') ? port.substr(1) : std::string_view();
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    port = port.substr(0, port.find(':'));
  }
  const std::optional<std::uint16_t> number =
      port.empty() ? (default_port == 0 ? std::nullopt : std::optional(default_port)) : port_of(port);
  return host.empty() || !number ? std::nullopt : std::optional(network_place{std::string(host), *number});
}

/// Of `https://host:port/path`, with an account before the host or without; of several after commas all.
std::vector<network_place> places_of_url(std::string_view text) {
  std::vector<network_place> places;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view one = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view scheme;
    if (const std::size_t colon = one.find("://"); colon != std::string_view::npos) {
      scheme = one.substr(0, colon);
      one.remove_prefix(colon + 3);
    }
    const std::string_view authority = one.substr(0, one.find_first_of("/?#"));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
      one.remove_prefix(at + 1);
    }
    if (auto place = place_of(one, port_of_scheme(scheme))) {
      places.push_back(std::move(*place));
    }
  }
  return places;
}

/// Of `jdbc:oracle:thin:@host:1521:SID` and `jdbc:oracle:thin:@//host:1521/service`.
std::vector<network_place> places_of_jdbc(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) {
    return {};
  }
  std::string_view rest = text.substr(at + 1);
  rest.remove_prefix(rest.starts_with("//") ? 2 : 0);
  constexpr std::uint16_t oracle_port = 1521;
  auto place = rest.starts_with('(') ? std::nullopt : place_of(rest, oracle_port);
  return place ? std::vector<network_place>{std::move(*place)} : std::vector<network_place>();
}

void add_entry(const option_values& entry, std::vector<network_place>& to) {
  const auto host = entry.text("host");
  const auto port = entry.integer("port");
  if (host && *host && port && *port) {
    std::string name(trimmed(**host));
    if (name.starts_with('[') && name.ends_with(']')) {
      name = name.substr(1, name.size() - 2);
    }
    to.push_back({std::move(name), static_cast<std::uint16_t>(**port)});
  }
}

/// What getaddrinfo answered; shared with its thread, which may outlive the wait for it.
struct look_up {
  std::mutex mutex;
  std::condition_variable changed;
  bool answered = false;
  int code = 0;
  addrinfo* found = nullptr;
  ~look_up() {
    if (found != nullptr) {
      ::freeaddrinfo(found);
    }
  }
};

/// getaddrinfo(3) cannot be interrupted: it runs on a thread that is left behind where it takes too long.
std::shared_ptr<look_up> resolve(const network_place& place, std::chrono::milliseconds max) {
  auto what = std::make_shared<look_up>();
  const auto ask = [what, place] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &hints, &found);
    const std::lock_guard lock(what->mutex);
    what->code = code;
    what->found = found;
    what->answered = true;
    what->changed.notify_all();
  };
  try {
    std::thread(ask).detach();
  } catch (const std::system_error&) {
    ask();  // No thread is left: it may take longer.
  }
  std::unique_lock lock(what->mutex);
  what->changed.wait_for(lock, max, [&] { return what->answered; });
  return what;
}

std::string address_text(const addrinfo& address) {
  std::array<char, NI_MAXHOST> host{};
  ::getnameinfo(address.ai_addr, address.ai_addrlen, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST);
  return host.data();
}

/// `[::1]:80`.
std::string with_port(const std::string& address, std::uint16_t port) {
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

/// 0, or the errno of what went wrong; ETIMEDOUT after `max`, ECANCELED after a stop.
int try_connect(const addrinfo& address, std::chrono::milliseconds max, const stop_signal& stop) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return errno;
  }
  int failure = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (failure == EINPROGRESS) {
    if (const auto ready = wait(fd, wait_for::writable, steady::now() + max, stop); !ready) {
      failure = ready.error().kind == error_kind::cancelled ? ECANCELED : ETIMEDOUT;
    } else {
      socklen_t size = sizeof failure;
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
  }
  ::close(fd);
  return failure;
}

std::string advice_for(int failure) {
  switch (failure) {
    case ECONNREFUSED:
      return "no server listens there: start it, or correct the port";
    case ETIMEDOUT:
      return "the host is off, or a firewall on the way lets nothing through";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "there is no way to it from this machine: see its network, VPN and routes";
    default:
      return "see the network of this machine";
  }
}

std::string failure_text(int failure, std::chrono::milliseconds max) {
  return failure == ETIMEDOUT
             ? fmt::format("no answer within {}", duration_text(std::chrono::duration<double>(max).count()))
             : lower(std::strerror(failure));
}

/// Both steps for all places.
class probe {
 public:
  probe(std::chrono::milliseconds each_max, const stop_signal& stop) : each_max_(each_max), stop_(stop) {}

  std::vector<connection_step> run(const std::vector<network_place>& places) {
    if (resolve_all(places)) {
      connect_all(places);
    }
    return std::move(steps_);
  }

 private:
  bool resolve_all(const std::vector<network_place>& places) {
    std::vector<std::string> said;
    for (const network_place& place : places) {
      auto found = resolve(place, each_max_);
      std::unique_lock lock(found->mutex);
      if (!found->answered || found->code != 0) {
        const std::string why =
            !found->answered ? fmt::format("no answer within {}",
                                           duration_text(std::chrono::duration<double>(each_max_).count()))
                             : std::string(::gai_strerror(found->code));
        steps_.push_back({connection_stage::name_resolution, outcome::failed,
                          fmt::format("{}: {}", in_quotes(place.host), why),
                          "correct the name, or see the name servers of this machine"});
        return false;
      }
      std::vector<std::string> addresses;
      for (const addrinfo* a = found->found; a != nullptr; a = a->ai_next) {
        addresses.push_back(address_text(*a));
      }
      const bool is_address = addresses.size() == 1 && addresses.front() == place.host;
      std::string text = is_address
                             ? fmt::format("{} is an address", escaped(place.host))
                             : fmt::format("{} is {}", escaped(place.host), fmt::join(addresses, ", "));
      if (std::find(said.begin(), said.end(), text) == said.end()) {
        said.push_back(std::move(text));
      }
      lock.unlock();
      found_.push_back(std::move(found));
    }
    steps_.push_back(
        {connection_stage::name_resolution, outcome::passed, fmt::format("{}", fmt::join(said, "; ")), ""});
    return true;
  }

  void connect_all(const std::vector<network_place>& places) {
    std::vector<std::string> lines;
    std::size_t answering = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      answering += connect_one(places[i], *found_[i], lines) ? 1 : 0;
    }
    const outcome what = answering == places.size() ? outcome::passed
                         : answering > 0            ? outcome::limited
                                                    : outcome::failed;
    steps_.push_back({connection_stage::connect, what, fmt::format("{}", fmt::join(lines, "; ")), advice_});
  }

  /// Whether one of its addresses answers; a line for each that was tried.
  bool connect_one(const network_place& place, const look_up& found, std::vector<std::string>& lines) {
    for (const addrinfo* a = found.found; a != nullptr; a = a->ai_next) {
      const std::string address = with_port(address_text(*a), place.port);
      const auto began = steady::now();
      const int failure = try_connect(*a, each_max_, stop_);
      if (failure == 0) {
        const auto took = std::chrono::duration<double, std::milli>(steady::now() - began).count();
        lines.push_back(fmt::format("{} answers within {:.0f} ms", address, std::max(took, 1.0)));
        return true;
      }
      lines.push_back(fmt::format("{}: {}", address, failure_text(failure, each_max_)));
      advice_ = advice_for(failure);
    }
    return false;
  }

  std::chrono::milliseconds each_max_;
  const stop_signal& stop_;
  std::vector<std::shared_ptr<look_up>> found_;  ///< Beside the places.
  std::vector<connection_step> steps_;
  std::string advice_;
};

}  // namespace

std::vector<network_place> network_places_of(const datasource& source) {
  std::vector<network_place> places;
  add_entry(source.properties, places);
  for (const char* key : {"address", "loadAddress"}) {
    const auto entries = source.properties.object_list(key);
    for (const option_values& one : entries ? *entries : std::vector<option_values>()) {
      add_entry(one, places);
    }
  }
  const auto add_text = [&](const char* key, auto&& of) {
    if (const auto text = source.properties.text(key); text && *text) {
      const auto more = of(**text);
      places.insert(places.end(), more.begin(), more.end());
    }
  };
  add_text("jdbcUrl", places_of_jdbc);
  for (const char* key : {"endpoint", "tunnelServer", "url", "urlPrefix", "defaultFS", "metastoreUris"}) {
    add_text(key, places_of_url);
  }
  return places;
}

std::vector<connection_step> probe_network(const std::vector<network_place>& places,
                                           std::chrono::milliseconds each_max, const stop_signal& stop) {
  return probe(each_max, stop).run(places);
}

}  // namespace sluice
