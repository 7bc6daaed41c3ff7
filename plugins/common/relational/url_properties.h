#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/common/relational/connect_options.h"
#include "plugins/common/relational/jdbc_url.h"
#include "transport/base/result.h"

namespace sluice::relational {

/// What becomes of a property of an address.
enum class property_use : std::uint8_t {
  // Mapped: it does here what it does in the driver.
  user,
  password,
  database,
  connect_ms,  ///< Milliseconds; 0 = the default.
  connect_s,   ///< The same in seconds.
  socket_ms,
  socket_s,
  statement_ms,
  keepalive,
  compression,
  any_order,
  role,           ///< Words of `server_role`.
  tls_mode,       ///< Words of `tls_mode`.
  tls_on,         ///< A boolean: TLS or none.
  tls_needed,     ///< A boolean: no connection without TLS.
  tls_verify,     ///< A boolean: the certificate is looked at.
  tls_trust_all,  ///< A boolean: it is not.
  tls_any_name,   ///< A boolean: the name in it is not.
  tls_factory,    ///< A class of Java's: the words say which verify nothing.
  ca_file,        ///< A path or `file:` URL of a PEM file.
  cert_file,
  key_file,
  key_password,
  file_access,  ///< Words of `file_access`.
  /// One setting of the session, called `to`; the value as it is. With words: these values only, others are
  /// refused, for what `why` says.
  setting,
  setting_number,  ///< Likewise, a whole number.
  settings_list,   ///< `a=1,b='x'`: several, as SQL.
  options_list,    ///< `-c a=1 --b=2`: several, by name.
  option,          ///< The plugin's option `to`, by the words.
  option_ms,       ///< Likewise, a whole number of milliseconds.
  // Not mapped.
  harmless,  ///< Changes nothing here; `why` says why. With words: these values only, others are refused.
  refused,   ///< `why` says why, and what to do.
};

/// A value of a property and what it stands for.
struct property_word {
  std::string_view value;  ///< In lower case; compared ignoring case.
  std::string_view means;
};

/// One row of a product's table of properties.
struct url_property {
  std::string_view name;  ///< As the drivers spell it; compared ignoring case.
  property_use use = property_use::harmless;
  std::string_view why = {};
  std::string_view to = {};
  std::span<const property_word> words = {};
};

/// What a product's addresses look like.
struct url_dialect {
  std::string_view product;  ///< `PostgreSQL`, for messages.
  url_grammar grammar;
  std::span<const url_property> properties;
  /// Whether `session_settings` hold SQL expressions (true) or texts.
  bool settings_are_sql = false;
};

/// Where a value stands, for messages and warnings.
struct placed_text {
  std::string text;
  std::string place;
  std::optional<secret_text> secret = {};  ///< Where the text was taken out as one.
};
using placed_properties = std::vector<std::pair<std::string, placed_text>>;

/// Several addresses of one database, tried in order, and the properties that stand beside them (`properties`
/// of a registry entry, which overrule the address). `bad_option` where one is broken, where they differ in
/// anything but the servers, or where a property is refused. What has no effect draws a warning: unknown
/// properties, those refused for one value only, and such that are given twice.
result<connect_options> connect_options_of(const std::vector<placed_text>& urls,
                                           const placed_properties& properties, const url_dialect& dialect,
                                           const std::function<void(std::string)>& warn);

/// The same of a registry entry's list of servers.
result<connect_options> connect_options_of(std::vector<server_address> servers, std::string database,
                                           const placed_properties& properties, const url_dialect& dialect,
                                           const std::function<void(std::string)>& warn);

/// The table of properties for the plugin's page: what is mapped to what, what is harmless, what is refused.
std::vector<std::string> property_paragraphs(const url_dialect& dialect);

/// Nothing where the name does not say that the file is one of Java's or Windows's stores of keys; else what
/// is wrong and the command that converts it.
std::optional<std::string> why_not_pem(std::string_view file, bool with_key);
/// Looks at the file itself, before it is given to a client library: `bad_option` where it is missing, cannot
/// be read, or is no PEM file. `what` names it: `the certificate of the authority`.
result<void> check_pem_file(const std::string& file, std::string_view what, bool with_key,
                            const std::string& place);

}  // namespace sluice::relational
