#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::testing {

/// A database server that tests/servers started, as its JSON file describes it (tests/servers/README.md).
struct database_server {
  struct account {
    std::string user;
    std::string password;
  };
  std::string system;   ///< `postgresql`, `mariadb`, `mysql`
  std::string version;  ///< As the server writes it.
  std::string host;     ///< `127.0.0.1`
  std::string name;     ///< `localhost`, which is in the certificate, too.
  std::uint16_t port = 0;
  std::int64_t pid = 0;
  std::string log;
  std::string ca_file, other_ca_file, client_cert_file, client_key_file;
  std::string database;
  std::vector<std::string> shards;
  account admin;
  std::map<std::string, account> users;  ///< `reader`, `writer`, `nothing`, `tls_only`, `certified`.

  /// The keys that connect as this account, a JSON object's members: `"jdbcUrl": "jdbc:…", "username": …`.
  /// `scheme` is `jdbc:postgresql:` or the like.
  [[nodiscard]] std::string connecting_keys(std::string_view scheme, const account& who,
                                            std::string_view properties = "") const;
};

/// The environment variable that names the file of that system: `SLUICE_TEST_POSTGRESQL`.
std::string database_server_variable(std::string_view system);
/// The server of that system; nothing where the variable is unset: the test is then skipped, with the
/// variable's name. A file that cannot be read is a failed test.
std::optional<database_server> find_database_server(std::string_view system);

}  // namespace sluice::testing
