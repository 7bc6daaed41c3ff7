#include "tools/cli/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

struct logged {
  std::string shown;
  std::unique_ptr<log> lines;
  explicit logged(log_format format, log_level level = log_level::info) {
    auto made =
        log::make(format, level, run_id::make(1, 2, 3), [this](std::string_view line) { shown += line; });
    EXPECT_TRUE(made.has_value());
    lines = std::move(*made);
  }
};

TEST(log, a_text_line_knows_time_level_run_split_and_actor) {
  logged l(log_format::text);
  l.lines->write(log_level::warning, {"writer 2", 7}, "slow");
  EXPECT_THAT(
      l.shown,
      MatchesRegex("....-..-..T..:..:..\\....[+-]..:.. warning run ............ split 7 writer 2: slow\n"));
  EXPECT_THAT(l.shown, HasSubstr(run_id::make(1, 2, 3).text().substr(24)));
}

TEST(log, a_json_line_is_one_object_with_the_same_fields) {
  logged l(log_format::json);
  l.lines->write(log_level::error, {"writer 2", 7}, "a \"quoted\"\nline");
  l.lines->write(log_level::info, {}, "bytes that are no UTF-8: \xff");
  std::istringstream in(l.shown);
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first["level"], "error");
  EXPECT_EQ(first["run"], run_id::make(1, 2, 3).text());
  EXPECT_EQ(first["split"], 7);
  EXPECT_EQ(first["actor"], "writer 2");
  EXPECT_EQ(first["message"], "a \"quoted\"\nline");
  EXPECT_TRUE(first["time"].is_string());
  ASSERT_TRUE(std::getline(in, line));
  EXPECT_TRUE(nlohmann::json::parse(line)["split"].is_null());
  EXPECT_FALSE(std::getline(in, line));
}

TEST(log, a_line_break_in_a_text_cannot_forge_a_line) {
  logged l(log_format::text);
  l.lines->write(log_level::info, {}, "one\n2026-01-01 error two\r");
  EXPECT_EQ(std::count(l.shown.begin(), l.shown.end(), '\n'), 1);
  EXPECT_THAT(l.shown, HasSubstr("one\\n2026-01-01 error two\\r\n"));
}

TEST(log, lines_below_the_level_are_not_shown_but_stand_in_the_file) {
  const testing::test_folder folder;
  logged l(log_format::text, log_level::warning);
  l.lines->write(log_level::info, {}, "before the file");
  ASSERT_TRUE(l.lines->open_file(folder.file("run.log")).has_value());
  l.lines->write(log_level::info, {}, "quiet");
  l.lines->write(log_level::warning, {}, "loud");
  l.lines->write_file_only(log_level::warning, "for the file");
  EXPECT_THAT(l.shown, Not(HasSubstr("quiet")));
  EXPECT_THAT(l.shown, HasSubstr("loud"));
  EXPECT_THAT(l.shown, Not(HasSubstr("for the file")));
  const std::string file = folder.get("run.log");
  for (const char* text : {"before the file", "quiet", "loud", "for the file"}) {
    EXPECT_THAT(file, HasSubstr(text));
  }
  EXPECT_EQ(testing::mode_of(folder.file("run.log")), 0600U);
}

TEST(log, a_file_that_is_opened_again_is_appended_to) {
  const testing::test_folder folder;
  for (int i = 0; i < 2; ++i) {
    logged l(log_format::text);
    ASSERT_TRUE(l.lines->open_file(folder.file("run.log")).has_value());
    l.lines->write(log_level::info, {}, "process " + std::to_string(i));
  }
  EXPECT_THAT(folder.get("run.log"), HasSubstr("process 0"));
  EXPECT_THAT(folder.get("run.log"), HasSubstr("process 1"));
}

TEST(log, a_file_that_cannot_be_opened_is_refused_by_name) {
  const testing::test_folder folder;
  logged l(log_format::text);
  const auto opened = l.lines->open_file(folder.file("no/run.log"));
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().message, HasSubstr(folder.file("no/run.log")));
}

TEST(log, a_full_disk_loses_lines_and_says_so_once) {
  if (!std::filesystem::exists("/dev/full")) {
    GTEST_SKIP() << "the system has no /dev/full";
  }
  logged l(log_format::text);
  ASSERT_TRUE(l.lines->open_file("/dev/full").has_value());
  l.lines->write(log_level::info, {}, "lost");
  l.lines->write(log_level::info, {}, "lost, too");
  EXPECT_THAT(l.lines->file_trouble(), HasSubstr("/dev/full"));
  EXPECT_THAT(l.shown, HasSubstr("lost, too"));
}

}  // namespace
}  // namespace sluice
