#include "plugins/common/output/output_marks.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <utility>

#include "jobspec/digest.h"
#include "plugins/api/source.h"
#include "plugins/common/output/file_calls.h"
#include "plugins/common/output/output_parts.h"
#include "plugins/common/relational/progress_sql.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view marks_name = ".sluice-progress.db";
// Transactions in it are a few statements; only a disk that stands still makes one wait so long.
constexpr std::chrono::seconds busy_timeout{60};
constexpr std::string_view make_files_table =
    "CREATE TABLE IF NOT EXISTS sluice_file(run TEXT NOT NULL, split INTEGER NOT NULL, part INTEGER NOT "
    "NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL, text_bytes INTEGER NOT NULL, records INTEGER NOT "
    "NULL, whole INTEGER NOT NULL, PRIMARY KEY(run, split, part))";
constexpr std::string_view file_columns = "part, name, bytes, text_bytes, records, whole";
// The split of a row that says that files have begun to get their names.
constexpr int naming = -1;

std::uint64_t number_in(const relational::sql_text& value) {
  return static_cast<std::uint64_t>(relational::number_in(value));
}

std::string key_of(const std::string& job_key, const std::string& output) {
  return digest_text(job_key + "/" + output);  // no output has a slash in it
}

error files_unknown(const std::string& place) {
  return {error_kind::conflict,
          fmt::format("{}: it says that this run has written rows, and not into which files; begin anew with "
                      "--on-unfinished fresh",
                      place),
          begin_anew_code, true};
}

/// A row of `file_columns` from column `first` on.
marked_file file_in(const relational::sql_row& row, std::size_t first) {
  marked_file f;
  f.part = static_cast<std::uint32_t>(number_in(row[first]));
  f.name = row[first + 1].value_or("");
  f.bytes = number_in(row[first + 2]);
  f.text_bytes = number_in(row[first + 3]);
  f.records = number_in(row[first + 4]);
  f.whole = number_in(row[first + 5]) != 0;
  return f;
}

}  // namespace

split_marks::split_marks(std::string file, std::shared_ptr<relational::claim_state> claim)
    : claim_(std::move(claim)), dialect_(sqlite::progress_dialect_of(file)) {
  connection_.file = std::move(file);
  connection_.busy_timeout = busy_timeout;
}

result<split_marks::opened> split_marks::open(split_index split, epoch_number epoch,
                                              const stop_signal& stop) {
  connection_.stop = stop;
  SLUICE_TRY(sqlite::database * db, connection_.get(sqlite::open_mode::read_write));
  db->clear_interrupt();
  sqlite::sqlite_session session(*db);
  const std::string owner =
      claim_->owner ? fmt::format("{}:{}", claim_->owner->host, claim_->owner->pid) : "";
  opened found;
  SLUICE_TRY(found.at, relational::open_split(session, dialect_, *claim_, split, epoch, owner));
  found.at.transaction = 0;
  split_ = split;
  epoch_ = epoch;
  transaction_ = 0;
  SLUICE_TRY(const auto rows,
             session.ask(fmt::format("SELECT {} FROM sluice_file WHERE run = ? AND split = {} ORDER BY part",
                                     file_columns, split.value),
                         {claim_->run.text()}));
  for (const relational::sql_row& row : rows) {
    found.files.push_back(file_in(row, 0));
  }
  if (found.files.empty() && (found.at.done || found.at.position != 0)) {
    return fail(files_unknown(dialect_.place));
  }
  return found;
}

template <class Work>
result<void> split_marks::as_owner(std::uint64_t transaction, const stop_signal& stop, const Work& work) {
  connection_.stop = stop;
  SLUICE_TRY(sqlite::database * db, connection_.get(sqlite::open_mode::read_write));
  sqlite::sqlite_session session(*db);
  claim_->transactions.fetch_add(1);
  auto done = relational::in_transaction(session, [&]() -> result<void> {
    SLUICE_CHECK(relational::begin_mark(session, dialect_, *claim_, split_, epoch_, transaction));
    return work(session);
  });
  claim_->transactions.fetch_sub(1);
  return done;
}

result<void> split_marks::record(sqlite::sqlite_session& session, const marked_file& file) {
  SLUICE_CHECK(session.run(
      fmt::format("INSERT OR REPLACE INTO sluice_file(run, split, {}) VALUES(?, {}, {}, ?, {}, {}, {}, {})",
                  file_columns, split_.value, file.part, file.bytes, file.text_bytes, file.records,
                  file.whole ? 1 : 0),
      {claim_->run.text(), file.name}));
  return {};
}

result<void> split_marks::move(const marked_file& file, const stop_signal& stop) {
  return as_owner(0, stop, [&](sqlite::sqlite_session& session) { return record(session, file); });
}

result<void> split_marks::commit(const mark& m, const std::vector<marked_file>& changed,
                                 const stop_signal& stop) {
  if (m.transaction != transaction_ + 1 || m.epoch != epoch_ || m.split != split_) {
    return fail(error_kind::internal,
                "{}: a mark of transaction {} of epoch {} was handed over behind transaction {} of epoch {}",
                dialect_.place, m.transaction, m.epoch.value, transaction_, epoch_.value);
  }
  ++transaction_;
  return as_owner(transaction_, stop, [&](sqlite::sqlite_session& session) -> result<void> {
    for (const marked_file& file : changed) {
      SLUICE_CHECK(record(session, file));
    }
    return relational::end_mark(session, dialect_, *claim_, m);
  });
}

void split_marks::interrupt() {
  connection_.interrupt();
}

output_marks::output_marks(std::string folder)
    : folder_(std::move(folder)),
      dialect_(sqlite::progress_dialect_of(fmt::format("{}/{}", folder_, marks_name))),
      home_(*this),
      progress_(*this) {
  connection_.file = fmt::format("{}/{}", folder_, marks_name);
  connection_.busy_timeout = busy_timeout;
  dialect_.tables_name = "sluice_run, sluice_progress and sluice_file in " + dialect_.place;
}

result<relational::sql_session*> output_marks::home::session(bool makes) {
  if (makes) {
    std::error_code failed;
    std::filesystem::create_directories(of_.folder_, failed);
    if (failed) {
      return fail(file_error(failed.value(), "make the folder", of_.folder_));
    }
  }
  const bool opens = !of_.exists();
  auto got = sqlite_home::session(makes);
  if (opens) {
    of_.opened_ = of_.file_number();
  }
  return got;
}

std::uint64_t output_marks::file_number() const {
  struct stat found {};
  return ::stat(connection_.file.c_str(), &found) == 0 ? found.st_ino : 0;
}

result<void> output_marks::look(const stop_signal& stop) {
  connection_.stop = stop;
  std::error_code ignored;
  if (!connection_.db && !std::filesystem::exists(connection_.file, ignored)) {
    return {};
  }
  SLUICE_CHECK(home_.session(false));
  connection_.db->clear_interrupt();
  return {};
}

result<std::vector<output_marks::output_run>> output_marks::runs_into(const std::string& output) {
  std::vector<output_run> runs;
  if (!exists()) {
    return runs;
  }
  SLUICE_TRY(const auto columns, home_.columns_of(dialect_.run_table));
  if (columns.empty()) {
    return runs;
  }
  SLUICE_TRY(relational::sql_session * session, home_.session(false));
  SLUICE_TRY(const auto rows,
             session->ask("SELECT run, stage = 'done' FROM sluice_run WHERE output = ?", {output}));
  for (const relational::sql_row& row : rows) {
    SLUICE_TRY(const run_id run, run_id::parse(row[0].value_or("")));
    runs.push_back({run, number_in(row[1]) != 0});
  }
  return runs;
}

result<std::map<split_index, std::vector<marked_file>>> output_marks::files_of(const run_id& run) {
  std::map<split_index, std::vector<marked_file>> files;
  SLUICE_TRY(relational::sql_session * session, home_.session(false));
  SLUICE_TRY(
      const auto unknown,
      session->ask("SELECT count(*) FROM sluice_progress p WHERE p.run = ? AND (p.done <> 0 OR p.position "
                   "<> 0) AND NOT EXISTS (SELECT 1 FROM sluice_file f WHERE f.run = p.run AND f.split = "
                   "p.split)",
                   {run.text()}));
  if (number_in(unknown.at(0).at(0)) != 0) {
    return fail(files_unknown(dialect_.place));
  }
  SLUICE_TRY(const auto rows, session->ask(fmt::format("SELECT split, {} FROM sluice_file WHERE run = ? AND "
                                                       "split >= 0 ORDER BY split, part",
                                                       file_columns),
                                           {run.text()}));
  for (const relational::sql_row& row : rows) {
    files[{static_cast<std::uint32_t>(number_in(row[0]))}].push_back(file_in(row, 1));
  }
  return files;
}

result<void> output_marks::begin_naming(const run_id& run) {
  SLUICE_TRY(relational::sql_session * session, home_.session(false));
  SLUICE_CHECK(session->run(
      fmt::format("INSERT OR REPLACE INTO sluice_file(run, split, {}) VALUES(?, {}, 0, '', 0, 0, 0, 1)",
                  file_columns, naming),
      {run.text()}));
  return {};
}

result<bool> output_marks::naming_begun(const run_id& run) {
  SLUICE_TRY(relational::sql_session * session, home_.session(false));
  SLUICE_TRY(const auto rows,
             session->ask(fmt::format("SELECT 1 FROM sluice_file WHERE run = ? AND split = {}", naming),
                          {run.text()}));
  return !rows.empty();
}

result<void> output_marks::store::make_tables() {
  // SQLite itself refuses to write into a file that has lost its name.
  SLUICE_CHECK(of_.unless_removed(relational_progress::make_tables()));
  SLUICE_TRY(relational::sql_session * session, of_.home_.session(true));
  SLUICE_CHECK(session->run(std::string(make_files_table), {}));
  // Of runs that died when they were done, or whose marks somebody has removed. The files are looked for
  // first: whoever has one by then has its claim already.
  std::set<std::string> runs = runs_with_temporary_files(of_.folder_);
  SLUICE_TRY(const auto unfinished, session->ask("SELECT run FROM sluice_run WHERE stage <> 'done'", {}));
  for (const relational::sql_row& row : unfinished) {
    runs.erase(row[0].value_or(""));
  }
  remove_temporary_files(of_.folder_, runs);
  SLUICE_CHECK(
      session->run("DELETE FROM sluice_file WHERE run NOT IN (SELECT run FROM sluice_progress)", {}));
  return {};
}

result<std::vector<run_row>> output_marks::store::runs_of(const run_query& query) {
  run_query kept = query;
  kept.job_key = key_of(query.job_key, query.output);
  SLUICE_TRY(auto runs, relational_progress::runs_of(kept));
  std::erase_if(runs, [&](const run_row& run) { return run.output != query.output; });
  for (run_row& run : runs) {
    if (run.job_key == kept.job_key) {
      run.job_key = query.job_key;
    }
  }
  return runs;
}

result<void> output_marks::store::claim_new(const run_row& run) {
  run_row kept = run;
  kept.job_key = key_of(run.job_key, run.output);
  return of_.unless_removed(relational_progress::claim_new(kept));
}

result<std::uint16_t> output_marks::store::claim_again(const run_row& seen, const claim_owner& me) {
  run_row kept = seen;
  kept.job_key = key_of(seen.job_key, seen.output);
  return relational_progress::claim_again(kept, me);
}

result<void> output_marks::unless_removed(result<void> done) const {
  return file_number() == opened_
             ? std::move(done)
             : fail(error_kind::busy, "{}: another run that ended has just removed it; run the job again",
                    in_quotes(connection_.file));
}

result<void> output_marks::store::release(const run_id& run) {
  SLUICE_CHECK(relational_progress::release(run));
  SLUICE_TRY(relational::sql_session * session, of_.home_.session(false));
  SLUICE_TRY(const auto done,
             session->ask("SELECT 1 FROM sluice_run WHERE run = ? AND stage = 'done'", {run.text()}));
  if (!done.empty()) {
    // Its process may have died between its end and the removal of what it no longer needs.
    SLUICE_CHECK(forget_files(run));
  }
  of_.remove_unneeded();
  return {};
}

void output_marks::remove_unneeded() {
  const auto session = home_.session(false);
  if (!session || !(*session)->begin()) {  // which keeps other runs from taking a claim
    return;
  }
  const auto needed = (*session)->ask(
      "SELECT 1 FROM sluice_run WHERE stage <> 'done' OR owner_host IS NOT NULL OR (planned_time <> '' AND "
      "planned_time NOT LIKE 'now %') LIMIT 1",
      {});
  const bool removed =
      needed && needed->empty() && file_number() == opened_ && remove_file(connection_.file).has_value();
  (*session)->rollback();
  if (removed) {
    const std::lock_guard lock(connection_.interrupting);
    connection_.db.reset();
  }
}

result<run_totals> output_marks::store::finish(const run_id& run, const dirty_totals& dirty) {
  SLUICE_TRY(auto totals, relational_progress::finish(run, dirty));
  SLUICE_CHECK(forget_files(run));
  return totals;
}

result<void> output_marks::store::discard(const run_id& run) {
  SLUICE_CHECK(relational_progress::discard(run));
  return forget_files(run);
}

result<void> output_marks::store::forget_files(const run_id& run) {
  remove_temporary_files(of_.folder_, {run.text()});
  SLUICE_TRY(relational::sql_session * session, of_.home_.session(false));
  SLUICE_CHECK(session->run("DELETE FROM sluice_file WHERE run = ?", {run.text()}));
  return {};
}

}  // namespace sluice
