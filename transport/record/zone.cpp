#include "transport/record/zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "transport/base/text.h"

// Abseil reads the system's zone files one at a time and follows their closing rule beyond 2037, where
// howardhinnant's library stops knowing daylight saving time.

namespace sluice {
namespace {

constexpr std::int64_t offset_max_s = 18 * 3600;  // as java.time.ZoneOffset

class fixed_zone : public time_zone {
 public:
  fixed_zone(std::string name, std::int64_t offset_s) : time_zone(std::move(name)), offset_s_(offset_s) {}
  [[nodiscard]] wall_answer to_utc(std::int64_t wall_seconds) const override {
    return {wall_kind::unique, wall_seconds - offset_s_};
  }
  [[nodiscard]] std::int64_t to_wall(std::int64_t utc_seconds) const override {
    return utc_seconds + offset_s_;
  }

 private:
  std::int64_t offset_s_;
};

class ruled_zone : public time_zone {
 public:
  ruled_zone(std::string name, absl::TimeZone rules) : time_zone(std::move(name)), rules_(rules) {}
  [[nodiscard]] wall_answer to_utc(std::int64_t wall_seconds) const override {
    const absl::TimeZone::TimeInfo info = rules_.At(absl::CivilSecond() + wall_seconds);
    switch (info.kind) {
      case absl::TimeZone::TimeInfo::UNIQUE:
        return {wall_kind::unique, absl::ToUnixSeconds(info.pre)};
      case absl::TimeZone::TimeInfo::SKIPPED:
        return {wall_kind::missing, 0};
      case absl::TimeZone::TimeInfo::REPEATED:
        return {wall_kind::twice, 0};
    }
    return {wall_kind::missing, 0};
  }
  [[nodiscard]] std::int64_t to_wall(std::int64_t utc_seconds) const override {
    return utc_seconds + rules_.At(absl::FromUnixSeconds(utc_seconds)).offset;
  }

 private:
  absl::TimeZone rules_;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Seconds of `+8`, `+08`, `+0800`, `+8:00`, `+08:00`; nothing where the text is of another form or too far.
std::optional<std::int64_t> offset_of(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(1);
  const std::size_t colon = rest.find(':');
  std::string_view hours = rest.substr(0, colon);
  std::string_view minutes = colon == std::string_view::npos ? "00" : rest.substr(colon + 1);
  if (colon == std::string_view::npos && rest.size() == 4) {
    hours = rest.substr(0, 2);
    minutes = rest.substr(2);
  }
  if (hours.empty() || hours.size() > 2 || minutes.size() != 2 ||
      !std::all_of(hours.begin(), hours.end(), is_digit) ||
      !std::all_of(minutes.begin(), minutes.end(), is_digit)) {
    return std::nullopt;
  }
  std::int64_t hour = 0;
  for (const char c : hours) {
    hour = hour * 10 + (c - '0');
  }
  const std::int64_t minute = (minutes[0] - '0') * 10 + (minutes[1] - '0');
  const std::int64_t seconds = hour * 3600 + minute * 60;
  if (minute > 59 || seconds > offset_max_s) {
    return std::nullopt;
  }
  return text[0] == '-' ? -seconds : seconds;
}

/// All names of the system's database, from the one file that lists them; empty where there is none.
std::vector<std::string> known_names() {
  const char* const folder = std::getenv("TZDIR");
  std::ifstream file(std::string(folder != nullptr ? folder : "/usr/share/zoneinfo") + "/tzdata.zi");
  std::vector<std::string> names;
  // Lines are `Z name ...` for a zone and `L target name` for another name of it (zic(8)).
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Z ")) {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    } else if (line.starts_with("L ")) {
      names.push_back(line.substr(line.rfind(' ') + 1));
    }
  }
  return names;
}

/// Up to three known names near the one given: by a slip of the fingers in the whole, or in the city alone.
std::string near_names(std::string_view name) {
  std::vector<std::pair<std::size_t, std::string>> found;
  const std::size_t distance_max = 1 + name.size() / 4;
  for (std::string& known : known_names()) {
    const std::string_view city = std::string_view(known).substr(known.rfind('/') + 1);
    const std::size_t distance = std::min(edit_distance(name, known), edit_distance(name, city));
    if (distance <= distance_max) {
      found.emplace_back(distance, std::move(known));
    }
  }
  std::sort(found.begin(), found.end());
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 3); ++i) {
    out += (i == 0 ? "" : ", ") + found[i].second;
  }
  return out;
}

/// What a name in the database consists of; anything else never reaches the file system.
bool is_database_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '/' || c == '_' ||
           c == '-' || c == '+';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' &&
         std::all_of(name.begin(), name.end(), allowed) && name != "localtime" && !name.starts_with("Fixed/");
}

}  // namespace

result<std::shared_ptr<const time_zone>> time_zone::find(std::string_view name) {
  std::string_view offset = name;
  for (const std::string_view prefix : {"GMT", "UTC", "UT"}) {
    if (name.starts_with(prefix)) {
      offset.remove_prefix(prefix.size());
      break;
    }
  }
  if (name == "Z" || (offset.empty() && !name.empty())) {
    return std::make_shared<const fixed_zone>(std::string(name), 0);
  }
  if (const auto seconds = offset_of(offset)) {
    return std::make_shared<const fixed_zone>(std::string(name), *seconds);
  }
  absl::TimeZone rules;
  if (is_database_name(name) && absl::LoadTimeZone(std::string(name), &rules)) {
    return std::make_shared<const ruled_zone>(std::string(name), rules);
  }
  const std::string near = near_names(name);
  return fail(error_kind::bad_option,
              "{} is no time zone. Give a name of the IANA database such as Europe/Berlin, or an offset such "
              "as +08:00 or "
              "GMT+8{}.",
              in_quotes(name), near.empty() ? "" : "; near names are " + near);
}

}  // namespace sluice
