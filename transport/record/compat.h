#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/record/convert.h"

namespace sluice {

/// How DataX changes a value that Sluice would otherwise refuse or keep whole: the rows of docs/compat.md,
/// which a test compares with this table. The names stand in summaries.
enum class change_rule : std::uint8_t {
  fraction_cut,
  rounded,
  nonzero_is_true,
  empty_is_null,
  second_fraction_cut,
  time_cut,
  milliseconds,
};

struct change_rule_entry {
  change_rule rule;
  std::string_view name;
  std::string_view meaning;
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
     "A time loses what is finer than a millisecond, and as text the whole fraction of its second."},
    {change_rule::time_cut, "time_cut", "A time of day is cut off where the column holds a date."},
    {change_rule::milliseconds, "milliseconds",
     "A whole number becomes a time, or a time a whole number: milliseconds since 1970 UTC, in the run's "
     "zone."},
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

/// A row whose value was changed.
struct value_change {
  std::uint32_t row;
  change_rule rule;
};

/// How many values were changed, by index of the column and rule.
using change_counts = std::map<std::pair<std::uint32_t, change_rule>, std::uint64_t>;

/// Converts one column with the changes of DataX. Immutable, for any thread.
class changing_converter {
 public:
  virtual ~changing_converter() = default;
  /// As `column_converter::convert`, and names in `changes` (in order) the rows whose value was changed.
  virtual void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
                       std::vector<conversion_failure>& failures,
                       std::vector<value_change>& changes) const = 0;
};

/// What DataX may change between columns of these types; empty: it takes values as Sluice does.
std::vector<change_rule> possible_changes(const data_type& from, const data_type& to);

/// The converter of a pair for which `possible_changes` is not empty. Empty texts become NULL only where
/// `context.empty_as_null` is set. `bad_option` as `make_converter`.
result<std::unique_ptr<const changing_converter>> make_changing_converter(const field& from, const field& to,
                                                                          const conversion_context& context);

}  // namespace sluice
