#include "plugins/api/step_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "jobspec/digest.h"

namespace sluice {
namespace {

constexpr std::string_view behind = "post:";
/// Of 32: two lists of statements that somebody wrote do not meet in them.
constexpr std::size_t digits = 16;

}  // namespace

std::string stage_behind(const std::vector<target_step>& steps, std::size_t done) {
  if (done == 0) {
    return fmt::format("{}0", behind);
  }
  std::string texts;
  for (std::size_t i = 0; i < std::min(done, steps.size()); ++i) {
    texts += fmt::format("{}:{}", steps[i].text.size(), steps[i].text);
  }
  return fmt::format("{}{} {}", behind, done, digest_text(texts).substr(0, digits));
}

std::optional<std::size_t> stage_step(std::string_view stage, std::string_view prefix) {
  if (!stage.starts_with(prefix)) {
    return std::nullopt;
  }
  stage.remove_prefix(prefix.size());
  std::size_t n = 0;
  std::from_chars(stage.data(), stage.data() + stage.size(), n);
  return n;
}

bool ran_of(const std::vector<target_step>& steps, std::string_view stage) {
  const std::optional<std::size_t> ran = stage_step(stage, behind);
  if (!ran || *ran == 0) {
    return true;
  }
  return *ran <= steps.size() &&
         (stage.find(' ') == std::string_view::npos || stage == stage_behind(steps, *ran));
}

}  // namespace sluice
