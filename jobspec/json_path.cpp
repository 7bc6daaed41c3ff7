#include "jobspec/json_path.h"

#include <charconv>

#include "transport/base/text.h"

namespace sluice {

std::string path_join(std::string_view path, std::string_view key) {
  std::string out(path);
  if (!out.empty()) {
    out += '.';
  }
  return out += escaped(key);
}

std::string path_join(std::string_view path, std::size_t index) {
  return fmt::format("{}[{}]", path, index);
}

std::string_view path_parent(std::string_view path) {
  const std::size_t at = path.find_last_of(".[");
  return at == std::string_view::npos ? std::string_view{} : path.substr(0, at);
}

std::string path_without_indices(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    inside = inside && c != ']';
    if (!inside) {
      out += c;
    }
    inside = inside || c == '[';
  }
  return out;
}

result<std::vector<path_step>> parse_path(std::string_view path) {
  std::vector<path_step> steps;
  std::size_t at = 0;
  while (at < path.size()) {
    if (path[at] == '[') {
      const std::size_t close = path.find(']', at);
      std::size_t index = 0;
      const char* end = path.data() + (close == std::string_view::npos ? path.size() : close);
      const auto parsed = std::from_chars(path.data() + at + 1, end, index);
      if (close == std::string_view::npos || parsed.ec != std::errc{} || parsed.ptr != end || steps.empty()) {
        return fail(error_kind::bad_option, "{} is not a path: write an index as in steps[0].parameter.where",
                    in_quotes(path));
      }
      steps.emplace_back(index);
      at = close + 1;
      continue;
    }
    if (path[at] == '.') {
      ++at;
    }
    const std::size_t end = std::min(path.find_first_of(".[", at), path.size());
    const bool joined = steps.empty() || path[at == 0 ? 0 : at - 1] == '.';
    if (end == at || !joined || (steps.empty() && at > 0)) {
      break;
    }
    steps.emplace_back(std::string(path.substr(at, end - at)));
    at = end;
  }
  if (at < path.size() || path.empty() || path.back() == '.') {
    return fail(error_kind::bad_option, "{} is not a path such as setting.speed.concurrent", in_quotes(path));
  }
  return steps;
}

namespace {

json_places::const_iterator nearest_place(const json_places& places, std::string_view path) {
  for (;;) {
    const auto found = places.find(path);
    if (found != places.end() || path.empty()) {
      return found;
    }
    path = path_parent(path);
  }
}

}  // namespace

std::pair<std::uint32_t, std::uint32_t> position_of(const json_places* places, std::string_view path) {
  if (places == nullptr) {
    return {0, 0};
  }
  const auto found = nearest_place(*places, path);
  return found == places->end() ? std::pair<std::uint32_t, std::uint32_t>{0, 0} : found->second;
}

std::string place_text(std::string_view file, const json_places* places, std::string_view path) {
  const auto separator = path.empty() ? "" : " ";
  if (places == nullptr) {
    return fmt::format("{}{}{}", file, separator, path);
  }
  const auto found = nearest_place(*places, path);
  if (found == places->end()) {
    return fmt::format("{}{}{}", file, separator, path);
  }
  const auto [line, column] = found->second;
  if (line == 0) {
    return fmt::format("--set {}", path);
  }
  return fmt::format("{}:{}:{}{}{}", file, line, column, separator, path);
}

}  // namespace sluice
