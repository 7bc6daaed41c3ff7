#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "transport/base/result.h"

namespace sluice {

/// How a value is changed that Sluice would otherwise refuse or keep whole, where a job asks for it: as DataX
/// does it (`compat`), or by an option of an end. The rows of docs/compat.md, which a test compares with this
/// table. The names stand in summaries and in progress tables, the numbers go over the wire.
enum class change_rule : std::uint8_t {
  fraction_cut,
  rounded,
  nonzero_is_true,
  empty_is_null,
  second_fraction_cut,
  time_cut,
  milliseconds,
  text_cut,
  carried_over,
  other_digits,
  zone_applied,
  nul_removed,
  nul_replaced,
  invalid_removed,
  invalid_replaced,
};

struct change_rule_entry {
  change_rule rule;
  std::string_view name;
  std::string_view meaning;
  bool of_datax = true;  ///< Else of an option.
};

inline constexpr std::array change_rules = std::to_array<change_rule_entry>({
    {change_rule::fraction_cut, "fraction_cut",
     "A number with a fraction becomes a whole number: the fraction is cut off, towards zero."},
    {change_rule::rounded, "rounded",
     "A number without an equal floating-point number becomes the nearest one."},
    {change_rule::nonzero_is_true, "nonzero_is_true", "A whole number other than 0 and 1 becomes true."},
    {change_rule::empty_is_null, "empty_is_null",
     "An empty text becomes NULL where the column holds no text (unless `emptyAsNull` is set to false)."},
    {change_rule::second_fraction_cut, "second_fraction_cut",
     "A time loses what is finer than a millisecond or than its format, and as text the whole fraction of "
     "its "
     "second."},
    {change_rule::time_cut, "time_cut",
     "A time of day is cut off where the column, or the format it is read with, holds a date."},
    {change_rule::milliseconds, "milliseconds",
     "A whole number becomes a time, or a time a whole number: milliseconds since 1970 UTC, in the run's "
     "zone."},
    {change_rule::text_cut, "text_cut",
     "What else stands behind a date or time, as its format has it, is left out: an offset from UTC, say."},
    {change_rule::carried_over, "carried_over",
     "A day or time that does not exist is counted on: 30 February is 2 March, 24:00 the next midnight."},
    {change_rule::other_digits, "other_digits",
     "A date or time whose numbers have fewer or more digits than its format is read all the same: "
     "`2025-1-2`."},
    {change_rule::zone_applied, "zone_applied",
     "A point in time becomes a wall clock time, or that a point in time, by the run's zone; an offset from "
     "UTC that stood with it is gone."},
    {change_rule::nul_removed, "nul_removed",
     "NUL characters of a text are left out (`nulCharacter`: `remove`).", false},
    {change_rule::nul_replaced, "nul_replaced",
     "NUL characters of a text become U+FFFD (`nulCharacter`: `replace`).", false},
    {change_rule::invalid_removed, "invalid_removed",
     "Bytes of a text that are no UTF-8 are left out (`invalidText`: `remove`).", false},
    {change_rule::invalid_replaced, "invalid_replaced",
     "Bytes of a text that are no UTF-8 become U+FFFD (`invalidText`: `replace`).", false},
});

constexpr std::string_view to_string(change_rule rule) {
  return change_rules[static_cast<std::size_t>(rule)].name;
}

static_assert([] {
  for (std::size_t i = 0; i < change_rules.size(); ++i) {
    if (static_cast<std::size_t>(change_rules[i].rule) != i) {
      return false;
    }
  }
  return true;
}());

/// Whether the rule of this name is one of DataX's.
bool is_of_datax(std::string_view name);

/// A value of a batch that was changed.
struct changed_value {
  std::uint32_t row;
  std::uint32_t column;
  change_rule rule;
  friend bool operator==(const changed_value&, const changed_value&) = default;
};

/// How many values were changed, by index of the column and rule.
using change_counts = std::map<std::pair<std::uint32_t, change_rule>, std::uint64_t>;

change_counts& operator+=(change_counts& to, const change_counts& more);

/// `0:fraction_cut=12,3:rounded=4`: as progress tables keep them. Empty where nothing was changed.
std::string to_text(const change_counts& counts);
/// The inverse. `internal` where it is none; a rule that is not known is one of a newer program's.
result<change_counts> change_counts_from(std::string_view text);

}  // namespace sluice
