#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.h"

namespace sluice {

/// When a run is planned to happen (job-formats 4.1), as the wall clock of the run's zone shows it. All dates
/// of a job are counted from it, never from the moment of the real start.
struct planned_time {
  std::chrono::local_seconds at{};
  std::string zone;    ///< Name of the run's zone.
  bool given = false;  ///< By the command line; else it is the moment of the start.
  std::string origin;  ///< `--bizdate 20250719`, `now`.
  /// Whether parameters called `bizdate` and `cyctime` without a value have those of the built-ins: where the
  /// command line says for which time the run is. From the clock they are not taken.
  bool assigns = false;

  /// The day the data belongs to: the day before.
  [[nodiscard]] std::chrono::local_days business_date() const {
    return std::chrono::floor<std::chrono::days>(at) - std::chrono::days{1};
  }
  /// `2025-07-20 10:30:00`.
  [[nodiscard]] std::string text() const;
  /// `2025-07-19`.
  [[nodiscard]] std::string business_date_text() const;
  /// As a run keeps it in the destination: `2025-07-20 10:30:00 Europe/Berlin`, with `now ` before it where
  /// it was not given.
  [[nodiscard]] std::string kept_text() const;
};

/// The inverse of `planned_time::kept_text`; nothing where the text is no such time. `origin` is the caller's
/// to fill.
std::optional<planned_time> read_kept_time(std::string_view kept);

/// What a command line says about the planned time. Nothing set: the moment of the start.
struct planned_request {
  std::optional<std::chrono::local_seconds> time;       ///< `--cyctime`
  std::optional<std::chrono::local_days> business_day;  ///< `--bizdate`: the planned day is the next one.
  std::optional<std::chrono::seconds> time_of_day;      ///< `--at`; with `--bizdate` the time on its day.
  std::string origin;                                   ///< The flags as given.

  [[nodiscard]] bool given() const { return time || business_day || time_of_day; }
};

/// The values of the three flags; empty where one was not given.
struct planned_flags {
  std::string cyctime =
      {};  ///< `2025-07-20 10:30:00`, also without seconds, with a T, or as `20250720103000`.
  std::string bizdate =
      {};               ///< `20250719`, `2025-07-19`, or a range `20250701..20250719`, both ends included.
  std::string at = {};  ///< `10:30`, `10:30:15`.
};
/// The longest range of business dates: ten years of daily runs.
inline constexpr std::size_t planned_times_max = 3660;

/// The planned times that the flags ask for, in order: one, or one a day of a range. `bad_option` names the
/// flag, the value and what is expected.
result<std::vector<planned_request>> planned_times(const planned_flags& flags);

/// The planned time of one run. `now` is the wall clock of `zone`; `--at` alone means the last such time at
/// or before it.
planned_time planned_for(const planned_request& asked, std::chrono::local_seconds now, std::string zone);

}  // namespace sluice
