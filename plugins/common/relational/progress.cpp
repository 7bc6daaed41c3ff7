#include "plugins/common/relational/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobspec/words.h"
#include "plugins/api/marks_lost.h"
#include "plugins/common/relational/progress_sql.h"
#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

constexpr std::int64_t days_kept_done = 7;
constexpr std::int64_t seconds_until_stale = 60;  // delivery.md, "Job key, instance, claim"
// Epochs are compared as signed numbers; their top bit would be reached here.
constexpr std::uint16_t term_max = 0x7FFF;

error held_by_another(const progress_dialect& dialect, const run_row& row) {
  return {error_kind::conflict,
          fmt::format("{}: run {} of this job belongs to process {} on {}, which still runs; wait for its "
                      "end, or stop it",
                      dialect.place, row.run.text(), row.owner->pid, escaped(row.owner->host)),
          claimed_code, true};
}

error too_late(const progress_dialect& dialect, const run_row& seen) {
  return {error_kind::conflict,
          fmt::format("{}: another process has claimed run {} at the same moment; wait for its end, then run "
                      "the job again",
                      dialect.place, seen.run.text()),
          claimed_code, true};
}

error has_no_sessions(const progress_dialect& dialect, const run_row& row) {
  return {
      error_kind::conflict,
      fmt::format("{}: run {} belongs to process {} on {}, whose writing nobody could end here; its claim "
                  "is taken over only once that process has ended",
                  dialect.place, row.run.text(), row.owner->pid, escaped(row.owner->host)),
      claimed_code, true};
}

error taken_over_too_often(const progress_dialect& dialect, const run_row& row) {
  return {error_kind::not_supported,
          fmt::format("{}: run {} was taken over {} times; begin anew with --on-unfinished fresh",
                      dialect.place, row.run.text(), row.term),
          "", false};
}

/// Rolled back at once so that another transaction may go on. What has waited for a lock in vain is none of
/// them: it has waited as long as it may.
bool gave_way(const error& why) {
  constexpr auto codes =
      std::to_array<std::string_view>({"40001", "40P01", "ER_LOCK_DEADLOCK", "ER_CHECKREAD"});
  return std::find(codes.begin(), codes.end(), why.code) != codes.end();
}

bool same_process(const claim_owner& a, const claim_owner& b) {
  return a.host == b.host && a.pid == b.pid && a.process_start == b.process_start;
}

/// Makes transactions that take or give up claims wait for each other.
result<void> guard(sql_session& session, const progress_dialect& dialect) {
  if (!dialect.guard_row) {
    return {};
  }
  SLUICE_TRY(
      const auto met,
      session.run(
          written(dialect, fmt::format("UPDATE @run SET [renewed_at] = @now WHERE [run] = '{}'", guard_run)),
          {}));
  if (met != 0) {
    return {};
  }
  // Where two come here at once, one of them finds the key taken and fails; its next try does not.
  std::vector<sql_text> values;
  const std::vector<sql_field> fields = {{"run", {}, std::string(guard_run)},
                                         {"version", row_version},
                                         {"job_key", {}, ""},
                                         {"instance", {}, ""},
                                         {"job_name", {}, ""},
                                         {"stage", {}, "done"},
                                         {"term", 0},
                                         {"planned_time", {}, ""},
                                         {"output", {}, ""}};
  const std::string sql = insertion("@run", fields, {"started_at", "renewed_at"}, values);
  SLUICE_CHECK(session.run(written(dialect, sql), values));
  return {};
}

/// Puts a session in the place of the one that has the claim, which it returns. In the transaction that has
/// raised the term: until then an owner that lives may have made its session anew.
result<std::string> exchange_session(sql_session& session, const progress_dialect& dialect, const run_id& run,
                                     const sql_text& next) {
  SLUICE_TRY(const auto names,
             session.ask(written(dialect, "SELECT [owner_session] FROM @run WHERE [run] = ?"), {run.text()}));
  SLUICE_CHECK(session.run(written(dialect, "UPDATE @run SET [owner_session] = ? WHERE [run] = ?"),
                           {next, run.text()}));
  return names.empty() ? std::string() : names[0][0].value_or("");
}

/// Of runs that have owners.
std::vector<std::string> sessions_of(const std::vector<run_row>& runs) {
  std::vector<std::string> names;
  for (const run_row& run : runs) {
    names.push_back(run.owner->session);
  }
  return names;
}

std::string with_term(std::uint16_t term) {
  return fmt::format("[term] = {}", term);
}

}  // namespace

result<bool> relational_progress::is_held(const run_row& row) {
  if (!row.owner) {
    return false;
  }
  switch (look_up({row.owner->host, row.owner->pid, row.owner->process_start})) {
    case process_state::alive:
      // A connection that was lost is made again with the next renewal.
      if (dialect_.renews_in_data || row.renewed_age_s < seconds_until_stale) {
        return true;
      }
      break;
    case process_state::dead:
      return false;
    case process_state::elsewhere:
      break;
  }
  const bool is_fresh = row.renewed_age_s < seconds_until_stale;
  if (row.owner->session.empty()) {
    return is_fresh;
  }
  SLUICE_TRY(const std::optional<bool> lives, home_.session_lives(row.owner->session));
  if (lives != true || is_fresh) {
    return lives != false && is_fresh;
  }
  // A step of an hour renews nothing while it runs.
  return home_.session_works(row.owner->session);
}

/// The runs whose claims stand in the way of the one that `mine` would take, and are not held any more: of
/// its job key, or of another where either empties the output of both (delivery.md, "one more for each
/// destination that is emptied"). `conflict` where one is held.
result<std::vector<run_row>> relational_progress::left_in_the_way(sql_session& session, const run_row& mine) {
  SLUICE_TRY(auto others, read_runs(session, {mine.job_key, "", mine.output}));
  std::vector<run_row> left;
  for (run_row& other : others) {
    const bool same_key = other.job_key == mine.job_key;
    const bool emptied =
        !mine.output.empty() && other.output == mine.output && (mine.empties || other.empties);
    if (other.run == mine.run || !other.owner || !(same_key || emptied)) {
      continue;
    }
    SLUICE_TRY(const bool held, is_held(other));
    if (!held) {
      left.push_back(std::move(other));
    } else if (same_key) {
      return fail(held_by_another(dialect_, other));
    } else {
      return fail(
          {error_kind::conflict,
           fmt::format("{}: run {} of job {} writes into table {}, which {} empties first; wait for "
                       "the end of process {} on {}, or stop it",
                       dialect_.place, other.run.text(), in_quotes(other.job_name), in_quotes(mine.output),
                       mine.empties ? "this job" : "it", other.owner->pid, escaped(other.owner->host)),
           "emptied", true});
    }
  }
  return left;
}

/// Fences those in the way that are not held. Inside the transaction that takes the claim; returns their
/// sessions, which are ended once it has committed.
result<std::vector<std::string>> relational_progress::check_free(sql_session& session, const run_row& mine) {
  SLUICE_TRY(const auto left, left_in_the_way(session, mine));
  std::vector<std::string> sessions;
  for (const run_row& other : left) {
    SLUICE_TRY(std::string name, fence(session, other));
    sessions.push_back(std::move(name));
  }
  return sessions;
}

/// Takes the claim from whoever holds it, for nobody: its process may only sleep. Waits for its open data
/// transactions. Returns the session that the claim had.
result<std::string> relational_progress::fence(sql_session& session, const run_row& stale) {
  if (stale.term >= term_max) {
    return fail(taken_over_too_often(dialect_, stale));
  }
  const auto term = static_cast<std::uint16_t>(stale.term + 1);
  SLUICE_TRY(const auto met,
             session.run(written(dialect_, fmt::format("UPDATE @run SET [term] = {}, [owner_host] = NULL, "
                                                       "[owner_pid] = NULL, [owner_start] = NULL "
                                                       "WHERE [run] = ? AND {}",
                                                       term, with_term(stale.term))),
                         {stale.run.text()}));
  if (met != 1) {
    return fail(too_late(dialect_, stale));
  }
  SLUICE_TRY(std::string left, exchange_session(session, dialect_, stale.run, std::nullopt));
  SLUICE_CHECK(end_writers(session, stale.run));
  const std::int64_t epoch = stored(epoch_number::make(term, 0, 0).value);
  SLUICE_CHECK(session.run(
      written(dialect_,
              fmt::format("UPDATE @progress SET [epoch] = {0} WHERE [run] = ? AND [epoch] < {0}", epoch)),
      {stale.run.text()}));
  return left;
}

result<void> relational_progress::take(const run_row& seen) {
  if (dialect_.renews_in_data) {
    return fail(has_no_sessions(dialect_, seen));
  }
  SLUICE_TRY(sql_session * session, home_.session(false));
  // It may stand still in a transaction that holds the rows which are needed here.
  SLUICE_CHECK(end_sessions({seen.owner->session}));
  std::string left;
  auto done = in_transaction(*session, [&]() -> result<void> {
    SLUICE_CHECK(guard(*session, dialect_));
    SLUICE_TRY(left, fence(*session, seen));
    return {};
  });
  if (!done) {
    return done.error().code == claimed_code ? result<void>() : fail(std::move(done).error());
  }
  return left == seen.owner->session ? result<void>() : end_sessions({left});
}

/// Nothing that a former owner left on the server may go on beside us.
result<void> relational_progress::end_sessions(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!name.empty()) {
      SLUICE_CHECK(home_.end_session(name));
    }
  }
  return {};
}

/// Those of a former owner, whose process may be stopped in the middle of a transaction: it would hold its
/// rows, and its table, for as long.
result<void> relational_progress::end_writers(sql_session& session, const run_id& run) {
  SLUICE_TRY(
      const auto owners,
      session.ask(written(dialect_, "SELECT DISTINCT [owner] FROM @progress WHERE [run] = ?"), {run.text()}));
  std::vector<std::string> names;
  for (const sql_row& row : owners) {
    names.push_back(row[0].value_or(""));
  }
  return end_sessions(names);
}

/// `conflict` where another process holds the run's claim; ends the session of one that held it.
result<void> relational_progress::take_from_others(sql_session& session, const run_id& run) {
  if (claim_.term != 0 && claim_.run == run) {
    return {};
  }
  SLUICE_TRY(const auto keys,
             session.ask(written(dialect_, "SELECT [job_key] FROM @run WHERE [run] = ?"), {run.text()}));
  if (keys.empty()) {
    return {};
  }
  SLUICE_TRY(const auto runs, read_runs(session, {keys[0][0].value_or(""), "", ""}));
  for (const run_row& row : runs) {
    if (row.run != run) {
      continue;
    }
    SLUICE_TRY(const bool held, is_held(row));
    if (held) {
      return fail(held_by_another(dialect_, row));
    }
    if (row.owner) {
      SLUICE_CHECK(end_sessions({row.owner->session}));
    }
  }
  return {};
}

/// A run that was decided on as `runs_of` has told it is not removed once another process has taken it up,
/// which may have written rows, or even completed it.
result<void> relational_progress::check_as_seen(sql_session& session, const run_id& run) {
  const auto seen =
      std::find_if(seen_.begin(), seen_.end(), [&](const run_row& row) { return row.run == run; });
  if (seen == seen_.end()) {
    return {};
  }
  SLUICE_TRY(
      const auto rows,
      session.ask(written(dialect_, "SELECT [term], [stage] FROM @run WHERE [run] = ?"), {run.text()}));
  if (rows.empty() || (number_in(rows[0].at(0)) == seen->term && rows[0].at(1) == seen->stage)) {
    return {};
  }
  return fail(error{error_kind::conflict,
                    fmt::format("{}: run {} was taken up by another process since this start looked (it was "
                                "at stage {}, and is at {}); it is not forgotten, run the same command again",
                                dialect_.place, run.text(), seen->stage, rows[0].at(1).value_or("")),
                    "came_between", true});
}

result<std::vector<run_row>> relational_progress::read_runs(sql_session& session, const run_query& query) {
  SLUICE_TRY(const table_columns there, columns());
  const bool added = columns_missing(true, there.runs).empty();
  std::vector<sql_text> values = {query.job_key, query.job_name};
  if (added) {
    values.emplace_back(query.output);
  }
  SLUICE_TRY(const auto rows,
             session.ask(written(dialect_, fmt::format("SELECT {} FROM @run r WHERE r.[run] <> '{}' AND "
                                                       "(r.[job_key] = ? OR r.[job_name] = ? OR {}) ORDER BY "
                                                       "r.[started_at] DESC, r.[run] DESC",
                                                       run_columns(added, !there.marks.empty()), guard_run,
                                                       added ? "r.[output] = ? OR (r.[output] IS NULL AND "
                                                               "r.[stage] <> 'done')"
                                                             : "r.[stage] <> 'done'")),
                         values));
  std::vector<run_row> runs;
  for (const sql_row& row : rows) {
    if (version_in(row) > row_version) {
      return fail(error_kind::not_supported,
                  "{}: run {} was begun by a newer Sluice (its row is of version {}, this one knows {}); run "
                  "this job with that one",
                  dialect_.place, row[0].value_or(""), version_in(row), row_version);
    }
    SLUICE_TRY(run_row one, run_in(row));
    runs.push_back(std::move(one));
  }
  return runs;
}

result<relational_progress::table_columns> relational_progress::columns() {
  if (complete_ && complete_->of == dialect_.run_table) {
    return *complete_;
  }
  table_columns found{{}, {}, dialect_.run_table};
  SLUICE_TRY(found.runs, home_.columns_of(dialect_.run_table));
  SLUICE_TRY(found.marks, home_.columns_of(dialect_.progress_table));
  for (const bool of_runs : {true, false}) {
    const std::vector<std::string>& there = of_runs ? found.runs : found.marks;
    const auto lacking = there.empty() ? std::vector<std::string>() : columns_lacking(of_runs, there);
    if (!lacking.empty()) {
      return fail(
          error_kind::bad_option,
          "{}: the table {} has not the form of a table of marks: it lacks the column{} {}. Name other "
          "tables with \"progressTable\", or make these by the statements of sluice ddl JOB --progress",
          dialect_.place, of_runs ? dialect_.run_table : dialect_.progress_table,
          lacking.size() == 1 ? "" : "s", fmt::join(lacking, ", "));
    }
  }
  if (!found.runs.empty() && !found.marks.empty() && columns_missing(true, found.runs).empty() &&
      columns_missing(false, found.marks).empty()) {
    complete_ = found;
  }
  return found;
}

result<bool> relational_progress::has_tables() {
  SLUICE_TRY(const table_columns there, columns());
  return !there.runs.empty() && !there.marks.empty();
}

result<std::size_t> relational_progress::columns_to_add() {
  SLUICE_TRY(const table_columns there, columns());
  if (there.runs.empty() || there.marks.empty()) {
    return std::size_t{0};
  }
  return columns_missing(true, there.runs).size() + columns_missing(false, there.marks).size();
}

result<std::vector<run_row>> relational_progress::runs_of(const run_query& query) {
  if (!home_.exists()) {
    return std::vector<run_row>();
  }
  SLUICE_TRY(sql_session * session, home_.session(false));
  // Without the table of marks the runs still tell that there was something.
  SLUICE_TRY(const table_columns there, columns());
  if (there.runs.empty()) {
    return std::vector<run_row>();
  }
  SLUICE_TRY(auto runs, read_runs(*session, query));
  for (run_row& row : runs) {
    SLUICE_TRY(row.held, is_held(row));
  }
  seen_ = runs;
  return runs;
}

result<mark_names> mark_names_of(const marks_wish& wish, const mark_name_rules& rules) {
  mark_names names;
  names.kept = !wish.none;
  if (wish.name.empty()) {
    return names;
  }
  const auto bad = [&](const std::string& what) {
    return fail(error_kind::bad_option, "{}: found {}, {}", wish.place, in_quotes(wish.name), what);
  };
  auto parts = name_parts(wish.name, rules.sql);
  if (!parts || parts->size() > 2) {
    return bad(fmt::format(
        "expected the name that both tables begin with{}, or \"none\"",
        rules.schema_word.empty()
            ? std::string()
            : fmt::format(", with its {} or without, such as \"ops.sluice\"", rules.schema_word)));
  }
  if (parts->size() == 2 && rules.schema_word.empty()) {
    return bad("but the tables of marks stand in the file of the destination; give a name without a dot");
  }
  for (name_part& part : *parts) {
    part.name = rules.folds && !part.quoted ? lower(part.name) : part.name;
  }
  names.schema = parts->size() == 2 ? parts->front().name : "";
  names.run = parts->back().name + "_run";
  names.progress = parts->back().name + "_progress";
  if (rules.name_bytes_max != 0 && names.progress.size() > rules.name_bytes_max) {
    return bad(fmt::format("but a table's name has at most {} bytes here, and {} has {}; give a shorter one",
                           rules.name_bytes_max, in_quotes(names.progress), names.progress.size()));
  }
  return names;
}

void promise_by_marks(const progress_dialect& dialect, const marks_wish& wish, target_description& out) {
  out.exactly_once = dialect.kept;
  out.rows_stand = !dialect.kept;
  out.promise = dialect.kept
                    ? "exactly once"
                    : fmt::format(
                          "at least once, because no marks are kept ({} is \"none\"): a run begun again "
                          "starts over, and what was written stays",
                          wish.place);
}

result<void> relational_progress::announce(std::vector<std::string>& changes) {
  if (!dialect_.kept) {
    return {};
  }
  SLUICE_TRY(const bool there, has_tables());
  SLUICE_TRY(const std::size_t missing, columns_to_add());
  if (!there) {
    changes.push_back(fmt::format("The tables {} will be made for claims and marks.", tables()));
  } else if (missing != 0) {
    changes.push_back(fmt::format("The tables {}, made by an older version, get {} more column{}.", tables(),
                                  missing, missing == 1 ? "" : "s"));
  }
  return {};
}

std::vector<std::string> relational_progress::tables_sql() const {
  return progress_tables_sql(dialect_);
}

result<void> relational_progress::make_missing(sql_session& session) {
  SLUICE_TRY(const bool there, has_tables());
  if (!there) {
    for (const std::string& sql : progress_tables_sql(dialect_)) {
      SLUICE_CHECK(session.run(sql, {}));
    }
  }
  SLUICE_TRY(const table_columns now, columns());
  for (const bool of_runs : {true, false}) {
    for (const added_column& column : columns_missing(of_runs, of_runs ? now.runs : now.marks)) {
      SLUICE_CHECK(session.run(
          written(dialect_,
                  fmt::format("ALTER TABLE {} ADD COLUMN [{}] {}", of_runs ? "@run" : "@progress",
                              column.name, column.is_number ? dialect_.integer_type : dialect_.text_type)),
          {}));
    }
  }
  return {};
}

result<void> relational_progress::make_tables() {
  constexpr int tries_max = 5;
  for (int i = 1;; ++i) {
    auto done = try_make_tables();
    if (!done) {
      complete_.reset();  // what was made may be gone with its transaction
    }
    // Where another start makes them at the same moment, one of the two is refused a row of the server's own
    // catalogue, or the guard's, or gives way: the next look finds all there.
    const bool collided = !done && (done.error().kind == error_kind::bad_row || gave_way(done.error()));
    if (!collided || i == tries_max) {
      return done;
    }
  }
}

result<void> relational_progress::try_make_tables() {
  SLUICE_TRY(sql_session * session, home_.session(true));
  if (!dialect_.ddl_in_transactions) {
    SLUICE_CHECK(make_missing(*session));
  }
  return in_transaction(*session, [&]() -> result<void> {
    if (dialect_.ddl_in_transactions) {
      SLUICE_CHECK(make_missing(*session));
    }
    SLUICE_CHECK(guard(*session, dialect_));
    // Each by its key: InnoDB would wait for the rows of all others as well.
    SLUICE_TRY(const auto old,
               session->ask(written(dialect_, fmt::format("SELECT [run] FROM @run WHERE [stage] = 'done' AND "
                                                          "[finished_at] < @now - {}",
                                                          days_kept_done * 86400)),
                            {}));
    for (const sql_row& row : old) {
      SLUICE_CHECK(session->run(written(dialect_, "DELETE FROM @run WHERE [run] = ?"), {row.at(0)}));
    }
    return {};
  });
}

result<void> relational_progress::claim_new(const run_row& run) {
  SLUICE_TRY(sql_session * session, home_.session(false));
  claim_owner owner = run.owner.value_or(claim_owner{});
  if (owner.session.empty()) {
    SLUICE_TRY(owner.session, home_.session_name());
  }
  // Whoever held one may have died in a transaction that holds the rows which are needed here.
  SLUICE_TRY(const auto left, left_in_the_way(*session, run));
  SLUICE_CHECK(end_sessions(sessions_of(left)));
  std::vector<std::string> fenced;
  auto done = in_transaction(*session, [&]() -> result<void> {
    SLUICE_CHECK(guard(*session, dialect_));
    SLUICE_TRY(fenced, check_free(*session, run));
    const std::vector<sql_field> fields = {{"run", {}, run.run.text()},
                                           {"version", row_version},
                                           {"job_key", {}, run.job_key},
                                           {"instance", {}, run.instance},
                                           {"job_name", {}, run.job_name},
                                           {"stage", {}, run.stage},
                                           {"term", run.term},
                                           {"planned_time", {}, run.planned_time},
                                           {"owner_host", {}, owner.host},
                                           {"owner_pid", owner.pid},
                                           {"owner_start", {}, owner.process_start},
                                           {"owner_session", {}, owner.session},
                                           {"output", {}, run.output},
                                           {"empties", run.empties ? 1 : 0},
                                           {"key_parts", {}, to_json(run.key_parts)}};
    std::vector<sql_text> values;
    const std::string sql = insertion("@run", fields, {"started_at", "renewed_at"}, values);
    SLUICE_CHECK(session->run(written(dialect_, sql), values));
    return {};
  });
  SLUICE_CHECK(std::move(done));
  claim_.run = run.run;
  claim_.term = run.term;
  claim_.owner = run.owner ? std::optional(owner) : std::nullopt;
  session_ = owner.session;
  return end_sessions(fenced);
}

result<std::uint16_t> relational_progress::claim_again(const run_row& seen, const claim_owner& me) {
  const bool mine = seen.owner && same_process(*seen.owner, me);
  if (!mine) {
    SLUICE_TRY(const bool held, is_held(seen));
    if (held) {
      return fail(held_by_another(dialect_, seen));
    }
  }
  if (seen.term >= term_max) {
    return fail(taken_over_too_often(dialect_, seen));
  }
  SLUICE_TRY(sql_session * session, home_.session(false));
  claim_owner owner = me;
  if (owner.session.empty()) {
    SLUICE_TRY(owner.session, home_.session_name());
  }
  const std::uint16_t term = static_cast<std::uint16_t>(seen.term + 1);
  // Whoever held one may have died in a transaction that holds the rows which are needed here.
  SLUICE_TRY(const auto left, left_in_the_way(*session, seen));
  SLUICE_CHECK(end_sessions(sessions_of(left)));
  if (seen.owner && !mine) {
    SLUICE_CHECK(end_sessions({seen.owner->session}));
  }
  std::vector<std::string> fenced;
  auto done = in_transaction(*session, [&]() -> result<void> {
    SLUICE_CHECK(guard(*session, dialect_));
    SLUICE_TRY(fenced, check_free(*session, seen));
    std::vector<sql_text> values;
    const std::string set = assignments({{"term", term},
                                         {"version", row_version},
                                         {"owner_host", {}, owner.host},
                                         {"owner_pid", owner.pid},
                                         {"owner_start", {}, owner.process_start},
                                         {"job_key", {}, seen.job_key},
                                         {"instance", {}, seen.instance},
                                         {"key_parts", {}, to_json(seen.key_parts)}},
                                        values);
    // One that only slept may have gone on since it was looked at: a step that has run would run again.
    std::string where = "[run] = ? AND [stage] = ? AND " + with_term(seen.term);
    values.emplace_back(seen.run.text());
    values.emplace_back(seen.stage);
    if (seen.owner) {
      where +=
          fmt::format(" AND [owner_host] = ? AND [owner_pid] = {} AND [owner_start] = ?", seen.owner->pid);
      values.emplace_back(seen.owner->host);
      values.emplace_back(seen.owner->process_start);
    } else {
      where += " AND [owner_host] IS NULL";
    }
    SLUICE_TRY(const auto taken,
               session->run(written(dialect_, fmt::format("UPDATE @run SET {}, [renewed_at] = @now WHERE {}",
                                                          set, where)),
                            values));
    if (taken != 1) {
      return fail(too_late(dialect_, seen));
    }
    SLUICE_TRY(std::string theirs, exchange_session(*session, dialect_, seen.run, owner.session));
    if (seen.owner && !mine && theirs != seen.owner->session) {
      fenced.push_back(std::move(theirs));
    }
    return {};
  });
  SLUICE_CHECK(std::move(done));
  claim_.run = seen.run;
  claim_.term = term;
  claim_.owner = owner;
  session_ = owner.session;
  SLUICE_CHECK(end_sessions(fenced));
  if (!mine) {
    SLUICE_CHECK(end_writers(*session, seen.run));
  }
  return term;
}

result<void> relational_progress::freeze(const run_id& run, const std::vector<progress_row>& splits) {
  SLUICE_TRY(sql_session * session, home_.session(false));
  return in_transaction(*session, [&]() -> result<void> {
    for (const progress_row& row : splits) {
      std::vector<sql_field> fields = {{"run", {}, run.text()},
                                       {"split", std::int64_t{row.at.split.value}},
                                       {"description", {}, to_json(row.description)},
                                       {"label", {}, row.label},
                                       {"epoch", 0},
                                       {"owner", {}, ""},
                                       {"txn", 0}};
      const std::vector<sql_field> rest = mark_fields(row.at);
      fields.insert(fields.end(), rest.begin(), rest.end());
      std::vector<sql_text> values;
      const std::string sql = insertion("@progress", fields, {}, values);
      SLUICE_CHECK(session->run(written(dialect_, sql), values));
    }
    return {};
  });
}

result<std::vector<progress_row>> relational_progress::load(const run_id& run) {
  SLUICE_TRY(sql_session * session, home_.session(false));
  SLUICE_TRY(const table_columns there, columns());
  if (there.marks.empty()) {
    return std::vector<progress_row>();
  }
  SLUICE_TRY(
      const auto found,
      session->ask(written(dialect_, fmt::format("SELECT [split], [description], [label], {} FROM @progress "
                                                 "WHERE [run] = ? ORDER BY [split]",
                                                 mark_columns(columns_missing(false, there.marks).empty()))),
                   {run.text()}));
  std::vector<progress_row> rows;
  for (const sql_row& one : found) {
    progress_row row;
    SLUICE_TRY(row.description, scalars_from_json(one[1].value_or("")));
    row.label = one[2].value_or("");
    SLUICE_TRY(row.at, mark_in(one, 3, {static_cast<std::uint32_t>(number_in(one[0]))}));
    rows.push_back(std::move(row));
  }
  return rows;
}

result<void> relational_progress::set_stage(const run_id& run, const std::string& stage) {
  (void)run;
  SLUICE_TRY(sql_session * session, home_.session(false));
  return in_transaction(*session, [&] { return set_stage_of(*session, dialect_, claim_, stage); });
}

result<void> relational_progress::renew(const run_id& run) {
  if (dialect_.renews_in_data && claim_.transactions.load() > 0) {
    return {};  // its commit renews, and holds the only write lock until then
  }
  SLUICE_CHECK(reclaim(run));
  return {};
}

/// Where the connection was lost, the server may not have seen that: a statement may still be on its way
/// there that commits by itself. Returns the name of the session as it is now.
result<std::string> relational_progress::end_lost_session() {
  SLUICE_TRY(std::string name, home_.session_name());
  if (name != session_) {
    SLUICE_CHECK(end_sessions({session_}));
  }
  return name;
}

result<std::string> relational_progress::reclaim(const run_id& run) {
  SLUICE_TRY(sql_session * session, home_.session(false));
  SLUICE_TRY(const std::string name, end_lost_session());
  std::string stage;
  auto done = in_transaction(*session, [&]() -> result<void> {
    // Waits for the row where the lost session is about to commit.
    SLUICE_CHECK(renew_claim(*session, dialect_, claim_, name));
    SLUICE_TRY(const auto rows,
               session->ask(written(dialect_, "SELECT [stage] FROM @run WHERE [run] = ?"), {run.text()}));
    stage = rows.empty() ? std::string() : rows[0].at(0).value_or("");
    return {};
  });
  SLUICE_CHECK(std::move(done));
  session_ = name;
  return stage;
}

result<run_totals> relational_progress::finish(const run_id& run, const dirty_totals& dirty) {
  SLUICE_TRY(sql_session * session, home_.session(false));
  run_totals totals;
  totals.dirty_by_code = dirty.by_code;
  totals.dirty_missing = dirty.missing;
  auto done = in_transaction(*session, [&]() -> result<void> {
    SLUICE_TRY(const auto rows, load(run));
    totals.splits = rows.size();
    SLUICE_CHECK(check_whole(dialect_.place, rows, rows.size()));
    for (const progress_row& row : rows) {
      const record_counts& c = row.at.counts;
      if (!c.closes() || !row.at.sums.closes()) {
        return fail(error_kind::over_limit,
                    "{}: split {} ({}) does not close: read {}, written {}, ignored {}, dirty {}, filtered "
                    "{}{}; the run is not marked done",
                    dialect_.place, row.at.split.value, escaped(row.label), c.read, c.written, c.ignored,
                    c.dirty, c.filtered, row.at.sums.closes() ? "" : ", and the sums of its records differ");
      }
      totals.counts += c;
      totals.sums += row.at.sums;
      totals.parts += row.at.parts;
      totals.changes += row.at.changes;
    }
    SLUICE_CHECK(set_stage_of(*session, dialect_, claim_, "done"));
    SLUICE_CHECK(
        session->run(written(dialect_, "UPDATE @run SET [finished_at] = @now, [totals] = ? WHERE [run] = ?"),
                     {to_json(to_scalars(totals)), run.text()}));
    SLUICE_CHECK(session->run(written(dialect_, "DELETE FROM @progress WHERE [run] = ?"), {run.text()}));
    return {};
  });
  SLUICE_CHECK(std::move(done));
  return totals;
}

result<void> relational_progress::release(const run_id& run) {
  SLUICE_TRY(sql_session * session, home_.session(false));
  const bool mine = claim_.term != 0 && claim_.run == run;
  if (mine) {
    SLUICE_CHECK(end_lost_session());  // nobody will find its name any more
  }
  // Finishing off a run that is done: only the claim of a process that is gone may be given back for it.
  SLUICE_CHECK(take_from_others(*session, run));
  return in_transaction(*session, [&]() -> result<void> {
    SLUICE_CHECK(guard(*session, dialect_));
    SLUICE_CHECK(take_from_others(*session, run));
    SLUICE_TRY(
        const auto met,
        session->run(
            written(dialect_, fmt::format("UPDATE @run SET [owner_host] = NULL, [owner_pid] = NULL, "
                                          "[owner_start] = NULL, [owner_session] = NULL WHERE [run] = ?{}",
                                          mine ? " AND " + with_term(claim_.term) : "")),
            {run.text()}));
    return mine && met != 1 ? fail(taken_over(*session, dialect_, run, "run " + run.text())) : result<void>();
  });
}

result<void> relational_progress::discard(const run_id& run) {
  SLUICE_TRY(sql_session * session, home_.session(false));
  const bool mine = claim_.term != 0 && claim_.run == run;
  if (mine) {
    SLUICE_CHECK(end_lost_session());
  }
  // Before anything of its rows is waited for.
  SLUICE_CHECK(take_from_others(*session, run));
  return in_transaction(*session, [&]() -> result<void> {
    SLUICE_CHECK(guard(*session, dialect_));
    SLUICE_CHECK(take_from_others(*session, run));
    if (!mine) {
      SLUICE_CHECK(check_as_seen(*session, run));
    } else {
      if (auto renewed = renew_claim(*session, dialect_, claim_, ""); !renewed) {
        SLUICE_TRY(const auto there,
                   session->ask(written(dialect_, "SELECT 1 FROM @run WHERE [run] = ?"), {run.text()}));
        return there.empty() ? result<void>() : fail(std::move(renewed).error());
      }
    }
    SLUICE_CHECK(end_writers(*session, run));
    SLUICE_CHECK(session->run(written(dialect_, "DELETE FROM @progress WHERE [run] = ?"), {run.text()}));
    SLUICE_CHECK(session->run(written(dialect_, "DELETE FROM @run WHERE [run] = ?"), {run.text()}));
    return {};
  });
}

}  // namespace sluice::relational
