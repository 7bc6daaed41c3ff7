#include "actors/supervise/continuation.h"

#include <fmt/format.h>

#include "transport/base/text.h"

namespace sluice {
namespace {

std::string owner_text(const run_row& row) {
  return row.owner ? fmt::format("process {} on {}", row.owner->pid, escaped(row.owner->host)) : "nobody";
}

error done_already(const run_row& row, const planned_time& planned) {
  return {error_kind::conflict,
          fmt::format(
              "run {} has done this job for the planned time {} already: --on-unfinished fresh does it again "
              "(what it has written stays)",
              row.run.text(), planned.text()),
          "done", true};
}

std::string other_instance(const run_row& row, const std::optional<planned_time>& kept) {
  return fmt::format(
      "run {} of the same job with other parameters{} is unfinished ({}); it is left as it is: run it with "
      "its own "
      "{} to finish it",
      row.run.text(),
      kept ? fmt::format(", planned for {}{},", kept->text(), kept->given ? "" : " (its start)") : "",
      row.stage, kept && kept->given ? "parameters and planned time" : "parameters");
}

bool planned_differs(const planned_time& kept, const wanted_run& wanted) {
  return kept.zone != wanted.planned->zone || (wanted.uses_date && kept.at != wanted.planned->at);
}

}  // namespace

continuation decide_continuation(const std::vector<found_run>& found, const wanted_run& wanted,
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
      if (row.instance == wanted.instance && on_unfinished != unfinished::fresh) {
        if (row.owner) {
          return only_release{row};
        }
        if (wanted.planned && wanted.planned->given) {
          return refuse{done_already(row, *wanted.planned)};
        }
      }
      continue;
    }
    const auto kept = read_kept_time(row.planned_time);
    if (row.instance != wanted.instance) {
      notices.push_back(other_instance(row, kept));
      continue;
    }
    if (on_unfinished == unfinished::fresh) {
      discard.push_back(row.run);
      continue;
    }
    const bool recent = (kept && kept->given) || row.renewed_age_s <= resume_window.count();
    if (on_unfinished == unfinished::resume ||
        (on_unfinished == unfinished::automatic && recent && may_resume)) {
      if (kept && wanted.planned && planned_differs(*kept, wanted)) {
        return plan_otherwise{row, *kept};
      }
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
