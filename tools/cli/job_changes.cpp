#include "tools/cli/job_changes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "transport/base/text.h"

namespace sluice {
namespace {

using nlohmann::json;

constexpr std::size_t value_bytes_max = 60;

std::string value_text(const json& value) {
  if (value.is_array() && value.size() > 3) {
    return fmt::format("a list of {}", value.size());
  }
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= value_bytes_max ? text : in_quotes(text.substr(0, value_bytes_max)) + "…";
}

/// `setting` and what is in it, but for `common`.
bool is_setting(std::string_view path) {
  for (const std::string_view root : {"setting", "job.setting"}) {
    if (path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '.')) {
      return path.size() == root.size() || !path.substr(root.size() + 1).starts_with("common");
    }
  }
  return false;
}

/// Settings, hops and the names of steps do not decide the data.
bool decides_nothing(std::string_view path) {
  // `common` is in it.
  const bool root = path == "setting" || path == "job.setting";
  return (is_setting(path) && !root) || path.starts_with("order") || path.starts_with("version") ||
         path.starts_with("extend") || (path.starts_with("steps[") && path.ends_with("].name"));
}

bool is_no_setting(std::string_view path) {
  return !path.empty() && path != "job" && !is_setting(path);
}

/// Collects the differences between two values at `path`.
class comparison {
 public:
  explicit comparison(bool (*left_out)(std::string_view path)) : left_out_(left_out) {}
  void compare(const std::string& path, const json& before, const json& now) {
    if (before == now || left_out_(path)) {
      return;
    }
    if (before.is_object() && now.is_object()) {
      compare_members(path, before, now);
      return;
    }
    if (before.is_array() && now.is_array() && before.size() == now.size()) {
      for (std::size_t i = 0; i < now.size(); ++i) {
        compare(fmt::format("{}[{}]", path, i), before[i], now[i]);
      }
      return;
    }
    lines_.push_back(fmt::format("{} was {} and is {}", path, value_text(before), value_text(now)));
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  void compare_members(const std::string& path, const json& before, const json& now) {
    std::set<std::string> names;
    for (const json* object : {&before, &now}) {
      for (const auto& [name, value] : object->items()) {
        names.insert(name);
      }
    }
    for (const std::string& name : names) {
      const std::string inner = path.empty() ? name : path + "." + name;
      if (left_out_(inner)) {
        continue;
      }
      if (!before.contains(name)) {
        lines_.push_back(fmt::format("{} was not there and is {}", inner, value_text(now[name])));
      } else if (!now.contains(name)) {
        lines_.push_back(fmt::format("{} was {} and is gone", inner, value_text(before[name])));
      } else {
        compare(inner, before[name], now[name]);
      }
    }
  }

  bool (*left_out_)(std::string_view path);
  std::vector<std::string> lines_;
};

std::vector<std::string> changes_but(bool (*left_out)(std::string_view path), const json& before,
                                     const json& now) {
  comparison both(left_out);
  both.compare("", before, now);
  return both.take();
}

}  // namespace

changed_job job_changes(std::string_view before, std::string_view now) {
  const json old_job = json::parse(before, nullptr, false);
  const json new_job = json::parse(now, nullptr, false);
  if (!old_job.is_object() || !new_job.is_object()) {
    return {};
  }
  return {changes_but(decides_nothing, old_job, new_job), changes_but(is_no_setting, old_job, new_job)};
}

std::string changes_text(const std::vector<std::string>& changes, std::size_t lines_max) {
  std::string text;
  for (std::size_t i = 0; i < changes.size() && i < lines_max; ++i) {
    text += (i == 0 ? "" : "; ") + changes[i];
  }
  if (changes.size() > lines_max) {
    text += fmt::format("; and {} more", changes.size() - lines_max);
  }
  return text;
}

}  // namespace sluice
