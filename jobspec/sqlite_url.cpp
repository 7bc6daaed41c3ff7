#include "jobspec/sqlite_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "jobspec/words.h"

namespace sluice {
namespace {

constexpr std::string_view uri = "file:";

std::string encoded(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string below(std::string_view path, std::string_view folder) {
  if (folder.empty() || path.starts_with('/')) {
    return std::string(path);
  }
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", path);
}

}  // namespace

std::string sqlite_url_of(std::string_view path) {
  const bool plain =
      path.find('?') == std::string_view::npos && !path.starts_with(uri) && !path.starts_with(':');
  return fmt::format("{}{}{}", sqlite_url_prefix, plain ? "" : uri, plain ? path : encoded(path));
}

std::string sqlite_url_below(std::string_view url, std::string_view folder) {
  const std::string_view behind = url.substr(std::min(url.size(), sqlite_url_prefix.size()));
  const bool is_file = same_word(url.substr(0, sqlite_url_prefix.size()), sqlite_url_prefix) &&
                       !behind.empty() && !behind.starts_with(':');
  if (!is_file) {
    return std::string(url);
  }
  const std::size_t question = std::min(behind.find('?'), behind.size());
  const std::string_view path = behind.substr(0, question);
  const std::string whole =
      path.starts_with(uri)
          ? fmt::format("{}{}{}", sqlite_url_prefix, uri, below(path.substr(uri.size()), encoded(folder)))
          : sqlite_url_of(below(path, folder));
  return fmt::format("{}{}", whole, behind.substr(question));
}

}  // namespace sluice
