#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/base/secret.h"

namespace sluice::relational {

/// One server. IPv6 addresses stand without brackets.
struct server_address {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const server_address&, const server_address&) = default;
};

/// What a connection does about TLS, from the least to the most.
enum class tls_mode : std::uint8_t {
  prefer_none,          ///< Nothing was said: in clear, with TLS where the server takes no other.
  off,                  ///< Never.
  preferred,            ///< Where the server offers it, whoever the server is; else in clear.
  required_unverified,  ///< Always; the server's certificate is not looked at.
  required_chain,       ///< Always; the certificate must come from a known authority.
  required,             ///< Likewise, and it must be made out to the host that was asked for.
};
/// `off`, `required` and so on, as the plan shows it.
std::string_view to_string(tls_mode mode);

/// Which of several servers is wanted.
enum class server_role : std::uint8_t {
  any,
  primary,         ///< One that can be written to.
  standby,         ///< One that cannot.
  prefer_standby,  ///< A standby, or any where none answers.
  prefer_primary,  ///< The primary, or any where none answers.
};

/// What may be done with a database that is a file.
enum class file_access : std::uint8_t {
  any,
  existing,   ///< It is not made where it is missing.
  read_only,  ///< Nor is it written.
};

/// What a replica must be like to be read.
struct replica_rule {
  bool looked_at = false;  ///< False: any will do, however far it is behind.
  /// How far it may be behind its primary; unset: it must have all of the days before its server's today.
  std::optional<std::chrono::seconds> delay_max = {};
};

/// Where and as whom a connection is made: what `jdbcUrl`, `properties` and a registry entry came to. A
/// value; holds no secret in clear text but as `secret_text` does. Nothing of the environment adds to it.
struct connect_options {
  std::vector<server_address> servers;  ///< At least one, but of a file; tried in order unless `any_order`.
  bool any_order = false;               ///< Begin at any of them, so that connections spread.
  server_role role = server_role::any;
  replica_rule replica = {};
  std::string database;  ///< Empty where none is named; a path where it is a file, which has no servers.
  file_access access = file_access::any;
  std::string user;
  /// Looked up with `plugin_context::resolve_secret` at each connect.
  std::optional<secret_text> password;

  tls_mode tls = tls_mode::prefer_none;
  std::string ca_file;    ///< PEM; empty: the system's authorities.
  std::string cert_file;  ///< PEM; the client's own certificate with its chain; empty: none.
  std::string key_file;   ///< PEM; empty: the key stands in `cert_file`.
  std::optional<secret_text> key_password;

  std::chrono::milliseconds connect_timeout{10'000};  ///< For each server, until it is logged in.
  std::chrono::milliseconds socket_timeout{0};        ///< Silence while an answer is awaited; 0 = no limit.
  std::chrono::milliseconds statement_timeout{0};     ///< 0 = the server's own.
  bool keepalive = true;                              ///< TCP keepalive, so that a lost peer is noticed.
  bool compression = false;                           ///< Of the protocol, where the product has one.

  /// Settings of the session that were asked for by URL or properties, in order: the name, and the value as
  /// the product writes it (a text for a setting that is set by name, an SQL expression where it is set by
  /// SQL; the `url_dialect` says which). Set before the engine's own, which overrule them.
  std::vector<std::pair<std::string, std::string>> session_settings;
  /// Options of the plugin that properties stand for, `zeroDate` = `null`: they count where the job does not
  /// set the option itself.
  std::vector<std::pair<std::string, std::string>> option_defaults;

  /// Where it stands in the job file, for messages: `orders.json:14:22 steps[0].parameter.jdbcUrl`.
  std::string place;
};

/// One try to connect.
struct server_attempt {
  server_address server;
  server_role role = server_role::any;  ///< What it must turn out to be: `any`, `primary` or `standby`.
};
/// The tries in order: all servers with the role wanted, then, where it is only preferred, with any. Where
/// any order will do they begin at the one of number `turn`.
std::vector<server_attempt> attempts_of(const connect_options& options, std::size_t turn);

/// `db1.example:5432`, `[::1]:5432`.
std::string to_text(const server_address& server);
/// `db1.example:5432, db2.example:5432/shop as reader`: what messages and the plan call it; no secret.
std::string to_text(const connect_options& options);

}  // namespace sluice::relational
