#include "actors/supervise/continuation.h"

#include <fmt/format.h>

#include <algorithm>

#include "actors/supervise/same_ends.h"
#include "plugins/api/step_stage.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using unfinished = run_settings::unfinished;

/// The row of a run that is done stays so long (progress_store::make_tables).
constexpr std::chrono::hours kept_when_done{7 * 24};

std::string owner_text(const run_row& row) {
  return row.owner ? fmt::format("process {} on {}", row.owner->pid, escaped(row.owner->host)) : "nobody";
}

/// How long it has been at work, and when it was heard of last.
std::string age_text(const run_row& row) {
  const std::string begun = row.started_age_s < 60 ? fmt::format("{} s", row.started_age_s)
                                                   : duration_text(static_cast<double>(row.started_age_s));
  return fmt::format("begun {} ago, renewed {} s ago", begun, row.renewed_age_s);
}

/// `its reader and its writer differ`; empty where nothing is known.
std::string difference_text(const scalar_list& theirs, const scalar_list& mine) {
  std::vector<std::string> differing;
  for (const named_scalar& part : mine) {
    const scalar* other = find(theirs, part.name);
    if (other != nullptr && !(*other == part.value)) {
      differing.push_back("its " + part.name);
    }
  }
  return differing.empty()
             ? ""
             : fmt::format("{} differ{}", fmt::join(differing, " and "), differing.size() == 1 ? "s" : "");
}

constexpr const char* ends_key_part = "ends_key";
constexpr const char* ends_instance_part = "ends_instance";
constexpr const char* reader_address_part = "reader_address";

/// Whether the row has that digest; not where an older program made it.
bool has_part(const run_row& row, const char* name, const std::string& digest) {
  const scalar* kept = find(row.key_parts, name);
  return kept != nullptr && !digest.empty() && *kept == scalar{digest};
}

bool differs_in_addresses(const run_row& row, const start_facts& mine) {
  return row.job_key != mine.job_key && has_part(row, ends_key_part, mine.ends.key);
}

bool is_same_job(const run_row& row, const start_facts& mine) {
  return row.job_key == mine.job_key || (mine.same_ends && differs_in_addresses(row, mine));
}

bool is_same_instance(const run_row& row, const start_facts& mine) {
  return row.instance == mine.instance ||
         (mine.same_ends && has_part(row, ends_instance_part, mine.ends.instance));
}

/// What is left of it would be read elsewhere than what it has read.
bool reads_elsewhere(const run_row& row, const start_facts& mine) {
  const scalar* kept = find(row.key_parts, reader_address_part);
  return kept != nullptr && !mine.ends.reader_address.empty() &&
         !has_part(row, reader_address_part, mine.ends.reader_address);
}

refuse_start refuse_elsewhere(const run_row& row, const start_facts& mine) {
  return {
      {error_kind::conflict,
       fmt::format("run {} of this job is unfinished ({}), and its reader's data source has another address "
                   "now than the run was begun with: what is left would be read from there. Where both are "
                   "the same system (a failover, a new name), run the same command with --same-ends; else "
                   "put the address back, or begin anew with --on-unfinished fresh, which forgets that run: "
                   "{}",
                   row.run.text(), row.stage,
                   mine.appears_whole ? "what it has written is removed" : "what it has written stays"),
       other_ends_code, true},
      row.run};
}

refuse_start refuse_emptying(const run_row& row, const start_facts& mine) {
  return {
      {error_kind::conflict,
       fmt::format("run {} of job {} writes into {}, which {} empties first; it belongs to {}, {}: wait for "
                   "its end (--if-running wait), or stop that process",
                   row.run.text(), in_quotes(row.job_name), statement_text(mine.output_name),
                   mine.empties ? "this job" : "it", owner_text(row), age_text(row)),
       emptied_code, true},
      std::nullopt};
}

/// It may have written rows although no mark tells so.
bool lost_its_marks(const run_row& row) {
  return !row.has_marks && (row.stage == "loading" || row.stage.starts_with("post:"));
}

/// Rows stand that going on would write once more, which nobody has agreed to.
bool would_double(const run_row& row, const start_facts& mine) {
  return row.written_in_parts != 0 && !mine.may_repeat;
}

/// Its steps before the data have not all run.
bool is_before_data(const run_row& row) {
  return row.stage == "claimed" || stage_step(row.stage, "pre:").has_value();
}

std::string rows_written_by(const run_row& row) {
  return lost_its_marks(row) ? "rows, nobody can tell how many" : with_thousands(row.written) + " rows";
}

/// This start removes what it has written before its own data.
bool is_emptied_by(const run_row& row, const start_facts& mine) {
  return mine.empties && !mine.appears_whole && row.output == mine.output &&
         (row.written != 0 || lost_its_marks(row));
}

refuse_start refuse_without_marks(const run_row& row) {
  return {{error_kind::conflict,
           fmt::format("run {} of this job is unfinished ({}), and its marks are gone from the destination: "
                       "what it has written cannot be told, so that going on would double it. Take out what "
                       "it has written, or let preSql or writeMode replace it, then begin anew with "
                       "--on-unfinished fresh, which forgets that run",
                       row.run.text(), row.stage),
           marks_gone_code, true},
          std::nullopt};
}

refuse_start refuse_half(const run_row& row, const start_facts& mine) {
  const bool same_name = row.job_name == mine.job_name;
  const std::string difference = difference_text(row.key_parts, mine.key_parts);
  const bool older_form = difference.empty() && !row.key_parts.empty();
  const bool moved = differs_in_addresses(row, mine);
  const std::string whose =
      moved        ? fmt::format("It is {} with other addresses of its ends",
                          same_name ? "this job" : "another job of the same kind,")
      : older_form ? "It was begun by a Sluice whose job keys have another form"
      : same_name  ? fmt::format("It is this job as it was before it was changed{}",
                                difference.empty() ? "" : " (" + difference + ")")
                   : fmt::format("It is another job's{}", difference.empty() ? "" : " (" + difference + ")");
  const std::string stays = mine.empties ? "what it has written goes when this job empties the table"
                                         : "what it has written stays, and the same rows inserted again are "
                                           "there twice";
  return {
      {error_kind::conflict,
       fmt::format(
           "run {} of job {} is unfinished ({}) and has written {} rows into {}. {}. {}, or begin "
           "anew with --on-unfinished fresh, which forgets that run: {}",
           row.run.text(), in_quotes(row.job_name), row.stage,
           lost_its_marks(row) ? "an unknown number of (its marks are gone)" : with_thousands(row.written),
           statement_text(mine.output_name), whose,
           moved        ? "Where these are the same systems (a failover, a new name), run the same command "
                          "with --same-ends, which finishes that run; else put the addresses back"
           : older_form ? "Run the job with that one, which finishes that run"
           : same_name  ? "Put the job back as it was and run it, which finishes that run"
                        : "Run that job again, which finishes that run",
           stays),
       moved ? other_ends_code : unfinished_code, true},
      row.run};
}

/// What becomes of rows that stand and come again.
std::string come_again(const start_facts& mine) {
  return mine.same_again ? "rows that are there get the same values once more"
                         : fmt::format("the same rows inserted again are there twice{}",
                                       mine.steps_before.empty() ? "" : ", unless preSql takes them out");
}

/// That a run is forgotten whose rows stay; empty where it wrote none, or they are about to be removed.
std::string forgotten_rows(const run_row& row, const start_facts& mine) {
  if (mine.appears_whole) {
    return fmt::format(
        "run {} is forgotten, and the {} rows it has written, which nobody has seen, are removed",
        row.run.text(), with_thousands(row.written));
  }
  const bool unknown = lost_its_marks(row);
  return (row.written == 0 && !unknown) || mine.empties
             ? ""
             : fmt::format(
                   "run {} is forgotten, and the {} it has written stay: {}", row.run.text(),
                   unknown ? std::string("rows, however many,") : with_thousands(row.written) + " rows",
                   come_again(mine));
}

void forget(const run_row& row, const start_facts& mine, begin_fresh& answer) {
  answer.discard.push_back(row.run);
  if (auto line = forgotten_rows(row, mine); !line.empty()) {
    answer.notices.push_back(std::move(line));
  }
}

/// What a run of another job key means for this start.
std::optional<refuse_start> judge_other(const run_row& row, const start_facts& mine, begin_fresh& answer) {
  const bool same_name = row.job_name == mine.job_name;
  // An older program did not note the output: of this job's name it is taken for the same.
  const bool same_output = row.output.empty() ? same_name : !mine.output.empty() && row.output == mine.output;
  if (row.stage == "done") {
    return std::nullopt;
  }
  if (row.held) {
    if (same_output && (mine.empties || row.empties)) {
      return refuse_emptying(row, mine);
    }
    if (same_output && same_name) {
      answer.notices.push_back(
          fmt::format("run {} of this job, before it was changed, is still writing into {} ({})",
                      row.run.text(), statement_text(mine.output_name), owner_text(row)));
    }
    return std::nullopt;
  }
  if (!same_output) {
    if (same_name) {
      answer.notices.push_back(fmt::format(
          "run {} of this job, before it was changed, is unfinished and has written {} rows into {}; it is "
          "left "
          "as it is: put the job back and run it to finish it, or with --on-unfinished fresh to forget it",
          row.run.text(), with_thousands(row.written), statement_text(row.output)));
    }
    return std::nullopt;
  }
  if (mine.appears_whole || (row.written == 0 && !lost_its_marks(row))) {
    if (same_name) {
      answer.discard.push_back(row.run);
      answer.notices.push_back(
          fmt::format("run {} of this job, before it was changed, had written nothing{} and is forgotten",
                      row.run.text(), mine.appears_whole ? " that anybody has seen" : ""));
    }
    return std::nullopt;
  }
  if (mine.on_unfinished == unfinished::fresh) {
    forget(row, mine, answer);
    return std::nullopt;
  }
  return refuse_half(row, mine);
}

/// The rows of a run that the caller knows of and the destination does not.
std::optional<refuse_start> judge_left(const std::vector<run_row>& found, const start_facts& mine,
                                       begin_fresh& answer) {
  // Where a later one is known, somebody has begun the job anew behind it.
  const bool known =
      mine.left && std::any_of(found.begin(), found.end(), [&](const run_row& row) {
        return row.run == mine.left->run ||
               (is_same_job(row, mine) && is_same_instance(row, mine) && mine.left->run < row.run);
      });
  if (!mine.left || known || mine.empties || mine.appears_whole || !(mine.keeps_marks || mine.rows_stand)) {
    return std::nullopt;
  }
  const std::string has =
      fmt::format("run {} of this job was not seen to end and has committed at least {} rows",
                  mine.left->run.text(), with_thousands(mine.left->rows));
  const bool retired = mine.left->age >= kept_when_done;
  const bool agreed = mine.may_repeat || mine.on_unfinished == unfinished::fresh;
  if (mine.keeps_marks && !mine.is_new && !retired && !agreed) {
    return refuse_start{
        {error_kind::conflict,
         fmt::format("{}, and the destination knows nothing of it: its marks, which stood in {}, are gone. "
                     "Begun anew, the job would write these rows once more. Put both tables back as they "
                     "were and run the same command, which finishes that run; or take out what it has "
                     "written, then begin anew with --on-unfinished fresh. With that, too, where the run was "
                     "forgotten from another machine, or this is another database than it was",
                     has, mine.tables),
         marks_gone_code, true},
        mine.left->run};
  }
  answer.notices.push_back(
      mine.is_new
          ? fmt::format("{}. Neither its table nor anything else of it is found; the job begins anew", has)
          : fmt::format("{}. {}, so that the job begins anew; {}", has,
                        !mine.keeps_marks ? "No marks are kept"
                        : retired ? "The destination knows nothing of it (it was done elsewhere more than 7 "
                                    "days ago, or its marks are gone)"
                                  : fmt::format("Its marks, which stood in {}, are gone", mine.tables),
                        come_again(mine)));
  return std::nullopt;
}

error running_already(const run_row& row, const start_facts& mine) {
  return {
      error_kind::conflict,
      fmt::format("the job is running already{}: run {} belongs to {}, {}; wait for its end (--if-running "
                  "wait), or {}",
                  row.job_name == mine.job_name
                      ? ""
                      : fmt::format(", as {} (jobs that differ in nothing but postSql are one job)",
                                    in_quotes(row.job_name)),
                  row.run.text(), owner_text(row), age_text(row),
                  row.owner->session.empty()
                      ? "stop that process"
                      : "stop that process, or take the run from it (--if-running takeover)"),
      claimed_code, false};
}

error done_already(const run_row& row, const std::optional<planned_time>& planned) {
  return {error_kind::conflict,
          fmt::format("run {} has done this job {} already: --on-unfinished fresh does it again "
                      "(what it has written stays)",
                      row.run.text(),
                      planned && planned->given ? "for the planned time " + planned->text()
                                                : "with these parameters"),
          done_code, true};
}

/// The destination has no sessions that could be ended.
error not_from_the_living(const run_row& row) {
  return {
      error_kind::conflict,
      fmt::format("run {} belongs to {}, {}, and --if-running takeover cannot take it: the destination has "
                  "no sessions that could be ended, so that nothing would keep out what that process may "
                  "still write. End it (kill -KILL {}{}), then give the same command again",
                  row.run.text(), owner_text(row), age_text(row), row.owner->pid,
                  fmt::format(", on {}", escaped(row.owner->host))),
      claimed_code, true};
}

/// `run … of the same job with other parameters is unfinished (loading)`.
std::string unfinished_instance(const run_row& row) {
  const auto kept = read_kept_time(row.planned_time);
  return fmt::format("run {} of the same job, with other parameters{}, is unfinished ({})", row.run.text(),
                     kept ? fmt::format(" or for another planned time ({}{})", kept->text(),
                                        kept->given ? "" : ", its start")
                          : "",
                     row.stage);
}

/// What finishes it.
std::string_view own_values_of(const run_row& row) {
  const auto kept = read_kept_time(row.planned_time);
  return kept && kept->given ? "parameters and planned time" : "parameters";
}

std::string other_instance(const run_row& row) {
  return fmt::format("{}; it is left as it is: run it with its own {} to finish it", unfinished_instance(row),
                     own_values_of(row));
}

/// Whether the values of the job, or its zone, would be others than those of the run that is continued.
bool planned_differs(const planned_time& kept, const start_facts& mine) {
  return mine.planned && (kept.zone != mine.planned->zone || (mine.uses_date && kept.at != mine.planned->at));
}

/// What has run behind the data is not run again, and what is left is counted from the first step on.
refuse_start refuse_other_steps(const run_row& row, const start_facts& mine) {
  const std::size_t ran = stage_step(row.stage, "post:").value_or(0);
  const std::size_t now = mine.steps_after.size();
  return {
      {error_kind::conflict,
       fmt::format(
           "run {} of this job has written all its records and run the first {} of its steps behind the "
           "data, {}. Leave what has run as it was, in its place, and change only what comes behind it: "
           "the same command then runs what is left. Or begin anew with --on-unfinished fresh, which "
           "forgets that run (what it has written stays)",
           row.run.text(), ran == 1 ? std::string("one") : std::to_string(ran),
           now < ran ? fmt::format("and the job has only {} now", now)
                     : fmt::format("which {} not the first of the job any more", ran == 1 ? "is" : "are")),
       "steps_changed", true},
      row.run};
}

/// Given, or renewed a short while ago.
bool is_recent(const run_row& row, const start_facts& mine) {
  const auto kept = read_kept_time(row.planned_time);
  return (kept && kept->given) || row.renewed_age_s <= mine.resume_window.count();
}

/// Whether a run of this very instance is begun anew instead of continued.
bool is_forgotten(const run_row& row, const start_facts& mine) {
  const auto kept = read_kept_time(row.planned_time);
  const bool other_zone = kept && mine.planned && kept->zone != mine.planned->zone;
  return mine.on_unfinished == unfinished::fresh ||
         (mine.appears_whole && mine.on_unfinished == unfinished::automatic &&
          (lost_its_marks(row) || other_zone || !is_recent(row, mine)));
}

/// Of a run whose stage says that a step was begun: goes on behind it or with it as the caller has decided.
continuation judge_begun(const run_row& row, const begun_step& begun, const start_facts& mine) {
  using unsure = run_settings::unsure_step;
  const bool after = begun.behind_data;
  const unsure choice = after ? mine.post_sql_unsure : mine.pre_sql_unsure;
  const std::vector<target_step>& steps = after ? mine.steps_after : mine.steps_before;
  const bool there = begun.index < steps.size() && begun.is(steps[begun.index]);
  const std::string name =
      there ? step_name(after, begun.index, steps[begun.index].text)
            : fmt::format("step {} {} the data", begun.index + 1, after ? "after" : "before");
  if (choice == unsure::rerun) {
    return go_on_with{row,
                      row.stage,
                      {fmt::format("{}: {} may have run already; {}", rerun_flag(after), name,
                                   there ? "it is run (again)" : "what the job has there is run")}};
  }
  if (choice == unsure::skip && there) {
    const step_stages stages = after ? stages_behind_data(steps, begun.index)
                                     : stages_before_data(begun.index, steps[begun.index].text);
    return go_on_with{row, stages.behind, {fmt::format("{}: {} counts as done", skip_flag(after), name)}};
  }
  const std::string asks =
      there ? fmt::format(
                  "{}, then run the same command with {}, which counts it as done, or with {}, which "
                  "runs it (again)",
                  what_to_look_at(steps[begun.index].text), skip_flag(after), rerun_flag(after))
            : fmt::format(
                  "the job has another one there now: put it back and use {} where it has run, or use "
                  "{}, which runs what the job has there",
                  skip_flag(after), rerun_flag(after));
  return refuse_start{
      {error_kind::conflict,
       fmt::format("run {} of this job has begun {}, which commits by itself, and did not record its "
                   "end: nobody but you can see whether it has run; {}",
                   row.run.text(), name, asks),
       step_unknown_code, true},
      there ? std::nullopt : std::optional(row.run)};
}

/// What an unfinished run of this very instance means.
continuation judge_own(const run_row& row, const start_facts& mine) {
  if (lost_its_marks(row)) {
    return refuse_without_marks(row);
  }
  const auto kept = read_kept_time(row.planned_time);
  if (mine.on_unfinished == unfinished::resume ||
      (mine.on_unfinished == unfinished::automatic && is_recent(row, mine) && mine.may_resume &&
       !would_double(row, mine))) {
    if (kept && planned_differs(*kept, mine)) {
      return plan_otherwise{row, *kept};
    }
    const std::optional<begun_step> begun = begun_in(row.stage);
    if (!ran_of(mine.steps_after, begun ? begun->before : row.stage)) {
      return refuse_other_steps(row, mine);
    }
    if (begun) {
      return judge_begun(row, *begun, mine);
    }
    go_on_with go_on{row, row.stage, {}};
    if (row.written_in_parts != 0) {
      go_on.notices.push_back(
          fmt::format("run {} has committed splits in parts: {} rows of them stand and are written once more",
                      row.run.text(), with_thousands(row.written_in_parts)));
    }
    return go_on;
  }
  const std::string why = mine.on_unfinished == unfinished::fail ? "--on-unfinished fail"
                          : would_double(row, mine)
                              ? fmt::format(
                                    "{} rows stand of splits that were committed in parts, which going on "
                                    "would write once more",
                                    with_thousands(row.written_in_parts))
                              : fmt::format("it is {} s old, more than --resume-window", row.renewed_age_s);
  return refuse_start{
      {error_kind::conflict,
       fmt::format("run {} of this job is unfinished ({}; {}): --on-unfinished resume continues "
                   "it, --on-unfinished fresh "
                   "forgets it and begins anew (what it has written stays)",
                   row.run.text(), row.stage, why),
       unfinished_code, false},
      std::nullopt};
}

/// What other runs have left half done in the table that a run empties which goes on before its data.
std::optional<refuse_start> in_the_way_of_steps(const run_row& row, const std::vector<run_row>& found,
                                                const start_facts& mine) {
  if (!is_before_data(row)) {
    return std::nullopt;
  }
  begin_fresh nothing;  // none is forgotten here
  for (const run_row& other : found) {
    if (other.run == row.run || other.stage == "done" || !is_emptied_by(other, mine)) {
      continue;
    }
    if (!is_same_job(other, mine)) {
      return judge_other(other, mine, nothing);
    }
    return refuse_start{
        {error_kind::conflict,
         fmt::format(
             "{} and has written {} into {}, which run {}, begun with these, would empty: run it with its "
             "own "
             "{} first, which finishes it, or begin anew with --on-unfinished fresh, which forgets both",
             unfinished_instance(other), rows_written_by(other), statement_text(mine.output_name),
             row.run.text(), own_values_of(other)),
         unfinished_code, true},
        other.run};
  }
  return std::nullopt;
}

/// Why the run that was asked for is not the one to go on with.
refuse_start refuse_another(const std::vector<run_row>& found, const start_facts& mine) {
  const auto row =
      std::find_if(found.begin(), found.end(), [&](const run_row& one) { return one.run == *mine.only; });
  std::string why;
  if (row == found.end()) {
    why = fmt::format("{} knows no such run: it was forgotten, or this is another database than it was",
                      statement_text(mine.output_name));
  } else if (row->stage == "done") {
    why = "it is done";
  } else if (row->job_key != mine.job_key) {
    const std::string difference = difference_text(row->key_parts, mine.key_parts);
    why = fmt::format("the job is not what it was{}: put it back, then it goes on",
                      difference.empty() ? "" : " (" + difference + ")");
  } else {
    why = "its parameters or its planned time are others: with its own it goes on";
  }
  return {{error_kind::conflict,
           fmt::format("run {} cannot be continued: {}. Nothing was changed", mine.only->text(), why),
           not_continued_code, true},
          *mine.only};
}

/// The run that an answer goes on with; nothing where it begins anew.
std::optional<run_id> gone_on_with(const continuation& answer) {
  if (const auto* go_on = std::get_if<go_on_with>(&answer)) {
    return go_on->run.run;
  }
  if (const auto* other = std::get_if<plan_otherwise>(&answer)) {
    return other->run.run;
  }
  if (const auto* taken = std::get_if<take_over>(&answer)) {
    return taken->from.run;
  }
  const auto* done = std::get_if<only_release>(&answer);
  return done == nullptr ? std::nullopt : std::optional(done->run.run);
}

continuation decide_any(const std::vector<run_row>& found, const start_facts& mine);

/// A run at work is not ended for a start that would be refused behind it.
continuation take_or_refuse(const run_row& at_work, std::vector<run_row> found, const start_facts& mine) {
  for (run_row& row : found) {
    if (row.run == at_work.run) {
      row.held = false;
      row.owner.reset();
    }
  }
  continuation behind = decide_any(found, mine);
  auto* no = std::get_if<refuse_start>(&behind);
  if (no == nullptr) {
    return take_over{at_work};
  }
  no->why.message = fmt::format(
      "{} is at work on run {} ({}), which is not taken from it, because this start would be refused then: "
      "{}",
      owner_text(at_work), at_work.run.text(), age_text(at_work), no->why.message);
  return behind;
}

/// It has a claim and no plan yet.
bool planned_nothing(const run_row& row) {
  return row.stage == "claimed" && !row.has_marks;
}

/// A start that came late has claimed it beside another one, which has a plan and may have written rows or
/// done the job, and was lost before it could forget it.
bool is_behind_another(const run_row& row, const std::vector<run_row>& found, const start_facts& mine) {
  const auto answers = [&](const run_row& other) {
    return is_same_job(other, mine) && is_same_instance(other, mine) && !planned_nothing(other) &&
           (other.stage != "done" || other.owner || mine.once || (mine.planned && mine.planned->given));
  };
  return planned_nothing(row) && mine.only != row.run && std::any_of(found.begin(), found.end(), answers);
}

continuation decide_any(const std::vector<run_row>& found, const start_facts& mine) {
  begin_fresh answer;
  for (const run_row& row : found) {
    if (!is_same_job(row, mine)) {
      continue;
    }
    if (row.held && !mine.takeover) {
      return refuse_start{running_already(row, mine), std::nullopt};
    }
    if (row.held) {
      return row.owner->session.empty() ? continuation(refuse_start{not_from_the_living(row), std::nullopt})
                                        : take_or_refuse(row, found, mine);
    }
    if (row.stage == "done") {
      if (is_same_instance(row, mine) && mine.on_unfinished != unfinished::fresh) {
        const bool taken = std::find(mine.taken.begin(), mine.taken.end(), row.run) != mine.taken.end();
        if (row.owner || taken) {
          return only_release{row};
        }
        if (mine.once || (mine.planned && mine.planned->given)) {
          return refuse_start{done_already(row, mine.planned), std::nullopt};
        }
      }
      continue;
    }
    if (!is_same_instance(row, mine)) {
      if (is_emptied_by(row, mine)) {
        answer.discard.push_back(row.run);
        answer.notices.push_back(
            fmt::format("{}. It has written {}, which go when this job empties the table, so that it is "
                        "forgotten: run with its own {} it begins anew",
                        unfinished_instance(row), rows_written_by(row), own_values_of(row)));
      } else {
        answer.notices.push_back(other_instance(row));
      }
      continue;
    }
    if (is_forgotten(row, mine)) {
      forget(row, mine, answer);
      continue;
    }
    if (is_behind_another(row, found, mine)) {
      continue;
    }
    continuation own = judge_own(row, mine);
    if (auto* go_on = std::get_if<go_on_with>(&own)) {
      if (auto no = in_the_way_of_steps(row, found, mine)) {
        return std::move(*no);
      }
      const bool reads = !stage_step(row.stage, "post:");
      if (reads && !mine.same_ends && reads_elsewhere(row, mine)) {
        return refuse_elsewhere(row, mine);
      }
      if (mine.same_ends && (differs_in_addresses(row, mine) || reads_elsewhere(row, mine))) {
        answer.notices.push_back(
            fmt::format("run {} was begun with other addresses of its ends, which are those of the same "
                        "systems (--same-ends)",
                        row.run.text()));
      }
      go_on->notices.insert(go_on->notices.begin(), answer.notices.begin(), answer.notices.end());
    }
    return own;
  }
  for (const run_row& row : found) {
    if (is_same_job(row, mine)) {
      continue;
    }
    if (auto no = judge_other(row, mine, answer)) {
      return std::move(*no);
    }
  }
  if (auto no = judge_left(found, mine, answer)) {
    return std::move(*no);
  }
  return answer;
}

}  // namespace

scalar_list ends_parts(const job_ends_digests& ends) {
  scalar_list parts = {{ends_key_part, {ends.key}}, {ends_instance_part, {ends.instance}}};
  if (!ends.reader_address.empty()) {
    parts.push_back({reader_address_part, {ends.reader_address}});
  }
  return parts;
}

continuation decide_continuation(const std::vector<run_row>& found, const start_facts& mine) {
  continuation answer = decide_any(found, mine);
  return !mine.only || std::holds_alternative<refuse_start>(answer) || gone_on_with(answer) == mine.only
             ? answer
             : refuse_another(found, mine);
}

}  // namespace sluice
