#include "actors/supervise/continuation.h"

#include <fmt/format.h>

#include "transport/base/text.h"

namespace sluice {
namespace {

std::string owner_text(const run_row& row) {
  return row.owner ? fmt::format("process {} on {}", row.owner->pid, escaped(row.owner->host)) : "nobody";
}

}  // namespace

continuation decide_continuation(const std::vector<found_run>& found, const std::string& instance,
                                 bool may_resume, run_settings::unfinished on_unfinished,
                                 std::chrono::seconds resume_window) {
  using unfinished = run_settings::unfinished;
  std::vector<std::string> notices;
  std::vector<run_id> discard;
  for (const found_run& f : found) {
    const run_row& row = f.row;
    const bool held = f.owner == found_run::owner_state::alive ||
                      (f.owner == found_run::owner_state::elsewhere && row.renewed_age_s < 60);
    if (held) {
      return refuse{{error_kind::conflict,
                     fmt::format("the job is running already: run {} belongs to {}, renewed {} s ago; wait "
                                 "for it, or stop that process",
                                 row.run.text(), owner_text(row), row.renewed_age_s),
                     "claimed", false}};
    }
    if (row.stage == "done") {
      if (row.instance == instance && row.owner && on_unfinished != unfinished::fresh) {
        return only_release{row};
      }
      continue;
    }
    if (row.instance != instance) {
      notices.push_back(
          fmt::format("run {} of the same job with other parameters is unfinished ({}); it is left as it is: "
                      "run it with its own "
                      "parameters to finish it",
                      row.run.text(), row.stage));
      continue;
    }
    if (on_unfinished == unfinished::fresh) {
      discard.push_back(row.run);
      continue;
    }
    const bool recent = !row.planned_time.empty() || row.renewed_age_s <= resume_window.count();
    if (on_unfinished == unfinished::resume ||
        (on_unfinished == unfinished::automatic && recent && may_resume)) {
      return go_on_with{row, std::move(notices)};
    }
    const std::string why = on_unfinished == unfinished::fail ? "--on-unfinished fail"
                            : !may_resume
                                ? "continuing would double records"
                                : fmt::format("it is {} s old, more than --resume-window", row.renewed_age_s);
    return refuse{{error_kind::conflict,
                   fmt::format("run {} of this job is unfinished ({}; {}): --on-unfinished resume continues "
                               "it, --on-unfinished fresh "
                               "forgets it and begins anew (what it has written stays)",
                               row.run.text(), row.stage, why),
                   "unfinished", false}};
  }
  return begin_fresh{std::move(discard), std::move(notices)};
}

}  // namespace sluice
