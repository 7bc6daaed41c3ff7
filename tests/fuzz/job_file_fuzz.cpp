// Any bytes as a job file: a model or messages with places, never a crash, and no secret in the document
// shown.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jobspec/job.h"
#include "tests/unit/jobspec/fake_plugins.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sluice::load_options options;
  options.parameters = {{"day", "20250719"}, {"password", "kept-to-itself-7f3a"}};
  static const sluice::plugin_lookup plugins = sluice::fake_plugins();
  const auto answer = sluice::parse_job("job.json", text, options, plugins);
  if (answer ? answer->document.find("kept-to-itself-7f3a") != std::string::npos
             : answer.error().lines.empty()) {
    std::abort();
  }
  return 0;
}
