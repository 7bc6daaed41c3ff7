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
      planned.assigns.clear();
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

template <class T>
void put(json& to, const char* key, const std::optional<T>& value) {
  if (value) {
    to[key] = *value;
  }
}

json step_model(const job_step& step) {
  return {{"plugin", step.plugin},
          {"type", step.type_text},
          {"place", step.place},
          {"parameter", step.parameter.json()}};
}

/// The job as JSON; what is not set is left out.
json model(const job& j) {
  json out = {{"form", j.form == dialect::datax ? "datax" : "2.0"},
              {"name", j.name},
              {"reader", step_model(j.reader)},
              {"writer", step_model(j.writer)},
              {"errors", json::object()},
              {"speed", {{"concurrent", j.speed.concurrent}, {"reason", j.speed.concurrent_reason}}},
              {"warnings", j.warnings}};
  put(out["errors"], "records", j.errors.records);
  put(out["errors"], "ratio", j.errors.ratio);
  put(out["speed"], "bytes_per_second", j.speed.bytes_per_second);
  put(out["speed"], "records_per_second", j.speed.records_per_second);
  json expect = json::object();
  put(expect, "min_records", j.expect.min_records);
  put(expect, "max_records", j.expect.max_records);
  put(expect, "max_dirty_ratio", j.expect.max_dirty_ratio);
  json formats = json::object();
  put(formats, "datetime", j.formats.datetime_format);
  put(formats, "date", j.formats.date_format);
  put(formats, "time", j.formats.time_format);
  put(formats, "extra", j.formats.extra_formats);
  put(formats, "encoding", j.formats.encoding);
  put(formats, "zone", j.time_zone);
  json transformers = json::array();
  for (const auto& t : j.transformers) {
    transformers.push_back(
        {{"name", t.name}, {"column", t.column_index}, {"paras", t.paras}, {"place", t.place}});
  }
  if (j.compat != compat_mode::exact) {
    out["compat"] = to_string(j.compat);
  }
  const std::pair<const char*, json> rest[] = {
      {"expect", expect}, {"formats", formats}, {"transformers", transformers}, {"parameters", j.parameters}};
  for (const auto& [key, value] : rest) {
    if (!value.empty()) {
      out[key] = value;
    }
  }
  return out;
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
  EXPECT_GE(names_in("valid").size(), 20u);
  EXPECT_GE(names_in("broken").size(), 50u);
}

}  // namespace
}  // namespace sluice
