#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "plugins/common/relational/progress.h"
#include "plugins/common/sqlite/sqlite_session.h"

namespace sluice::relational {
namespace {

using ::testing::ElementsAre;

const claim_owner elsewhere = {"another-host", 4711, "then", "S1"};
const claim_owner me = {"another-host", 4712, "now", ""};

/// A server in memory, whose other sessions act where a test lets them: before a statement of this one's. It
/// notes transactions, and which sessions are ended.
class watched_home : public progress_home, public sql_session {
 public:
  watched_home() : db_(memory()), inner_(db_) {}

  result<sql_session*> session(bool) override { return this; }
  result<std::vector<std::string>> columns_of(const std::string& table) override {
    SLUICE_TRY(const auto rows, inner_.ask("SELECT name FROM pragma_table_info(?)", {table}));
    std::vector<std::string> names;
    for (const sql_row& row : rows) {
      names.push_back(row[0].value_or(""));
    }
    return names;
  }
  result<std::string> session_name() override { return own_name; }
  result<std::optional<bool>> session_lives(const std::string& name) override {
    return std::optional(!ended_.contains(name));
  }
  result<void> end_session(const std::string& name) override {
    ended_.insert(name);
    seen.push_back("ended " + name);
    return {};
  }

  result<std::vector<sql_row>> ask(const std::string& sql, const std::vector<sql_text>& values) override {
    return inner_.ask(sql, values);
  }
  result<std::uint64_t> run(const std::string& sql, const std::vector<sql_text>& values) override {
    if (before) {
      before(sql);
    }
    return inner_.run(sql, values);
  }
  result<void> begin() override {
    seen.emplace_back("begin");
    return inner_.begin();
  }
  result<void> commit() override {
    seen.emplace_back("commit");
    return inner_.commit();
  }
  void rollback() override { inner_.rollback(); }

  void sql(const std::string& text) {
    const auto done = inner_.run(text, {});
    EXPECT_TRUE(done) << done.error().message;
  }
  /// The owner of the run's claim connects again and renews it, in the moment before its term is raised.
  void let_it_connect_again(const run_id& run, const std::string& name) {
    before = [this, run, name](const std::string& text) {
      if (text.find("SET \"term\"") != std::string::npos) {
        sql("UPDATE sluice_run SET owner_session = '" + name + "' WHERE run = '" + run.text() + "'");
        before = {};
      }
    };
  }

  std::function<void(const std::string& sql)> before;
  std::vector<std::string> seen;
  std::string own_name = "mine";

 private:
  static sqlite::database memory() {
    auto made = sqlite::database::open(":memory:", sqlite::open_mode::create, std::chrono::milliseconds(0));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  sqlite::database db_;
  sqlite::sqlite_session inner_;
  std::set<std::string> ended_;
};

class claim_sessions : public ::testing::Test {
 protected:
  claim_sessions() {
    dialect_.now_seconds = "1000";
    expect(store_.make_tables());
  }

  template <class T>
  static void expect(const result<T>& r) {
    EXPECT_TRUE(r) << r.error().message;
  }
  static run_row run_of(std::uint8_t number, const std::string& job_key) {
    run_row row;
    row.run = run_id::make(number, 1, 1);
    row.job_key = job_key;
    row.job_name = "job";
    row.stage = "claimed";
    row.output = "orders";
    return row;
  }
  /// A run with a claim that was not renewed for long.
  run_row stale(std::uint8_t number, const std::string& job_key) {
    run_row row = run_of(number, job_key);
    row.owner = elsewhere;
    row.empties = true;
    claim_state theirs;
    expect(relational_progress(home_, dialect_, theirs).claim_new(row));
    home_.sql("UPDATE sluice_run SET renewed_at = 0");
    row.renewed_age_s = 1000;
    home_.seen.clear();
    return row;
  }

  watched_home home_;
  progress_dialect dialect_;
  claim_state claim_;
  relational_progress store_{home_, dialect_, claim_};
};

TEST_F(claim_sessions, one_that_is_made_anew_while_a_new_run_fences_it_is_ended_behind_that) {
  const run_row former = stale(1, "key");
  home_.let_it_connect_again(former.run, "S2");
  run_row next = run_of(2, "key");
  next.owner = me;
  expect(store_.claim_new(next));
  EXPECT_THAT(home_.seen, ElementsAre("ended S1", "begin", "commit", "ended S2"));
}

TEST_F(claim_sessions, one_that_is_made_anew_while_its_own_run_is_gone_on_with_is_ended_behind_that) {
  const run_row former = stale(1, "key");
  home_.let_it_connect_again(former.run, "S2");
  expect(store_.claim_again(former, me));
  EXPECT_THAT(home_.seen, ElementsAre("ended S1", "begin", "commit", "ended S2"));
  const auto mine = home_.ask("SELECT owner_session FROM sluice_run WHERE run <> 'guard'", {});
  ASSERT_TRUE(mine) << mine.error().message;
  EXPECT_EQ(mine->at(0).at(0), "mine");
}

TEST_F(claim_sessions, one_of_another_job_in_the_way_is_ended_before_its_locks_are_waited_for_and_made_anew) {
  const run_row halted = run_of(1, "key");
  expect(store_.claim_new(halted));
  expect(store_.release(halted.run));
  const run_row other = stale(2, "another key");
  home_.let_it_connect_again(other.run, "S2");
  expect(store_.claim_again(halted, me));
  EXPECT_THAT(home_.seen, ElementsAre("ended S1", "begin", "commit", "ended S2"));
}

TEST_F(claim_sessions, one_that_is_made_anew_while_its_claim_is_taken_is_ended_behind_that) {
  const run_row former = stale(1, "key");
  home_.let_it_connect_again(former.run, "S2");
  expect(store_.take(former));
  EXPECT_THAT(home_.seen, ElementsAre("ended S1", "begin", "commit", "ended S2"));
}

// A statement that commits by itself may be on its way there, and the next start finds no name to end.
TEST_F(claim_sessions, one_that_was_lost_is_ended_before_its_claim_is_given_back_or_forgotten) {
  for (const bool forgets : {false, true}) {
    run_row row = run_of(forgets ? 2 : 1, forgets ? "a key" : "another key");
    row.owner = me;
    home_.own_name = "lost";
    expect(store_.claim_new(row));
    home_.seen.clear();
    home_.own_name = "mine";
    expect(forgets ? store_.discard(row.run) : store_.release(row.run));
    EXPECT_THAT(home_.seen, ElementsAre("ended lost", "begin", "commit")) << forgets;
  }
}

}  // namespace
}  // namespace sluice::relational
