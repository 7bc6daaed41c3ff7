#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "transport/base/int128.h"
#include "transport/record/change_rule.h"
#include "transport/record/convert.h"

namespace sluice {

/// A row whose value was changed.
struct value_change {
  std::uint32_t row;
  change_rule rule;
};

/// Converts one column with the changes of DataX. Immutable, for any thread.
class changing_converter {
 public:
  virtual ~changing_converter() = default;
  /// As `column_converter::convert`, and names in `changes` (in order) the rows whose value was changed.
  virtual void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
                       std::vector<conversion_failure>& failures,
                       std::vector<value_change>& changes) const = 0;
};

/// The number in front of the point; nothing beyond 64 bits, and where the text is no number.
std::optional<int128> whole_part(std::string_view text);

/// What DataX may change between columns of these types; empty: it takes values as Sluice does.
std::vector<change_rule> possible_changes(const data_type& from, const data_type& to);

/// The converter of a pair for which `possible_changes` is not empty. Empty texts become NULL only where
/// `context.empty_as_null` is set. `bad_option` as `make_converter`.
result<std::unique_ptr<const changing_converter>> make_changing_converter(const field& from, const field& to,
                                                                          const conversion_context& context);

}  // namespace sluice
