#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transport/record/batch_builder.h"
#include "transport/record/zone.h"

namespace sluice {

/// What the conversion table says of a pair of types.
enum class conversion_kind : std::uint8_t {
  same,     ///< Same type and modifiers: the column passes as it is.
  exact,    ///< Every value fits; the representation changes.
  checked,  ///< A value may not fit: its record is dirty then.
  refused,  ///< No meaning: the job is refused before data moves.
};

struct conversion {
  conversion_kind kind;
  std::string rule;         ///< One phrase for the plan and docs: `text to number, exact or dirty`.
  bool needs_zone = false;  ///< The pair is marked in the plan.
};

/// What a conversion may need beside the types. Values are the dialect's defaults when the job is silent.
struct conversion_context {
  time_zone_ptr zone = nullptr;
  std::string datetime_format = "yyyy-MM-dd HH:mm:ss";  ///< Java patterns, text to and from times.
  std::string date_format = "yyyy-MM-dd";
  std::string time_format = "HH:mm:ss";
  std::vector<std::string> extra_formats = {"yyyyMMdd"};
  std::string bytes_encoding =
      {};                      ///< Between binary and text, where it is not UTF-8: such pairs are refused.
  bool empty_as_null = false;  ///< Empty text into a type that is not text is NULL.
  /// A reader that gives texts a type changes values as DataX's reader does, and counts it (compat.h).
  bool as_datax = false;
};

struct conversion_failure {
  std::uint32_t row;
  std::string_view code;  ///< From the closed list in docs/dirty-records.md; a literal.
  std::string message;
};

/// Converts one column. Immutable, used by any thread.
class column_converter {
 public:
  virtual ~column_converter() = default;
  /// Appends rows [first, last) of `from` to `to`; a row that does not fit is appended as NULL and named in
  /// `failures` (in order). Never fails otherwise.
  virtual void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
                       std::vector<conversion_failure>& failures) const = 0;
};

/// What the table says of the pair, without making anything.
conversion lookup_conversion(const data_type& from, const data_type& to);

/// The converter of the pair; nullptr where the column passes as it is (`same`, and no NULL to look for).
/// `bad_option` where the table refuses it, with both types and what to do; NULL into a column that is not
/// nullable is a failure of the row (`null_not_allowed`).
result<std::unique_ptr<const column_converter>> make_converter(const field& from, const field& to,
                                                               const conversion_context& context);

}  // namespace sluice
