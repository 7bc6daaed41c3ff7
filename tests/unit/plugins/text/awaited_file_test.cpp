// `markDoneFileName` of the reader.
#include <gtest/gtest.h>

#include "tests/unit/plugins/text/text_reading.h"
#include "transport/base/stop.h"

namespace sluice {
namespace {

using namespace text_reading;  // NOLINT(google-build-using-namespace): the test's own helpers

TEST(awaited_file, is_told_at_once_and_the_run_goes_on_when_it_is_there) {
  const temporary_folder folder;
  std::vector<std::string> told;
  reading r{.parameter = {{"path", folder.file("a.csv", "1\n")},
                          {"markDoneFileName", folder.path("done")},
                          {"maxRetryTime", 7}}};
  r.waits = [&](const std::string& what, double seconds) {
    told.push_back(what);
    EXPECT_LT(seconds, 1) << "the first time at once";
    static_cast<void>(folder.file("done", ""));
  };
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  ASSERT_EQ(told.size(), 1U) << "it is looked for each second";
  EXPECT_NE(told[0].find(folder.path("done")), std::string::npos) << told[0];
  EXPECT_NE(told[0].find("for up to 7 minutes"), std::string::npos) << told[0];
}

TEST(awaited_file, is_not_waited_for_after_a_stop) {
  const temporary_folder folder;
  reading r{.parameter = {{"path", folder.file("a.csv", "1\n")}, {"markDoneFileName", folder.path("done")}}};
  const auto from = r.make_source();
  stop_source stop;
  stop.fire();
  const auto opened = (*from)->open(stop.signal());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, error_kind::cancelled);
}

TEST(awaited_file, is_not_waited_for_by_who_only_looks) {
  const temporary_folder folder;
  reading r{.parameter = {{"path", folder.path("a.csv")}, {"markDoneFileName", folder.path("done")}}};
  r.only_looks = true;
  r.waits = [](const std::string&, double) { ADD_FAILURE() << "nothing is waited for"; };
  const auto neither = r.read();
  ASSERT_FALSE(neither);
  EXPECT_NE(neither.error().message.find("is not there either"), std::string::npos)
      << neither.error().message;
  static_cast<void>(folder.file("a.csv", "1\n"));
  r.warnings.clear();
  EXPECT_TRUE(r.read());
  ASSERT_EQ(r.warnings.size(), 1U);
  EXPECT_NE(r.warnings[0].find("is not there yet; a run waits for it, for up to 60 minutes"),
            std::string::npos)
      << r.warnings[0];
  static_cast<void>(folder.file("done", ""));
  const auto from = r.make_source();
  const auto opened = (*from)->open({});
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->notes.size(), 1U);
  EXPECT_NE(opened->notes[0].find("is there, which a run would wait for"), std::string::npos);
}

}  // namespace
}  // namespace sluice
