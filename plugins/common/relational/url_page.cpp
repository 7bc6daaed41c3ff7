#include <fmt/format.h>

#include <map>

#include "plugins/common/relational/url_properties.h"

namespace sluice::relational {
namespace {

/// What a mapped property does, for the page.
std::string meaning_of(const url_property& p) {
  switch (p.use) {
    case property_use::user:
      return "`username`";
    case property_use::password:
      return "`password`";
    case property_use::database:
      return "the database";
    case property_use::connect_ms:
    case property_use::connect_s:
      return "limit of connecting (10 s by default, also for 0)";
    case property_use::socket_ms:
    case property_use::socket_s:
      return "`socketTimeout`";
    case property_use::statement_ms:
      return "limit of each statement in milliseconds (none by default)";
    case property_use::keepalive:
      return "TCP keepalive (on by default)";
    case property_use::compression:
      return "compression";
    case property_use::any_order:
      return "connections spread over the servers";
    case property_use::role:
      return "which of the servers is taken";
    case property_use::tls_mode:
    case property_use::tls_on:
    case property_use::tls_needed:
    case property_use::tls_verify:
    case property_use::tls_trust_all:
    case property_use::tls_any_name:
    case property_use::tls_factory:
      return "TLS, and what is verified";
    case property_use::ca_file:
      return "PEM file of the authorities";
    case property_use::cert_file:
      return "PEM file of the client's certificate";
    case property_use::key_file:
      return "PEM file of the client's key";
    case property_use::key_password:
      return "password of the client's key";
    case property_use::file_access:
      return "whether the file may be made and written";
    case property_use::setting:
    case property_use::setting_number:
      return fmt::format("the session's `{}`", p.to);
    case property_use::settings_list:
    case property_use::options_list:
      return "settings of the session";
    case property_use::option:
    case property_use::option_ms:
      return fmt::format("`{}`, where the job does not set it", p.to);
    case property_use::harmless:
    case property_use::refused:
      break;
  }
  return "";
}

std::string listed(const std::map<std::string, std::vector<std::string>>& by_meaning) {
  std::string text;
  for (const auto& [meaning, names] : by_meaning) {
    text += fmt::format("{}`{}`: {}", text.empty() ? "" : "; ", fmt::join(names, "`, `"), meaning);
  }
  return text;
}

}  // namespace

std::vector<std::string> property_paragraphs(const url_dialect& dialect) {
  std::map<std::string, std::vector<std::string>> mapped;
  std::map<std::string, std::vector<std::string>> refused;
  std::vector<std::string> harmless;
  for (const url_property& p : dialect.properties) {
    if (p.use == property_use::refused) {
      refused[std::string(p.why)].emplace_back(p.name);
    } else if (p.use == property_use::harmless && p.words.empty()) {
      harmless.emplace_back(p.name);
    } else if (p.use != property_use::harmless) {
      mapped[meaning_of(p)].emplace_back(p.name);
    }
    const bool limited = p.use == property_use::harmless || p.use == property_use::setting;
    if (limited && !p.words.empty() && !p.why.empty()) {
      std::vector<std::string> words;
      for (const property_word& w : p.words) {
        words.emplace_back(w.value);
      }
      refused[fmt::format("only {} is taken: {}", fmt::join(words, ", "), p.why)].emplace_back(p.name);
    }
  }
  return {fmt::format("Properties of the address, or of `properties`, that count: {}.", listed(mapped)),
          fmt::format("Refused, with the reason: {}.", listed(refused)),
          fmt::format("Known and without effect, because they change only how a driver works, or what is the "
                      "engine's own "
                      "to decide: `{}`. Any other property draws a warning.",
                      fmt::join(harmless, "`, `"))};
}

}  // namespace sluice::relational
