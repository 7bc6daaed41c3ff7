#include "tools/cli/job_changes.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

struct change_case {
  const char* before;
  const char* now;
  std::vector<std::string> lines;
};

TEST(job_changes, names_each_place_that_decides_data_with_both_values) {
  const change_case cases[] = {
      {R"({"steps":[{"parameter":{"table":"t"}}]})",
       R"({"steps":[{"parameter":{"table":"u"}}]})",
       {R"(steps[0].parameter.table was "t" and is "u")"}},
      {R"({"a":{"x":1,"y":[1,2]}})",
       R"({"a":{"y":[1,2,3],"z":null}})",
       {"a.x was 1 and is gone", "a.y was [1,2] and is [1,2,3]", "a.z was not there and is null"}},
      {R"({"column":["a","b","c","d"]})",
       R"({"column":["a","b","c","d","e"]})",
       {"column was a list of 4 and is a list of 5"}},
      {R"({"setting":{"speed":1},"order":1,"version":"1","steps":[{"name":"a"}]})",
       R"({"setting":{"speed":2,"errorLimit":{}},"order":2,"version":"2","steps":[{"name":"b"}]})",
       {}},
      {R"({"setting":{"common":{"column":{"timeZone":"UTC"}}}})",
       R"({"setting":{"common":{"column":{"timeZone":"GMT+8"}}}})",
       {R"(setting.common.column.timeZone was "UTC" and is "GMT+8")"}},
      {R"({"job":{"setting":{"speed":{"channel":1}}}})",
       R"({"job":{"setting":{"speed":{"channel":2}}}})",
       {}},
      {R"({"a":1})", R"({"a":1})", {}},
      {"{", R"({"a":1})", {}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(job_changes(c.before, c.now).data, c.lines) << c.now;
  }
}

TEST(job_changes, settings_that_may_differ_are_told_apart_with_both_values) {
  EXPECT_EQ(
      job_changes(
          R"({"steps":[1],"order":1,"setting":{"errorLimit":{"record":0},"speed":{"concurrent":4},"common":1}})",
          R"({"steps":[2],"order":2,"setting":{"errorLimit":{"record":10},"speed":{"concurrent":4},"common":2}})")
          .settings,
      std::vector<std::string>{"setting.errorLimit.record was 0 and is 10"});
  EXPECT_EQ(
      job_changes(R"({"job":{"content":1}})", R"({"job":{"content":2,"setting":{"speed":{"channel":2}}}})")
          .settings,
      std::vector<std::string>{R"(job.setting was not there and is {"speed":{"channel":2}})"});
  EXPECT_EQ(job_changes(R"({"setting":{"speed":1}})", R"({"setting":{"speed":1}})").settings,
            std::vector<std::string>());
}

TEST(job_changes, long_values_are_cut) {
  const auto lines = job_changes(R"({"a":"x"})", R"({"a":")" + std::string(500, 'y') + R"("})").data;
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LT(lines[0].size(), 120u);
}

TEST(job_changes, as_text_only_the_first_are_told) {
  EXPECT_EQ(changes_text({}), "");
  EXPECT_EQ(changes_text({"a", "b"}), "a; b");
  EXPECT_EQ(changes_text({"a", "b", "c", "d"}, 2), "a; b; and 2 more");
}

}  // namespace
}  // namespace sluice
