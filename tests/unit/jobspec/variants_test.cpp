// The tables of the facts about job files, row by row: tests/data/jobs/variants.txt says how its blocks are
// written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "jobspec/job.h"
#include "tests/support/source_dir.h"
#include "tests/unit/jobspec/fake_plugins.h"
#include "tests/unit/jobspec/job_model.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

struct variant {
  std::string row;       ///< `1.11 #34`
  std::string sentence;  ///< What the row asks.
  std::multimap<std::string, std::string> lines;

  [[nodiscard]] std::string one(const std::string& key, const std::string& otherwise = "") const {
    const auto at = lines.find(key);
    return at == lines.end() ? otherwise : at->second;
  }
  [[nodiscard]] std::vector<std::string> all(const std::string& key) const {
    std::vector<std::string> values;
    for (auto [at, last] = lines.equal_range(key); at != last; ++at) {
      values.push_back(at->second);
    }
    return values;
  }
};

void PrintTo(const variant& v, std::ostream* out) {
  *out << "[" << v.row << "] " << v.sentence;
}

std::string text_of(const std::string& path) {
  std::ifstream in(testing::in_source_tree(path), std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Whether a line begins `key: `, as the lines of a block do; any other goes on with the value before it.
bool begins_value(const std::string& line) {
  static const std::set<std::string> keys = {
      "form",  "reader", "writer", "setting", "more",    "steps", "file",          "bytes",
      "param", "set",    "strict", "expect",  "warning", "error", "not_supported", "see"};
  return keys.contains(line.substr(0, line.find(':')));
}

std::vector<variant> read_variants() {
  std::istringstream in(text_of("tests/data/jobs/variants.txt"));
  std::vector<variant> variants;
  std::multimap<std::string, std::string>::iterator last;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    if (line.starts_with('[')) {
      const std::size_t end = line.find(']');
      variants.push_back({line.substr(1, end - 1), line.substr(end + 2), {}});
    } else if (begins_value(line)) {
      const std::size_t colon = line.find(':');
      const std::string value = line.size() > colon + 2 ? line.substr(colon + 2) : "";
      last = variants.back().lines.emplace(line.substr(0, colon), value);
    } else {
      last->second += "\n" + line;
    }
  }
  return variants;
}

/// `name {parameter}` as its two parts.
std::pair<std::string, std::string> end_of(const std::string& text) {
  const std::size_t brace = text.find(" {");
  return {text.substr(0, brace), text.substr(brace + 1)};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string file_of(const variant& v) {
  if (v.lines.contains("file")) {
    return replaced(v.one("file"), "\\n", "\n");
  }
  const bool datax = v.one("form") == "datax";
  const auto [reads, read] = end_of(v.one("reader", "stream {\"column\":[\"a\"],\"sliceRecordCount\":1}"));
  const auto [writes, write] = end_of(v.one("writer", "stream {}"));
  const std::string more = v.lines.contains("more") ? ",\n " + v.one("more") : "";
  if (datax) {
    return fmt::format(
        "{{\"job\":{{\n\"content\":[{{\"reader\":{{\"name\":\"{}\",\"parameter\":{}}},\"writer\":{{\"name\":"
        "\"{}\",\"parameter\":{}}}}}],\n\"setting\":{{{}}}}}{}\n}}\n",
        reads, read, writes, write, v.one("setting", "\"speed\":{\"channel\":1}"), more);
  }
  const std::string steps =
      v.one("steps", fmt::format("{{\"stepType\":\"{}\",\"category\":\"reader\",\"name\":\"Reader\","
                                 "\"parameter\":{}}},{{\"stepType\":\"{}\",\"category\":\"writer\","
                                 "\"name\":\"Writer\",\"parameter\":{}}}",
                                 reads, read, writes, write));
  return fmt::format("{{\"type\":\"job\",\"version\":\"2.0\",\n\"steps\":[{}],\n\"setting\":{{{}}}{}\n}}\n",
                     steps, v.one("setting"), more);
}

load_options options_of(const variant& v) {
  load_options options;
  options.strict = v.lines.contains("strict");
  for (const std::string& text : v.all("param")) {
    options.parameters[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  }
  for (const std::string& text : v.all("set")) {
    options.set.emplace_back(text.substr(0, text.find('=')), text.substr(text.find('=') + 1));
  }
  return options;
}

/// The value at `a.b.c`, nullptr where there is none.
const json* value_at(const json& in, const std::string& path) {
  const json* at = &in;
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, '.');) {
    if (!at->is_object() || !at->contains(part)) {
      return nullptr;
    }
    at = &(*at)[part];
  }
  return at;
}

void expect_model(const json& got, const std::string& wanted) {
  const std::size_t equals = wanted.find(" = ");
  if (equals == std::string::npos) {
    ASSERT_TRUE(wanted.ends_with(" absent")) << wanted;
    EXPECT_EQ(value_at(got, wanted.substr(0, wanted.size() - 7)), nullptr) << wanted;
    return;
  }
  const json* value = value_at(got, wanted.substr(0, equals));
  ASSERT_NE(value, nullptr) << wanted << "\n" << got.dump(1);
  EXPECT_EQ(*value, json::parse(wanted.substr(equals + 3))) << wanted;
}

/// Every line has one of the parts, in order, and no other is there.
void expect_lines(const std::vector<std::string>& lines, const std::vector<std::string>& parts) {
  ASSERT_EQ(lines.size(), parts.size()) << ::testing::PrintToString(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_THAT(lines[i], HasSubstr(parts[i]));
  }
}

class Variant : public ::testing::TestWithParam<variant> {};

TEST_P(Variant, IsTakenAsTheFactsSay) {
  const variant& v = GetParam();
  if (v.lines.contains("see")) {
    const std::string see = v.one("see");
    const std::size_t space = see.find(' ');
    EXPECT_THAT(text_of(see.substr(0, space)), HasSubstr(see.substr(space + 1))) << "the test has gone";
    return;
  }
  std::string text = file_of(v);
  if (v.one("bytes") == "bom") {
    text.insert(0, "\xEF\xBB\xBF");
  } else if (v.one("bytes") == "crlf") {
    text = replaced(text, "\n", "\r\n");
  }
  const plugin_lookup plugins = fake_plugins();
  const auto answer = parse_job("variant.json", text, options_of(v), plugins);
  if (!answer) {
    ASSERT_TRUE(v.lines.contains("error")) << ::testing::PrintToString(answer.error().lines) << text;
    expect_lines(answer.error().lines, v.all("error"));
    EXPECT_EQ(answer.error().not_supported, v.all("not_supported"));
    EXPECT_EQ(answer.error().broken, !v.lines.contains("not_supported"));
    return;
  }
  ASSERT_FALSE(v.lines.contains("error")) << text;
  json got = model(*answer);
  const auto typed = [&](const job_step& step, bool reader) {
    return typed_model(step, *plugins.find(step.plugin, reader, dialect::script2)->options);
  };
  got["reader"]["typed"] = typed(answer->reader, true);
  got["writer"]["typed"] = typed(answer->writer, false);
  for (const std::string& wanted : v.all("expect")) {
    expect_model(got, wanted);
  }
  expect_lines(answer->warnings, v.all("warning"));
}

INSTANTIATE_TEST_SUITE_P(Facts, Variant, ::testing::ValuesIn(read_variants()), [](const auto& one) {
  std::string name;
  for (const char c : one.param.row) {
    name += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ? c : '_';
  }
  return fmt::format("{}_{}", name, one.index);
});

TEST(Variants, CoverEveryRowOfTheTables) {
  std::set<std::string> rows;
  for (const variant& v : read_variants()) {
    rows.insert(v.row);
  }
  const std::map<std::string, int> tables = {{"1.7", 6}, {"1.11", 40}, {"3.2", 7},  {"6.2", 4},
                                             {"6.4", 9}, {"8.1", 16},  {"8.2", 12}, {"8.3", 14}};
  for (const auto& [table, count] : tables) {
    for (int row = 1; row <= count; ++row) {
      EXPECT_TRUE(rows.contains(fmt::format("{} #{}", table, row))) << table << " #" << row;
    }
  }
}

}  // namespace
}  // namespace sluice
