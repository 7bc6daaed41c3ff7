#include "plugins/common/relational/connect_options.h"

#include <fmt/format.h>

#include <array>

namespace sluice::relational {

std::string_view to_string(tls_mode mode) {
  constexpr std::array<std::string_view, 6> names = {
      "not asked for", "off", "preferred", "required, unverified", "required, chain verified", "required"};
  return names[static_cast<std::size_t>(mode)];
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
