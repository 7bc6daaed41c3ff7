#include "transport/record/change_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "transport/base/text.h"

namespace sluice {
namespace {

/// The number at the start of `text` and the character behind it, both taken off; something stands behind
/// them, but that a comma may be missing at the end.
template <class Number>
bool take_number(std::string_view& text, char behind, Number& n) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  const auto length = static_cast<std::size_t>(end - text.data());
  const bool last = length == text.size();
  if (failed != std::errc() || (last ? behind != ',' : *end != behind)) {
    return false;
  }
  text.remove_prefix(length + (last ? 0 : 1));
  return last || !text.empty();
}

}  // namespace

bool is_of_datax(std::string_view name) {
  return std::any_of(change_rules.begin(), change_rules.end(),
                     [name](const change_rule_entry& e) { return e.of_datax && e.name == name; });
}

change_counts& operator+=(change_counts& to, const change_counts& more) {
  for (const auto& [what, count] : more) {
    to[what] += count;
  }
  return to;
}

std::string to_text(const change_counts& counts) {
  std::string text;
  for (const auto& [what, count] : counts) {
    text += fmt::format("{}{}:{}={}", text.empty() ? "" : ",", what.first, to_string(what.second), count);
  }
  return text;
}

result<change_counts> change_counts_from(std::string_view text) {
  change_counts counts;
  const auto wrong = [whole = text] {
    return fail(error_kind::internal, "{} is no list of counted changes", in_quotes(whole));
  };
  while (!text.empty()) {
    std::uint32_t column = 0;
    if (!take_number(text, ':', column)) {
      return wrong();
    }
    const std::string_view name = text.substr(0, text.find('='));
    const auto* const entry = std::find_if(change_rules.begin(), change_rules.end(),
                                           [name](const change_rule_entry& e) { return e.name == name; });
    if (name.size() == text.size() || entry == change_rules.end()) {
      return wrong();
    }
    text.remove_prefix(name.size() + 1);
    std::uint64_t count = 0;
    if (!take_number(text, ',', count)) {
      return wrong();
    }
    counts[{column, entry->rule}] += count;
  }
  return counts;
}

}  // namespace sluice
