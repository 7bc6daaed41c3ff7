#include "plugins/common/relational/url_properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

using seconds = std::chrono::seconds;
using milliseconds = std::chrono::milliseconds;

/// No wait of a driver is longer: 24 days, the most that 32 bits of milliseconds hold.
constexpr std::int64_t milliseconds_max = 2'147'483'647;

struct named_tls {
  std::string_view name;
  tls_mode mode;
};
constexpr auto tls_names = std::to_array<named_tls>({{"off", tls_mode::off},
                                                     {"prefer_none", tls_mode::prefer_none},
                                                     {"preferred", tls_mode::preferred},
                                                     {"required_unverified", tls_mode::required_unverified},
                                                     {"required_chain", tls_mode::required_chain},
                                                     {"required", tls_mode::required}});
struct named_role {
  std::string_view name;
  server_role role;
};
constexpr auto role_names = std::to_array<named_role>({{"any", server_role::any},
                                                       {"primary", server_role::primary},
                                                       {"standby", server_role::standby},
                                                       {"prefer_standby", server_role::prefer_standby},
                                                       {"prefer_primary", server_role::prefer_primary}});

struct named_access {
  std::string_view name;
  file_access access;
};
constexpr auto access_names = std::to_array<named_access>(
    {{"any", file_access::any}, {"existing", file_access::existing}, {"read_only", file_access::read_only}});

/// What several properties say of TLS together.
struct tls_words {
  std::optional<tls_mode> mode;
  std::optional<bool> on, needed, verify;
  bool trust_all = false;
  bool any_name = false;
};

tls_mode tls_of(const tls_words& words, bool verifies_tls) {
  if (words.mode) {
    const bool names_count = *words.mode == tls_mode::required && words.any_name;
    return names_count ? tls_mode::required_chain : *words.mode;
  }
  if (words.on == false && words.needed != true) {
    return tls_mode::off;
  }
  if (words.on != true && words.needed != true && words.verify != true) {
    return tls_mode::prefer_none;
  }
  const bool verified = words.verify.value_or(verifies_tls) && !words.trust_all;
  return !verified                         ? tls_mode::required_unverified
         : verifies_tls && !words.any_name ? tls_mode::required
                                           : tls_mode::required_chain;
}

std::optional<bool> boolean_of(std::string_view text) {
  for (const std::string_view yes : {"true", "yes", "1", "on", ""}) {
    if (same_word(text, yes)) {
      return true;
    }
  }
  for (const std::string_view no : {"false", "no", "0", "off"}) {
    if (same_word(text, no)) {
      return false;
    }
  }
  return std::nullopt;
}

/// The path of `file:///a`, `file:/a`, `a`.
std::string path_of(std::string_view text) {
  if (text.size() >= 5 && same_word(text.substr(0, 5), "file:")) {
    text.remove_prefix(5);
    if (text.starts_with("//")) {
      text.remove_prefix(2);
    }
  }
  return std::string(text);
}

/// Splits at `separator` outside quotes and brackets.
std::vector<std::string> split_outside_quotes(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts(1);
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      quote = c == quote ? 0 : quote;
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth <= 0 && separators.find(c) != std::string_view::npos) {
        parts.emplace_back();
        continue;
      }
    }
    parts.back() += c;
  }
  return parts;
}

/// Applies properties one by one.
class property_reader {
 public:
  property_reader(const url_dialect& dialect, const std::function<void(std::string)>& warn,
                  connect_options& out)
      : dialect_(dialect), warn_(warn), out_(out) {}

  result<void> apply(const std::string& name, const std::string& value, const std::string& place,
                     const std::optional<secret_text>& secret = {}) {
    name_ = name;
    value_ = trimmed(value);
    place_ = place;
    secret_ = secret;
    const auto row = std::find_if(dialect_.properties.begin(), dialect_.properties.end(),
                                  [&](const url_property& p) { return same_word(p.name, name); });
    if (row == dialect_.properties.end()) {
      warn_of_unknown();
      return {};
    }
    for (auto& [known, text] : given_) {
      if (known == row->name && text != value_ && row->use != property_use::password) {
        warn_(fmt::format("{}: the property {} is given twice; the last one, {}, counts", place_, row->name,
                          shown_value()));
      }
    }
    given_.emplace_back(row->name, value_);
    return apply(*row);
  }

  /// What the properties say of TLS, once all are there.
  void finish(bool verifies_tls) { out_.tls = tls_of(tls_, verifies_tls); }

 private:
  [[nodiscard]] std::string shown_value() const {
    return looks_secret(name_) ? std::string(secret_mask) : shown_text(value_);
  }

  /// Whoever masks secrets takes what stands behind `"password": ` for one.
  [[nodiscard]] tl::unexpected<error> bad(const std::string& why) const {
    return fail(error_kind::bad_option, "{}: property {}: {}", place_,
                looks_secret(name_) ? fmt::format("{} is refused", in_quotes(name_)) : in_quotes(name_), why);
  }

  [[nodiscard]] tl::unexpected<error> expected(const std::string& what) const {
    return bad(fmt::format("found {}, expected {}", shown_value(), what));
  }

  void warn_of_unknown() const {
    std::vector<std::string_view> names;
    for (const url_property& p : dialect_.properties) {
      names.push_back(p.name);
    }
    const std::string_view near = nearest(name_, names);
    warn_(fmt::format("{}: the property {} of {} is not known and has no effect{}", place_, in_quotes(name_),
                      dialect_.product,
                      near.empty() ? std::string("; take it out") : fmt::format("; did you mean {}?", near)));
  }

  [[nodiscard]] std::optional<std::string_view> word_of(const url_property& row) const {
    const auto at = std::find_if(row.words.begin(), row.words.end(),
                                 [&](const property_word& w) { return same_word(w.value, value_); });
    return at == row.words.end() ? std::nullopt : std::optional(at->means);
  }

  [[nodiscard]] std::string words_text(const url_property& row) const {
    std::vector<std::string_view> values;
    for (const property_word& w : row.words) {
      values.push_back(w.value);
    }
    return fmt::format("{}", fmt::join(values, ", "));
  }

  result<milliseconds> duration(std::int64_t unit_ms) const {
    std::int64_t n = 0;
    const auto [end, wrong] = std::from_chars(value_.data(), value_.data() + value_.size(), n);
    if (wrong != std::errc() || end != value_.data() + value_.size() || n < 0 ||
        n > milliseconds_max / unit_ms) {
      return expected(unit_ms == 1 ? "a whole number of milliseconds" : "a whole number of seconds");
    }
    return milliseconds(n * unit_ms);
  }

  result<secret_text> hidden() const {
    return secret_ ? result<secret_text>(*secret_) : secret_text::parse(value_, place_);
  }

  result<bool> boolean() const {
    const auto found = boolean_of(value_);
    return found ? result<bool>(*found) : expected("true or false");
  }

  result<std::string> file(bool with_key) const {
    const std::string path = path_of(value_);
    if (path.empty() || path.find("://") != std::string::npos || lower(path).starts_with("classpath:")) {
      return expected("the path of a PEM file");
    }
    if (const auto why = why_not_pem(path, with_key)) {
      return bad(*why);
    }
    return path;
  }

  result<void> apply(const url_property& row);
  result<void> apply_tls(const url_property& row);
  result<void> apply_time(const url_property& row);
  result<void> apply_settings(const url_property& row);
  result<void> apply_words(const url_property& row);

  const url_dialect& dialect_;
  const std::function<void(std::string)>& warn_;
  connect_options& out_;
  tls_words tls_;
  std::vector<std::pair<std::string_view, std::string>> given_;
  std::string name_;
  std::string value_;
  std::string place_;
  std::optional<secret_text> secret_;
};

result<void> property_reader::apply(const url_property& row) {
  switch (row.use) {
    case property_use::user:
      out_.user = value_;
      return {};
    case property_use::password: {
      SLUICE_TRY(out_.password, hidden());
      return {};
    }
    case property_use::database:
      out_.database = value_;
      return {};
    case property_use::connect_ms:
    case property_use::connect_s:
    case property_use::socket_ms:
    case property_use::socket_s:
    case property_use::statement_ms:
      return apply_time(row);
    case property_use::keepalive: {
      SLUICE_TRY(out_.keepalive, boolean());
      return {};
    }
    case property_use::compression: {
      SLUICE_TRY(out_.compression, boolean());
      return {};
    }
    case property_use::any_order: {
      SLUICE_TRY(out_.any_order, boolean());
      return {};
    }
    case property_use::tls_on:
    case property_use::tls_needed:
    case property_use::tls_verify:
    case property_use::tls_trust_all:
    case property_use::tls_any_name:
    case property_use::ca_file:
    case property_use::cert_file:
    case property_use::key_file:
    case property_use::key_password:
      return apply_tls(row);
    case property_use::setting:
    case property_use::setting_number:
    case property_use::settings_list:
    case property_use::options_list:
      return apply_settings(row);
    case property_use::option_ms: {
      SLUICE_TRY(const milliseconds time, duration(1));
      out_.option_defaults.emplace_back(row.to, std::to_string(time.count()));
      return {};
    }
    case property_use::tls_mode:
    case property_use::tls_factory:
    case property_use::role:
    case property_use::file_access:
    case property_use::option:
      return apply_words(row);
    case property_use::harmless:
      if (!row.words.empty() && !word_of(row)) {
        return bad(fmt::format("found {}; {}", shown_value(), row.why));
      }
      return {};
    case property_use::refused:
      return bad(std::string(row.why));
  }
  return {};
}

result<void> property_reader::apply_time(const url_property& row) {
  const bool in_seconds = row.use == property_use::connect_s || row.use == property_use::socket_s;
  SLUICE_TRY(const milliseconds time, duration(in_seconds ? 1000 : 1));
  if (row.use == property_use::connect_ms || row.use == property_use::connect_s) {
    // In the drivers 0 waits as long as the system does; here the default stays.
    out_.connect_timeout = time.count() == 0 ? connect_options().connect_timeout : time;
  } else if (row.use == property_use::statement_ms) {
    out_.statement_timeout = time;
  } else {
    out_.socket_timeout = time;
  }
  return {};
}

result<void> property_reader::apply_tls(const url_property& row) {
  switch (row.use) {
    case property_use::ca_file: {
      SLUICE_TRY(out_.ca_file, file(false));
      return {};
    }
    case property_use::cert_file: {
      SLUICE_TRY(out_.cert_file, file(true));
      return {};
    }
    case property_use::key_file: {
      SLUICE_TRY(out_.key_file, file(true));
      return {};
    }
    case property_use::key_password: {
      SLUICE_TRY(out_.key_password, hidden());
      return {};
    }
    default:
      break;
  }
  SLUICE_TRY(const bool yes, boolean());
  switch (row.use) {
    case property_use::tls_on:
      tls_.on = yes;
      break;
    case property_use::tls_needed:
      tls_.needed = yes;
      break;
    case property_use::tls_verify:
      tls_.verify = yes;
      break;
    case property_use::tls_trust_all:
      tls_.trust_all = yes;
      break;
    default:
      tls_.any_name = yes;
      break;
  }
  return {};
}

result<void> property_reader::apply_words(const url_property& row) {
  const auto means = word_of(row);
  if (!means) {
    if (!row.why.empty()) {
      return bad(fmt::format("found {}; {}", shown_value(), row.why));
    }
    return expected(words_text(row));
  }
  if (row.use == property_use::option) {
    out_.option_defaults.emplace_back(row.to, *means);
  } else if (row.use == property_use::setting) {
    out_.session_settings.emplace_back(row.to, *means);
  } else if (row.use == property_use::file_access) {
    out_.access = std::find_if(access_names.begin(), access_names.end(), [&](const named_access& a) {
                    return a.name == *means;
                  })->access;
  } else if (row.use == property_use::role) {
    out_.role = std::find_if(role_names.begin(), role_names.end(), [&](const named_role& r) {
                  return r.name == *means;
                })->role;
  } else if (row.use == property_use::tls_factory) {
    tls_.trust_all = tls_.trust_all || *means == "trust_all";
    tls_.any_name = tls_.any_name || *means == "any_name";
  } else {
    tls_.mode = std::find_if(tls_names.begin(), tls_names.end(), [&](const named_tls& t) {
                  return t.name == *means;
                })->mode;
  }
  return {};
}

result<void> property_reader::apply_settings(const url_property& row) {
  if (row.use == property_use::setting && !row.words.empty()) {
    return apply_words(row);
  }
  if (row.use == property_use::setting_number) {
    std::int64_t n = 0;
    const auto [end, wrong] = std::from_chars(value_.data(), value_.data() + value_.size(), n);
    if (wrong != std::errc() || end != value_.data() + value_.size()) {
      return expected("a whole number");
    }
  }
  if (row.use == property_use::setting || row.use == property_use::setting_number) {
    out_.session_settings.emplace_back(row.to, value_);
    return {};
  }
  std::vector<std::string> parts;
  if (row.use == property_use::settings_list) {
    parts = split_outside_quotes(value_, ",;");
  } else {
    // `-c name=value`, `--name=value`: blanks part them, `\ ` is a blank of a value (libpq, "options").
    std::string text = value_;
    for (std::size_t at = text.find("\\ "); at != std::string::npos; at = text.find("\\ ", at + 1)) {
      text.replace(at, 2, 1, '\x01');
    }
    for (std::string& part : split_outside_quotes(text, " ")) {
      std::replace(part.begin(), part.end(), '\x01', ' ');
      if (part == "-c" || part.empty()) {
        continue;
      }
      const std::size_t dashes = part.starts_with("--") ? 2 : part.starts_with("-c") ? 2 : 0;
      parts.push_back(part.substr(dashes));
    }
  }
  for (const std::string& part : parts) {
    const std::string_view text = trimmed(part);
    if (text.empty()) {
      continue;
    }
    const std::size_t equals = text.find('=');
    const std::string_view name = trimmed(text.substr(0, equals));
    const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
             c == '.' || c == '@';
    });
    if (equals == std::string_view::npos || !is_name) {
      return expected(row.use == property_use::settings_list ? "<name>=<value>,…" : "-c <name>=<value> …");
    }
    out_.session_settings.emplace_back(std::string(name), std::string(trimmed(text.substr(equals + 1))));
  }
  return {};
}

bool is_primary_word(std::string_view type) {
  return same_word(type, "master") || same_word(type, "primary") || same_word(type, "source");
}

/// One address alone.
result<connect_options> options_of_url(const placed_text& url, const placed_properties& properties,
                                       const url_dialect& dialect,
                                       const std::function<void(std::string)>& warn) {
  SLUICE_TRY(jdbc_url parsed, parse_jdbc_url(url.text, dialect.grammar, url.place));
  connect_options out;
  out.place = url.place;
  out.database = parsed.database;
  out.any_order = parsed.form == url_form::any_order;
  if (parsed.form == url_form::replication) {
    out.role = server_role::primary;
    std::stable_sort(parsed.servers.begin(), parsed.servers.end(),
                     [](const url_server& a, const url_server& b) {
                       return is_primary_word(a.type) && !is_primary_word(b.type);
                     });
  }
  property_reader reader(dialect, warn, out);
  for (const url_server& server : parsed.servers) {
    out.servers.push_back({server.host, server.port.value_or(parsed.scheme->port)});
    for (const auto& [name, value] : server.properties) {
      const bool account = same_word(name, "user") || same_word(name, "password");
      if (account && parsed.servers.size() > 1) {
        return fail(error_kind::bad_option,
                    "{}: found {} for one of several servers; one account serves all, set \"username\" and "
                    "\"password\"",
                    url.place, in_quotes(name));
      }
      SLUICE_CHECK(reader.apply(name, value, url.place));
    }
  }
  for (const auto& [name, value] : parsed.properties) {
    SLUICE_CHECK(reader.apply(name, value, url.place));
  }
  for (const auto& [name, value] : properties) {
    SLUICE_CHECK(reader.apply(name, value.text, value.place, value.secret));
  }
  reader.finish(parsed.scheme->verifies_tls);
  return out;
}

/// What two addresses of one database may not differ in; empty where they do not.
std::string_view difference(const connect_options& a, const connect_options& b) {
  return a.database != b.database ? "the database"
         : a.user != b.user       ? "the user"
         : a.tls != b.tls || a.ca_file != b.ca_file || a.cert_file != b.cert_file || a.key_file != b.key_file
             ? "TLS"
         : a.role != b.role || a.any_order != b.any_order ? "the choice of servers"
         : a.session_settings != b.session_settings       ? "settings of the session"
         : a.option_defaults != b.option_defaults         ? "properties"
                                                          : "";
}

}  // namespace

result<connect_options> connect_options_of(const std::vector<placed_text>& urls,
                                           const placed_properties& properties, const url_dialect& dialect,
                                           const std::function<void(std::string)>& warn) {
  if (urls.empty()) {
    return fail(error_kind::internal, "no address to connect to");
  }
  std::set<std::string> said;
  const std::function<void(std::string)> warn_once = [&](std::string text) {
    if (warn && said.insert(text).second) {
      warn(std::move(text));
    }
  };
  SLUICE_TRY(connect_options first, options_of_url(urls[0], properties, dialect, warn_once));
  for (std::size_t i = 1; i < urls.size(); ++i) {
    SLUICE_TRY(connect_options next, options_of_url(urls[i], properties, dialect, warn_once));
    if (const std::string_view differs = difference(first, next); !differs.empty()) {
      return fail(error_kind::bad_option,
                  "{}: it differs from the first address in {}; several addresses are ways to one database, "
                  "write several entries of \"connection\" for several",
                  urls[i].place, differs);
    }
    for (server_address& server : next.servers) {
      if (std::find(first.servers.begin(), first.servers.end(), server) == first.servers.end()) {
        first.servers.push_back(std::move(server));
      }
    }
  }
  return first;
}

result<connect_options> connect_options_of(std::vector<server_address> servers, std::string database,
                                           const placed_properties& properties, const url_dialect& dialect,
                                           const std::function<void(std::string)>& warn) {
  connect_options out;
  out.servers = std::move(servers);
  out.database = std::move(database);
  property_reader reader(dialect, warn, out);
  for (const auto& [name, value] : properties) {
    SLUICE_CHECK(reader.apply(name, value.text, value.place, value.secret));
  }
  reader.finish(dialect.grammar.schemes.front().verifies_tls);
  return out;
}

}  // namespace sluice::relational
