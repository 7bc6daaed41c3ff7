#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/protocol/report.h"
#include "actors/supervise/run.h"

namespace sluice {

/// What a start does about the runs of its job that it finds in the destination (delivery.md, "Running it
/// again").
struct begin_fresh {
  std::vector<run_id> discard;       ///< Unfinished runs of the same instance, to be forgotten.
  std::vector<std::string> notices;  ///< Earlier instances' halves, named.
};
struct go_on_with {
  run_row run;
  std::vector<std::string> notices;
};
/// It is complete; only its claim is left of a dead process.
struct only_release {
  run_row run;
};
/// An unfinished run is to be continued that was planned for another moment, or in another zone: the job must
/// be read for that one first.
struct plan_otherwise {
  run_row run;
  planned_time planned;
};
struct refuse {
  error why;
};
using continuation = std::variant<begin_fresh, go_on_with, only_release, refuse, plan_otherwise>;

/// The run that is asked for.
struct wanted_run {
  std::string instance;
  std::optional<planned_time> planned = {};
  bool uses_date = false;  ///< Its values change with the planned time.
};

/// `found` newest first. `may_resume`: exactly-once holds, so that continuing doubles nothing.
continuation decide_continuation(const std::vector<found_run>& found, const wanted_run& wanted,
                                 bool may_resume, run_settings::unfinished on_unfinished,
                                 std::chrono::seconds resume_window);

}  // namespace sluice
