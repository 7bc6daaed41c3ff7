#include "plugins/common/relational/connect_options.h"

#include <fmt/format.h>

#include <array>

namespace sluice::relational {

std::string_view to_string(tls_mode mode) {
  constexpr std::array<std::string_view, 6> names = {
      "not asked for", "off", "preferred", "required, unverified", "required, chain verified", "required"};
  return names[static_cast<std::size_t>(mode)];
}

std::vector<server_attempt> attempts_of(const connect_options& options, std::size_t turn) {
  std::vector<server_role> roles;
  switch (options.role) {
    case server_role::any:
      roles = {server_role::any};
      break;
    case server_role::primary:
      roles = {server_role::primary};
      break;
    case server_role::standby:
      roles = {server_role::standby};
      break;
    case server_role::prefer_primary:
      roles = {server_role::primary, server_role::any};
      break;
    case server_role::prefer_standby:
      roles = {server_role::standby, server_role::any};
      break;
  }
  std::vector<server_attempt> attempts;
  for (const server_role role : roles) {
    for (std::size_t i = 0; i < options.servers.size(); ++i) {
      const std::size_t at = options.any_order ? (i + turn) % options.servers.size() : i;
      attempts.push_back({options.servers[at], role});
    }
  }
  return attempts;
}

std::string to_text(const server_address& server) {
  return server.host.find(':') == std::string::npos ? fmt::format("{}:{}", server.host, server.port)
                                                    : fmt::format("[{}]:{}", server.host, server.port);
}

std::string to_text(const connect_options& options) {
  std::string text;
  for (const server_address& server : options.servers) {
    text += (text.empty() ? "" : ", ") + to_text(server);
  }
  if (!options.database.empty()) {
    text += "/" + options.database;
  }
  if (!options.user.empty()) {
    text += " as " + options.user;
  }
  return text;
}

}  // namespace sluice::relational
