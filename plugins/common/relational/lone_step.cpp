#include "plugins/common/relational/lone_step.h"

#include <fmt/format.h>

namespace sluice::relational {

result<void> record_stage(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const std::string& stage) {
  return in_transaction(session, [&] { return set_stage_of(session, dialect, claim, stage); });
}

result<bool> record_begun(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const step_stages& stages) {
  SLUICE_TRY(const std::string stage, stage_of(session, dialect, claim));
  SLUICE_CHECK(record_stage(session, dialect, claim, stages.begun));
  return stage == stages.begun;
}

result<void> run_lone_step(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                           const lone_step& step, const step_stages& stages, std::string& ran,
                           const std::function<std::optional<step_failure>()>& run) {
  if (ran != stages.behind) {
    bool again = false;
    if (!step.twice) {
      SLUICE_TRY(again, record_begun(session, dialect, claim, stages));
    }
    if (auto failed = run()) {
      if (!step.twice && failed->unknown) {
        return fail(step_unknown(dialect, stages, step.sql, *failed->unknown, std::move(failed->why)));
      }
      if (!step.twice && !again) {
        (void)record_stage(session, dialect, claim, stages.before);  // else the next start asks in vain
      }
      return fail(std::move(failed->why));
    }
    ran = stages.behind;
  }
  auto recorded = record_stage(session, dialect, claim, stages.behind);
  if (recorded || step.twice || recorded.error().kind == error_kind::conflict) {
    return recorded;
  }
  error why = std::move(recorded).error();
  why.message = fmt::format("{}: {}", step.place, why.message);
  return fail(step_unknown(dialect, stages, step.sql, step_outcome::has_run, std::move(why)));
}

error step_unknown(const progress_dialect& dialect, const step_stages& step, std::string_view sql,
                   step_outcome outcome, error why) {
  why.code = step_unknown_code;
  why.final = outcome != step_outcome::has_run;  // that it has run can still be recorded
  const std::string_view skip = skip_flag(step.behind_data);
  if (outcome == step_outcome::has_run) {
    why.message +=
        dialect.kept
            ? fmt::format(
                  "; the statement has run, which could not be recorded: run the same command with {}", skip)
            : "; the statement has run, and the same command runs all steps again, because no marks are "
              "kept: "
              "take back what it has done, or take it out of the job, before that";
    return why;
  }
  why.message += fmt::format(
      "; {}: {}{}",
      outcome == step_outcome::lost
          ? "the statement commits by itself, so that nobody but you can see whether it has run"
          : "it may have committed something by itself before it failed",
      what_to_look_at(sql),
      dialect.kept
          ? fmt::format(", then run the same command with {} where it is done, with {} where it is not", skip,
                        rerun_flag(step.behind_data))
          : "; the same command runs all steps again, because no marks are kept: where this one is done, "
            "take "
            "back what it has done, or take it out of the job, before that");
  return why;
}

}  // namespace sluice::relational
