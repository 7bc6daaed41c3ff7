#include "jobspec/secrets.h"

#include <algorithm>
#include <array>

#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// Parts of a key's name (small letters, without `_`, `-` and `.`) that mark a secret.
constexpr std::array<std::string_view, 9> secret_parts = {
    "password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "accesskey", "credential"};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

/// A password in a URL may hold a comma or a parenthesis; only what surely ends a property ends it here.
constexpr const char* property_ends = "&;\"' \t\r\n";

/// Masks the value behind each `name=` whose name looks secret.
std::string mask_properties(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    std::size_t name = at;
    while (name > copied && is_name_character(text[name - 1])) {
      --name;
    }
    if (at < copied || !looks_secret(text.substr(name, at - name))) {
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(property_ends, at + 1), text.size());
    if (end > at + 1) {
      out.append(text.substr(copied, at + 1 - copied)).append(secret_mask);
      copied = end;
    }
  }
  return out.append(text.substr(copied));
}

/// Whether the `@` at `at` stands in the value of a property: `?user=a@b`.
bool in_property(std::string_view address, std::size_t at) {
  const std::string_view before = address.substr(0, at);
  const std::size_t question = before.find('?');
  return question != std::string_view::npos &&
         before.find('=', before.find_last_of("?&")) != std::string_view::npos;
}

/// Whether each of `a,b:1,[::1]:2` has a number for a port, or none.
bool has_plain_ports(std::string_view servers) {
  while (!servers.empty()) {
    const std::string_view one = servers.substr(0, servers.find(','));
    servers.remove_prefix(std::min(one.size() + 1, servers.size()));
    const std::size_t colon = one.rfind(':');
    if (colon != std::string_view::npos && !one.ends_with(']') && !one.ends_with(')') &&
        one.find_first_not_of("0123456789", colon + 1) != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

/// Masks the password of each `scheme://user:password@host`.
std::string mask_user_info(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const bool is_whole = std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at),
                                      [](char c) { return is_name_character(c) || c == ':' || c == '+'; });
    const std::string_view address =
        text.substr(begin, is_whole ? text.size() : text.find_first_of(" \t\r\n\"", begin) - begin);
    const std::size_t host = account_end(address);
    const std::size_t colon = address.find(':');
    if (begin < copied || host == std::string_view::npos || colon >= host) {
      continue;
    }
    out.append(text.substr(copied, begin + colon + 1 - copied)).append(secret_mask);
    copied = begin + host;
  }
  return out.append(text.substr(copied));
}

/// Masks the password of `jdbc:oracle:thin:user/password@host`.
std::string mask_oracle(std::string_view text) {
  constexpr std::string_view begin = "jdbc:oracle:";
  const std::string small = lower(text);
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = small.find(begin); at != std::string::npos; at = small.find(begin, at + 1)) {
    const std::string_view word = text.substr(at, text.find_first_of(" \t\r\n\"'", at) - at);
    const std::size_t slash = word.find('/');
    const std::size_t host = word.find('@', slash == std::string_view::npos ? 0 : slash);
    // Behind the host begins another part, in which the password's own @ would be the last one.
    if (slash == std::string_view::npos || host == std::string_view::npos || word.find('@') < slash) {
      continue;
    }
    out.append(text.substr(copied, at + slash + 1 - copied)).append(secret_mask);
    copied = at + host;
  }
  return out.append(text.substr(copied));
}

/// Whether what stands behind `name=` in a message is no value: the message's own word for one, or a
/// reference or variable.
bool is_stand_in(std::string_view value) {
  return value.starts_with("VALUE") || value.starts_with("${") || value.starts_with(secret_mask);
}

bool names_secret(std::string_view name) {
  return looks_secret(name) || lower(name) == "key";
}

/// The length of the quote at the beginning of `text`, with the backslashes of one that is escaped; 0 where
/// there is none.
std::size_t quote_bytes(std::string_view text) {
  const std::size_t at = std::min(text.find_first_not_of('\\'), text.size());
  return at < text.size() && (text[at] == '"' || text[at] == '\'') ? at + 1 : 0;
}

/// Where a value that begins at `at` ends, a property's or a member's: behind its quotes, or at what
/// separates it from the next.
std::size_t value_end(std::string_view text, std::size_t at, bool property) {
  const std::size_t quote = quote_bytes(text.substr(at));
  if (text[at] == '[' || text[at] == '{') {
    const std::size_t close = text.find(text[at] == '[' ? ']' : '}', at);
    return close == std::string_view::npos ? text.size() : close + 1;
  }
  if (quote == 0) {
    return std::min(text.find_first_of(property ? property_ends : ", \t\r\n{}\"'", at), text.size());
  }
  const std::size_t end = text.find(text.substr(at, quote), at + quote);
  return end == std::string_view::npos ? text.size() : end + quote;
}

/// Masks the value of each `name=value` and `"name": value` whose name says that it is a secret.
std::string mask_members(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find_first_of("=:"); at != std::string_view::npos;
       at = text.find_first_of("=:", at + 1)) {
    std::size_t end = at;
    while (end > copied &&
           (text[end - 1] == ' ' || text[end - 1] == '"' || text[end - 1] == '\'' || text[end - 1] == '\\')) {
      --end;
    }
    // A colon behind a bare word is that of a sentence.
    if (text[at] == ':' && text.substr(end, at - end).find_first_of("\"'") == std::string_view::npos) {
      continue;
    }
    std::size_t name = end;
    while (name > copied && is_name_character(text[name - 1])) {
      --name;
    }
    const std::size_t value = std::min(text.find_first_not_of(' ', at + 1), text.size());
    if (at < copied || value == text.size() || !names_secret(text.substr(name, end - name)) ||
        is_stand_in(text.substr(value + quote_bytes(text.substr(value))))) {
      continue;
    }
    const std::size_t behind = value_end(text, value, text[at] == '=');
    const std::size_t quote = quote_bytes(text.substr(value));
    if (behind > value + quote) {
      out.append(text.substr(copied, value + quote - copied)).append(secret_mask);
      copied = quote != 0 && behind >= value + 2 * quote && text[behind - 1] == text[value + quote - 1]
                   ? behind - quote
                   : behind;
    }
  }
  return out.append(text.substr(copied));
}

/// Masks the password of each `user:password@host`.
std::string mask_accounts(std::string_view text) {
  constexpr std::string_view around = " \t\r\n\"'`<>()[]{},;|";
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    const std::size_t border = text.find_last_of(around, at);
    std::size_t begin = std::max(border == std::string_view::npos ? 0 : border + 1, copied);
    const std::string_view word = text.substr(begin, at - begin);
    if (const std::size_t scheme = word.rfind("://"); scheme != std::string_view::npos) {
      begin += scheme + 3;
    } else if (lower(word).starts_with("jdbc:oracle:")) {
      continue;
    } else if (lower(word).starts_with("jdbc:")) {
      begin += std::min(word.find(':', 5), word.size() - 1) + 1;  // the `//` was forgotten
    }
    const std::size_t colon = text.find(':', begin);
    if (colon < at && text.substr(begin, at - begin).find('?') == std::string_view::npos) {
      out.append(text.substr(copied, colon + 1 - copied)).append(secret_mask);
      copied = at;
    }
  }
  return out.append(text.substr(copied));
}

}  // namespace

bool looks_secret(std::string_view key) {
  std::string plain = lower(key);
  std::erase_if(plain, [](char c) { return c == '_' || c == '-' || c == '.'; });
  if (plain == "pwd" || plain == "pass") {
    return true;
  }
  return std::any_of(secret_parts.begin(), secret_parts.end(),
                     [&](std::string_view part) { return plain.find(part) != std::string::npos; });
}

std::size_t account_end(std::string_view address) {
  const std::size_t behind = address.find_first_of("/?#");
  const std::string_view servers = address.substr(0, behind);
  const std::size_t last = address.rfind('@');
  std::size_t at = last;
  while (at != std::string_view::npos && at >= servers.size() && in_property(address, at)) {
    at = at == 0 ? std::string_view::npos : address.rfind('@', at - 1);
  }
  return at == std::string_view::npos && !has_plain_ports(servers) ? last : at;
}

std::string mask_addresses(std::string_view text) {
  if (text.find("://") == std::string_view::npos && !lower(text.substr(0, 5)).starts_with("jdbc:")) {
    return std::string(text);
  }
  return mask_oracle(mask_properties(mask_user_info(text)));
}

std::string hide_secrets(std::string_view text) {
  return mask_members(mask_accounts(mask_oracle(mask_user_info(text))));
}

std::string shown_text(std::string_view value) {
  return in_quotes(hide_secrets(value));
}

}  // namespace sluice
