#include "plugins/text/text_target.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "plugins/common/output/file_calls.h"
#include "plugins/common/output/output_file.h"
#include "plugins/text/compressor.h"
#include "plugins/text/text_writer_options.h"
#include "tests/conformance/plugin_fixture.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using testing::context_for_test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using testing::options_of;
using testing::read_file;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::temporary_folder;
using testing::text_batch;
using testing::text_row;
using testing::write_file;

/// A job's end: `more` are members of the parameter beside path and fileName.
struct job_end {
  std::string folder;
  std::string more;
  dialect d = dialect::script2;
  std::uint8_t run = 1;
  std::string file_name = "out";

  [[nodiscard]] std::string parameter() const {
    return fmt::format(R"({{"path":"{}","fileName":"{}"{}{}}})", folder, file_name, more.empty() ? "" : ",",
                       more);
  }
  [[nodiscard]] std::unique_ptr<target> make() const {
    plugin_context context = context_for_test(run);
    context.job_dialect = d;
    auto made = make_text_target(options_of(text_writer_description(), parameter(), d), context);
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
};

struct outcome {
  target_description description;
  std::vector<refused_row> refused;
  std::uint64_t written = 0;
};

/// As the engine begins a run up to its data: claim, frozen splits, preparations.
void begin(target& t, std::uint8_t run = 1, std::uint32_t splits = 1) {
  const run_id id = context_for_test(run).run;
  if (progress_store* store = t.progress()) {
    run_row row;
    row.run = id;
    row.job_key = std::string(32, '1');
    row.instance = std::string(32, '2');
    row.stage = "claimed";
    row.owner = claim_owner{"host", 1, "start", ""};
    std::vector<progress_row> frozen(splits);
    for (std::uint32_t i = 0; i < splits; ++i) {
      frozen[i].at.split = {i};
      frozen[i].description = {{"part", {std::int64_t{i}}}};
    }
    const auto begun = [&]() -> result<void> {
      SLUICE_CHECK(store->make_tables());
      SLUICE_CHECK(store->claim_new(row));
      return store->freeze(id, frozen);
    }();
    ASSERT_TRUE(begun) << begun.error().message;
  }
  const auto prepared = t.prepare(id, {});
  ASSERT_TRUE(prepared) << prepared.error().message;
}

/// And ends it.
void end_run(target& t, std::uint8_t run = 1) {
  const auto finished = t.finish({});
  ASSERT_TRUE(finished) << finished.error().message;
  if (progress_store* store = t.progress()) {
    const run_id id = context_for_test(run).run;
    const auto done = store->finish(id, {});
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_TRUE(store->release(id));
  }
}

/// Files of the output; where claims and marks stand is left out.
std::vector<std::string> outputs(const temporary_folder& folder) {
  std::vector<std::string> names = folder.names();
  std::erase_if(names, [](const std::string& name) { return name.starts_with(".sluice-progress"); });
  return names;
}

/// Runs batches, one a split, to the end of the run.
outcome run(const job_end& end, const std::vector<std::shared_ptr<batch>>& splits) {
  outcome result;
  const auto t = end.make();
  auto described = t->open(*splits.front()->columns_schema, {});
  EXPECT_TRUE(described) << described.error().message;
  result.description = std::move(described).value_or(target_description{});
  begin(*t, end.run, static_cast<std::uint32_t>(splits.size()));
  const auto w = t->make_writer(splits.front()->columns_schema);
  EXPECT_TRUE(w) << w.error().message;
  for (std::uint32_t i = 0; i < splits.size(); ++i) {
    auto m = (*w)->open({i}, epoch_number::make(1, 1, 0), {});
    EXPECT_TRUE(m) << m.error().message;
    auto answer = (*w)->write(*splits[i], {});
    EXPECT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->written + answer->refused.size(), splits[i]->rows);
    result.written += answer->written;
    result.refused.insert(result.refused.end(), answer->refused.begin(), answer->refused.end());
    m->done = true;
    ++m->transaction;
    const auto committed = (*w)->commit(*m, {});
    EXPECT_TRUE(committed) << committed.error().message;
  }
  end_run(*t, end.run);
  return result;
}

/// The one file that these rows make.
std::string text_of_rows(const std::string& more, const std::vector<text_row>& rows,
                         dialect d = dialect::script2, outcome* what = nullptr) {
  const temporary_folder folder;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows.front().size(); ++i) {
    names.push_back(fmt::format("c{}", i));
  }
  const outcome o = run({folder.path(), more, d}, {text_batch(names, rows)});
  if (what != nullptr) {
    *what = o;
  }
  const auto files = outputs(folder);
  EXPECT_THAT(files, SizeIs(1));
  return files.empty() ? "" : read_file(folder.file(files.front()));
}

struct text_case {
  const char* what;
  const char* options;
  std::vector<text_row> rows;
  std::string expected;
  dialect d = dialect::script2;
};

TEST(TextTarget, SaysWhereADateFormatFormatsNothing) {
  const temporary_folder folder;
  const schema texts = {{"day", type_of(type_id::utf8)}, {"n", type_of(type_id::int64)}};
  const schema dates = {{"day", type_of(type_id::date)}, {"n", type_of(type_id::int64)}};
  const job_end end{folder.path(), R"("dateFormat":"dd.MM.yyyy")"};
  std::vector<std::string> warnings;
  const auto open = [&](const job_end& of, const schema& columns, bool strict) {
    plugin_context context = context_for_test();
    context.strict = strict;
    context.warn = [&](std::string line) { warnings.push_back(std::move(line)); };
    auto made = make_text_target(options_of(text_writer_description(), of.parameter()), context);
    EXPECT_TRUE(made) << made.error().message;
    const auto first = (*made)->open(columns, {});
    return first ? (*made)->open(columns, {}) : first;
  };
  EXPECT_TRUE(open(end, texts, false));
  EXPECT_THAT(warnings, ElementsAre(AllOf(HasSubstr("dateFormat"), HasSubstr("has no effect"),
                                          HasSubstr("(day utf8, n int64)"))));
  warnings.clear();
  const auto refused = open(end, texts, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, error_kind::bad_option);
  EXPECT_THAT(refused.error().message, HasSubstr("(--strict)"));
  EXPECT_TRUE(open(end, dates, true));
  EXPECT_TRUE(open({folder.path(), ""}, texts, true));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(TextTarget, WritesEachFormatAsDocumented) {
  const std::string long_text(5000, 'x');
  const std::vector<text_case> cases = {
      {"plain fields", "", {{"a", "b"}, {"c", "d"}}, "a,b\nc,d\n"},
      {"NULL is nothing and an empty text is quoted", "", {{nullptr, ""}}, ",\"\"\n"},
      {"delimiter, quote and line breaks are quoted",
       "",
       {{"a,b", "c\"d"}, {"e\nf", "g\rh"}},
       "\"a,b\",\"c\"\"d\"\n\"e\nf\",\"g\rh\"\n"},
      {"a special byte beyond the first sixteen",
       "",
       {{"0123456789abcdef,", "0123456789abcdefghij\""}},
       "\"0123456789abcdef,\",\"0123456789abcdefghij\"\"\"\n"},
      {"sixteen bytes exactly",
       "",
       {{"0123456789abcdef", "fedcba9876543210"}},
       "0123456789abcdef,fedcba9876543210\n"},
      {"a long text", "", {{long_text.c_str(), "b"}}, long_text + ",b\n"},
      {"another delimiter and line end",
       R"("fieldDelimiter":"\\t","lineDelimiter":"\\r\\n")",
       {{"a,b", "c\td"}},
       "a,b\t\"c\td\"\r\n"},
      {"a delimiter of several bytes", R"("fieldDelimiter":"||")", {{"a|", "b"}}, "\"a|\"||b\n"},
      {"another quote", R"("quoteChar":"'")", {{"a'b", "c\"d"}}, "'a''b',c\"d\n"},
      {"no quote, so that a text is never quoted", R"("quoteChar":"")", {{"a\"b", "c"}}, "a\"b,c\n"},
      {"nullFormat, and a text equal to it quoted",
       R"("nullFormat":"\\N")",
       {{nullptr, "\\N"}, {"", "N"}},
       "\\N,\"\\N\"\n,N\n"},
      {"texts that a copy of the file would take for NULL or bytes, quoted",
       "",
       {{"\\N", "\\x41"}, {"NA", "-"}, {"a\\N", "-1"}},
       "\"\\N\",\"\\x41\"\n\"NA\",\"-\"\na\\N,-1\n"},
      {"header", R"("header":["id","a,b"])", {{"1", "2"}}, "id,\"a,b\"\n1,2\n"},
      {"DataX writes text and null by default",
       "",
       {{nullptr, "b"}, {"", "null"}},
       "null,b\n,null\n",
       dialect::datax},
      {"DataX csv", R"("fileFormat":"csv")", {{nullptr, "null"}}, "null,\"null\"\n", dialect::datax},
      {"joined text",
       R"("fileFormat":"text","fieldDelimiter":"\\u0001")",
       {{"a,\"b\"", "c"}},
       "a,\"b\"\x01"
       "c\n"},
      {"JSON Lines",
       R"("fileFormat":"json")",
       {{"a\"\\\n\t\x01ü", nullptr}, {"", "0123456789abcdefg\""}},
       "{\"c0\":\"a\\\"\\\\\\n\\t\\u0001ü\",\"c1\":null}\n{\"c0\":\"\",\"c1\":\"0123456789abcdefg\\\"\"}\n"},
      {"JSON Lines named by header",
       R"("fileFormat":"jsonl","header":["x","y\"z"])",
       {{"1", "2"}},
       "{\"x\":\"1\",\"y\\\"z\":\"2\"}\n"},
      {"another encoding",
       R"("encoding":"GBK","header":["中","b"])",
       {{"中文", "a"}},
       "\xD6\xD0,b\n\xD6\xD0\xCE\xC4,a\n"},
      {"a byte order mark once",
       R"("encoding":"UTF-16LE","header":["a"])",
       {{"b"}},
       std::string("a\0\n\0b\0\n\0", 8)},
  };
  for (const text_case& c : cases) {
    outcome o;
    EXPECT_EQ(text_of_rows(c.options, c.rows, c.d, &o), c.expected) << c.what;
    EXPECT_THAT(o.refused, IsEmpty()) << c.what;
  }
}

TEST(TextTarget, ShortRowsAndLongOnesStandBesideEachOther) {
  const auto text_at = [](std::size_t i) {
    // Every 23rd is longer than all that is kept ready for the rows around it.
    return std::string(i % 23 == 0 ? 5000 * i + 1 : i % 40 + 1, static_cast<char>('a' + i % 26));
  };
  constexpr std::array<const char*, 3> second = {"N", "null", "a,b"};
  constexpr std::array<const char*, 3> shown = {"N", "\"null\"", "\"a,b\""};
  std::vector<std::string> texts;
  std::string expected;
  for (std::size_t i = 0; i < 200; ++i) {
    texts.push_back(text_at(i));
    expected += fmt::format("{},{}\n", texts.back(), shown[i % 3]);
  }
  std::vector<text_row> rows;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    rows.push_back({texts[i].c_str(), second[i % 3]});
  }
  EXPECT_EQ(text_of_rows(R"("fileFormat":"csv","lineDelimiter":"\n","nullFormat":"")", rows), expected);
}

TEST(TextTarget, JoinedTextRefusesWhatItCannotHoldAndKeepsTheRest) {
  outcome o;
  const std::string text =
      text_of_rows(R"("fileFormat":"text","fieldDelimiter":"||")",
                   {{"a||b", "x"}, {"ok", "|"}, {"c\nd", "x"}, {"e|", "x"}, {"f", "x\r"}, {"g", "h"}},
                   dialect::script2, &o);
  EXPECT_EQ(text, "ok|||\ng||h\n");
  ASSERT_THAT(o.refused, SizeIs(4));
  EXPECT_EQ(o.refused[0].row, 0U);
  EXPECT_EQ(o.refused[0].column, "c0");
  EXPECT_EQ(o.refused[0].code, "not_representable");
  EXPECT_EQ(o.refused[2].row, 3U) << "its end and the delimiter would make a delimiter before it";
  EXPECT_EQ(o.refused[3].column, "c1");
}

TEST(TextTarget, ACharacterThatTheEncodingLacksIsRefused) {
  outcome o;
  EXPECT_EQ(text_of_rows(R"("encoding":"ISO-8859-1")", {{"€", "a"}, {"ü", "b"}}, dialect::script2, &o),
            "\xFC,b\n");
  ASSERT_THAT(o.refused, SizeIs(1));
  EXPECT_EQ(o.refused[0].code, "not_in_charset");
}

field field_of(const char* name, data_type type) {
  return {name, type, true, ""};
}

/// One record of every type that is not text.
std::shared_ptr<batch> typed_batch() {
  auto columns = std::make_shared<const schema>(
      schema{field_of("b", type_of(type_id::boolean)), field_of("i", type_of(type_id::int64)),
             field_of("u", type_of(type_id::uint64)), field_of("f", type_of(type_id::float64)),
             field_of("d", decimal_type(10, 2)), field_of("day", type_of(type_id::date)),
             field_of("t", time_type(type_id::timestamp, time_unit::milli)),
             field_of("n", time_type(type_id::instant, time_unit::second))});
  batch_builder builder(columns, buffer_pool::make(1 << 20), {});
  const auto add = [&](double f, std::int64_t millis) {
    builder.at(0).append_bool(true);
    builder.at(1).append(std::int64_t{-5});
    builder.at(2).append(~std::uint64_t{0});
    builder.at(3).append(f);
    builder.at(4).append(int128{-5});
    builder.at(5).append(std::int32_t{19782});
    builder.at(6).append(millis);
    builder.at(7).append(std::int64_t{1709164800});
    builder.commit_row();
  };
  add(0.1, 1709164800000);
  add(std::nan(""), 1709164800250);
  return builder.seal(0);
}

TEST(TextTarget, ValuesOfEveryTypeAreWrittenExactly) {
  const temporary_folder folder;
  run({folder.path(), R"("singleFileOutput":true)"}, {typed_batch()});
  EXPECT_EQ(
      read_file(folder.file("out")),
      "true,-5,18446744073709551615,0.1,-0.05,2024-02-29,2024-02-29 00:00:00,2024-02-29 00:00:00\n"
      "true,-5,18446744073709551615,NaN,-0.05,2024-02-29,2024-02-29 00:00:00.250,2024-02-29 00:00:00\n");
}

TEST(TextTarget, APrintedValueIsQuotedWhereADelimiterStandsInIt) {
  const temporary_folder folder;
  run({folder.path(), R"("singleFileOutput":true,"fieldDelimiter":"-","nullFormat":"true")"},
      {typed_batch()});
  EXPECT_THAT(read_file(folder.file("out")),
              StartsWith("\"true\"-\"-5\"-18446744073709551615-0.1-\"-0.05\"-\"2024-02-29\"-"));
}

TEST(TextTarget, DatesFollowTheJobsPattern) {
  const temporary_folder folder;
  run({folder.path(), R"("singleFileOutput":true,"dateFormat":"dd,MM yy")"}, {typed_batch()});
  EXPECT_THAT(read_file(folder.file("out")), HasSubstr("-0.05,\"29,02 24\",\"29,02 24\",\"29,02 24\"\n"));
}

TEST(TextTarget, JsonKeepsNumbersAndRefusesWhatItHasNoWordFor) {
  const temporary_folder folder;
  const outcome o = run({folder.path(), R"("singleFileOutput":true,"fileFormat":"json")"}, {typed_batch()});
  EXPECT_EQ(read_file(folder.file("out")),
            R"({"b":true,"i":-5,"u":18446744073709551615,"f":0.1,"d":-0.05,"day":"2024-02-29",)"
            R"("t":"2024-02-29 00:00:00","n":"2024-02-29 00:00:00"})"
            "\n");
  ASSERT_THAT(o.refused, SizeIs(1));
  EXPECT_EQ(o.refused[0].code, "not_finite");
  EXPECT_EQ(o.refused[0].column, "f");
}

TEST(TextTarget, AColumnWithoutANameIsRefusedInJsonUnlessHeaderNamesIt) {
  const temporary_folder folder;
  const schema nameless{{"", type_of(type_id::utf8), true, ""}};
  const auto opened = job_end{folder.path(), R"("fileFormat":"json")"}.make()->open(nameless, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, error_kind::bad_option);
  EXPECT_THAT(opened.error().message, HasSubstr("header"));
  EXPECT_TRUE((job_end{folder.path(), R"("fileFormat":"json","header":["a"])"}.make()->open(nameless, {})));
}

TEST(TextTarget, FilesAreNamedByRunAndSplitAndHaveTheHeaderEvenWithoutRecords) {
  const temporary_folder folder;
  run({folder.path(), R"("suffix":".csv","header":["a"])"},
      {text_batch({"a"}, {{"1"}}), text_batch({"a"}, {})});
  const std::string part = context_for_test().run.text().substr(24);
  ASSERT_THAT(outputs(folder), ElementsAre("out__" + part + "_0.csv", "out__" + part + "_1.csv"));
  EXPECT_EQ(read_file(folder.file(outputs(folder)[0])), "a\n1\n");
  EXPECT_EQ(read_file(folder.file(outputs(folder)[1])), "a\n");
}

TEST(TextTarget, OneFileJoinsTheSplitsInOrderWithOneHeader) {
  const temporary_folder folder;
  run({folder.path(), R"("singleFileOutput":true,"suffix":".csv","header":["a"])"},
      {text_batch({"a"}, {{"1"}}), text_batch({"a"}, {{"2"}}), text_batch({"a"}, {})});
  EXPECT_THAT(outputs(folder), ElementsAre("out.csv"));
  EXPECT_EQ(read_file(folder.file("out.csv")), "a\n1\n2\n");
}

TEST(TextTarget, TruncateListsWhatItRemovesAndRemovesItOnlyAtTheEnd) {
  const temporary_folder folder;
  write_file(folder.file("out_old"), "old");
  write_file(folder.file("other"), "kept");
  const job_end end{folder.path(), ""};
  const auto t = end.make();
  const auto b = text_batch({"a"}, {{"1"}});
  const auto described = t->open(*b->columns_schema, {});
  ASSERT_TRUE(described);
  ASSERT_THAT(described->changes, SizeIs(2));
  EXPECT_THAT(described->changes[0], HasSubstr(folder.file(".sluice-progress.db")));
  EXPECT_THAT(described->changes[1], HasSubstr(folder.file("out_old")));
  ASSERT_THAT(described->files_changed, SizeIs(1)) << "by which a job is kept from removing its own source";
  EXPECT_EQ(described->files_changed[0].path, folder.file("out_old"));
  EXPECT_EQ(described->files_changed[0].change, "removed");
  begin(*t);
  const auto w = t->make_writer(b->columns_schema);
  auto m = (*w)->open({0}, {1}, {});
  ASSERT_TRUE((*w)->write(*b, {}));
  m->done = true;
  ++m->transaction;
  ASSERT_TRUE((*w)->commit(*m, {}));
  EXPECT_EQ(read_file(folder.file("out_old")), "old");
  EXPECT_THAT(outputs(folder), ::testing::Not(::testing::Contains(StartsWith("out__"))))
      << "output appears whole";
  ASSERT_TRUE(t->finish({}));
  EXPECT_THAT(outputs(folder), ElementsAre("other", StartsWith("out__")));
  EXPECT_TRUE(t->finish({})) << "may be repeated";
  ASSERT_TRUE(t->progress()->finish(context_for_test().run, {}));
}

TEST(TextTarget, AppendLeavesOldFilesAndNonConflictRefusesThem) {
  const temporary_folder folder;
  run({folder.path(), R"("writeMode":"append")"}, {text_batch({"a"}, {{"1"}})});
  run({folder.path(), R"("writeMode":"append")", dialect::script2, 2}, {text_batch({"a"}, {{"2"}})});
  EXPECT_THAT(outputs(folder), SizeIs(2));
  const auto opened = job_end{folder.path(), R"("writeMode":"nonconflict")"}.make()->open({}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, error_kind::bad_option);
  EXPECT_THAT(opened.error().message, HasSubstr("nonConflict"));
  EXPECT_THAT(opened.error().message, HasSubstr("2 files"));
}

TEST(TextTarget, AMissingFolderIsAnnouncedAndMade) {
  const temporary_folder folder;
  const outcome o =
      run({folder.path() + "/new/deep", R"("singleFileOutput":true)"}, {text_batch({"a"}, {{"1"}})});
  ASSERT_THAT(o.description.changes, SizeIs(2));
  EXPECT_THAT(o.description.changes[1], HasSubstr("The folder "));
  EXPECT_THAT(o.description.changes[1], HasSubstr("new/deep"));
  EXPECT_EQ(read_file(folder.file("new/deep/out")), "1\n");
}

TEST(TextTarget, FilesRollBySizeAtABorderOfRecords) {
  const temporary_folder folder;
  const std::string value(400 * 1024, 'v');
  const text_row row{value.c_str()};
  run({folder.path(), R"("maxFileSize":1,"header":["a"])"}, {text_batch({"a"}, {row, row, row, row, row})});
  const auto names = outputs(folder);
  ASSERT_THAT(names, SizeIs(3));
  EXPECT_THAT(names[1], MatchesRegex(".*_0_1"));
  EXPECT_EQ(read_file(folder.file(names[0])), "a\n" + value + "\n" + value + "\n");
  EXPECT_EQ(read_file(folder.file(names[2])), "a\n" + value + "\n");
}

TEST(TextTarget, CompressedOutputIsReadByTheUsualTools) {
  const std::pair<const char*, const char*> tools[] = {
      {"gzip", "gzip -dc"}, {"zstd", "zstd -dcq"}, {"bzip2", "bzip2 -dc"}, {"zip", "unzip -p"}};
  for (const auto& [name, command] : tools) {
    if (std::system(fmt::format("command -v {} > /dev/null",
                                std::string(command).substr(0, std::string(command).find(' ')))
                        .c_str()) != 0) {
      continue;  // The readers of the text plugin read all four back in the conformance suite.
    }
    const temporary_folder folder;
    run({folder.path(), fmt::format(R"("compress":"{}")", name)}, {text_batch({"a"}, {{"1"}, {"2"}})});
    const std::string packed = folder.file(outputs(folder).front());
    ASSERT_EQ(std::system(fmt::format("{} '{}' > '{}'", command, packed, folder.file("plain")).c_str()), 0)
        << name;
    EXPECT_EQ(read_file(folder.file("plain")), "1\n2\n") << name;
  }
}

TEST(TextTarget, TheMarkerFileIsMadeWhenAllIsDone) {
  const temporary_folder folder;
  run({folder.path(), fmt::format(R"("singleFileOutput":true,"markDoneFileName":"{}/done")", folder.path())},
      {text_batch({"a"}, {{"1"}})});
  EXPECT_THAT(outputs(folder), ElementsAre("done", "out"));
}

TEST(TextTarget, ARerunRemovesWhatADeadRunOfTheSameJobLeftAndNothingElse) {
  const temporary_folder folder;
  const std::string without_marks = R"("compress":"zip")";
  const job_end dead{folder.path(), without_marks, dialect::script2, 7};
  const auto b = text_batch({"a"}, {{"1"}});
  {
    const auto t = dead.make();
    ASSERT_TRUE(t->open(*b->columns_schema, {}));
    ASSERT_TRUE(t->prepare(context_for_test(7).run, {}));
    const auto w = t->make_writer(b->columns_schema);
    auto m = (*w)->open({0}, {1}, {});
    ASSERT_TRUE((*w)->write(*b, {}));
    m->done = true;
    ASSERT_TRUE((*w)->commit(*m, {}));
  }  // Gone without finish or abandon, as a killed process.
  EXPECT_THAT(outputs(folder), ElementsAre(::testing::EndsWith(".tmp"), ::testing::EndsWith(".owner")));
  run({folder.path(), without_marks, dialect::script2, 8, "another"}, {b});
  EXPECT_THAT(outputs(folder), SizeIs(3)) << "another job's file leaves them";
  run({folder.path(), without_marks, dialect::script2, 9}, {b});
  EXPECT_THAT(outputs(folder), ElementsAre(StartsWith("another__"), StartsWith("out__")));
}

TEST(TextTarget, ARunOfTheSameJobThatStillLivesIsNotDisturbed) {
  const temporary_folder folder;
  const auto alive = job_end{folder.path(), R"("compress":"zip")", dialect::script2, 1}.make();
  ASSERT_TRUE(alive->open({}, {}));
  ASSERT_TRUE(alive->prepare(context_for_test(1).run, {}));
  const auto second = job_end{folder.path(), R"("compress":"zip")", dialect::script2, 2}.make();
  ASSERT_TRUE(second->open({}, {}));
  const auto prepared = second->prepare(context_for_test(2).run, {});
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().kind, error_kind::busy);
  EXPECT_THAT(prepared.error().message, HasSubstr(context_for_test(1).run.text()));
}

TEST(TextTarget, AnOvertakenWriterWritesToNobody) {
  const temporary_folder folder;
  const auto t = job_end{folder.path(), R"("singleFileOutput":true)"}.make();
  const auto b = text_batch({"a"}, {{"old"}});
  ASSERT_TRUE(t->open(*b->columns_schema, {}));
  begin(*t);
  const auto late = t->make_writer(b->columns_schema);
  auto late_mark = (*late)->open({0}, {5}, {});
  ASSERT_TRUE((*late)->write(*b, {}));
  const auto newer = t->make_writer(b->columns_schema);
  auto m = (*newer)->open({0}, {6}, {});
  ASSERT_TRUE((*newer)->write(*text_batch({"a"}, {{"new"}}), {}));
  late_mark->done = true;
  ++late_mark->transaction;
  const auto refused = (*late)->commit(*late_mark, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, error_kind::conflict);
  EXPECT_EQ((*late)->open({0}, {5}, {}).error().kind, error_kind::conflict);
  m->done = true;
  ++m->transaction;
  ASSERT_TRUE((*newer)->commit(*m, {}));
  end_run(*t);
  EXPECT_EQ(read_file(folder.file("out")), "new\n");
  EXPECT_THAT(outputs(folder), ElementsAre("out"));
}

TEST(TextTarget, AFullDiskIsNoRoomWithThePath) {
  // The device that is always full stands in for a disk, behind a link so that a mistake removes only that.
  const temporary_folder folder;
  std::filesystem::create_symlink("/dev/full", folder.file("disk"));
  auto full = output_file::make(folder.file("disk"));
  ASSERT_TRUE(full);
  const auto written = full->write("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, error_kind::no_room);
  EXPECT_EQ(written.error().code, "ENOSPC");
  EXPECT_THAT(written.error().message, HasSubstr(folder.file("disk")));
  auto packed = compressor::make(compression::gzip, "disk", *full);
  EXPECT_EQ((packed ? (*packed)->finish() : result<void>(fail(packed.error()))).error().code, "ENOSPC");
  EXPECT_EQ(file_error(EACCES, "write", "x").kind, error_kind::denied);
  EXPECT_EQ(file_error(EROFS, "write", "x").kind, error_kind::denied);
  EXPECT_EQ(file_error(EDQUOT, "write", "x").kind, error_kind::no_room);
}

TEST(TextTarget, PointsInTimeWithoutTheirOffsetAreNoted) {
  const temporary_folder folder;
  const schema columns = {field_of("id", type_of(type_id::int64)),
                          field_of("at", time_type(type_id::instant, time_unit::second)),
                          field_of("wall", time_type(type_id::timestamp, time_unit::second))};
  const auto notes = [&](const std::string& more, const schema& of) {
    const auto described = job_end{folder.path(), more}.make()->open(of, {});
    EXPECT_TRUE(described) << described.error().message;
    return described->notes;
  };
  for (const char* more : {"", R"("fileFormat":"json")", R"("dateFormat":"yyyy-MM-dd HH:mm")"}) {
    EXPECT_THAT(notes(more, columns),
                ElementsAre(AllOf(HasSubstr("the clock of "), HasSubstr("(at instant"))))
        << more;
  }
  EXPECT_THAT(notes(R"("dateFormat":"yyyy-MM-dd HH:mm:ssXXX")", {columns[0], columns[1]}), IsEmpty());
  EXPECT_THAT(notes("", {columns[0], columns[2]}), IsEmpty());
}

TEST(TextTarget, AnOffsetIsNotWrittenBehindTimesThatHaveNone) {
  const temporary_folder folder;
  const field at = field_of("at", time_type(type_id::instant, time_unit::second));
  const field wall = field_of("wall", time_type(type_id::timestamp, time_unit::second));
  const field day = field_of("day", type_of(type_id::date));
  for (const char* more :
       {R"("dateFormat":"yyyy-MM-dd HH:mm:ssXXX")", R"("dateFormat":"yyyy-MM-dd X","fileFormat":"json")"}) {
    const auto refused = job_end{folder.path(), more}.make()->open({at, wall, day}, {});
    ASSERT_FALSE(refused) << more;
    EXPECT_EQ(refused.error().kind, error_kind::bad_option);
    EXPECT_THAT(refused.error().message,
                AllOf(HasSubstr("dateFormat"), HasSubstr("have no time zone: wall timestamp"),
                      HasSubstr("day date"), HasSubstr("leave the offset out")));
    EXPECT_TRUE((job_end{folder.path(), more}.make()->open({at}, {})));
  }
}

TEST(TextTarget, WrongOptionsAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"fileName":"a"})", "path"},
      {R"({"path":"/tmp"})", "fileName"},
      {R"({"path":"/tmp","fileName":"a/b"})", "slash"},
      {R"({"path":"/tmp","fileName":"a","writeMode":"overwrite"})", "writeMode"},
      {R"({"path":"/tmp","fileName":"a","fileFormat":"sql"})", "fileFormat"},
      {R"({"path":"/tmp","fileName":"a","compress":"lzo"})", "lzo"},
      {R"({"path":"/tmp","fileName":"a","encoding":"nothing"})", "nothing"},
      {R"({"path":"/tmp","fileName":"a","dateFormat":"yyyy-b"})", "dateFormat"},
      {R"({"path":"/tmp","fileName":"a","fieldDelimiter":"\n"})", "fieldDelimiter"},
      {R"({"path":"/tmp","fileName":"a","fieldDelimiter":"\""})", "quoteChar"},
      {R"({"path":"/tmp","fileName":"a","maxFileSize":0})", "maxFileSize"},
      {R"({"path":"/tmp","fileName":"a","singleFileOutput":true,"writeMode":"append"})", "singleFileOutput"},
      {R"({"path":"/tmp","fileName":"a","singleFileOutput":true,"compress":"zip"})", "zip"},
      {R"({"path":"/tmp","fileName":"a","markDoneFileName":"done"})", "absolute"},
  };
  for (const auto& [parameter, said] : cases) {
    const auto made = make_text_target(options_of(text_writer_description(), parameter), context_for_test());
    ASSERT_FALSE(made) << parameter;
    EXPECT_EQ(made.error().kind, error_kind::bad_option) << parameter;
    EXPECT_THAT(made.error().message, HasSubstr(said)) << parameter;
  }
}

}  // namespace
}  // namespace sluice
