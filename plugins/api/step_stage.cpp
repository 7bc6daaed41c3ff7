#include "plugins/api/step_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "jobspec/digest.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view behind = "post:";
/// Of 32: two lists of statements that somebody wrote do not meet in them.
constexpr std::size_t digits = 16;
constexpr std::string_view begun_mark = " begun ";

std::string short_digest(std::string_view text) {
  return digest_text(text).substr(0, digits);
}

std::string begun_from(const std::string& before, std::string_view text) {
  return fmt::format("{}{}{}", before, begun_mark, short_digest(text));
}

}  // namespace

std::string stage_behind(const std::vector<target_step>& steps, std::size_t done) {
  if (done == 0) {
    return fmt::format("{}0", behind);
  }
  std::string texts;
  for (std::size_t i = 0; i < std::min(done, steps.size()); ++i) {
    texts += fmt::format("{}:{}", steps[i].text.size(), steps[i].text);
  }
  return fmt::format("{}{} {}", behind, done, short_digest(texts));
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

step_stages stages_before_data(std::size_t index, std::string_view text) {
  const std::string before = fmt::format("pre:{}", index);
  return {false, before, begun_from(before, text), fmt::format("pre:{}", index + 1)};
}

step_stages stages_behind_data(const std::vector<target_step>& steps, std::size_t index) {
  const std::string before = stage_behind(steps, index);
  return {true, before, begun_from(before, steps[index].text), stage_behind(steps, index + 1)};
}

bool begun_step::is(const target_step& step) const {
  return digest == short_digest(step.text);
}

std::optional<begun_step> begun_in(std::string_view stage) {
  const std::size_t at = stage.find(begun_mark);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view before = stage.substr(0, at);
  begun_step found;
  found.behind_data = before.starts_with(behind);
  found.index = stage_step(before, found.behind_data ? behind : "pre:").value_or(0);
  found.before = before;
  found.digest = stage.substr(at + begun_mark.size());
  return found;
}

std::string step_name(bool behind_data, std::size_t index, std::string_view text) {
  return fmt::format("step {} {} the data ({})", index + 1, behind_data ? "after" : "before",
                     statement_text(text));
}

std::string what_to_look_at(std::string_view text) {
  struct hint {
    std::string_view word;
    std::string_view look;
  };
  constexpr auto hints = std::to_array<hint>({{"create", "look whether what it creates is there"},
                                              {"drop", "look whether what it drops is gone"},
                                              {"alter", "look whether what it changes is changed"},
                                              {"rename", "look under which name the table stands"},
                                              {"truncate", "look whether the table is empty"},
                                              {"call", "look at what the procedure changes"},
                                              {"do", "look at what it changes"}});
  const std::string words = lower(trimmed(text));
  const std::string_view first = std::string_view(words).substr(0, words.find_first_of(" \t\r\n("));
  const auto found = std::find_if(hints.begin(), hints.end(), [&](const hint& h) { return h.word == first; });
  std::string out(found == hints.end() ? "look whether what it does is done" : found->look);
  if (words.find("concurrently") != std::string::npos) {
    out += " (an index that it left half made is INVALID: drop that first)";
  }
  return out;
}

std::string_view skip_flag(bool behind_data) {
  return behind_data ? "--skip-postsql" : "--skip-presql";
}

std::string_view rerun_flag(bool behind_data) {
  return behind_data ? "--rerun-postsql" : "--rerun-presql";
}

}  // namespace sluice
