#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/api/step_stage.h"
#include "plugins/common/relational/progress.h"
#include "plugins/common/sqlite/sqlite_session.h"
#include "tests/unit/plugins/sqlite/sqlite_fixture.h"

namespace sluice::testing {
namespace {

const schema two_texts = {column_of("a", type_of(type_id::utf8)), column_of("b", type_of(type_id::utf8))};
const std::string into_t = R"("table": "t", "column": ["a", "b"])";

epoch_number epoch_of(std::uint16_t term, std::uint16_t reconnect) {
  return epoch_number::make(term, 1, reconnect);
}

std::shared_ptr<batch> two_rows() {
  return text_batch({"a", "b"}, {{"1", "x"}, {"2", nullptr}});
}

class sqlite_progress_test : public sqlite_test {
 protected:
  void SetUp() override { sql("CREATE TABLE t(a TEXT PRIMARY KEY, b TEXT)"); }

  /// The run as `late` sees it once its process has given the claim back.
  static run_row given_back(const begun_run& run, target& late) {
    EXPECT_TRUE(run.object->progress()->release(run.row.run));
    EXPECT_TRUE(late.open(two_texts, {}));
    const auto seen = late.progress()->runs_of(query_for(run.row));
    EXPECT_TRUE(seen && seen->size() == 1);
    return seen && !seen->empty() ? (*seen)[0] : run_row();
  }
};

TEST_F(sqlite_progress_test, changes_nothing_before_the_claim) {
  auto object = make_target(into_t);
  const auto opened = object->open(two_texts, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(opened->exactly_once);
  EXPECT_EQ(opened->writers_max, 1u);
  EXPECT_TRUE(object->progress()->runs_of({"x", "", "t"})->empty());
  EXPECT_EQ(rows("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), std::vector<std::string>{"1"});
}

TEST_F(sqlite_progress_test, makes_rows_and_mark_durable_together) {
  auto run = begin(into_t, two_texts);
  const auto opened = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->transaction, 0u);
  EXPECT_FALSE(opened->after);
  const auto written = run.out->write(*two_rows(), {});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->written, 2u);
  const mark m = mark_of(*opened, 1, 2, true);
  const auto committed = run.out->commit(m, {});
  ASSERT_TRUE(committed) << committed.error().message;

  EXPECT_EQ(rows("SELECT * FROM t"), (std::vector<std::string>{"1|x", "2|<null>"}));
  const auto loaded = run.object->progress()->load(run.row.run);
  ASSERT_TRUE(loaded && loaded->size() == 1);
  EXPECT_EQ((*loaded)[0].at, m);
  EXPECT_EQ((*loaded)[0].label, "part 0");
  EXPECT_EQ((*loaded)[0].description, (scalar_list{{"part", {std::int64_t{0}}}}));
}

TEST_F(sqlite_progress_test, loses_what_is_rolled_back_and_opens_at_the_last_mark) {
  auto run = begin(into_t, two_texts);
  auto m = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(m && run.out->write(*text_batch({"a", "b"}, {{"0", "first"}}), {}) &&
              run.out->commit(mark_of(*m, 1, 1, false), {}));
  ASSERT_TRUE(run.out->write(*two_rows(), {}));
  run.out->rollback();
  const auto again = run.out->open({0}, epoch_of(1, 1), {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->position, 1u);
  EXPECT_EQ(again->after, (cursor{{"rowid", {std::int64_t{1}}}}));
  EXPECT_EQ(again->epoch, epoch_of(1, 1));
  EXPECT_EQ(rows("SELECT a FROM t"), std::vector<std::string>{"0"});
}

TEST_F(sqlite_progress_test, lets_an_older_epoch_neither_open_nor_begin_nor_commit) {
  auto run = begin(into_t, two_texts);
  ASSERT_TRUE(run.out->open({0}, epoch_of(1, 1), {}));
  auto newer = run.object->make_writer(run.description.columns);
  ASSERT_TRUE(newer && (*newer)->open({0}, epoch_of(1, 2), {}));

  const auto late_write = run.out->write(*two_rows(), {});
  ASSERT_FALSE(late_write);
  EXPECT_EQ(late_write.error().kind, error_kind::conflict) << late_write.error().message;
  run.out->rollback();
  const auto late_open = run.out->open({0}, epoch_of(1, 1), {});
  ASSERT_FALSE(late_open);
  EXPECT_EQ(late_open.error().kind, error_kind::conflict);
  const auto same_open = run.out->open({0}, epoch_of(1, 2), {});
  ASSERT_FALSE(same_open) << "an epoch owns a split once";
  EXPECT_EQ(rows("SELECT count(*) FROM t"), std::vector<std::string>{"0"});
}

TEST_F(sqlite_progress_test, sets_a_mark_only_under_the_epoch_and_number_that_its_transaction_began_with) {
  const auto run = begin(into_t, two_texts);
  auto db = sqlite::database::open(file(), sqlite::open_mode::read_write, std::chrono::seconds(5));
  ASSERT_TRUE(db) << db.error().message;
  sqlite::sqlite_session session(*db);
  const auto dialect = sqlite::progress_dialect_of(file());
  relational::claim_state claim;
  claim.run = run.row.run;
  const auto kind = [](const result<void>& r) { return r ? error_kind::internal : r.error().kind; };
  ASSERT_TRUE(relational::open_split(session, dialect, claim, {0}, epoch_of(1, 1), "me"));
  mark m;
  m.epoch = epoch_of(1, 1);
  m.transaction = 1;
  EXPECT_EQ(kind(relational::end_mark(session, dialect, claim, m)), error_kind::conflict) << "none began";
  EXPECT_TRUE(relational::begin_mark(session, dialect, claim, {0}, m.epoch, 1));
  m.epoch = epoch_of(1, 2);
  EXPECT_EQ(kind(relational::end_mark(session, dialect, claim, m)), error_kind::conflict) << "another epoch";
  m.epoch = epoch_of(1, 1);
  EXPECT_TRUE(relational::end_mark(session, dialect, claim, m));
  ASSERT_TRUE(relational::open_split(session, dialect, claim, {0}, epoch_of(1, 3), "me"));
  m.epoch = epoch_of(1, 3);
  EXPECT_EQ(kind(relational::end_mark(session, dialect, claim, m)), error_kind::conflict)
      << "the number is of another epoch";
  claim.term = static_cast<std::uint16_t>(run.row.term + 1);
  EXPECT_EQ(kind(relational::set_stage_of(session, dialect, claim, "loading")), error_kind::conflict);
  EXPECT_FALSE(relational::stage_of(session, dialect, claim)) << "another term";
}

TEST_F(sqlite_progress_test, refuses_a_commit_of_a_claim_that_was_taken_over) {
  auto run = begin(into_t, two_texts);
  const auto m = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(m);
  sql("UPDATE sluice_run SET term = 2");
  ASSERT_TRUE(run.out->write(*two_rows(), {}));
  const auto committed = run.out->commit(mark_of(*m, 1, 2, true), {});
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, error_kind::conflict);
  run.out->rollback();
  EXPECT_EQ(rows("SELECT count(*) FROM t"), std::vector<std::string>{"0"});
  EXPECT_EQ(run.object->progress()->renew(run.row.run).error().kind, error_kind::conflict);
}

TEST_F(sqlite_progress_test, finishes_only_what_is_done_and_closes) {
  auto run = begin(into_t, two_texts, 2);
  progress_store* store = run.object->progress();
  const auto m = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(m && run.out->write(*two_rows(), {}) && run.out->commit(mark_of(*m, 1, 2, true), {}));
  const auto early = store->finish(run.row.run, {});
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().kind, error_kind::over_limit);
  EXPECT_NE(early.error().message.find("by its marks 1 of 2 splits are complete, with 2 records written"),
            std::string::npos)
      << early.error().message;

  const auto second = run.out->open({1}, epoch_of(1, 0), {});
  mark unclosed = mark_of(*second, 1, 5, true);
  unclosed.counts.written = 4;
  ASSERT_TRUE(run.out->commit(unclosed, {}));
  EXPECT_EQ(store->finish(run.row.run, {}).error().kind, error_kind::over_limit);
  ASSERT_TRUE(run.out->commit(mark_of(*second, 2, 5, true), {}));

  const auto totals = store->finish(run.row.run, {});
  ASSERT_TRUE(totals) << totals.error().message;
  EXPECT_EQ(totals->counts.written, 7u);
  EXPECT_EQ(totals->splits, 2u);
  EXPECT_EQ(rows("SELECT stage, finished_at IS NOT NULL FROM sluice_run"),
            std::vector<std::string>{"done|1"});
  EXPECT_EQ(rows("SELECT count(*) FROM sluice_progress"), std::vector<std::string>{"0"});
  ASSERT_TRUE(store->release(run.row.run));
  EXPECT_FALSE((*store->runs_of(query_for(run.row)))[0].owner);
}

TEST_F(sqlite_progress_test, keeps_what_was_changed_with_the_mark_and_in_the_totals) {
  auto run = begin(into_t, two_texts);
  const auto opened = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(opened && run.out->write(*two_rows(), {}));
  mark m = mark_of(*opened, 1, 2, false);
  m.changes = {{{0, change_rule::fraction_cut}, 3}, {{1, change_rule::rounded}, 1}};
  m.parts = {1, 1, 0, 0};
  m.counts.dirty_bytes = 12;
  m.counts.filtered_bytes = 34;
  ASSERT_TRUE(run.out->commit(m, {}));
  EXPECT_EQ(rows("SELECT changes FROM sluice_progress"),
            std::vector<std::string>{"0:fraction_cut=3,1:rounded=1"});
  EXPECT_EQ(rows("SELECT parts FROM sluice_progress"), std::vector<std::string>{"inserted=1,updated=1"});
  progress_store* store = run.object->progress();
  const auto loaded = store->load(run.row.run);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)[0].at.changes, m.changes);
  EXPECT_EQ((*loaded)[0].at.parts, m.parts);
  EXPECT_EQ((*loaded)[0].at.counts, m.counts);
  const auto again = run.out->open({0}, epoch_of(1, 1), {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->changes, m.changes) << "where the next process goes on";
  EXPECT_EQ(again->parts, m.parts);
  mark last = *again;
  last.transaction = 1;
  last.done = true;
  ASSERT_TRUE(run.out->commit(last, {}));
  const auto totals = store->finish(run.row.run, {});
  ASSERT_TRUE(totals) << totals.error().message;
  EXPECT_EQ(totals->changes, m.changes);
  EXPECT_EQ(totals->parts, m.parts);
  EXPECT_EQ(totals->counts.dirty_bytes, 12u);
  const auto found = store->runs_of(query_for(run.row));
  ASSERT_TRUE(found && found->size() == 1 && (*found)[0].totals);
  EXPECT_EQ((*found)[0].totals->changes, m.changes) << "for a start that has only the claim to release";
}

TEST_F(sqlite_progress_test, refuses_a_second_run_while_the_first_process_lives_and_names_its_pid) {
  auto run = begin(into_t, two_texts);
  auto other = make_target(into_t);
  ASSERT_TRUE(other->open(two_texts, {}) && other->progress()->make_tables());
  const auto claimed = other->progress()->claim_new(row_for(2));
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error().kind, error_kind::conflict);
  EXPECT_NE(claimed.error().message.find(fmt::format("process {}", ::getpid())), std::string::npos)
      << claimed.error().message;
  run_row seen = row_for(1);
  claim_owner me = this_owner();
  me.pid = 1;
  EXPECT_FALSE(other->progress()->claim_again(seen, me));
}

/// Runs `work` in a child process that then kills itself, as a power failure of the process would.
template <class Work>
void in_a_killed_child(const Work& work) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    work();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST_F(sqlite_progress_test, is_at_its_last_mark_after_a_kill_in_the_middle_of_a_transaction) {
  in_a_killed_child([&] {
    auto run = begin(into_t, two_texts);
    const auto m = run.out->open({0}, epoch_of(1, 0), {});
    if (m && run.out->write(*text_batch({"a", "b"}, {{"0", "kept"}}), {}) &&
        run.out->commit(mark_of(*m, 1, 1, false), {})) {
      (void)run.out->write(*two_rows(), {});
    }
    ::kill(::getpid(), SIGKILL);
  });
  auto object = make_target(into_t);
  ASSERT_TRUE(object->open(two_texts, {}));
  progress_store* store = object->progress();
  const auto found = store->runs_of(query_for(row_for(1)));
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ((*found)[0].stage, "loading");
  ASSERT_TRUE((*found)[0].owner);
  EXPECT_EQ(look_up({(*found)[0].owner->host, (*found)[0].owner->pid, (*found)[0].owner->process_start}),
            process_state::dead);

  const auto term = store->claim_again((*found)[0], this_owner());
  ASSERT_TRUE(term) << term.error().message;
  EXPECT_EQ(*term, 2u);
  EXPECT_FALSE(store->claim_again((*found)[0], this_owner())) << "the compare-and-set succeeds once";
  const auto described = object->open(two_texts, {});
  ASSERT_TRUE(described);
  auto out = object->make_writer(described->columns);
  ASSERT_TRUE(out);
  const auto m = (*out)->open({0}, epoch_of(2, 0), {});
  ASSERT_TRUE(m) << m.error().message;
  EXPECT_EQ(m->position, 1u);
  EXPECT_EQ(rows("SELECT a FROM t"), std::vector<std::string>{"0"});
  ASSERT_TRUE((*out)->write(*two_rows(), {}));
  ASSERT_TRUE((*out)->commit(mark_of(*m, 1, 3, true), {}));
  EXPECT_EQ(store->finish(row_for(1).run, {})->counts.written, 3u);
}

TEST_F(sqlite_progress_test, fences_a_claim_that_is_only_stale_before_another_run_begins) {
  auto former = begin(into_t, two_texts);
  const auto m = former.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(m);
  sql("UPDATE sluice_run SET owner_host = 'elsewhere', renewed_at = renewed_at - 100");
  auto run = begin(into_t, two_texts, 1, 2);
  EXPECT_EQ(rows("SELECT term, owner_host FROM sluice_run WHERE run = '" + former.row.run.text() + "'"),
            std::vector<std::string>{"2|<null>"});
  EXPECT_EQ(former.out->write(*two_rows(), {}).error().kind, error_kind::conflict);
  former.out->rollback();
  EXPECT_EQ(former.out->open({0}, epoch_of(1, 1), {}).error().kind, error_kind::conflict);
  EXPECT_EQ(former.object->progress()->renew(former.row.run).error().kind, error_kind::conflict);
  EXPECT_EQ(rows("SELECT count(*) FROM t"), std::vector<std::string>{"0"});

  // It is unfinished as before: a later start may go on with it.
  ASSERT_TRUE(run.object->progress()->release(run.row.run));
  const auto found = run.object->progress()->runs_of(query_for(former.row));
  const auto seen = std::find_if(found->begin(), found->end(),
                                 [&](const run_row& row) { return row.run == former.row.run; });
  ASSERT_NE(seen, found->end());
  EXPECT_FALSE(seen->held);
  const auto term = run.object->progress()->claim_again(*seen, this_owner());
  ASSERT_TRUE(term) << term.error().message;
  auto out = run.object->make_writer(run.description.columns);
  ASSERT_TRUE((*out)->open({0}, epoch_of(*term, 0), {}));
}

TEST_F(sqlite_progress_test, says_of_each_run_whether_it_is_held) {
  auto run = begin(into_t, two_texts);
  const auto held = [&] { return (*run.object->progress()->runs_of(query_for(run.row)))[0].held; };
  EXPECT_TRUE(held());
  sql("UPDATE sluice_run SET renewed_at = renewed_at - 100");
  EXPECT_TRUE(held()) << "its process lives";
  sql("UPDATE sluice_run SET owner_host = 'elsewhere'");
  EXPECT_FALSE(held());
  sql("UPDATE sluice_run SET renewed_at = renewed_at + 100");
  EXPECT_TRUE(held());
  ASSERT_TRUE(run.object->progress()->release(run.row.run));
  EXPECT_FALSE(held());
}

TEST_F(sqlite_progress_test, gives_a_dead_processs_claim_to_a_new_run) {
  in_a_killed_child([&] { (void)begin(into_t, two_texts); });
  auto run = begin(into_t, two_texts, 1, 2);
  EXPECT_EQ(run.object->progress()->runs_of(query_for(run.row))->size(), 2u);
  ASSERT_TRUE(run.object->progress()->discard(row_for(1).run));
  const auto left = run.object->progress()->runs_of(query_for(run.row));
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ((*left)[0].run, run.row.run);
  EXPECT_EQ(rows("SELECT count(*) FROM sluice_progress"), std::vector<std::string>{"1"});
}

TEST_F(sqlite_progress_test, forgets_runs_that_were_done_more_than_seven_days_ago) {
  auto run = begin(into_t, two_texts);
  sql("UPDATE sluice_run SET stage = 'done', owner_host = NULL, finished_at = strftime('%s', 'now') - 6 * "
      "86400");
  ASSERT_TRUE(run.object->progress()->make_tables());
  EXPECT_EQ(rows("SELECT count(*) FROM sluice_run"), std::vector<std::string>{"1"});
  sql("UPDATE sluice_run SET finished_at = strftime('%s', 'now') - 8 * 86400");
  ASSERT_TRUE(run.object->progress()->make_tables());
  EXPECT_EQ(rows("SELECT count(*) FROM sluice_run"), std::vector<std::string>{"0"});
}

TEST_F(sqlite_progress_test, records_each_step_in_the_steps_own_transaction) {
  auto run = begin(
      into_t +
          R"j(, "preSql": ["DELETE FROM @table", "VACUUM"], "postSql": ["INSERT INTO @table VALUES('p', 'q'); SELECT 1", "INSERT INTO gone VALUES(1)"])j",
      two_texts);
  ASSERT_TRUE(run.object->run_step_after(0, {}));
  const std::vector<std::string> one_ran = {stage_behind(run.object->steps_after(), 1)};
  EXPECT_EQ(rows("SELECT stage FROM sluice_run"), one_ran);
  const auto failed = run.object->run_step_after(1, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, error_kind::bad_option);
  EXPECT_NE(failed.error().message.find("postSql[1]"), std::string::npos) << failed.error().message;
  EXPECT_EQ(rows("SELECT stage FROM sluice_run"), one_ran);
  EXPECT_EQ(rows("SELECT * FROM t"), std::vector<std::string>{"p|q"});
}

TEST_F(sqlite_progress_test, records_that_a_step_was_begun_where_it_does_not_stand_in_a_transaction) {
  auto run = begin(
      into_t +
          R"j(, "postSql": ["PRAGMA foreign_keys = 0", "PRAGMA foreign_keys = 0; INSERT INTO @table VALUES('p', 'q'); INSERT INTO gone VALUES(1)"])j",
      two_texts);
  sql("CREATE TRIGGER told BEFORE UPDATE ON sluice_run BEGIN INSERT INTO stages VALUES(NEW.stage); END");
  sql("CREATE TABLE stages (stage)");
  ASSERT_TRUE(run.object->run_step_after(0, {}));
  const auto steps = run.object->steps_after();
  EXPECT_TRUE(steps[0].repeatable);
  EXPECT_FALSE(steps[1].repeatable) << "the INSERT behind the PRAGMA";
  const auto failed = run.object->run_step_after(1, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, step_unknown_code) << failed.error().message;
  EXPECT_NE(failed.error().message.find("--skip-postsql"), std::string::npos) << failed.error().message;
  const step_stages last = stages_behind_data(steps, 1);
  EXPECT_EQ(rows("SELECT stage FROM stages"), (std::vector<std::string>{last.before, last.begun}));
  EXPECT_EQ(begun_in(last.begun)->before, last.before);
}

TEST_F(sqlite_progress_test, finds_what_other_jobs_have_left_half_done_in_the_table) {
  auto run = begin(into_t, two_texts);
  const auto m = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(m && run.out->write(*two_rows(), {}) && run.out->commit(mark_of(*m, 1, 2, false), {}));
  progress_store* store = run.object->progress();
  const run_query queries[] = {{run.row.job_key, "", ""}, {"x", "", "t"}, {"x", "test job", "u"}};
  for (const run_query& query : queries) {
    const auto found = store->runs_of(query);
    ASSERT_TRUE(found && found->size() == 1) << query.output;
    const run_row& row = (*found)[0];
    EXPECT_EQ(row.run, run.row.run);
    EXPECT_EQ(row.output, "t");
    EXPECT_FALSE(row.empties);
    EXPECT_EQ(row.key_parts, run.row.key_parts);
    EXPECT_EQ(row.written, 2u);
    EXPECT_FALSE(row.totals);
  }
  EXPECT_TRUE(store->runs_of({"x", "other job", "u"})->empty());
  sql("UPDATE sluice_run SET stage = 'done'");
  EXPECT_EQ(store->runs_of({"x", "test job", "u"})->size(), 1u) << "it may be this job's by other addresses";
  EXPECT_TRUE(store->runs_of({"x", "other job", "u"})->empty()) << "what is done concerns nobody else";
  EXPECT_EQ(store->runs_of({run.row.job_key, "", ""})->size(), 1u);
}

TEST_F(sqlite_progress_test, keeps_the_totals_of_a_run_that_is_done) {
  auto run = begin(into_t, two_texts);
  const auto m = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(m && run.out->write(*two_rows(), {}));
  mark closing = mark_of(*m, 1, 2, true);
  closing.counts.read = 5;
  closing.counts.dirty = 3;
  closing.sums.changed = true;
  ASSERT_TRUE(run.out->commit(closing, {}));
  const auto totals = run.object->progress()->finish(run.row.run, {{{"too_long", 2}, {"bad", 1}}, 1});
  ASSERT_TRUE(totals) << totals.error().message;
  EXPECT_EQ(totals->counts, closing.counts);
  EXPECT_EQ(totals->dirty_by_code.at("too_long"), 2u);
  EXPECT_EQ(totals->dirty_missing, 1u);
  const auto found = run.object->progress()->runs_of(query_for(run.row));
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ((*found)[0].totals, *totals);
}

TEST_F(sqlite_progress_test, tells_the_output_and_whether_its_steps_empty_it) {
  auto plain = make_target(R"("table": "main.\"T\"", "column": ["a", "b"])")->open(two_texts, {});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->output, "t");
  EXPECT_FALSE(plain->empties);
  auto emptied =
      make_target(into_t + R"(, "preSql": ["SELECT 1", "DELETE FROM @table"])")->open(two_texts, {});
  ASSERT_TRUE(emptied) << emptied.error().message;
  EXPECT_TRUE(emptied->empties);
}

struct emptied_case {
  const char* what;
  bool first_empties;
  bool second_empties;
  const char* second_output;
  bool refused;
};

TEST_F(sqlite_progress_test,
       gives_no_claim_where_a_living_run_of_another_job_fills_what_one_of_both_empties) {
  const emptied_case cases[] = {{"neither empties", false, false, "t", false},
                                {"the first empties", true, false, "t", true},
                                {"the second empties", false, true, "t", true},
                                {"both", true, true, "t", true},
                                {"another table", true, true, "u", false}};
  auto object = make_target(into_t);
  ASSERT_TRUE(object->open(two_texts, {}) && object->progress()->make_tables());
  for (const auto& c : cases) {
    sql("DELETE FROM sluice_run");
    run_row first = row_for(1);
    first.empties = c.first_empties;
    ASSERT_TRUE(object->progress()->claim_new(first));
    run_row second = row_for(2);
    second.job_key = "another key";
    second.job_name = "other job";
    second.empties = c.second_empties;
    second.output = c.second_output;
    auto other = make_target(into_t);
    ASSERT_TRUE(other->open(two_texts, {}));
    const auto claimed = other->progress()->claim_new(second);
    EXPECT_EQ(!claimed, c.refused) << c.what;
    if (!claimed) {
      EXPECT_EQ(claimed.error().kind, error_kind::conflict);
      EXPECT_NE(claimed.error().message.find(fmt::format("process {}", ::getpid())), std::string::npos)
          << claimed.error().message;
    }
  }
}

TEST_F(sqlite_progress_test, forgets_no_run_that_another_living_process_works_on) {
  auto run = begin(into_t, two_texts);
  auto other = make_target(into_t);
  ASSERT_TRUE(other->open(two_texts, {}));
  const auto discarded = other->progress()->discard(run.row.run);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().kind, error_kind::conflict);
  EXPECT_TRUE(run.object->progress()->discard(run.row.run)) << "one's own is forgotten";
}

TEST_F(sqlite_progress_test, forgets_no_run_that_was_taken_up_since_it_was_looked_at) {
  auto run = begin(into_t, two_texts);
  auto late = make_target(into_t);
  const run_row seen = given_back(run, *late);
  auto other = make_target(into_t);
  ASSERT_TRUE(other->open(two_texts, {}));
  ASSERT_TRUE(other->progress()->claim_again(seen, this_owner()));
  ASSERT_TRUE(other->progress()->release(run.row.run));
  const auto discarded = late->progress()->discard(run.row.run);
  ASSERT_FALSE(discarded);
  EXPECT_EQ(discarded.error().code, "came_between") << discarded.error().message;
  ASSERT_TRUE(late->progress()->runs_of(query_for(run.row)));
  EXPECT_TRUE(late->progress()->discard(run.row.run)) << "as it was seen last";
}

TEST_F(sqlite_progress_test, takes_up_no_run_that_has_gone_on_since_it_was_looked_at) {
  auto run = begin(into_t, two_texts);
  auto late = make_target(into_t);
  const run_row seen = given_back(run, *late);
  // As of a process that has slept through its claim.
  ASSERT_TRUE(run.object->progress()->set_stage(run.row.run, "post:1"));
  const auto taken = late->progress()->claim_again(seen, this_owner());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, claimed_code) << taken.error().message;
  const auto again = late->progress()->runs_of(query_for(run.row));
  ASSERT_TRUE(again);
  EXPECT_TRUE(late->progress()->claim_again((*again)[0], this_owner()));
}

/// The tables as version 1 made them.
const std::string tables_of_version_1 = R"(
CREATE TABLE sluice_run(
  run TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, job_key TEXT NOT NULL, instance TEXT NOT NULL, job_name TEXT NOT NULL,
  stage TEXT NOT NULL, term INTEGER NOT NULL, planned_time TEXT NOT NULL,
  owner_host TEXT, owner_pid INTEGER, owner_start TEXT, owner_session TEXT,
  started_at INTEGER NOT NULL, renewed_at INTEGER NOT NULL, finished_at INTEGER);
CREATE TABLE sluice_progress(
  run TEXT NOT NULL, split INTEGER NOT NULL, description TEXT NOT NULL, label TEXT NOT NULL,
  epoch INTEGER NOT NULL, owner TEXT NOT NULL, txn INTEGER NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL, cursor TEXT,
  read INTEGER NOT NULL, written INTEGER NOT NULL, ignored INTEGER NOT NULL, dirty INTEGER NOT NULL, filtered INTEGER NOT NULL,
  bytes INTEGER NOT NULL, read_sum TEXT NOT NULL, written_sum TEXT NOT NULL, dirty_sum TEXT NOT NULL, changed INTEGER NOT NULL,
  done INTEGER NOT NULL, PRIMARY KEY(run, split));
INSERT INTO sluice_run VALUES('018bcfe5-6800-7001-8000-000000000001', 1, '0123456789abcdef0123456789abcdef', 'i', 'test job', 'loading', 3, '',
  NULL, NULL, NULL, NULL, 1700000000, 1700000000, NULL);
INSERT INTO sluice_progress VALUES('018bcfe5-6800-7001-8000-000000000001', 0, '{}', 'part 0', 5, '', 0, 2, 7, NULL,
  7, 6, 0, 1, 0, 70, '00000000000000000000000000000000', '00000000000000000000000000000000', '00000000000000000000000000000000', 1, 0);
)";

TEST_F(sqlite_progress_test, goes_on_with_a_run_of_an_older_version) {
  sql(tables_of_version_1);
  auto object = make_target(into_t);
  const auto opened = object->open(two_texts, {});
  ASSERT_TRUE(opened) << opened.error().message;
  const std::string tables = object->progress()->tables();
  EXPECT_NE(tables.find("sluice_run and sluice_progress in "), std::string::npos) << tables;
  EXPECT_EQ(std::count(opened->changes.begin(), opened->changes.end(),
                       "The tables " + tables + ", made by an older version, get 9 more columns."),
            1);
  progress_store* store = object->progress();
  auto found = store->runs_of({"0123456789abcdef0123456789abcdef", "", "t"});
  ASSERT_TRUE(found && found->size() == 1) << found.error().message;
  EXPECT_EQ((*found)[0].written, 6u);
  EXPECT_EQ((*found)[0].output, "");
  EXPECT_EQ(store->runs_of({"x", "test job", "t"})->size(), 1u);
  const auto before = store->load((*found)[0].run);
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ((*before)[0].at.position, 7u) << "read before anything is changed";
  ASSERT_TRUE(store->make_tables());
  ASSERT_TRUE(store->make_tables()) << "a second time there is nothing to add";
  EXPECT_EQ(store->runs_of({"x", "other job", "t"})->size(), 1u) << "its output is not known";
  const auto term = store->claim_again((*found)[0], this_owner());
  ASSERT_TRUE(term) << term.error().message;
  EXPECT_EQ(*term, 4u);
  const mark left = (*store->load((*found)[0].run))[0].at;
  EXPECT_EQ(left.position, 7u);
  EXPECT_EQ(left.changes, change_counts()) << "an older program kept no counts of changes";
  EXPECT_EQ(left.parts, written_parts());
  EXPECT_EQ(left.counts.dirty_bytes, 0u);
  EXPECT_EQ(rows("SELECT version FROM sluice_run"), std::vector<std::string>{"4"}) << "it would lose them";
  const auto again = object->open(two_texts, {});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->changes.empty());
}

TEST_F(sqlite_progress_test, leaves_runs_of_a_newer_version_to_the_program_that_knows_them) {
  auto run = begin(into_t, two_texts);
  sql("UPDATE sluice_run SET version = 5");
  const auto found = run.object->progress()->runs_of(query_for(run.row));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, error_kind::not_supported);
  EXPECT_NE(found.error().message.find(run.row.run.text()), std::string::npos) << found.error().message;
}

TEST_F(sqlite_progress_test, leaves_a_table_of_another_form_alone) {
  sql("CREATE TABLE sluice_run(id INTEGER)");
  const error refused = target_refused(into_t, two_texts);
  EXPECT_EQ(refused.kind, error_kind::bad_option);
  EXPECT_NE(refused.message.find("sluice_run has not the form of a table of marks"), std::string::npos)
      << refused.message;
}

TEST_F(sqlite_progress_test, takes_nothing_from_a_process_that_lives) {
  auto run = begin(into_t, two_texts);
  auto other = make_target(into_t);
  ASSERT_TRUE(other->open(two_texts, {}));
  const auto found = other->progress()->runs_of(query_for(run.row));
  ASSERT_TRUE(found && found->size() == 1);
  const auto taken = other->progress()->take((*found)[0]);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, claimed_code);
  EXPECT_TRUE(run.object->progress()->renew(run.row.run));
}

TEST_F(sqlite_progress_test, leaves_the_renewal_to_the_commit_while_a_transaction_is_open) {
  auto run = begin(into_t + R"(, "busyTimeout": 1)", two_texts);
  const auto m = run.out->open({0}, epoch_of(1, 0), {});
  ASSERT_TRUE(m);
  sql("UPDATE sluice_run SET renewed_at = renewed_at - 50");
  ASSERT_TRUE(run.out->write(*two_rows(), {}));
  const auto renewed = run.object->progress()->renew(run.row.run);
  EXPECT_TRUE(renewed) << renewed.error().message;
  ASSERT_TRUE(run.out->commit(mark_of(*m, 1, 2, true), {}));
  EXPECT_EQ(rows("SELECT renewed_at > strftime('%s', 'now') - 30 FROM sluice_run"),
            std::vector<std::string>{"1"});
}

TEST_F(sqlite_progress_test, takes_no_run_over_more_often_than_epochs_can_tell) {
  auto run = begin(into_t, two_texts);
  auto other = make_target(into_t);
  ASSERT_TRUE(other->open(two_texts, {}));
  sql("UPDATE sluice_run SET term = 32767, owner_host = 'elsewhere', renewed_at = renewed_at - 100");
  const auto found = other->progress()->runs_of(query_for(run.row));
  ASSERT_TRUE(found && found->size() == 1);
  const auto again = other->progress()->claim_again((*found)[0], this_owner());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, error_kind::not_supported);
  const auto beside = other->progress()->claim_new(row_for(2));
  ASSERT_FALSE(beside);
  EXPECT_EQ(beside.error().kind, error_kind::not_supported);
  EXPECT_EQ(rows("SELECT term FROM sluice_run"), std::vector<std::string>{"32767"});
}

}  // namespace
}  // namespace sluice::testing
