#pragma once

#include <string>

#include "transport/record/type.h"

namespace sluice::test {

/// The slow reference of the conversions: what becomes of a value, given as the text that `value_text` shows,
/// by plain arithmetic on strings and 128-bit nanoseconds. Shares no code with what it judges. The run's zone
/// is GMT+8, the formats are the defaults.
struct reference_answer {
  bool fits = false;
  std::string
      text;  ///< As `value_text` of the target type would show it; numbers to be compared by `plain_number`.
};
reference_answer reference_conversion(const data_type& from, const std::string& text, const data_type& to);

/// A number of any spelling as `[-]digits.digits` without zeros at its ends; `NaN` and the like as they are;
/// empty where the text is no number.
std::string plain_number(const std::string& text);

}  // namespace sluice::test
