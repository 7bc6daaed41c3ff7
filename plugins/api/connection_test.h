#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The steps of a connection, in order. Each fails for a cause of its own, with a cure of its own.
enum class connection_stage {
  name_resolution,  ///< The name of the server, or the path of the file, is known.
  connect,          ///< It answers.
  tls,              ///< Both sides agree on encryption and certificates.
  login,            ///< The account is accepted.
  database,         ///< The database is there and is what it should be.
  rights,           ///< What may be done with it.
};

/// `name resolution`, `connect`, `TLS`, `login`, `database`, `rights`.
constexpr std::string_view to_string(connection_stage stage) {
  constexpr std::string_view names[] = {"name resolution", "connect", "TLS", "login", "database", "rights"};
  return names[static_cast<std::size_t>(stage)];
}

/// What became of one step. After a failed one no other follows.
struct connection_step {
  enum class outcome {
    passed,
    limited,     ///< Works, but not for everything: `advice` says for what not.
    not_needed,  ///< This system has no such step.
    failed,
  };
  connection_stage stage = connection_stage::name_resolution;
  outcome what = outcome::passed;
  std::string found;   ///< What was seen, one sentence without secrets.
  std::string advice;  ///< What to do, where it failed or is limited.
};

}  // namespace sluice
