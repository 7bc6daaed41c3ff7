#include "tests/conformance/target_suite.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace sluice::testing {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TargetSuite);

namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const schema& source_columns() {
  static const schema columns{{"id", type_of(type_id::utf8), true, ""},
                              {"name", type_of(type_id::utf8), true, ""}};
  return columns;
}

std::shared_ptr<batch> rows(const std::vector<text_row>& list) {
  return text_batch({"id", "name"}, list);
}

/// A run begun up to the data, as the engine does it: claim, frozen splits, preparations, steps.
struct begun_run {
  begun_run(const target_quirks& q, const temporary_folder& folder, std::uint32_t splits) {
    const plugin p = q.make_plugin();
    const plugin_context context = context_for_test();
    auto made = p.make_target(options_of(*p.writes, q.make_ready(folder)), context);
    expect(made);
    object = std::move(*made);
    expect(object->open(source_columns(), {}));
    if (progress_store* store = object->progress()) {
      run_row row;
      row.run = context.run;
      row.job_key = std::string(32, '1');
      row.instance = std::string(32, '2');
      row.job_name = context.job_name;
      row.stage = "claimed";
      row.owner = claim_owner{"host", 1, "start", ""};
      expect(store->make_tables());
      expect(store->claim_new(row));
      std::vector<progress_row> frozen(splits);
      for (std::uint32_t i = 0; i < splits; ++i) {
        frozen[i].at.split = {i};
        frozen[i].label = fmt::format("split {}", i);
        frozen[i].description = {{"part", {std::int64_t{i}}}};
      }
      expect(store->freeze(context.run, frozen));
    }
    expect(object->prepare(context.run, {}));
    for (std::size_t i = 0; i < object->steps_before().size(); ++i) {
      expect(object->run_step_before(i, {}));
    }
    auto opened = object->open(source_columns(), {});
    expect(opened);
    description = std::move(opened).value_or(target_description{});
  }

  [[nodiscard]] std::unique_ptr<writer> make_writer() const {
    auto made = object->make_writer(description.columns ? description.columns
                                                        : std::make_shared<const schema>(source_columns()));
    expect(made);
    return made ? std::move(*made) : nullptr;
  }

  template <class Result>
  static void expect(const Result& r) {
    ASSERT_TRUE(r) << r.error().message;
  }

  std::unique_ptr<target> object;
  target_description description;
};

/// The mark behind a batch that was wholly taken.
mark behind(const mark& opened, const batch& b, const write_answer& answer, bool done) {
  mark m = opened;
  ++m.transaction;
  ++m.sequence;
  m.position += b.records_read;
  m.after = cursor{{"record", {m.position}}};
  m.counts.read += b.rows;
  m.counts.written += answer.written;
  m.counts.ignored += answer.ignored;
  m.counts.dirty += answer.refused.size();
  m.sums.read += b.read_sum;
  m.sums.written += answer.refused.empty() && answer.ignored == 0 ? b.rows_sum : answer.written_sum;
  m.done = done;
  return m;
}

/// Opens the split, writes the batch, commits it as the split's end.
void write_split(writer& w, std::uint32_t split, std::uint64_t epoch, const std::shared_ptr<batch>& b) {
  const auto opened = w.open({split}, {epoch}, {});
  begun_run::expect(opened);
  const auto answer = w.write(*b, {});
  begun_run::expect(answer);
  begun_run::expect(w.commit(behind(*opened, *b, *answer, true), {}));
}

/// Writes records 1 and 2 of split 0 and commits them, and 3, which it leaves. Returns the mark.
mark commit_two_of_three(const begun_run& run) {
  const auto w = run.make_writer();
  const auto opened = w->open({0}, {1}, {});
  begun_run::expect(opened);
  const auto b = rows({{"1", "a"}, {"2", "b"}});
  const auto answer = w->write(*b, {});
  begun_run::expect(answer);
  const mark committed = behind(*opened, *b, *answer, false);
  begun_run::expect(w->commit(committed, {}));
  begun_run::expect(w->write(*rows({{"3", "not committed"}}), {}));
  w->rollback();
  return committed;
}

TEST_P(TargetSuite, SaysItsNameAndItsPromise) {
  const temporary_folder folder;
  const begun_run run(GetParam(), folder, 1);
  EXPECT_FALSE(run.description.name.empty());
  EXPECT_EQ(run.description.exactly_once, run.description.promise.starts_with("exactly once"));
  EXPECT_EQ(run.description.exactly_once, run.object->progress() != nullptr);
  if (!run.description.exactly_once) {
    EXPECT_THAT(run.description.promise, ::testing::StartsWith("at least once, because "));
  }
}

TEST_P(TargetSuite, RowsOfAllSplitsLandExactly) {
  const temporary_folder folder;
  {
    const begun_run run(GetParam(), folder, 2);
    const auto w = run.make_writer();
    write_split(*w, 0, 1, rows({{"1", "a"}, {"2", "\"b\", ü\n"}}));
    write_split(*w, 1, 2, rows({{"3", ""}}));
    begun_run::expect(run.object->finish({}));
  }
  EXPECT_THAT(GetParam().read_back(folder), UnorderedElementsAre("1|a", "2|\"b\", ü\n", "3|"));
}

TEST_P(TargetSuite, ARollbackLeavesNothing) {
  const temporary_folder folder;
  {
    const begun_run run(GetParam(), folder, 1);
    const auto w = run.make_writer();
    begun_run::expect(w->open({0}, {1}, {}));
    begun_run::expect(w->write(*rows({{"1", "lost"}}), {}));
    w->rollback();
    const auto again = w->open({0}, {2}, {});
    begun_run::expect(again);
    EXPECT_EQ(again->position, 0U);
    EXPECT_EQ(again->counts, record_counts{});
    write_split(*w, 0, 3, rows({{"2", "kept"}}));
    begun_run::expect(run.object->finish({}));
  }
  EXPECT_THAT(GetParam().read_back(folder), UnorderedElementsAre("2|kept"));
}

TEST_P(TargetSuite, ANewerEpochFencesTheOlder) {
  const temporary_folder folder;
  {
    const begun_run run(GetParam(), folder, 1);
    const auto older = run.make_writer();
    const auto opened = older->open({0}, {5}, {});
    begun_run::expect(opened);
    const auto newer = run.make_writer();
    begun_run::expect(newer->open({0}, {6}, {}));

    const auto late = rows({{"1", "late"}});
    const auto answer = older->write(*late, {});
    const auto committed = answer ? older->commit(behind(*opened, *late, *answer, true), {})
                                  : result<void>(fail(answer.error()));
    ASSERT_FALSE(committed) << "an older epoch must not commit";
    EXPECT_EQ(committed.error().kind, error_kind::conflict) << committed.error().message;
    older->rollback();
    const auto reopened = older->open({0}, {5}, {});
    ASSERT_FALSE(reopened);
    EXPECT_EQ(reopened.error().kind, error_kind::conflict) << reopened.error().message;

    write_split(*newer, 0, 7, rows({{"2", "new"}}));
    begun_run::expect(run.object->finish({}));
  }
  EXPECT_THAT(GetParam().read_back(folder), UnorderedElementsAre("2|new"));
}

TEST_P(TargetSuite, OpenReturnsTheCommittedMarkWhereMarksAreHeld) {
  const temporary_folder folder;
  const begun_run run(GetParam(), folder, 1);
  if (!run.description.exactly_once) {
    GTEST_SKIP() << run.description.promise;
  }
  const mark committed = commit_two_of_three(run);

  const auto found = run.make_writer()->open({0}, {2}, {});
  begun_run::expect(found);
  EXPECT_EQ(found->epoch.value, 2U);
  EXPECT_EQ(found->transaction, 0U) << "transactions count anew in an epoch";
  EXPECT_EQ(found->position, 2U);
  EXPECT_EQ(found->after, committed.after);
  EXPECT_EQ(found->counts, committed.counts);
  EXPECT_EQ(found->sums, committed.sums);
  if (run.description.appears_whole) {
    EXPECT_THAT(GetParam().read_back(folder), IsEmpty());
  } else {
    EXPECT_THAT(GetParam().read_back(folder), UnorderedElementsAre("1|a", "2|b"));
  }
}

TEST_P(TargetSuite, GoesOnBehindTheMarkAsIfNothingHadBeen) {
  const temporary_folder folder;
  {
    const begun_run run(GetParam(), folder, 1);
    if (!run.description.exactly_once) {
      GTEST_SKIP() << run.description.promise;
    }
    commit_two_of_three(run);
    write_split(*run.make_writer(), 0, 2, rows({{"4", "d"}}));
    begun_run::expect(run.object->finish({}));
  }
  EXPECT_THAT(GetParam().read_back(folder), UnorderedElementsAre("1|a", "2|b", "4|d"));
}

TEST_P(TargetSuite, ARefusedRowDoesNotUndoTheOthersAndIsAccountedFor) {
  if (GetParam().bad_row.empty()) {
    GTEST_SKIP() << "this destination takes everything";
  }
  const temporary_folder folder;
  {
    const begun_run run(GetParam(), folder, 1);
    const auto w = run.make_writer();
    const auto opened = w->open({0}, {1}, {});
    begun_run::expect(opened);
    const auto b = rows({{"1", "a"}, GetParam().bad_row, {"3", "c"}});
    const auto answer = w->write(*b, {});
    begun_run::expect(answer);
    EXPECT_EQ(answer->written + answer->ignored + answer->refused.size(), b->rows);
    ASSERT_EQ(answer->refused.size(), 1U);
    EXPECT_EQ(answer->refused[0].row, 1U);
    EXPECT_EQ(answer->refused[0].code, GetParam().bad_code);
    EXPECT_FALSE(answer->refused[0].message.empty());
    EXPECT_NE(to_string(answer->written_sum), to_string(b->rows_sum))
        << "the sum is that of the rows written";
    begun_run::expect(w->commit(behind(*opened, *b, *answer, true), {}));
    begun_run::expect(run.object->finish({}));
  }
  EXPECT_THAT(GetParam().read_back(folder), UnorderedElementsAre("1|a", "3|c"));
}

TEST_P(TargetSuite, AnAbandonedRunLeavesNoUncommittedRow) {
  const temporary_folder folder;
  {
    const begun_run run(GetParam(), folder, 1);
    {
      const auto w = run.make_writer();
      begun_run::expect(w->open({0}, {1}, {}));
      begun_run::expect(w->write(*rows({{"1", "a"}}), {}));
      w->rollback();
    }
    run.object->abandon();
  }
  EXPECT_THAT(GetParam().read_back(folder), IsEmpty());
}

TEST_P(TargetSuite, AnEmptySplitEndsLikeAnyOther) {
  const temporary_folder folder;
  {
    const begun_run run(GetParam(), folder, 1);
    const auto w = run.make_writer();
    write_split(*w, 0, 1, rows({}));
    begun_run::expect(run.object->finish({}));
  }
  EXPECT_THAT(GetParam().read_back(folder), IsEmpty());
}

}  // namespace
}  // namespace sluice::testing
