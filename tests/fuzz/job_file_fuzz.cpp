// Any bytes as a job file: a model or messages of one line with places, never a crash, and no secret in what
// is shown. Behind a NUL byte may follow lines as on the command line: `strict`, or PATH=VALUE for `--set`.
// What is read is tried three times: as the whole file, and as the reader's parameter in a file of either
// format, so that both are reached from every input.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "jobspec/job.h"
#include "tests/unit/jobspec/fake_plugins.h"

namespace {

constexpr std::string_view secret = "kept-to-itself-7f3a";

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

bool is_one_line(const std::string& line) {
  return !line.empty() &&
         std::none_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

sluice::load_options options_from(std::string_view lines) {
  sluice::load_options options;
  options.parameters = {{"day", "20250719"}, {"password", std::string(secret)}, {"n", "3"}};
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    const std::size_t equals = line.find('=');
    if (line == "strict") {
      options.strict = true;
    } else if (equals != std::string_view::npos) {
      options.set.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    }
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return options;
}

void try_file(const std::string& text, const sluice::load_options& options) {
  static const sluice::plugin_lookup plugins = sluice::fake_plugins();
  const auto answer = sluice::parse_job("job.json", text, options, plugins);
  if (!answer) {
    const auto& found = answer.error();
    require(!found.lines.empty() && std::all_of(found.lines.begin(), found.lines.end(), is_one_line));
    require(found.broken || !found.not_supported.empty());
    return;
  }
  require(std::all_of(answer->warnings.begin(), answer->warnings.end(), is_one_line));
  require(answer->document.find(secret) == std::string::npos);
  require(nlohmann::json::accept(answer->document));
  require(answer->key.size() == 32 && answer->instance.size() == 32);
  require(answer->speed.concurrent >= 1 && answer->speed.concurrent <= 256);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string text(input.substr(0, end));
  const auto options = options_from(input.substr(std::min(end + 1, input.size())));
  try_file(text, options);
  try_file(R"({"type":"job","version":"2.0","steps":[{"stepType":"fakedb","category":"reader","name":"R",)"
           R"("parameter":)" +
               text +
               R"(},{"stepType":"sqlite","category":"writer","name":"W","parameter":{"table":"t",)"
               R"("column":["*"],"password":"${password}"}}],"setting":{}})",
           options);
  try_file(R"({"job":{"setting":{"speed":{"channel":"${n}"}},"content":[{"reader":{"name":"txtfilereader",)"
           R"("parameter":)" +
               text + R"(},"writer":{"name":"fakedbwriter","parameter":{"column":["*"]}}}]}})",
           options);
  return 0;
}
