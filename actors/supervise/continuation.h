#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/protocol/report.h"
#include "actors/supervise/run.h"

namespace sluice {

/// The code of a start that is refused because its planned time, or with `once` its instance, is done
/// already.
inline constexpr const char* done_code = "done";
/// And of one that is refused because of an unfinished run, of this job or of another in the same output.
inline constexpr const char* unfinished_code = "unfinished";

/// And of one that is refused because a living process works for another job on the output, which one of the
/// two empties.
inline constexpr const char* emptied_code = "emptied";
/// And of one behind an unfinished run whose marks are gone, so that nobody can tell what it has written.
inline constexpr const char* marks_gone_code = "marks_gone";
/// And of one that was to continue a certain run, which the destination does not have for it.
inline constexpr const char* not_continued_code = "not_continued";

/// What a start does about the runs that it finds in the destination (delivery.md, "Running it again").
struct begin_fresh {
  std::vector<run_id> discard;       ///< Unfinished runs to be forgotten.
  std::vector<std::string> notices;  ///< What is left as it is, and what is forgotten unasked, named.
};
struct go_on_with {
  run_row run;
  std::string stage;  ///< From which it goes on: the run's, unless a step that was begun counts as done.
  std::vector<std::string> notices;
};
/// It is complete; only its claim is left, of a dead process, or was taken from a living one.
struct only_release {
  run_row run;
};
/// An unfinished run is to be continued that was planned for another moment, or in another zone: the job must
/// be read for that one first.
struct plan_otherwise {
  run_row run;
  planned_time planned;
};
/// A living process works on the job: its claim is taken from it, then it is looked again what there is.
struct take_over {
  run_row from;
};
struct refuse_start {
  error why;
  std::optional<run_id> in_the_way;  ///< The unfinished run that `why` names because the job differs from it.
};
using continuation =
    std::variant<begin_fresh, go_on_with, only_release, refuse_start, plan_otherwise, take_over>;

/// The start that asks.
struct start_facts {
  std::string job_key;
  std::string instance;
  std::optional<planned_time> planned;
  bool uses_date = false;  ///< Its values change with the planned time.
  std::string job_name;
  std::string output;       ///< `target_description::output`.
  std::string output_name;  ///< For messages: `target_description::name`.
  bool empties = false;     ///< `target_description::empties`.
  /// `target_description::appears_whole`: an unfinished run that is not continued may be forgotten unasked.
  bool appears_whole = false;
  bool keeps_marks = false;  ///< The destination has claims and marks,
  std::string tables;        ///< in tables of these names.
  bool is_new = false;       ///< `target_opened::is_new`.
  bool rows_stand = false;   ///< `target_description::rows_stand`.
  bool same_again = false;   ///< `target_description::same_again`.
  /// `run_settings::left`.
  std::optional<run_settings::run_left> left;
  scalar_list key_parts;  ///< As in `run_row`.
  std::vector<target_step> steps_before;
  std::vector<target_step> steps_after;
  bool may_resume = false;  ///< Marks are kept.
  bool may_repeat = false;  ///< Rows that stand may be written once more (`delivery_choice::may_repeat`).
  run_settings::unfinished on_unfinished = run_settings::unfinished::automatic;
  std::chrono::seconds resume_window{3600};
  bool once = false;           ///< `run_settings::once`.
  bool takeover = false;       ///< `run_settings::takeover`.
  bool same_ends = false;      ///< `run_settings::same_ends`.
  job_ends_digests ends;       ///< `job::ends`.
  std::vector<run_id> taken;   ///< Runs that this start has taken from living processes.
  std::optional<run_id> only;  ///< `run_settings::only`.
  run_settings::unsure_step pre_sql_unsure = run_settings::unsure_step::ask;
  run_settings::unsure_step post_sql_unsure = run_settings::unsure_step::ask;
};

/// `found` newest first. A run of this job's key is continued, refused or forgotten as `on_unfinished` says;
/// the steps behind its data are then those of the job as it is now, of which the first are the ones that
/// have run, or it is refused. So it is where a step was begun of which nobody can see whether it has run,
/// and `pre_sql_unsure` or `post_sql_unsure` does not decide. One of another key, because the job was changed
/// or because it is another job's, is never continued: where it has left rows in this job's output, the start
/// is refused until it is finished or forgotten. One of this job that a living process works on refuses the
/// start (`claimed_code`), or is taken from it (`mine.takeover`). Where the caller knows of rows
/// (`mine.left`) that nothing at the destination tells of, the start is refused if it would write them once
/// more unasked, unless the run may have been done elsewhere so long ago that its row has gone; else it says
/// so. Where `mine.only` names a run, anything but going on with that one is refused.
continuation decide_continuation(const std::vector<run_row>& found, const start_facts& mine);

}  // namespace sluice
