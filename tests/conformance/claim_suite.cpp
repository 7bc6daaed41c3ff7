#include "tests/conformance/claim_suite.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "transport/base/process.h"

namespace sluice::testing {
namespace {

const schema two_texts = {{"id", type_of(type_id::utf8)}, {"name", type_of(type_id::utf8)}};
const std::string job_key(32, 'a');

claim_owner me() {
  const process_identity self = this_process();
  return {self.host, self.pid, self.start, ""};
}
/// A process that cannot be seen from here: only its session and its renewals tell whether it lives.
const claim_owner elsewhere = {"another-host", 4711, "then", ""};

/// A target of one start, opened, with its tables made.
struct start {
  start(const claim_quirks& quirks, const std::string& parameter, std::uint8_t number,
        const claim_owner& owner = elsewhere)
      : system(quirks.make_plugin()), context(context_for_test(number)) {
    const option_values options = options_of(*system.writes, parameter);
    auto made = system.make_target(options, context);
    EXPECT_TRUE(made) << made.error().message;
    object = std::move(*made);
    const auto opened = object->open(two_texts, {});
    EXPECT_TRUE(opened) << opened.error().message;
    row.run = context.run;
    row.job_key = job_key;
    row.instance = std::string(32, 'b');
    row.job_name = "job";
    row.stage = "claimed";
    row.output = opened ? opened->output : "";
    row.owner = owner;
  }
  progress_store& store() const { return *object->progress(); }
  /// This start's own row as another one finds it.
  run_row found_by(const start& other) const {
    const auto runs = other.store().runs_of({row.job_key, row.job_name, row.output});
    EXPECT_TRUE(runs) << runs.error().message;
    for (const run_row& r : runs.value_or(std::vector<run_row>())) {
      if (r.run == row.run) {
        return r;
      }
    }
    ADD_FAILURE() << "the run is not found";
    return row;
  }

  plugin system;
  plugin_context context;
  std::unique_ptr<target> object;
  run_row row;
};

template <class T>
void expect(const result<T>& r) {
  EXPECT_TRUE(r) << r.error().message;
}
template <class T>
error_kind kind_of(const result<T>& r) {
  EXPECT_FALSE(r);
  return r ? error_kind::internal : r.error().kind;
}

/// What `call` says once its connection, which was ended, is made anew.
template <class Call>
error_kind kind_of_once_connected(const Call& call) {
  error_kind kind = kind_of(call());
  for (int i = 0; i < 3 && kind == error_kind::not_connected; ++i) {
    kind = kind_of(call());
  }
  return kind;
}

void age_claims() {
  ClaimSuite::GetParam().run("UPDATE sluice_run SET renewed_at = renewed_at - 100 WHERE job_name = 'job'");
}

std::shared_ptr<batch> a_row() {
  return text_batch({"id", "name"}, {{"1", "x"}});
}

/// Of the first transaction of `writing`.
mark mark_of_a_row() {
  mark m;
  m.epoch = epoch_number::make(1, 1, 0);
  m.transaction = 1;
  m.position = m.counts.read = m.counts.written = 1;
  return m;
}

/// A start that has its claim, one split, and a writer that has opened it.
struct writing : start {
  writing(const claim_quirks& quirks, const std::string& parameter, std::uint8_t number)
      : start(quirks, parameter, number) {
    expect(store().make_tables());
    expect(store().claim_new(row));
    progress_row one;
    one.label = "all";
    expect(store().freeze(row.run, {one}));
    expect(object->prepare(row.run, {}));
    const auto described = object->open(two_texts, {});
    expect(described);
    auto made = object->make_writer(described->columns);
    expect(made);
    out = std::move(*made);
    const auto opened = out->open({0}, epoch_number::make(1, 1, 0), {});
    expect(opened);
  }
  std::unique_ptr<writer> out;
};

TEST_P(ClaimSuite, OneOfSeveralStartsAtOnceGetsTheClaim) {
  const std::string parameter = GetParam().make_ready();
  std::vector<std::unique_ptr<start>> starts;
  for (std::uint8_t i = 1; i <= 4; ++i) {
    starts.push_back(std::make_unique<start>(GetParam(), parameter, i, me()));
  }
  expect(starts[0]->store().make_tables());
  for (int round = 0; round < 5; ++round) {
    std::vector<result<void>> answers(starts.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      threads.emplace_back([&, i] { answers[i] = starts[i]->store().claim_new(starts[i]->row); });
    }
    for (std::thread& t : threads) {
      t.join();
    }
    std::size_t taken = 0;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      if (answers[i]) {
        ++taken;
        expect(starts[i]->store().discard(starts[i]->row.run));
      } else {
        EXPECT_EQ(answers[i].error().code, "claimed") << answers[i].error().message;
      }
    }
    EXPECT_EQ(taken, 1u) << "round " << round;
  }
}

TEST_P(ClaimSuite, TablesAreMadeByOneOfSeveralStartsAtOnce) {
  const std::string parameter = GetParam().make_ready();
  std::vector<std::unique_ptr<start>> starts;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    starts.push_back(std::make_unique<start>(GetParam(), parameter, i));
  }
  std::vector<result<void>> answers(starts.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    threads.emplace_back([&, i] { answers[i] = starts[i]->store().make_tables(); });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  for (const result<void>& answer : answers) {
    expect(answer);
  }
  expect(starts[0]->store().claim_new(starts[0]->row));
}

TEST_P(ClaimSuite, AClaimIsHeldWhileItsSessionLivesAndFreeOnceThatIsGone) {
  const std::string parameter = GetParam().make_ready();
  auto former = std::make_unique<start>(GetParam(), parameter, std::uint8_t{1});
  const start next(GetParam(), parameter, 2);
  expect(former->store().make_tables());
  expect(former->store().claim_new(former->row));
  const run_row seen = former->found_by(next);
  EXPECT_FALSE(seen.owner->session.empty());
  EXPECT_LT(seen.renewed_age_s, 30);
  EXPECT_EQ(kind_of(next.store().claim_again(seen, me())), error_kind::conflict);
  EXPECT_EQ(kind_of(next.store().claim_new(next.row)), error_kind::conflict);
  former->object.reset();
  // The server learns a moment later that the connection is closed.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto term = next.store().claim_again(seen, me());
  while (!term && std::chrono::steady_clock::now() < deadline) {
    term = next.store().claim_again(seen, me());
  }
  expect(term);
  EXPECT_EQ(term.value_or(0), seen.term + 1);
}

TEST_P(ClaimSuite, AnOldClaimIsTakenOverAndItsSessionEnded) {
  const std::string parameter = GetParam().make_ready();
  const start former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.store().make_tables());
  expect(former.store().claim_new(former.row));
  age_claims();
  const run_row seen = former.found_by(next);
  EXPECT_GE(seen.renewed_age_s, 100);
  expect(next.store().claim_again(seen, me()));
  // Whoever lost it finds its connection ended, or, once it is connected again, its claim taken.
  EXPECT_EQ(kind_of_once_connected([&] { return former.store().renew(former.row.run); }),
            error_kind::conflict);
  expect(next.store().set_stage(former.row.run, "loading"));
  expect(next.store().renew(former.row.run));
}

TEST_P(ClaimSuite, AClaimIsHeldWhileAStepRunsHoweverLong) {
  std::string parameter = GetParam().make_ready();
  const start next(GetParam(), parameter, 2);
  parameter.insert(1, fmt::format(R"("preSql": ["{}"], )", GetParam().slow_step));
  const start former(GetParam(), parameter, 1);
  expect(former.store().make_tables());
  expect(former.store().claim_new(former.row));
  age_claims();
  std::thread step([&] { expect(former.object->run_step_before(0, {})); });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(kind_of(next.store().claim_new(next.row)), error_kind::conflict);
  step.join();
  EXPECT_LT(former.found_by(next).renewed_age_s, 30);
}

TEST_P(ClaimSuite, AClaimIsRenewedWhileAWriterIsInATransaction) {
  const std::string parameter = GetParam().make_ready();
  const writing former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.out->write(*a_row(), {}));
  age_claims();
  expect(former.store().renew(former.row.run));
  EXPECT_LT(former.found_by(next).renewed_age_s, 30);
  former.out->rollback();
}

TEST_P(ClaimSuite, WhoeverSleptThroughItsClaimWritesNothingBesideTheNextRun) {
  const std::string parameter = GetParam().make_ready();
  const writing former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  age_claims();
  expect(next.store().claim_new(next.row));
  const run_row seen = former.found_by(next);
  EXPECT_FALSE(seen.owner);
  EXPECT_EQ(seen.term, 2u);
  // Its writers' connections were ended with the claim: it might have slept inside a transaction.
  EXPECT_FALSE(former.out->write(*a_row(), {}));
  former.out->rollback();
  EXPECT_EQ(kind_of_once_connected([&] { return former.out->open({0}, epoch_number::make(1, 2, 0), {}); }),
            error_kind::conflict);
  EXPECT_EQ(kind_of_once_connected([&] { return former.store().renew(former.row.run); }),
            error_kind::conflict);
  expect(next.store().renew(next.row.run));
}

TEST_P(ClaimSuite, AClaimIsTakenFromALivingProcessWhichWritesNothingMore) {
  const std::string parameter = GetParam().make_ready();
  const writing former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.out->write(*a_row(), {}));  // it has not committed, and may stand still for hours
  const run_row seen = former.found_by(next);
  EXPECT_TRUE(seen.held);
  expect(next.store().take(seen));
  const run_row left = former.found_by(next);
  EXPECT_FALSE(left.owner);
  EXPECT_FALSE(left.held);
  EXPECT_EQ(left.term, seen.term + 1);
  EXPECT_EQ(left.stage, seen.stage);
  EXPECT_FALSE(former.out->write(*a_row(), {}));
  former.out->rollback();
  // Before anybody has opened the split again.
  EXPECT_EQ(kind_of_once_connected([&] { return former.out->open({0}, epoch_number::make(1, 9, 0), {}); }),
            error_kind::conflict);
  result<void> renewed;
  EXPECT_EQ(kind_of_once_connected([&] { return renewed = former.store().renew(former.row.run); }),
            error_kind::conflict);
  EXPECT_EQ(renewed.error().code, taken_over_code);
  expect(next.store().claim_again(left, me()));
  renewed = former.store().renew(former.row.run);
  EXPECT_NE(renewed.error().message.find(fmt::format("taken over by process {} on ", me().pid)),
            std::string::npos)
      << renewed.error().message;
  // What ends it must not end the run.
  EXPECT_EQ(kind_of(former.store().release(former.row.run)), error_kind::conflict);
  EXPECT_EQ(kind_of(former.store().discard(former.row.run)), error_kind::conflict);
  EXPECT_EQ(former.found_by(next).owner->pid, me().pid);
  expect(next.store().renew(former.row.run));
}

TEST_P(ClaimSuite, ATakeOfAClaimThatIsNoLongerTheOwnersDoesNothing) {
  const std::string parameter = GetParam().make_ready();
  const start former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.store().make_tables());
  expect(former.store().claim_new(former.row));
  const run_row seen = former.found_by(next);
  expect(next.store().take(seen));
  const run_row taken = former.found_by(next);
  expect(next.store().claim_again(taken, me()));
  expect(next.store().take(seen));
  EXPECT_EQ(former.found_by(next).owner->pid, me().pid);
  expect(next.store().renew(former.row.run));
}

TEST_P(ClaimSuite, WhoeverSleepsInsideATransactionDoesNotHoldUpTheNextRun) {
  const std::string parameter = GetParam().make_ready();
  const writing former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.out->write(*a_row(), {}));
  age_claims();
  // Each would be `busy` once it had waited for the sleeper's locks.
  expect(next.store().claim_new(next.row));
  expect(next.store().discard(former.row.run));
  former.out->rollback();
}

TEST_P(ClaimSuite, WhoGoesOnWithARunEndsWhoeverSleepsInsideATransactionOfIt) {
  const std::string parameter = GetParam().make_ready();
  const writing former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.out->write(*a_row(), {}));
  age_claims();
  expect(next.store().claim_again(former.found_by(next), me()));
  // Before anybody has opened the split again.
  EXPECT_FALSE(former.out->commit(mark_of_a_row(), {}));
  former.out->rollback();
  EXPECT_THAT(GetParam().rows(), ::testing::IsEmpty());
}

TEST_P(ClaimSuite, WhoForgetsARunDoesNotWaitForWhoeverSleepsInsideATransactionOfIt) {
  const std::string parameter = GetParam().make_ready();
  const writing former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.out->write(*a_row(), {}));
  age_claims();
  expect(next.store().discard(former.row.run));
  former.out->rollback();
  EXPECT_THAT(GetParam().rows(), ::testing::IsEmpty());
}

TEST_P(ClaimSuite, ASessionOfTheClaimThatWasLostIsEndedWithTheNextRenewal) {
  const std::string parameter = GetParam().make_ready();
  const start lost(GetParam(), parameter, 1);
  start former(GetParam(), parameter, 2);
  expect(lost.store().make_tables());
  expect(lost.store().claim_new(lost.row));
  const std::string session = lost.found_by(former).owner->session;
  // As if it had been the former's own until its connection was lost, which the server has not noticed.
  former.row.job_key = std::string(32, 'c');
  former.row.owner->session = session;
  expect(former.store().claim_new(former.row));
  expect(former.store().renew(former.row.run));
  EXPECT_NE(former.found_by(former).owner->session, session);
  result<void> renewed = lost.store().renew(lost.row.run);
  for (int i = 0; i < 3 && !renewed; ++i) {
    EXPECT_EQ(renewed.error().kind, error_kind::not_connected);
    renewed = lost.store().renew(lost.row.run);
  }
  expect(renewed);
  EXPECT_NE(lost.found_by(former).owner->session, session) << "it was ended";
}

TEST_P(ClaimSuite, RowsStandOnlyWithTheirMark) {
  const std::string parameter = GetParam().make_ready();
  const writing run(GetParam(), parameter, 1);
  GetParam().run("ALTER TABLE sluice_progress ADD CONSTRAINT refused CHECK (position = 0)");
  expect(run.out->write(*a_row(), {}));
  EXPECT_FALSE(run.out->commit(mark_of_a_row(), {}));
  run.out->rollback();
  EXPECT_THAT(GetParam().rows(), ::testing::IsEmpty());
}

TEST_P(ClaimSuite, ARefusedRowHasNothingReadAgainOnceThatIsForbidden) {
  const std::string parameter = GetParam().make_ready();
  const writing run(GetParam(), parameter, 1);
  mark m = mark_of_a_row();
  expect(run.out->write(*a_row(), {}));
  expect(run.out->commit(m, {}));
  run.out->forbid_reading_again();
  for (int i = 0; i < 20; ++i) {
    expect(run.out->write(*a_row(), {}));
    ++m.transaction;
    expect(run.out->commit(m, {}));
  }
  const auto answer = run.out->write(*text_batch({"id", "name"}, {{nullptr, "bad"}, {"2", "y"}}), {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->written, 1U);
  ++m.transaction;
  expect(run.out->commit(m, {}));
}

TEST_P(ClaimSuite, AStatementStandsOnlyWithItsStage) {
  std::string parameter = GetParam().make_ready();
  parameter.insert(1, R"j("preSql": ["INSERT INTO @table VALUES ('0', 'step')"], )j");
  const start run(GetParam(), parameter, 1);
  expect(run.store().make_tables());
  expect(run.store().claim_new(run.row));
  GetParam().run("ALTER TABLE sluice_run ADD CONSTRAINT refused CHECK (stage NOT LIKE 'pre:%')");
  EXPECT_FALSE(run.object->run_step_before(0, {}));
  EXPECT_THAT(GetParam().rows(), ::testing::IsEmpty());
}

TEST_P(ClaimSuite, AProcessThatLivesKeepsTheClaimOfAConnectionThatWasLost) {
  const std::string parameter = GetParam().make_ready();
  const start former(GetParam(), parameter, 1);
  const start next(GetParam(), parameter, 2);
  expect(former.store().make_tables());
  run_row row = former.row;
  row.owner = me();
  row.owner->session = "1/gone";
  expect(former.store().claim_new(row));
  EXPECT_EQ(kind_of(next.store().claim_new(next.row)), error_kind::conflict);
}

TEST_P(ClaimSuite, WhatGuardsTheClaimsIsNoRun) {
  const std::string parameter = GetParam().make_ready();
  const start one(GetParam(), parameter, 1);
  expect(one.store().make_tables());
  const auto runs = one.store().runs_of({"", "", ""});
  ASSERT_TRUE(runs) << runs.error().message;
  EXPECT_TRUE(runs->empty());
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ClaimSuite);

}  // namespace sluice::testing
