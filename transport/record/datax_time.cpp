#include "transport/record/datax_time.h"

#include <algorithm>

namespace sluice {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// ` 10:20:30` or `T10` and the like.
bool begins_time(std::string_view rest) {
  return rest.size() >= 2 && (rest[0] == ' ' || rest[0] == 'T') && is_digit(rest[1]);
}

/// `.` and nothing but digits.
bool is_fraction(std::string_view rest) {
  return rest.size() >= 2 && rest[0] == '.' && std::all_of(rest.begin() + 1, rest.end(), is_digit);
}

std::optional<change_rule> rule_of(const date_pattern& pattern, const date_pattern::loose_reading& read) {
  if (read.carried) {
    return change_rule::carried_over;
  }
  if (read.rest.empty()) {
    return read.other_digits ? std::optional(change_rule::other_digits) : std::nullopt;
  }
  if (!pattern.has_time() && begins_time(read.rest)) {
    return change_rule::time_cut;
  }
  return pattern.ends_with_seconds() && is_fraction(read.rest) ? change_rule::second_fraction_cut
                                                               : change_rule::text_cut;
}

}  // namespace

std::optional<datax_time> read_as_datax(const std::vector<date_pattern>& patterns, std::string_view text) {
  for (const date_pattern& pattern : patterns) {
    if (const auto read = pattern.parse_as_java(text)) {
      const auto rule = rule_of(pattern, *read);
      return rule ? std::optional(datax_time{read->at, *rule}) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::vector<change_rule> possible_changes(const std::vector<date_pattern>& patterns) {
  std::vector<change_rule> rules;
  const auto any = [&](auto which) { return std::any_of(patterns.begin(), patterns.end(), which); };
  if (any([](const date_pattern& p) { return p.ends_with_seconds(); })) {
    rules.push_back(change_rule::second_fraction_cut);
  }
  if (any([](const date_pattern& p) { return !p.has_time(); })) {
    rules.push_back(change_rule::time_cut);
  }
  rules.insert(rules.end(), {change_rule::text_cut, change_rule::carried_over, change_rule::other_digits});
  return rules;
}

}  // namespace sluice
