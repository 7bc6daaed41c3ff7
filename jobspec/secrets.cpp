#include "jobspec/secrets.h"

#include <algorithm>
#include <array>

#include "jobspec/words.h"

namespace sluice {
namespace {

/// Parts of a key's name (small letters, without `_`, `-` and `.`) that mark a secret.
constexpr std::array<std::string_view, 9> secret_parts = {
    "password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "accesskey", "credential"};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

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
    // A password in a URL may hold a comma or a parenthesis; only what surely ends a property ends it here.
    const std::size_t end = std::min(text.find_first_of("&;\"' \t\r\n", at + 1), text.size());
    if (end > at + 1) {
      out.append(text.substr(copied, at + 1 - copied)).append(secret_mask);
      copied = end;
    }
  }
  return out.append(text.substr(copied));
}

/// Masks the password of each `scheme://user:password@host`.
std::string mask_user_info(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const std::string_view authority = text.substr(begin, text.find_first_of("/?# \t\r\n\"", begin) - begin);
    const std::size_t host = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    if (host == std::string_view::npos || colon >= host) {
      continue;
    }
    out.append(text.substr(copied, begin + colon + 1 - copied)).append(secret_mask);
    copied = begin + host;
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

std::string mask_addresses(std::string_view text) {
  if (text.find("://") == std::string_view::npos && !lower(text.substr(0, 5)).starts_with("jdbc:")) {
    return std::string(text);
  }
  return mask_properties(mask_user_info(text));
}

}  // namespace sluice
