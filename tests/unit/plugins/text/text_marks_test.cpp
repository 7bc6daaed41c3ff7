#include <gmock/gmock.h>

#include <cstdlib>

#include "plugins/common/output/output_parts.h"
#include "plugins/common/output/text_encoder.h"
#include "plugins/text/text_target.h"
#include "plugins/text/text_writer_options.h"
#include "tests/conformance/plugin_fixture.h"
#include "tests/support/removed.h"
#include "tests/support/synced.h"
#include "transport/base/process.h"
#include "transport/base/sqlite.h"

namespace sluice {
namespace {

using ::testing::Contains;
using testing::context_for_test;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::options_of;
using testing::read_file;
using testing::synced;
using testing::temporary_folder;
using testing::text_batch;
using testing::write_file;

/// One process of a run into text files: it goes away as a killed one does, without a word.
class process_of_run {
 public:
  /// `term`: 1 begins the run, more take it up.
  process_of_run(const temporary_folder& folder, const std::string& more, std::uint16_t term,
                 std::uint32_t splits = 1, std::string planned = "now 2026-11-27 00:00:00 UTC")
      : run_(context_for_test(1).run), term_(term), planned_(std::move(planned)) {
    auto made = make_text_target(
        options_of(text_writer_description(), fmt::format(R"({{"path":"{}","fileName":"out"{}{}}})",
                                                          folder.path(), more.empty() ? "" : ",", more)),
        context_for_test(term == 1 ? 1 : 9));
    EXPECT_TRUE(made) << made.error().message;
    target_ = std::move(*made);
    opened_ = target_->open(columns(), {});
    EXPECT_TRUE(opened_) << opened_.error().message;
    begun_ = term == 1 ? begin(splits) : take_up();
  }

  static const schema& columns() {
    static const schema text{{"a", type_of(type_id::utf8), true, ""}};
    return text;
  }
  [[nodiscard]] target& end() { return *target_; }
  [[nodiscard]] std::unique_ptr<writer> make_writer() {
    auto made = target_->make_writer(std::make_shared<const schema>(columns()));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  [[nodiscard]] progress_store& store() { return *target_->progress(); }
  [[nodiscard]] const result<void>& begun() const { return begun_; }

  /// Goes on with the split: the mark it had, and each text a record and a mark of its own; `done` ends it.
  mark write(std::uint32_t split, const std::vector<const char*>& texts, bool done,
             std::uint64_t batches_a_mark = 1) {
    const auto made = make_writer();
    writer& w = *made;
    auto m = w.open({split}, epoch_number::make(term_, ++assignment_, 0), {});
    EXPECT_TRUE(m) << m.error().message;
    const mark found = *m;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto b = text_batch({"a"}, {{texts[i]}});
      EXPECT_TRUE(w.write(*b, {}));
      ++m->counts.read, ++m->counts.written, ++m->position;
      if ((i + 1) % batches_a_mark == 0 && !(done && i + 1 == texts.size())) {
        ++m->transaction;
        const auto committed = w.commit(*m, {});
        EXPECT_TRUE(committed) << committed.error().message;
      }
    }
    if (done) {
      m->done = true;
      ++m->transaction;
      const auto committed = w.commit(*m, {});
      EXPECT_TRUE(committed) << committed.error().message;
    }
    return found;
  }

  result<void> finish() {
    SLUICE_CHECK(target_->check_rows({}, true, {}));
    SLUICE_CHECK(target_->finish({}));
    SLUICE_CHECK(store().finish(run_, {}));
    return store().release(run_);
  }

 private:
  result<void> begin(std::uint32_t splits) {
    run_row row;
    row.run = run_;
    row.job_key = std::string(32, '1');
    row.instance = std::string(32, '2');
    row.stage = "loading";
    row.output = "out";
    row.planned_time = planned_;
    row.owner = claim_owner{this_process().host, 999'999'999, "never", ""};  // dead for whoever looks
    SLUICE_CHECK(store().make_tables());
    SLUICE_CHECK(store().claim_new(row));
    std::vector<progress_row> frozen(splits);
    for (std::uint32_t i = 0; i < splits; ++i) {
      frozen[i].at.split = {i};
      frozen[i].description = {{"part", {std::int64_t{i}}}};
    }
    SLUICE_CHECK(store().freeze(run_, frozen));
    return target_->prepare(run_, {});
  }
  result<void> take_up() {
    SLUICE_TRY(const auto runs, store().runs_of({std::string(32, '1'), "", "out"}));
    if (runs.size() != 1) {
      return fail(error_kind::internal, "{} runs are there", runs.size());
    }
    SLUICE_CHECK(store().make_tables());
    SLUICE_CHECK(store().claim_again(runs[0], claim_owner{this_process().host, 999'999'998, "never", ""}));
    SLUICE_CHECK(target_->prepare(run_, {}));
    SLUICE_CHECK(target_->open(columns(), {}));
    return target_->check_rows({}, false, {});
  }

  run_id run_;
  std::uint16_t term_;
  std::string planned_;
  std::uint32_t assignment_ = 0;
  std::unique_ptr<target> target_;
  result<target_description> opened_ = target_description{};
  result<void> begun_;
};

/// Writes one record more, and the mark that covers it.
result<void> write_one(writer& w, const char* text, mark& m) {
  SLUICE_CHECK(w.write(*text_batch({"a"}, {{text}}), {}));
  ++m.counts.read, ++m.counts.written, ++m.position, ++m.transaction;
  return w.commit(m, {});
}

std::vector<std::string> outputs(const temporary_folder& folder) {
  std::vector<std::string> names = folder.names();
  std::erase_if(names, [](const std::string& name) { return name.starts_with(".sluice-progress"); });
  return names;
}

TEST(TextMarks, WhatARunThatDiedBehindItsEndHasLeftGoesWithItsClaim) {
  const temporary_folder folder;
  process_of_run run(folder, "", 1);
  ASSERT_TRUE(run.begun()) << run.begun().error().message;
  run.write(0, {"a"}, true);
  ASSERT_TRUE(run.end().check_rows({}, true, {}));
  ASSERT_TRUE(run.end().finish({}));
  const run_id id = context_for_test(1).run;
  ASSERT_TRUE(run.store().finish(id, {}));
  // As if its process had died before it removed this.
  write_file(folder.file(fmt::format(".sluice-{}-1-7.tmp", id.text())), "x");
  const auto released = run.store().release(id);
  ASSERT_TRUE(released) << released.error().message;
  EXPECT_THAT(outputs(folder), Not(Contains(EndsWith(".tmp"))));
}

TEST(TextMarks, AKilledRunGoesOnBehindItsMark) {
  const temporary_folder folder;
  const std::string options = R"("singleFileOutput":true,"header":["h"])";
  {
    process_of_run killed(folder, options, 1, 2);
    ASSERT_TRUE(killed.begun()) << killed.begun().error().message;
    killed.write(0, {"0a", "0b", "0c"}, true);
    killed.write(1, {"1a", "1b", "lost"}, false, 2);
  }
  process_of_run next(folder, options, 2);
  ASSERT_TRUE(next.begun()) << next.begun().error().message;
  EXPECT_EQ(next.write(1, {"1c"}, true).counts.written, 2U);
  const auto finished = next.finish();
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(read_file(folder.file("out")), "h\n0a\n0b\n0c\n1a\n1b\n1c\n");
  EXPECT_THAT(folder.names(), ElementsAre("out")) << "with the last run go claims and marks";
}

TEST(TextMarks, APlannedTimeThatIsDoneIsStillKnown) {
  const temporary_folder folder;
  {
    process_of_run first(folder, "", 1, 1, "2026-11-27 00:00:00 UTC");
    first.write(0, {"a"}, true);
    ASSERT_TRUE(first.finish());
  }
  EXPECT_THAT(folder.names(), ::testing::Contains(".sluice-progress.db"));
  process_of_run next(folder, "", 2);
  const auto runs = next.store().runs_of({std::string(32, '1'), "", "out"});
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 1U);
  EXPECT_EQ(runs->front().stage, "done");
}

TEST(TextMarks, ARunIntoAnotherNameOfTheSameJobHasItsOwnClaim) {
  const temporary_folder folder;
  process_of_run first(folder, "", 1);
  first.write(0, {"a"}, false);
  const auto second =
      make_text_target(options_of(text_writer_description(),
                                  fmt::format(R"({{"path":"{}","fileName":"other"}})", folder.path())),
                       context_for_test(5));
  ASSERT_TRUE(second);
  ASSERT_TRUE((*second)->open(process_of_run::columns(), {}));
  progress_store& store = *(*second)->progress();
  const auto found = store.runs_of({std::string(32, '1'), "", "other"});
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, IsEmpty());
  run_row row;
  row.run = context_for_test(5).run;
  row.job_key = std::string(32, '1');
  row.instance = std::string(32, '2');
  row.stage = "claimed";
  row.output = "other";
  row.owner = claim_owner{this_process().host, 1, "never", ""};
  ASSERT_TRUE(store.make_tables());
  const auto claimed = store.claim_new(row);
  ASSERT_TRUE(claimed) << claimed.error().message;
  const auto own = store.runs_of({std::string(32, '1'), "", "other"});
  ASSERT_TRUE(own);
  ASSERT_EQ(own->size(), 1U);
  EXPECT_EQ(own->front().job_key, std::string(32, '1'));
}

TEST(TextMarks, AClaimInAFileThatIsRemovedMeanwhileIsRefused) {
  const temporary_folder folder;
  process_of_run first(folder, "", 1);
  first.write(0, {"a"}, true);
  auto second =
      make_text_target(options_of(text_writer_description(),
                                  fmt::format(R"({{"path":"{}","fileName":"other"}})", folder.path())),
                       context_for_test(5));
  ASSERT_TRUE(second);
  ASSERT_TRUE((*second)->open(process_of_run::columns(), {}));
  ASSERT_TRUE((*second)->progress()->make_tables());
  ASSERT_TRUE(first.finish());
  run_row row;
  row.run = context_for_test(5).run;
  row.job_key = std::string(32, '5');
  row.instance = std::string(32, '6');
  row.stage = "claimed";
  row.owner = claim_owner{this_process().host, 999'999'997, "never", ""};
  const auto claimed = (*second)->progress()->claim_new(row);
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error().kind, error_kind::busy);
}

TEST(TextMarks, ARunKilledBeforeItsFirstMarkBeginsTheSplitAnew) {
  const temporary_folder folder;
  {
    process_of_run killed(folder, "", 1);
    killed.write(0, {"lost"}, false, 2);
  }
  process_of_run next(folder, "", 2);
  EXPECT_EQ(next.write(0, {"a"}, true).counts.written, 0U);
  ASSERT_TRUE(next.finish());
  const auto files = outputs(folder);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(read_file(folder.file(files[0])), "a\n");
}

TEST(TextMarks, CompressedFilesHaveAMemberAMarkAndAreReadWhole) {
  const std::pair<const char*, const char*> tools[] = {
      {"gzip", "gzip -dc"}, {"zstd", "zstd -dcq"}, {"bzip2", "bzip2 -dc"}};
  for (const auto& [name, command] : tools) {
    const temporary_folder folder;
    const std::string options = fmt::format(R"("singleFileOutput":true,"compress":"{}")", name);
    {
      process_of_run killed(folder, options, 1);
      killed.write(0, {"a", "b", "lost"}, false, 2);
    }
    process_of_run next(folder, options, 2);
    EXPECT_EQ(next.write(0, {"c", "d"}, true).counts.written, 2U) << name;
    ASSERT_TRUE(next.finish()) << name;
    const auto files = outputs(folder);
    ASSERT_EQ(files.size(), 1U);
    ASSERT_EQ(
        std::system(
            fmt::format("{} < '{}' > '{}'", command, folder.file(files[0]), folder.file("plain")).c_str()),
        0)
        << name;
    EXPECT_EQ(read_file(folder.file("plain")), "a\nb\nc\nd\n") << name;
  }
}

TEST(TextMarks, AnEncodingWithAMarkAtTheStartOfAFileHasItOnce) {
  const temporary_folder folder;
  const std::string options = R"("singleFileOutput":true,"encoding":"UTF-16")";
  {
    process_of_run killed(folder, options, 1, 2);
    killed.write(0, {"a"}, false);
  }
  process_of_run next(folder, options, 2);
  next.write(1, {"c"}, true);
  next.write(0, {"b"}, true);
  ASSERT_TRUE(next.finish());
  ASSERT_EQ(std::system(
                fmt::format("iconv -f UTF-16 -t UTF-8 '{}' > '{}'", folder.file("out"), folder.file("plain"))
                    .c_str()),
            0);
  EXPECT_EQ(read_file(folder.file("plain")), "a\nb\nc\n");
}

TEST(TextMarks, FilesThatRollBySizeGoOnAtTheirPart) {
  const temporary_folder folder;
  const std::string value(400 * 1024, 'v');
  const std::vector<const char*> five(5, value.c_str());
  const std::string options = R"("maxFileSize":1,"header":["h"])";
  {
    process_of_run killed(folder, options, 1);
    killed.write(0, five, false, 2);
  }
  process_of_run next(folder, options, 2);
  EXPECT_EQ(next.write(0, {value.c_str(), value.c_str()}, true).counts.written, 4U);
  ASSERT_TRUE(next.finish());
  const auto files = outputs(folder);
  ASSERT_EQ(files.size(), 3U);
  for (const std::string& file : files) {
    EXPECT_EQ(read_file(folder.file(file)), "h\n" + value + "\n" + value + "\n") << file;
  }
}

TEST(TextMarks, AFileThatLostBytesEndsTheRunInsteadOfLeavingAHole) {
  const temporary_folder folder;
  {
    process_of_run killed(folder, "", 1);
    killed.write(0, {"aaaa"}, false);
  }
  const auto files = outputs(folder);
  ASSERT_EQ(files.size(), 1U);
  write_file(folder.file(files[0]), "aa");
  process_of_run next(folder, "", 2);
  ASSERT_FALSE(next.begun());
  EXPECT_EQ(next.begun().error().kind, error_kind::conflict);
  EXPECT_EQ(next.begun().error().code, begin_anew_code);
  EXPECT_THAT(next.begun().error().message, HasSubstr(files[0]));
}

TEST(TextMarks, AnOldOutputIsNotTakenForOneThatIsGone) {
  const temporary_folder folder;
  write_file(folder.file("out"), "b\n");  // of a run before, as long as this one's
  const std::string options = R"("singleFileOutput":true)";
  {
    process_of_run killed(folder, options, 1);
    killed.write(0, {"a"}, true);
  }
  for (const std::string& file : outputs(folder)) {
    if (file != "out") {
      std::filesystem::remove(folder.file(file));
    }
  }
  process_of_run next(folder, options, 2);
  ASSERT_FALSE(next.begun());
  EXPECT_EQ(next.begun().error().code, begin_anew_code);
}

TEST(TextMarks, MarksWithoutTheirFilesAreNotGoneOnWith) {
  for (const bool done : {false, true}) {
    const temporary_folder folder;
    {
      process_of_run killed(folder, "", 1);
      killed.write(0, {"a"}, done);
    }
    auto db = sqlite::database::open(folder.file(".sluice-progress.db"), sqlite::open_mode::read_write,
                                     std::chrono::milliseconds(0));
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->run("DELETE FROM sluice_file"));
    process_of_run next(folder, "", 2);
    ASSERT_FALSE(next.begun()) << done;
    EXPECT_EQ(next.begun().error().kind, error_kind::conflict);
    EXPECT_EQ(next.begun().error().code, begin_anew_code);
  }
}

TEST(TextMarks, ARunKilledWhileItGaveItsFilesTheirNamesGoesOnWithThat) {
  for (const char* options : {"", R"("singleFileOutput":true)", R"("writeMode":"nonconflict")",
                              R"("writeMode":"nonconflict","singleFileOutput":true)"}) {
    const temporary_folder folder;
    {
      process_of_run killed(folder, options, 1, 2);
      killed.write(0, {"a"}, true);
      killed.write(1, {"b"}, true);
      ASSERT_TRUE(killed.end().finish({})) << options;
    }  // The names are given, and nothing says so.
    if (std::string(options).find("single") == std::string::npos) {
      // As if it had died between the two.
      const auto files = outputs(folder);
      std::filesystem::rename(folder.file(files[1]),
                              folder.file(fmt::format(".sluice-{}-1-{}.tmp", context_for_test(1).run.text(),
                                                      epoch_number::make(1, 2, 0).value)));
    }
    process_of_run next(folder, options, 2);
    ASSERT_TRUE(next.begun()) << next.begun().error().message;
    const auto finished = next.finish();
    ASSERT_TRUE(finished) << options << ": " << finished.error().message;
    std::string all;
    for (const std::string& file : outputs(folder)) {
      EXPECT_THAT(file, Not(HasSubstr(".tmp"))) << options;
      all += read_file(folder.file(file));
    }
    EXPECT_EQ(all, "a\nb\n") << options;
  }
}

TEST(TextMarks, AJobThatIsDoneIsNotRefusedForItsOwnFilesAndAnotherRunIs) {
  for (const std::string more :
       {R"("writeMode":"nonConflict")", R"("writeMode":"nonConflict","singleFileOutput":true)"}) {
    SCOPED_TRACE(more);
    temporary_folder folder;
    process_of_run killed(folder, more, 1);
    killed.write(0, {"one"}, true);
    ASSERT_TRUE(killed.end().check_rows({}, true, {}));
    ASSERT_TRUE(killed.end().finish({}));
    ASSERT_TRUE(
        killed.store().finish(context_for_test(1).run, {}));  // and dies before it gives its claim back

    const auto again = [&] {
      return std::move(*make_text_target(
          options_of(text_writer_description(),
                     fmt::format(R"({{"path":"{}","fileName":"out",{}}})", folder.path(), more)),
          context_for_test(2)));
    };
    const auto next = again();
    const auto opened = next->open(process_of_run::columns(), {});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_THAT(opened->notes, Contains(HasSubstr("another run is refused")));
    const auto begun = next->prepare(context_for_test(2).run, {});
    ASSERT_FALSE(begun);
    EXPECT_THAT(begun.error().message, HasSubstr("writeMode is nonConflict and"));

    write_file(folder.path() + "/out__of_somebody", "x");
    EXPECT_EQ(static_cast<bool>(again()->open(process_of_run::columns(), {})),
              more.find("single") != more.npos);
    std::filesystem::remove(folder.path() + "/out__of_somebody");
    ASSERT_TRUE(next->progress()->release(context_for_test(1).run));
    EXPECT_FALSE(again()->open(process_of_run::columns(), {}));
  }
}

TEST(TextMarks, FilesOfARunThatNoMarksTellOfGoWithTheNextRun) {
  const temporary_folder folder;
  {
    process_of_run killed(folder, "", 1);
    killed.write(0, {"a"}, false);
  }
  std::filesystem::remove(folder.file(".sluice-progress.db"));
  EXPECT_EQ(outputs(folder).size(), 1U);
  const std::string alive = fmt::format(".sluice-{}-0-1.tmp", context_for_test(7).run.text());
  const std::string owner = fmt::format(".sluice-{}.owner", context_for_test(7).run.text());
  write_file(folder.file(alive), "of a run without marks");
  write_file(folder.file(owner), "its own");
  process_of_run next(folder, "", 1);
  ASSERT_TRUE(next.begun());
  EXPECT_THAT(outputs(folder), ElementsAre(alive, owner));
}

TEST(TextMarks, ForgettingARunRemovesItsFiles) {
  const temporary_folder folder;
  {
    process_of_run killed(folder, "", 1);
    killed.write(0, {"a"}, false);
  }
  EXPECT_EQ(outputs(folder).size(), 1U);
  process_of_run next(folder, "", 2);
  const auto forgotten = next.store().discard(context_for_test(1).run);
  ASSERT_TRUE(forgotten) << forgotten.error().message;
  EXPECT_THAT(outputs(folder), IsEmpty());
}

TEST(TextMarks, WhatCannotBeGoneOnWithHasNoneAndSaysSo) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("compress":"zip")", "a zip archive cannot be gone on with"},
      {R"("encoding":"ISO-2022-JP")", "text in ISO-2022-JP cannot be gone on with"},
      {R"("encoding":"SCSU")", "text in SCSU cannot be gone on with"}};
  for (const auto& [options, reason] : cases) {
    const temporary_folder folder;
    const auto made = make_text_target(
        options_of(text_writer_description(),
                   fmt::format(R"({{"path":"{}","fileName":"out",{}}})", folder.path(), options)),
        context_for_test());
    ASSERT_TRUE(made) << made.error().message;
    const auto opened = (*made)->open(process_of_run::columns(), {});
    ASSERT_TRUE(opened);
    EXPECT_EQ((*made)->progress(), nullptr);
    EXPECT_EQ(opened->promise,
              fmt::format("at least once, because {}: a run begun again starts over", reason));
  }
}

TEST(TextMarks, BytesAndANewNameAreDurableBeforeTheMarkThatCoversThem) {
  const temporary_folder folder;
  process_of_run run(folder, "", 1);
  const auto w = run.make_writer();
  auto m = w->open({0}, epoch_number::make(1, 1, 0), {});
  ASSERT_TRUE(m) << m.error().message;
  for (const std::size_t names : {1, 0}) {
    const std::size_t before = synced().size();
    ASSERT_TRUE(write_one(*w, "x", *m));
    const std::vector<std::string> all = synced();
    const std::vector<std::string> now(all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
    ASSERT_GE(now.size(), 2 + names);
    EXPECT_THAT(now[0], EndsWith(".tmp"));
    EXPECT_EQ(std::count(now.begin(), now.begin() + 2, folder.path()), names);
    EXPECT_THAT(now[1 + names], HasSubstr(".sluice-progress.db"));
  }
}

TEST(TextMarks, AWriterThatComesLateWritesIntoAFileOfItsOwn) {
  const temporary_folder folder;
  process_of_run run(folder, R"("singleFileOutput":true)", 1);
  const auto late = run.make_writer();
  auto m = late->open({0}, epoch_number::make(1, 1, 0), {});
  ASSERT_TRUE(m) << m.error().message;
  ASSERT_TRUE(write_one(*late, "a", *m));
  const auto next = run.make_writer();
  m = next->open({0}, epoch_number::make(1, 2, 0), {});
  ASSERT_TRUE(m) << m.error().message;
  EXPECT_EQ(m->position, 1U);
  ASSERT_TRUE(late->write(*text_batch({"a"}, {{"late"}}), {}));
  m->done = true;
  ASSERT_TRUE(write_one(*next, "b", *m));
  const auto finished = run.finish();
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(read_file(folder.file("out")), "a\nb\n");
}

TEST(TextMarks, WhatALostCommitMayCoverStays) {
  for (const bool done : {false, true}) {
    const temporary_folder folder;
    process_of_run run(folder, "", 1);
    const epoch_number first = epoch_number::make(1, 1, 0);
    const auto late = run.make_writer();
    auto m = late->open({0}, first, {});
    ASSERT_TRUE(m) << m.error().message;
    const auto next = run.make_writer();
    ASSERT_TRUE(next->open({0}, epoch_number::make(1, 2, 0), {}));
    m->done = done;
    ASSERT_FALSE(write_one(*late, "a", *m));
    late->rollback();
    EXPECT_THAT(outputs(folder), ::testing::Contains(fmt::format(
                                     ".sluice-{}-0-{}.tmp", context_for_test(1).run.text(), first.value)))
        << done;
  }
}

TEST(TextMarks, WhatIsGoneWhenASplitIsOpenedEndsTheRun) {
  for (const bool rows_only : {false, true}) {
    const temporary_folder folder;
    {
      process_of_run killed(folder, "", 1);
      killed.write(0, {"aaaa"}, false);
    }
    process_of_run next(folder, "", 2);
    ASSERT_TRUE(next.begun()) << next.begun().error().message;
    if (rows_only) {
      auto db = sqlite::database::open(folder.file(".sluice-progress.db"), sqlite::open_mode::read_write,
                                       std::chrono::milliseconds(0));
      ASSERT_TRUE(db);
      ASSERT_TRUE(db->run("DELETE FROM sluice_file"));
    } else {
      write_file(folder.file(outputs(folder).at(0)), "aa");
    }
    const auto opened = next.make_writer()->open({0}, epoch_number::make(2, 1, 0), {});
    ASSERT_FALSE(opened) << rows_only;
    EXPECT_EQ(opened.error().kind, error_kind::conflict);
    EXPECT_EQ(opened.error().code, begin_anew_code);
  }
}

TEST(TextMarks, TheMarksStayWhileAnotherRunHasItsClaimInThem) {
  const temporary_folder folder;
  process_of_run first(folder, "", 1);
  first.write(0, {"a"}, true);
  auto second =
      make_text_target(options_of(text_writer_description(),
                                  fmt::format(R"({{"path":"{}","fileName":"other"}})", folder.path())),
                       context_for_test(5));
  ASSERT_TRUE(second);
  ASSERT_TRUE((*second)->open(process_of_run::columns(), {}));
  run_row row;
  row.run = context_for_test(5).run;
  row.job_key = std::string(32, '5');
  row.instance = std::string(32, '6');
  row.stage = "claimed";
  row.output = "other";
  row.owner = claim_owner{this_process().host, 999'999'997, "never", ""};
  ASSERT_TRUE((*second)->progress()->make_tables());
  ASSERT_TRUE((*second)->progress()->claim_new(row));
  ASSERT_TRUE(first.finish());
  EXPECT_THAT(folder.names(), ::testing::Contains(".sluice-progress.db"));
}

TEST(TextMarks, NobodyTakesAClaimInAFileThatIsBeingRemoved) {
  const temporary_folder folder;
  process_of_run first(folder, "", 1);
  first.write(0, {"a"}, true);
  // In the moment after the look whether the file is needed, and before it goes.
  std::vector<bool> refused;
  testing::before_removal([&](const std::string& path) {
    if (!path.ends_with("/.sluice-progress.db")) {
      return;
    }
    auto other = sqlite::database::open(path, sqlite::open_mode::read_write, std::chrono::milliseconds(0));
    ASSERT_TRUE(other) << other.error().message;
    refused.push_back(!other->run("UPDATE sluice_run SET owner_host = 'another'"));
  });
  const auto finished = first.finish();
  testing::before_removal({});
  EXPECT_TRUE(finished) << finished.error().message;
  EXPECT_THAT(refused, ElementsAre(true));
  EXPECT_THAT(folder.names(), Not(Contains(".sluice-progress.db")));
}

TEST(TextParts, AnOlderEpochNeitherBeginsASplitNorCompletesIt) {
  const temporary_folder folder;
  output_parts parts(folder.path(), "the job", false);
  ASSERT_TRUE(parts.prepare(context_for_test().run));
  ASSERT_TRUE(parts.begin({0}, epoch_number::make(1, 2, 0)));
  for (const auto& refused : {parts.begin({0}, epoch_number::make(1, 1, 0)),
                              parts.complete({0}, epoch_number::make(1, 1, 0), {folder.file("old")})}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, error_kind::conflict);
  }
  ASSERT_TRUE(parts.complete({0}, epoch_number::make(1, 2, 0), {folder.file("new")}));
  ASSERT_EQ(parts.completed().size(), 1U);
  EXPECT_THAT(parts.completed()[0].files, ElementsAre(folder.file("new")));
}

TEST(TextMarks, UsualEncodingsHaveThem) {
  for (const char* encoding :
       {"GBK", "GB18030", "Big5", "Shift_JIS", "EUC-KR", "ISO-8859-1", "UTF-16", "UTF-32BE", "US-ASCII"}) {
    EXPECT_TRUE(text_encoder::is_stateless(encoding)) << encoding;
  }
}

}  // namespace
}  // namespace sluice
