#include "tools/cli/zone_choice.h"

#include <filesystem>
#include <string_view>

#include "tools/cli/files.h"

namespace sluice {
namespace {

/// `/usr/share/zoneinfo/Europe/Berlin` to `Europe/Berlin`; empty where it is no such path.
std::string zone_of_path(std::string_view path) {
  static constexpr std::string_view folder = "zoneinfo/";
  const std::size_t at = path.find(folder);
  if (at == std::string_view::npos) {
    return {};
  }
  path.remove_prefix(at + folder.size());
  // A copy of the same rules without leap seconds.
  if (path.starts_with("posix/")) {
    path.remove_prefix(6);
  }
  return std::string(path);
}

/// `:Europe/Berlin`, a path or a name, as tzset(3) takes them.
std::string zone_of_variable(std::string_view text) {
  if (text.starts_with(':')) {
    text.remove_prefix(1);
  }
  if (text.empty()) {
    return "UTC";  // tzset(3): set and empty means UTC.
  }
  if (text.starts_with('/')) {
    const std::string name = zone_of_path(text);
    return name.empty() ? std::string(text) : name;
  }
  return std::string(text);
}

}  // namespace

zone_choice choose_zone(const std::optional<std::string>& of_job, const std::optional<std::string>& flag,
                        dialect job_dialect, const configuration& configured, const environment& variable,
                        const std::string& root) {
  if (of_job) {
    return {*of_job, "the job's common.column.timeZone", true};
  }
  if (flag) {
    return {*flag, "--timezone", true};
  }
  if (job_dialect == dialect::datax) {
    return {"GMT+8", "default of DataX jobs", true};
  }
  if (configured.time_zone) {
    return {*configured.time_zone, "timezone in " + configured.file, false};
  }
  if (const auto tz = variable("TZ")) {
    return {zone_of_variable(*tz), "the environment variable TZ", false};
  }
  std::error_code problem;
  const auto target = std::filesystem::read_symlink(root + "/etc/localtime", problem);
  if (!problem) {
    if (std::string name = zone_of_path(target.string()); !name.empty()) {
      return {std::move(name), "/etc/localtime", false};
    }
  }
  // Where /etc/localtime is a copy, Debian keeps the name here.
  if (auto text = read_file(root + "/etc/timezone", 256)) {
    const std::string name = text->substr(0, text->find_first_of(" \t\r\n"));
    if (!name.empty()) {
      return {name, "/etc/timezone", false};
    }
  }
  return {"UTC", "default", false};
}

}  // namespace sluice
