// The job files of tests/data/jobs: `valid/NAME.json` parses to the model in `NAME.expect.json`,
// `broken/NAME.json` to exactly the lines of `NAME.expect`. Beside a file may stand `NAME.args` with options
// as on the command line, one a line: `-p name=value`, `--set path=value`, `--strict`, `--name name`,
// `--cyctime time`. Without the last the planned time is 2025-07-20 10:30:00.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "jobspec/job.h"
#include "tests/support/source_dir.h"
#include "tests/unit/jobspec/fake_plugins.h"
#include "tests/unit/jobspec/job_model.h"

namespace sluice {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

fs::path folder() {
  return testing::in_source_tree("tests/data/jobs");
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> names_in(const char* kind) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder() / kind)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".json") && !name.ends_with(".expect.json")) {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

load_options options_of(const fs::path& file) {
  load_options options;
  const auto plan = [](const std::string& time) {
    return [time](dialect, const std::optional<std::string>&) -> result<planned_time> {
      SLUICE_TRY(const auto asked, planned_times({.cyctime = time}));
      planned_time planned = planned_for(asked.front(), {}, "UTC");
      planned.assigns = false;
      return planned;
    };
  };
  options.plan = plan("2025-07-20 10:30:00");
  if (!fs::exists(file)) {
    return options;
  }
  for (const auto& line : lines_of(content_of(file))) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string flag = line.substr(0, space);
    const std::string rest = space < line.size() ? line.substr(space + 1) : "";
    const std::size_t equals = std::min(rest.find('='), rest.size());
    const std::string value = equals < rest.size() ? rest.substr(equals + 1) : "";
    if (flag == "--strict") {
      options.strict = true;
    } else if (flag == "--name") {
      options.name = rest;
    } else if (flag == "--cyctime") {
      options.plan = plan(rest);
    } else if (flag == "-p") {
      options.parameters[rest.substr(0, equals)] = value;
    } else if (flag == "--set") {
      options.set.emplace_back(rest.substr(0, equals), value);
    } else {
      ADD_FAILURE() << file << ": " << line;
    }
  }
  return options;
}

tl::expected<job, job_errors> parse_file(const char* kind, const std::string& name) {
  const fs::path base = folder() / kind / name;
  return parse_job(name + ".json", content_of(base.string() + ".json"), options_of(base.string() + ".args"),
                   fake_plugins());
}

class ValidJob : public ::testing::TestWithParam<std::string> {};

TEST_P(ValidJob, ParsesToTheModelBesideIt) {
  const auto answer = parse_file("valid", GetParam());
  ASSERT_TRUE(answer) << ::testing::PrintToString(answer.error().lines);
  const json expected = json::parse(content_of(folder() / "valid" / (GetParam() + ".expect.json")));
  const json got = model(*answer);
  EXPECT_EQ(got, expected) << got.dump(2);
}

INSTANTIATE_TEST_SUITE_P(Files, ValidJob, ::testing::ValuesIn(names_in("valid")),
                         [](const auto& one) { return one.param; });

class BrokenJob : public ::testing::TestWithParam<std::string> {};

TEST_P(BrokenJob, HasExactlyTheMessagesBesideIt) {
  const auto answer = parse_file("broken", GetParam());
  ASSERT_FALSE(answer);
  EXPECT_THAT(
      answer.error().lines,
      ::testing::ElementsAreArray(lines_of(content_of(folder() / "broken" / (GetParam() + ".expect")))));
}

INSTANTIATE_TEST_SUITE_P(Files, BrokenJob, ::testing::ValuesIn(names_in("broken")),
                         [](const auto& one) { return one.param; });

TEST(JobFiles, ThereAreEnoughOfThem) {
  EXPECT_GE(names_in("valid").size(), 45u);
  EXPECT_GE(names_in("broken").size(), 150u);
}

}  // namespace
}  // namespace sluice
