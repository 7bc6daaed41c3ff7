#pragma once

#include <functional>
#include <optional>
#include <string>

#include "plugins/api/step_stage.h"
#include "plugins/common/relational/progress.h"

namespace sluice::relational {

/// What is known of a step that commits by itself and did not come to its stage.
enum class step_outcome : std::uint8_t {
  has_run,    ///< It was not recorded.
  lost,       ///< The connection was, while it ran.
  committed,  ///< It failed, and may have committed something before.
};

/// A statement that commits by itself: it cannot stand in one transaction with the record that it has run.
struct lone_step {
  std::string sql;
  std::string place;  ///< In the job file.
  /// It may run again after a crash that left open whether it ran (delivery.md, "What a mark cannot fence").
  bool twice = false;
};
/// `run` of such a statement. `unknown`: nobody can tell whether it has run, or a part of it; nothing: the
/// server has said that it has not.
struct step_failure {
  error why;
  std::optional<step_outcome> unknown = {};
};

/// Runs such a step by `run`, which says why it failed: recorded before as begun, unless it may run twice,
/// and behind as run. What the server says has not run is not left as begun, unless a process before this one
/// had begun it, too. `ran` is the stage of the last step that has run, kept by the caller for as long as its
/// target lives: a step whose record failed is not run again but recorded. `step_unknown_code`, with what to
/// do before or with the next start, where nobody can tell whether it has run; `conflict` where the claim was
/// taken over.
result<void> run_lone_step(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                           const lone_step& step, const step_stages& stages, std::string& ran,
                           const std::function<std::optional<step_failure>()>& run);

/// Records that it was begun; whether a process before this one has done that.
result<bool> record_begun(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const step_stages& stages);
/// A stage in a transaction of its own.
result<void> record_stage(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const std::string& stage);

/// `step_unknown_code`, with what the next start is to be told; where no marks are kept, with what to do
/// before it.
error step_unknown(const progress_dialect& dialect, const step_stages& step, std::string_view sql,
                   step_outcome outcome, error why);

}  // namespace sluice::relational
