#include "jobspec/planned_time.h"

#include <fmt/format.h>

#include <array>

#include "transport/base/text.h"

namespace sluice {
namespace {

using namespace std::chrono;

/// Reads the digits of `text` where `shape` has letters, and expects `shape`'s other characters as they are.
/// The numbers come in the order of `letters`; nothing where the text has another shape.
std::optional<std::array<int, 6>> read_shape(std::string_view text, std::string_view shape) {
  constexpr std::string_view letters = "YMDhms";
  if (text.size() != shape.size()) {
    return std::nullopt;
  }
  std::array<int, 6> numbers{};
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t at = letters.find(shape[i]);
    if (at == std::string_view::npos) {
      if (text[i] != shape[i]) {
        return std::nullopt;
      }
    } else if (text[i] < '0' || text[i] > '9') {
      return std::nullopt;
    } else {
      numbers[at] = numbers[at] * 10 + (text[i] - '0');
    }
  }
  return numbers;
}

/// Nothing for a day that the calendar does not have. The years leave room for the day before and after.
std::optional<local_days> day_of(const std::array<int, 6>& n) {
  const year_month_day day{year{n[0]}, month{static_cast<unsigned>(n[1])},
                           std::chrono::day{static_cast<unsigned>(n[2])}};
  return day.ok() && n[0] >= 2 && n[0] <= 9998 ? std::optional<local_days>(day) : std::nullopt;
}

std::optional<seconds> clock_of(const std::array<int, 6>& n) {
  return n[3] < 24 && n[4] < 60 && n[5] < 60
             ? std::optional<seconds>(hours{n[3]} + minutes{n[4]} + seconds{n[5]})
             : std::nullopt;
}

std::optional<local_seconds> read_time(std::string_view text) {
  for (const std::string_view shape : {"YYYY-MM-DD hh:mm:ss", "YYYY-MM-DD hh:mm", "YYYY-MM-DDThh:mm:ss",
                                       "YYYY-MM-DDThh:mm", "YYYYMMDDhhmmss"}) {
    if (const auto n = read_shape(text, shape)) {
      const auto day = day_of(*n);
      const auto clock = clock_of(*n);
      return day && clock ? std::optional<local_seconds>(*day + *clock) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<local_days> read_day(std::string_view text) {
  for (const std::string_view shape : {"YYYYMMDD", "YYYY-MM-DD"}) {
    if (const auto n = read_shape(text, shape)) {
      return day_of(*n);
    }
  }
  return std::nullopt;
}

std::optional<seconds> read_clock(std::string_view text) {
  for (const std::string_view shape : {"hh:mm", "hh:mm:ss"}) {
    if (const auto n = read_shape(text, shape)) {
      return clock_of(*n);
    }
  }
  return std::nullopt;
}

std::string day_text(local_days day) {
  const year_month_day d{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
                     static_cast<unsigned>(d.day()));
}

tl::unexpected<error> no_day(std::string_view text) {
  return fail(
      error_kind::bad_option,
      "--bizdate: {} is no day; write the business date as 20250719 or 2025-07-19, or a range of them as "
      "20250701..20250719",
      in_quotes(text));
}

result<std::vector<local_days>> read_days(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    const auto day = read_day(text);
    if (!day) {
      return no_day(text);
    }
    return std::vector<local_days>{*day};
  }
  const auto first = read_day(text.substr(0, dots));
  const auto last = read_day(text.substr(dots + 2));
  if (!first || !last) {
    return no_day(text.substr(first ? dots + 2 : 0, first ? std::string_view::npos : dots));
  }
  if (*last < *first) {
    return fail(error_kind::bad_option, "--bizdate: {} ends before it begins; write the earlier day first",
                in_quotes(text));
  }
  if (*last - *first >= days{planned_times_max}) {
    return fail(error_kind::bad_option, "--bizdate: {} is longer than {} days; divide it", in_quotes(text),
                planned_times_max);
  }
  std::vector<local_days> all;
  for (local_days day = *first; day <= *last; day += days{1}) {
    all.push_back(day);
  }
  return all;
}

constexpr std::string_view now_mark = "now ";

}  // namespace

std::string planned_time::text() const {
  const local_days day = floor<days>(at);
  const hh_mm_ss clock{at - day};
  return fmt::format("{} {:02}:{:02}:{:02}", day_text(day), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string planned_time::business_date_text() const {
  return day_text(business_date());
}

std::string planned_time::kept_text() const {
  return fmt::format("{}{} {}", given ? "" : now_mark, text(), zone);
}

std::optional<planned_time> read_kept_time(std::string_view kept) {
  planned_time out;
  out.given = !kept.starts_with(now_mark);
  kept.remove_prefix(out.given ? 0 : now_mark.size());
  constexpr std::size_t time_size = std::string_view("2025-07-20 10:30:00").size();
  if (kept.size() < time_size + 2 || kept[time_size] != ' ') {
    return std::nullopt;
  }
  const auto at = read_time(kept.substr(0, time_size));
  if (!at) {
    return std::nullopt;
  }
  out.at = *at;
  out.zone = kept.substr(time_size + 1);
  return out;
}

result<std::vector<planned_request>> planned_times(const planned_flags& flags) {
  planned_request one;
  if (!flags.cyctime.empty()) {
    if (!flags.bizdate.empty() || !flags.at.empty()) {
      return fail(error_kind::bad_option, "--cyctime names the whole planned time; leave out {}",
                  flags.bizdate.empty() ? "--at" : "--bizdate");
    }
    one.time = read_time(flags.cyctime);
    if (!one.time) {
      return fail(error_kind::bad_option,
                  "--cyctime: {} is no time; write the planned time as \"2025-07-20 10:30:00\"",
                  in_quotes(flags.cyctime));
    }
    one.origin = "--cyctime " + flags.cyctime;
    return std::vector<planned_request>{one};
  }
  if (!flags.at.empty()) {
    one.time_of_day = read_clock(flags.at);
    if (!one.time_of_day) {
      return fail(error_kind::bad_option, "--at: {} is no time of day; write it as 10:30 or 10:30:15",
                  in_quotes(flags.at));
    }
    one.origin = "--at " + flags.at;
  }
  if (flags.bizdate.empty()) {
    return std::vector<planned_request>{one};
  }
  SLUICE_TRY(const auto days, read_days(flags.bizdate));
  std::vector<planned_request> all;
  for (const local_days day : days) {
    const year_month_day d{day};
    one.business_day = day;
    one.origin = fmt::format("--bizdate {:04}{:02}{:02}{}", static_cast<int>(d.year()),
                             static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()),
                             flags.at.empty() ? "" : " --at " + flags.at);
    all.push_back(one);
  }
  return all;
}

planned_time planned_for(const planned_request& asked, local_seconds now, std::string zone) {
  planned_time planned{now, std::move(zone), asked.given(), asked.given() ? asked.origin : "now",
                       asked.given()};
  if (asked.time) {
    planned.at = *asked.time;
  } else if (asked.business_day) {
    planned.at = *asked.business_day + days{1} + asked.time_of_day.value_or(seconds{0});
  } else if (asked.time_of_day) {
    planned.at = floor<days>(now) + *asked.time_of_day;
    if (planned.at > now) {
      planned.at -= days{1};
    }
  }
  return planned;
}

}  // namespace sluice
