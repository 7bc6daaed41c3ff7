#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/base/result.h"

namespace sluice::relational {

/// What the word between the scheme and the servers says of several servers (`jdbc:x:replication://`).
enum class url_form : std::uint8_t {
  failover,     ///< In order; also where there is no such word.
  any_order,    ///< Connections spread over them.
  replication,  ///< The first one is written to, the others follow it.
};

/// One way an address may begin.
struct url_scheme {
  std::string_view prefix;  ///< `jdbc:postgresql:`, in lower case; it is compared ignoring case.
  std::uint16_t port = 0;   ///< Where the address has none.
  /// `//` may be missing: what follows is the database on this machine (PostgreSQL).
  bool bare_database = false;
  /// No servers: the database is a file, `<path>` as it stands or `file:<path>` with `%` decoded
  /// (https://sqlite.org/uri.html).
  bool file = false;
  /// `+` in a property is a blank, as in a form (the driver decodes them so).
  bool plus_is_blank = true;
  /// TLS asked for without saying how certificates are looked at also verifies them and the host's name.
  bool verifies_tls = false;
};

/// A word that may stand behind the scheme, with its colon: `replication:`.
struct url_form_word {
  std::string_view word;
  url_form form;
};

/// One server of an address as it is written; decoded.
struct url_server {
  std::string host;
  std::optional<std::uint16_t> port;
  std::string type;  ///< `master`, `slave` and the like of `address=(…)`.
  std::vector<std::pair<std::string, std::string>> properties;  ///< The other members of `address=(…)`.
};

/// An address taken apart. Names and values are decoded.
struct jdbc_url {
  const url_scheme* scheme = nullptr;
  url_form form = url_form::failover;
  std::vector<url_server> servers;  ///< Empty of a file only.
  std::string database;             ///< The path, of a file.
  std::vector<std::pair<std::string, std::string>> properties;
};

/// The grammar of an address: which schemes and words there are.
struct url_grammar {
  std::vector<url_scheme> schemes;  ///< The first one is shown in messages.
  std::vector<url_form_word> forms;
};

/// Takes an address apart: `<scheme>[<form>:]//<server>[,<server>…]/[<database>][?<name>=<value>&…]`. A
/// server is `host`, `host:port`, `[IPv6]:port`, `address=(host=…)(port=…)`, `(host=…,port=…)`, with or
/// without `user:password@` before it (as the drivers read them). Of a file: `<scheme><path>[?…]`,
/// `<scheme>file:[//[localhost]]<path>[?…]`. `bad_option` that begins with `place` and never shows a
/// password.
result<jdbc_url> parse_jdbc_url(std::string_view text, const url_grammar& grammar, const std::string& place);

/// `%41` to `A`, of UTF-8; nothing where a `%` is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank);

}  // namespace sluice::relational
