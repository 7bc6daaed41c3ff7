#include "plugins/common/relational/jdbc_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

constexpr std::size_t servers_max = 64;
constexpr auto number_sign = "\"#\" in an address is written %23";

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && same_word(text.substr(0, word.size()), word);
}

/// Drops `begin` from the beginning of `rest`, ignoring case; whether it stood there.
bool take(std::string_view& rest, std::string_view begin) {
  if (!starts_with_word(rest, begin)) {
    return false;
  }
  rest.remove_prefix(begin.size());
  return true;
}

class url_reader {
 public:
  url_reader(std::string_view text, const url_grammar& grammar, const std::string& place)
      : text_(trimmed(text)), rest_(text_), grammar_(grammar), place_(place) {}

  result<jdbc_url> read() {
    SLUICE_CHECK(read_scheme());
    if (!url_.scheme->file && rest_.starts_with("//")) {
      const std::size_t at = account_end(rest_.substr(2));
      if (at != std::string_view::npos && at > rest_.find_first_of("/?#", 2) - 2) {
        return bad(
            "an \"@\" stands behind a \"/\", \"?\" or \"#\": in a name or a password they are written %40, "
            "%2F, %3F and %23");
      }
    }
    const std::size_t question = rest_.find('?');
    std::string_view properties;
    if (question != std::string_view::npos) {
      properties = rest_.substr(question + 1);
      rest_ = rest_.substr(0, question);
    }
    if (url_.scheme->file) {
      SLUICE_CHECK(read_file());
    } else if (rest_.find('#') != std::string_view::npos) {
      return bad(number_sign);
    } else {
      SLUICE_CHECK(read_servers_and_database());
    }
    SLUICE_CHECK(read_properties(properties));
    return std::move(url_);
  }

 private:
  [[nodiscard]] tl::unexpected<error> bad(const std::string& why) const {
    return fail(error_kind::bad_option, "{}: found {}; {}", place_, shown_text(text_), why);
  }

  result<void> read_scheme() {
    for (const url_scheme& scheme : grammar_.schemes) {
      if (take(rest_, scheme.prefix)) {
        url_.scheme = &scheme;
        break;
      }
    }
    if (url_.scheme == nullptr) {
      const url_scheme& first = grammar_.schemes.front();
      return bad(fmt::format("expected \"{}{}\"", first.prefix,
                             first.file ? "<path>" : "//<host>:<port>/<database>"));
    }
    for (const url_form_word& form : grammar_.forms) {
      if (take(rest_, form.word)) {
        url_.form = form.form;
        break;
      }
    }
    return {};
  }

  result<void> read_file() {
    if (!take(rest_, "file:")) {
      url_.database = rest_;
      return {};
    }
    if (rest_.find('#') != std::string_view::npos) {
      return bad(number_sign);
    }
    if (take(rest_, "//")) {
      const std::string_view host = rest_.substr(0, rest_.find('/'));
      if (!host.empty() && !same_word(host, "localhost")) {
        return bad(
            "a file of this machine is file:<path>, or file:///<path> from the root; behind \"//\" stands a "
            "machine's name");
      }
      rest_.remove_prefix(host.size());
    }
    return decode(rest_, "the path", url_.database);
  }

  result<void> read_servers_and_database() {
    if (!take(rest_, "//")) {
      if (!url_.scheme->bare_database || rest_.find(':') != std::string_view::npos) {
        return bad(fmt::format("expected \"//<host>:<port>/<database>\" behind \"{}\"",
                               text_.substr(0, text_.size() - rest_.size())));
      }
      take(rest_, "/");
      url_.servers.push_back({"localhost", {}, {}, {}});
      return decode(rest_, "the database", url_.database);
    }
    const std::size_t end = end_of_servers();
    SLUICE_CHECK(read_servers(rest_.substr(0, end)));
    if (end == rest_.size()) {
      return {};
    }
    const std::string_view database = rest_.substr(end + 1);
    if (database.find('/') != std::string_view::npos) {
      return bad("expected one name behind the servers; a \"/\" in it is written %2F");
    }
    return decode(database, "the database", url_.database);
  }

  /// Where the `/` behind the servers stands; in brackets none does.
  [[nodiscard]] std::size_t end_of_servers() const {
    int depth = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      depth += rest_[i] == '(' ? 1 : rest_[i] == ')' ? -1 : 0;
      if (rest_[i] == '/' && depth <= 0) {
        return i;
      }
    }
    return rest_.size();
  }

  result<void> read_servers(std::string_view list) {
    // `user:password@` counts for all that follow; the last @ is the one, as in the drivers.
    if (const std::size_t at = list.rfind('@'); at != std::string_view::npos) {
      SLUICE_CHECK(read_account(list.substr(0, at)));
      list = list.substr(at + 1);
    }
    if (list.starts_with('[') && list.ends_with(']') && list.find_first_of(",(") != std::string_view::npos) {
      list = list.substr(1, list.size() - 2);  // `[host1:port1,host2:port2]`
    }
    if (list.empty()) {
      url_.servers.push_back({"localhost", {}, {}, {}});
      return {};
    }
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = end_of_server(list, begin);
      SLUICE_CHECK(read_server(trimmed(list.substr(begin, end - begin))));
      begin = end + 1;
    }
    return {};
  }

  static std::size_t end_of_server(std::string_view list, std::size_t begin) {
    int depth = 0;
    for (std::size_t i = begin; i < list.size(); ++i) {
      depth += list[i] == '(' ? 1 : list[i] == ')' ? -1 : 0;
      if (list[i] == ',' && depth <= 0) {
        return i;
      }
    }
    return list.size();
  }

  result<void> read_account(std::string_view account) {
    const std::size_t colon = account.find(':');
    std::string user;
    SLUICE_CHECK(decode(account.substr(0, colon), "the user", user));
    url_.properties.emplace_back("user", std::move(user));
    if (colon != std::string_view::npos) {
      std::string password;
      SLUICE_CHECK(decode(account.substr(colon + 1), "the password", password));
      url_.properties.emplace_back("password", std::move(password));
    }
    return {};
  }

  result<void> read_server(std::string_view text) {
    if (url_.servers.size() == servers_max) {
      return bad(fmt::format("more than {} servers", servers_max));
    }
    url_server server;
    if (text.empty()) {
      return bad("a server's name is missing between commas");
    }
    if (take(text, "address=") || text.starts_with('(')) {
      SLUICE_CHECK(read_members(text, server));
    } else {
      SLUICE_CHECK(read_host_and_port(text, server));
    }
    url_.servers.push_back(std::move(server));
    return {};
  }

  result<void> read_host_and_port(std::string_view text, url_server& server) {
    std::string_view port;
    if (text.starts_with('[')) {
      const std::size_t close = text.find(']');
      if (close == std::string_view::npos) {
        return bad("the bracket of an IPv6 address is not closed");
      }
      SLUICE_CHECK(decode(text.substr(1, close - 1), "the host", server.host));
      if (server.host.find(':') == std::string::npos) {
        return bad(fmt::format("expected an IPv6 address in brackets, found {}", in_quotes(server.host)));
      }
      text.remove_prefix(close + 1);
      if (!text.empty() && !text.starts_with(':')) {
        return bad("expected \":<port>\" or nothing behind the bracket of an IPv6 address");
      }
      port = text.empty() ? text : text.substr(1);
      if (!text.empty() && port.empty()) {
        return bad("the port behind \":\" is missing");
      }
    } else {
      if (std::count(text.begin(), text.end(), ':') > 1) {
        return bad("an IPv6 address is written in brackets: [::1]:<port>");
      }
      const std::size_t colon = text.find(':');
      SLUICE_CHECK(decode(text.substr(0, colon), "the host", server.host));
      if (colon != std::string_view::npos) {
        port = text.substr(colon + 1);
        if (port.empty()) {
          return bad("the port behind \":\" is missing");
        }
      }
    }
    SLUICE_CHECK(check_host(server.host));
    return port.empty() ? result<void>() : read_port(port, server);
  }

  result<void> check_host(const std::string& host) const {
    if (host.empty()) {
      return bad("a server's name is missing");
    }
    const auto odd = std::find_if(host.begin(), host.end(), [](char c) {
      return static_cast<unsigned char>(c) <= ' ' || c == '\\' || c == '"' || c == '\'' || c == '(' ||
             c == ')';
    });
    if (odd != host.end()) {
      return bad(fmt::format("{} is no name of a server", in_quotes(host)));
    }
    return {};
  }

  result<void> read_port(std::string_view text, url_server& server) {
    std::uint16_t port = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (wrong != std::errc() || end != text.data() + text.size() || port == 0) {
      return bad(fmt::format("found port {}, expected a number from 1 to 65535", in_quotes(text)));
    }
    server.port = port;
    return {};
  }

  /// `(host=a)(port=1)` or `(host=a,port=1)`.
  result<void> read_members(std::string_view text, url_server& server) {
    while (!text.empty()) {
      const std::size_t close = text.find(')');
      if (!text.starts_with('(') || close == std::string_view::npos) {
        return bad("expected address=(host=<host>)(port=<port>)");
      }
      std::string_view members = text.substr(1, close - 1);
      text.remove_prefix(close + 1);
      while (!members.empty()) {
        const std::size_t comma = members.find(',');
        SLUICE_CHECK(read_member(trimmed(members.substr(0, comma)), server));
        members.remove_prefix(comma == std::string_view::npos ? members.size() : comma + 1);
      }
    }
    if (server.host.empty()) {
      return bad("host is missing in address=(host=<host>)(port=<port>)");
    }
    return {};
  }

  result<void> read_member(std::string_view text, url_server& server) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return bad("expected <name>=<value> in each bracket of address=(…)");
    }
    const std::string_view name = trimmed(text.substr(0, equals));
    std::string value;
    SLUICE_CHECK(decode(trimmed(text.substr(equals + 1)), name, value));
    if (same_word(name, "host")) {
      server.host =
          value.starts_with('[') && value.ends_with(']') ? value.substr(1, value.size() - 2) : value;
      return check_host(server.host);
    }
    if (same_word(name, "port")) {
      return read_port(value, server);
    }
    if (same_word(name, "type")) {
      server.type = std::move(value);
    } else {
      server.properties.emplace_back(std::string(name), std::move(value));
    }
    return {};
  }

  result<void> read_properties(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('&');
      const std::string_view one = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (one.empty()) {
        continue;  // `?&a=b`, `a=b&`: the drivers bear it
      }
      if (one.starts_with("amp;")) {
        return bad("\"&amp;\" is XML for \"&\"; write \"&\"");
      }
      const std::size_t equals = one.find('=');
      std::string name;
      std::string value;
      const bool plus = url_.scheme->plus_is_blank;
      SLUICE_CHECK(decode(one.substr(0, equals), "a property's name", name, plus));
      if (name.empty()) {
        return bad("a property has no name");
      }
      if (equals != std::string_view::npos) {
        SLUICE_CHECK(decode(one.substr(equals + 1), name, value, plus));
      }
      url_.properties.emplace_back(std::move(name), std::move(value));
    }
    return {};
  }

  result<void> decode(std::string_view text, std::string_view what, std::string& to,
                      bool plus_is_blank = false) const {
    auto decoded = percent_decoded(text, plus_is_blank);
    if (!decoded) {
      return bad(
          fmt::format("in {} a \"%\" is not followed by two hexadecimal digits; a percent sign itself is "
                      "written %25",
                      what));
    }
    if (decoded->find('\0') != std::string::npos) {
      return bad(fmt::format("in {} there is a NUL character", what));
    }
    to = std::move(*decoded);
    return {};
  }

  std::string_view text_;
  std::string_view rest_;
  const url_grammar& grammar_;
  const std::string& place_;
  jdbc_url url_;
};

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return std::nullopt;
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

result<jdbc_url> parse_jdbc_url(std::string_view text, const url_grammar& grammar, const std::string& place) {
  return url_reader(text, grammar, place).read();
}

}  // namespace sluice::relational
