#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobspec/option_values.h"
#include "transport/record/schema.h"

namespace sluice {

/// What one column of the stream reader holds (job-formats 2.19). Values, checked when made.
struct stream_column {
  enum class content { null, constant, random };

  std::string name;  ///< Empty where the job gives none.
  data_type type;
  content holds = content::constant;

  std::int64_t integer =
      0;              ///< Constant of long, bool (0, 1) and date (milliseconds since 1970, wall clock).
  double number = 0;  ///< Constant of double.
  std::string text;   ///< Constant of string and bytes.

  /// Random, both ends included: long: the values; double: from low up to, not including, high + 1; string
  /// and bytes: the length in characters; date: milliseconds; bool: low parts false to high parts true.
  std::int64_t low = 0;
  std::int64_t high = 0;

  [[nodiscard]] bool has_length() const { return type.id == type_id::utf8 || type.id == type_id::binary; }
};

/// The option `column` of the stream reader. `bad_option` with the column's place for an unknown type, a
/// value or a range that does not fit it.
result<std::vector<stream_column>> parse_stream_columns(const option_values& options);

/// The description of the option `column`.
option stream_column_option();

schema_ptr schema_of(const std::vector<stream_column>& columns);

}  // namespace sluice
