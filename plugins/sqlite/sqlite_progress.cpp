#include "plugins/sqlite/sqlite_progress.h"

#include <fmt/format.h>

#include "plugins/sqlite/sqlite_progress_tables.h"
#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

constexpr std::int64_t days_kept_done = 7;
constexpr std::int64_t seconds_until_stale = 60;  // delivery.md, "Job key, instance, claim"

/// A process on this host counts by whether it lives; one elsewhere by when it renewed its claim last. The
/// data is fenced by the epochs in either case.
bool is_held(const run_row& row) {
  if (!row.owner) {
    return false;
  }
  switch (look_up({row.owner->host, row.owner->pid, row.owner->process_start})) {
    case process_state::alive:
      return true;
    case process_state::dead:
      return false;
    case process_state::elsewhere:
      break;
  }
  return row.renewed_age_s < seconds_until_stale;
}

error held_by_another(const std::string& file, const run_row& row) {
  return {error_kind::conflict,
          fmt::format("{}: run {} of this job belongs to process {} on {}, which still runs; wait for its "
                      "end, or stop it",
                      in_quotes(file), row.run.text(), row.owner->pid, escaped(row.owner->host)),
          "claimed", true};
}

/// `conflict` where the claim that `mine` would take is held: by another run of its job key, or by one of
/// another key where either empties the output of both (delivery.md, "one more for each destination that is
/// emptied"). Inside the transaction that takes it.
result<void> check_free(database& db, const run_row& mine) {
  SLUICE_TRY(const auto others, read_runs(db, {mine.job_key, "", mine.output}));
  for (const run_row& other : others) {
    if (other.run == mine.run || !is_held(other)) {
      continue;
    }
    if (other.job_key == mine.job_key) {
      return fail(held_by_another(db.path(), other));
    }
    if (!mine.output.empty() && other.output == mine.output && (mine.empties || other.empties)) {
      return fail({error_kind::conflict,
                   fmt::format("{}: run {} of job {} writes into table {}, which {} empties first; wait for "
                               "the end of process {} on {}, or stop it",
                               in_quotes(db.path()), other.run.text(), in_quotes(other.job_name),
                               in_quotes(mine.output), mine.empties ? "this job" : "it", other.owner->pid,
                               escaped(other.owner->host)),
                   "emptied", true});
    }
  }
  return {};
}

}  // namespace

std::string sqlite_progress::tables() const {
  return fmt::format("{} and {} in {}", run_table, progress_table, in_quotes(connection_.file));
}

result<bool> sqlite_progress::has_tables() {
  SLUICE_TRY(database * db, existing());
  SLUICE_TRY(const bool runs, has_table(*db, run_table));
  SLUICE_TRY(const bool marks, has_table(*db, progress_table));
  return runs && marks;
}

result<std::size_t> sqlite_progress::columns_to_add() {
  SLUICE_TRY(const bool there, has_tables());
  if (!there) {
    return std::size_t{0};
  }
  return count_missing_columns(*connection_.db);
}

result<std::vector<run_row>> sqlite_progress::runs_of(const run_query& query) {
  if (!connection_.db) {
    return std::vector<run_row>();  // the target found no file
  }
  SLUICE_TRY(database * db, existing());
  // Without the table of marks the runs still tell that there was something.
  SLUICE_TRY(const bool there, has_table(*db, run_table));
  return there ? read_runs(*db, query) : std::vector<run_row>();
}

result<void> sqlite_progress::make_tables() {
  SLUICE_TRY(database * db, connection_.get(open_mode::create));
  return in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(make_progress_tables(*db));
    SLUICE_TRY(
        const auto removed,
        db->run(fmt::format("DELETE FROM sluice_run WHERE stage = 'done' AND finished_at < {} - ?", now_sql),
                {days_kept_done * 86400}));
    (void)removed;
    return {};
  });
}

result<void> sqlite_progress::claim_new(const run_row& run) {
  SLUICE_TRY(database * db, existing());
  auto done = in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(check_free(*db, run));
    const claim_owner owner = run.owner.value_or(claim_owner{});
    const std::string key_parts = to_json(run.key_parts);
    SLUICE_TRY(
        const auto inserted,
        db->run(fmt::format(
                    "INSERT INTO sluice_run(run, version, job_key, instance, job_name, stage, term, "
                    "planned_time, owner_host, owner_pid, owner_start, owner_session, output, empties, "
                    "key_parts, started_at, renewed_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "{0}, {0})",
                    now_sql),
                {std::string_view(run.run.text()), row_version, std::string_view(run.job_key),
                 std::string_view(run.instance), std::string_view(run.job_name), std::string_view(run.stage),
                 std::int64_t{run.term}, std::string_view(run.planned_time), std::string_view(owner.host),
                 owner.pid, std::string_view(owner.process_start), std::string_view(owner.session),
                 std::string_view(run.output), std::int64_t{run.empties}, std::string_view(key_parts)}));
    (void)inserted;
    return {};
  });
  SLUICE_CHECK(std::move(done));
  claim_.run = run.run;
  claim_.term = run.term;
  claim_.owner = run.owner;
  return {};
}

result<std::uint16_t> sqlite_progress::claim_again(const run_row& seen, const claim_owner& me) {
  if (is_held(seen) && seen.owner != me) {
    return fail(held_by_another(connection_.file, seen));
  }
  // Epochs are compared as signed numbers in SQLite; their top bit would be reached here.
  if (seen.term >= 0x7FFF) {
    return fail(error_kind::not_supported,
                "{}: run {} was taken over {} times; begin anew with --on-unfinished fresh",
                in_quotes(connection_.file), seen.run.text(), seen.term);
  }
  SLUICE_TRY(database * db, existing());
  const std::uint16_t term = static_cast<std::uint16_t>(seen.term + 1);
  const sql_value host = seen.owner ? sql_value(std::string_view(seen.owner->host)) : sql_value(nullptr);
  const sql_value pid = seen.owner ? sql_value(seen.owner->pid) : sql_value(nullptr);
  const sql_value start =
      seen.owner ? sql_value(std::string_view(seen.owner->process_start)) : sql_value(nullptr);
  auto done = in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(check_free(*db, seen));
    SLUICE_TRY(
        const auto taken,
        db->run(
            fmt::format(
                "UPDATE sluice_run SET term = ?, version = ?, owner_host = ?, owner_pid = ?, owner_start = "
                "?, "
                "owner_session "
                "= ?, renewed_at = {} WHERE run = ? AND term = ? AND owner_host IS ? AND owner_pid IS ? AND "
                "owner_start IS ?",
                now_sql),
            {std::int64_t{term}, row_version, std::string_view(me.host), me.pid,
             std::string_view(me.process_start), std::string_view(me.session),
             std::string_view(seen.run.text()), std::int64_t{seen.term}, host, pid, start}));
    return taken == 1 ? result<void>() : fail(taken_over(db->path(), "run " + seen.run.text()));
  });
  SLUICE_CHECK(std::move(done));
  claim_.run = seen.run;
  claim_.term = term;
  claim_.owner = me;
  return term;
}

result<void> sqlite_progress::freeze(const run_id& run, const std::vector<progress_row>& splits) {
  SLUICE_TRY(database * db, existing());
  return in_transaction(*db, [&]() -> result<void> {
    SLUICE_TRY(statement insert, db->prepare("INSERT INTO sluice_progress VALUES(?, ?, ?, ?, 0, '', 0, ?, ?, "
                                             "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    const std::string run_text = run.text();
    for (const progress_row& row : splits) {
      const std::string description = to_json(row.description);
      const mark_values values(row.at);
      insert.bind_text(1, run_text);
      insert.bind(2, std::int64_t{row.at.split.value});
      insert.bind_text(3, description);
      insert.bind_text(4, row.label);
      values.bind(insert, 5, row.at);
      if (insert.step() != step_answer::done) {
        return fail(db->failure("freeze the plan"));
      }
      insert.reset();
    }
    return {};
  });
}

result<std::vector<progress_row>> sqlite_progress::load(const run_id& run) {
  SLUICE_TRY(database * db, existing());
  SLUICE_TRY(const bool there, has_table(*db, progress_table));
  if (!there) {
    return std::vector<progress_row>();
  }
  SLUICE_TRY(const std::string_view columns, mark_columns(*db));
  SLUICE_TRY(statement select,
             db->prepare(fmt::format(
                 "SELECT split, description, label, {} FROM sluice_progress WHERE run = ? ORDER BY split",
                 columns)));
  const std::string run_text = run.text();
  select.bind_text(1, run_text);
  std::vector<progress_row> rows;
  step_answer answer = select.step();
  for (; answer == step_answer::row; answer = select.step()) {
    progress_row row;
    SLUICE_TRY(row.description, scalars_from_json(select.bytes_at(1)));
    row.label = select.text_at(2);
    SLUICE_TRY(row.at, read_mark(select, 3, {static_cast<std::uint32_t>(select.int64_at(0))}));
    rows.push_back(std::move(row));
  }
  if (answer == step_answer::failed) {
    return fail(db->failure("read sluice_progress"));
  }
  return rows;
}

result<void> sqlite_progress::set_stage(const run_id& run, const std::string& stage) {
  SLUICE_TRY(database * db, existing());
  (void)run;
  return in_transaction(*db, [&] { return set_stage_of(*db, claim_, stage); });
}

result<void> sqlite_progress::renew(const run_id& run) {
  (void)run;
  if (claim_.transactions.load() > 0) {
    return {};  // its commit renews, and holds the file's only write lock until then
  }
  SLUICE_TRY(database * db, existing());
  return in_transaction(*db, [&] { return renew_claim(*db, claim_); });
}

result<run_totals> sqlite_progress::finish(const run_id& run, const dirty_totals& dirty) {
  SLUICE_TRY(database * db, existing());
  run_totals totals;
  totals.dirty_by_code = dirty.by_code;
  totals.dirty_missing = dirty.missing;
  auto done = in_transaction(*db, [&]() -> result<void> {
    SLUICE_TRY(const auto rows, load(run));
    totals.splits = rows.size();
    for (const progress_row& row : rows) {
      const record_counts& c = row.at.counts;
      if (!row.at.done || !c.closes() || !row.at.sums.closes()) {
        return fail(error_kind::over_limit,
                    "{}: split {} ({}) does not close: {}read {}, written {}, ignored {}, dirty {}, filtered "
                    "{}{}; the run is not marked done",
                    in_quotes(db->path()), row.at.split.value, escaped(row.label),
                    row.at.done ? "" : "it is not complete; ", c.read, c.written, c.ignored, c.dirty,
                    c.filtered, row.at.sums.closes() ? "" : ", and the sums of its records differ");
      }
      totals.counts += c;
      totals.sums += row.at.sums;
      totals.changes += row.at.changes;
    }
    SLUICE_CHECK(set_stage_of(*db, claim_, "done"));
    const std::string kept = to_json(to_scalars(totals));
    SLUICE_TRY(
        const auto dated,
        db->run(fmt::format("UPDATE sluice_run SET finished_at = {}, totals = ? WHERE run = ?", now_sql),
                {std::string_view(kept), std::string_view(run.text())}));
    (void)dated;
    SLUICE_TRY(const auto removed,
               db->run("DELETE FROM sluice_progress WHERE run = ?", {std::string_view(run.text())}));
    (void)removed;
    return {};
  });
  SLUICE_CHECK(std::move(done));
  return totals;
}

result<void> sqlite_progress::check_not_held_elsewhere(database& db, const run_id& run) const {
  if (claim_.term != 0 && claim_.run == run) {
    return {};
  }
  SLUICE_TRY(const auto key,
             db.ask("SELECT job_key FROM sluice_run WHERE run = ?", {std::string_view(run.text())}));
  SLUICE_TRY(const auto runs, read_runs(db, {key.value_or(""), "", ""}));
  for (const run_row& row : runs) {
    if (row.run == run && is_held(row)) {
      return fail(held_by_another(db.path(), row));
    }
  }
  return {};
}

result<void> sqlite_progress::release(const run_id& run) {
  SLUICE_TRY(database * db, existing());
  const bool mine = claim_.term != 0 && claim_.run == run;
  return in_transaction(*db, [&]() -> result<void> {
    // Finishing off a run that is done: only the claim of a process that is gone may be given back for it.
    SLUICE_CHECK(check_not_held_elsewhere(*db, run));
    SLUICE_TRY(const auto released,
               db->run("UPDATE sluice_run SET owner_host = NULL, owner_pid = NULL, owner_start = NULL, "
                       "owner_session = NULL WHERE run = ? AND (?2 = 0 "
                       "OR term = ?2)",
                       {std::string_view(run.text()), mine ? std::int64_t{claim_.term} : std::int64_t{0}}));
    (void)released;  // none: it was taken over, and then it is not ours to release
    return {};
  });
}

result<void> sqlite_progress::discard(const run_id& run) {
  SLUICE_TRY(database * db, existing());
  return in_transaction(*db, [&]() -> result<void> {
    SLUICE_CHECK(check_not_held_elsewhere(*db, run));
    SLUICE_TRY(const auto splits,
               db->run("DELETE FROM sluice_progress WHERE run = ?", {std::string_view(run.text())}));
    SLUICE_TRY(const auto runs,
               db->run("DELETE FROM sluice_run WHERE run = ?", {std::string_view(run.text())}));
    (void)splits, (void)runs;
    return {};
  });
}

}  // namespace sluice::sqlite
