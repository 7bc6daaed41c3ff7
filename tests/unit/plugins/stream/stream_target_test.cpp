#include <gmock/gmock.h>

#include "plugins/stream/stream_plugin.h"
#include "tests/conformance/plugin_fixture.h"

namespace sluice {
namespace {

using testing::context_for_test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::options_of;
using testing::read_file;
using testing::temporary_folder;
using testing::text_batch;

std::unique_ptr<target> make(const std::string& parameter) {
  const plugin p = stream_plugin();
  auto made = p.make_target(options_of(*p.writes, parameter), context_for_test());
  EXPECT_TRUE(made) << made.error().message;
  return made ? std::move(*made) : nullptr;
}

/// Runs batches, one a split, through the target to its end.
void run(target& t, const std::vector<std::shared_ptr<batch>>& splits) {
  ASSERT_TRUE(t.open(*splits.front()->columns_schema, {}));
  ASSERT_TRUE(t.prepare(context_for_test().run, {}));
  auto w = t.make_writer(splits.front()->columns_schema);
  ASSERT_TRUE(w);
  for (std::uint32_t i = 0; i < splits.size(); ++i) {
    auto m = (*w)->open({i}, epoch_number::make(1, 1, 0), {});
    ASSERT_TRUE(m) << m.error().message;
    const auto answer = (*w)->write(*splits[i], {});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->written, splits[i]->rows);
    m->done = true;
    m->transaction = 1;
    ASSERT_TRUE((*w)->commit(*m, {}));
  }
  const auto finished = t.finish({});
  ASSERT_TRUE(finished) << finished.error().message;
}

TEST(StreamTarget, PrintsRowsJoinedByTheDelimiterWithNullAsText) {
  const auto t = make(R"({"fieldDelimiter":"|"})");
  ::testing::internal::CaptureStdout();
  run(*t, {text_batch({"a", "b"}, {{"1", nullptr}, {"", "ü"}})});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "1|null\n|ü\n");
}

TEST(StreamTarget, JoinsByTabWhereNothingIsSaid) {
  const auto t = make("{}");
  ::testing::internal::CaptureStdout();
  run(*t, {text_batch({"a", "b"}, {{"1", "2"}})});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "1\t2\n");
}

TEST(StreamTarget, ADelimiterMayBeSpelledAsAnEscape) {
  const auto t = make(R"({"fieldDelimiter":"\\u0001"})");
  ::testing::internal::CaptureStdout();
  run(*t, {text_batch({"a", "b"}, {{"1", "2"}})});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "1\x01"
            "2\n");
}

TEST(StreamTarget, DiscardsWhenPrintIsFalse) {
  const auto t = make(R"({"print":"false"})");
  ::testing::internal::CaptureStdout();
  run(*t, {text_batch({"a"}, {{"1"}, {"2"}})});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(StreamTarget, WritesAFileOfAllSplitsInOrderThatAppearsAtTheEnd) {
  const temporary_folder folder;
  testing::write_file(folder.file("out.txt"), "old");
  const auto t = make(fmt::format(R"({{"path":"{}","fileName":"out.txt"}})", folder.path()));
  run(*t, {text_batch({"a"}, {{"first"}}), text_batch({"a"}, {{"second"}})});
  EXPECT_EQ(read_file(folder.file("out.txt")), "first\nsecond\n");
  EXPECT_THAT(folder.names(), ElementsAre("out.txt"));
}

TEST(StreamTarget, AnAbandonedRunLeavesTheOldFileAndNothingElse) {
  const temporary_folder folder;
  testing::write_file(folder.file("out.txt"), "old");
  const auto t = make(fmt::format(R"({{"path":"{}","fileName":"out.txt"}})", folder.path()));
  const auto b = text_batch({"a"}, {{"1"}});
  ASSERT_TRUE(t->open(*b->columns_schema, {}));
  ASSERT_TRUE(t->prepare(context_for_test().run, {}));
  {
    auto w = t->make_writer(b->columns_schema);
    ASSERT_TRUE((*w)->open({0}, {1}, {}));
    ASSERT_TRUE((*w)->write(*b, {}));
  }
  t->abandon();
  EXPECT_EQ(read_file(folder.file("out.txt")), "old");
  EXPECT_THAT(folder.names(), ElementsAre("out.txt"));
}

TEST(StreamTarget, ARecordThatTheEncodingLacksIsRefusedAndTheOthersStand) {
  const temporary_folder folder;
  const auto t =
      make(fmt::format(R"({{"path":"{}","fileName":"o","encoding":"ISO-8859-1"}})", folder.path()));
  const auto b = text_batch({"a"}, {{"ü"}, {"€"}, {"z"}});
  ASSERT_TRUE(t->open(*b->columns_schema, {}));
  ASSERT_TRUE(t->prepare(context_for_test().run, {}));
  auto w = t->make_writer(b->columns_schema);
  auto m = (*w)->open({0}, {1}, {});
  const auto answer = (*w)->write(*b, {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->written, 2U);
  ASSERT_EQ(answer->refused.size(), 1U);
  EXPECT_EQ(answer->refused[0].row, 1U);
  EXPECT_EQ(answer->refused[0].code, "not_in_charset");
  m->done = true;
  ASSERT_TRUE((*w)->commit(*m, {}));
  ASSERT_TRUE(t->finish({}));
  EXPECT_EQ(read_file(folder.file("o")), "\xFC\nz\n");
}

TEST(StreamTarget, PausesOnceASliceAndAtOnceReturnsWhenStopped) {
  const auto t = make(R"({"print":false,"recordNumBeforeSleep":2,"sleepTime":3600})");
  const auto b = text_batch({"a"}, {{"1"}, {"2"}});
  ASSERT_TRUE(t->open(*b->columns_schema, {}));
  auto w = t->make_writer(b->columns_schema);
  ASSERT_TRUE((*w)->open({0}, {1}, {}));
  const stop_source stop;
  stop.fire();
  const auto answer = (*w)->write(*b, stop.signal());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::cancelled);
  EXPECT_TRUE((*w)->write(*b, stop.signal())) << "the pause is over";
}

TEST(StreamTarget, WrongOptionsAreRefused) {
  const plugin p = stream_plugin();
  const std::pair<const char*, const char*> cases[] = {
      {R"({"print":"perhaps"})", "print"},
      {R"({"path":"/tmp"})", "belong together"},
      {R"({"fileName":"a"})", "belong together"},
      {R"({"path":"/tmp","fileName":"a/b"})", "slash"},
      {R"({"encoding":"no-such-encoding"})", "no-such-encoding"},
      {R"({"sleepTime":-1})", "sleepTime"},
  };
  for (const auto& [parameter, said] : cases) {
    const auto made = p.make_target(options_of(*p.writes, parameter), context_for_test());
    ASSERT_FALSE(made) << parameter;
    EXPECT_EQ(made.error().kind, error_kind::bad_option);
    EXPECT_THAT(made.error().message, HasSubstr(said));
  }
}

TEST(StreamTarget, AFolderThatDoesNotExistIsNamed) {
  const temporary_folder folder;
  const auto t = make(fmt::format(R"({{"path":"{}/none","fileName":"o"}})", folder.path()));
  const auto opened = t->open({}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, error_kind::bad_option);
  EXPECT_THAT(opened.error().message, HasSubstr(folder.path() + "/none"));
}

}  // namespace
}  // namespace sluice
