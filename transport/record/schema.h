#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transport/record/change_rule.h"
#include "transport/record/type.h"

namespace sluice {

struct own_columns;

/// One column of a source or destination.
struct field {
  std::string name = {};  ///< Empty where the source has no name (a constant, a headerless file).
  data_type type = {};
  bool nullable = true;
  std::string source_type_name = {};  ///< The system's own name of the type, such as `varchar(20)` or `LONG`.
  /// Of a destination: false where a column takes texts as they come and yet holds something else, such as
  /// dates.
  bool holds_text = true;
  /// Of a source in the mode `datax`: how its reader itself may change values.
  std::vector<change_rule> changed_as_read = {};
  /// Of a source: it can hand the column over in its product's own bytes; two columns of one such form hold
  /// the same values by the same bytes. Empty: it cannot.
  std::string own_form = {};
  /// This field stands for columns in their product's own bytes, and is of type binary.
  std::shared_ptr<const own_columns> own = {};
  friend bool operator==(const field&, const field&) = default;
};

/// The columns of a batch in order. Shared, never changed.
using schema = std::vector<field>;
using schema_ptr = std::shared_ptr<const schema>;

}  // namespace sluice
