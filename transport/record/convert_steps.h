#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transport/base/text.h"
#include "transport/record/convert.h"
#include "transport/record/date_pattern.h"
#include "transport/record/dirty_codes.h"
#include "transport/record/parse.h"

/// What the converters have in common; only convert*.cpp include it.
namespace sluice::convert {

/// The failure of a row: the value as it stood, the type it did not fit, and what the code means.
conversion_failure failure_of(const column& from, const field& from_field, const field& to_field,
                              std::uint32_t row, dirty_code code);

/// A converter that calls `step(column, row, builder)` for every value that is not NULL. The step appends the
/// value (or NULL) and returns `none`, or appends nothing and returns why.
template <class Step>
class step_converter final : public column_converter {
 public:
  step_converter(field from, field to, Step step)
      : from_(std::move(from)), to_(std::move(to)), step_(std::move(step)) {}

  void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
               std::vector<conversion_failure>& failures) const override {
    const bool has_nulls = !from.validity.empty();
    for (std::uint32_t row = first; row < last; ++row) {
      dirty_code code = dirty_code::none;
      if (has_nulls && from.is_null(row)) {
        if (to_.nullable) {
          to.append_null();
          continue;
        }
        code = dirty_code::null_not_allowed;
      } else {
        code = step_(from, row, to);
      }
      if (code != dirty_code::none) {
        to.append_null();
        failures.push_back(failure_of(from, from_, to_, row, code));
      }
    }
  }

 private:
  field from_;
  field to_;
  Step step_;
};

template <class Step>
std::unique_ptr<const column_converter> by_step(const field& from, const field& to, Step step) {
  return std::make_unique<const step_converter<Step>>(from, to, std::move(step));
}

/// A converter whose values keep their bytes where `check(column, row)` says `none`: runs of good rows are
/// copied as a whole. Both types have the same layout.
template <class Check>
class copy_converter final : public column_converter {
 public:
  copy_converter(field from, field to, Check check)
      : from_(std::move(from)), to_(std::move(to)), check_(std::move(check)) {}

  void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
               std::vector<conversion_failure>& failures) const override {
    std::uint32_t copied = first;
    for (std::uint32_t row = first; row < last; ++row) {
      const bool null = from.is_null(row);
      const dirty_code code =
          !null ? check_(from, row) : (to_.nullable ? dirty_code::none : dirty_code::null_not_allowed);
      if (code != dirty_code::none) {
        to.append_range(from, copied, row - copied);
        to.append_null();
        failures.push_back(failure_of(from, from_, to_, row, code));
        copied = row + 1;
      }
    }
    to.append_range(from, copied, last - copied);
  }

 private:
  field from_;
  field to_;
  Check check_;
};

template <class Check>
std::unique_ptr<const column_converter> by_copy(const field& from, const field& to, Check check) {
  return std::make_unique<const copy_converter<Check>>(from, to, std::move(check));
}

/// A step that reads a text and appends the value that `read(text)` gives; empty text is NULL where the
/// context says so.
template <class Read>
std::unique_ptr<const column_converter> by_text(const field& from, const field& to, bool empty_as_null,
                                                Read read) {
  const bool to_null = empty_as_null && from.type.id == type_id::utf8;
  return by_step(from, to,
                 [to_null, nullable = to.nullable, read = std::move(read)](const column& c, std::uint32_t row,
                                                                           column_builder& out) {
                   const std::string_view text = c.get_bytes(row);
                   if (to_null && text.empty()) {
                     if (!nullable) {
                       return dirty_code::null_not_allowed;
                     }
                     out.append_null();
                     return dirty_code::none;
                   }
                   const auto value = read(text);
                   if (value) {
                     if constexpr (std::is_same_v<std::decay_t<decltype(value.value)>, bool>) {
                       out.append_bool(value.value);
                     } else {
                       out.append(value.value);
                     }
                   }
                   return value.code;
                 });
}

/// Appends ASCII text to a utf8 column with a length limit (0: none), whose unit does not matter then.
inline dirty_code append_ascii(std::string_view text, std::uint64_t length_max, column_builder& out) {
  if (length_max != 0 && text.size() > length_max) {
    return dirty_code::too_long;
  }
  out.append_bytes(text);
  return dirty_code::none;
}

/// Whether the number fits a decimal_text column of (precision, scale); precision 0 takes any.
dirty_code check_decimal_text(const data_type& type, const number_parts& number);

/// The job's formats that a text of a time may be in, in the order they are tried: those with a date, or, for
/// a time of day, those without.
result<std::vector<date_pattern>> patterns_for(type_id to, const conversion_context& context);

// The parts of the table; each gives nullptr for a pair that is not its own.
std::unique_ptr<const column_converter> make_number_converter(const field& from, const field& to);
std::unique_ptr<const column_converter> make_text_converter(const field& from, const field& to,
                                                            bool empty_as_null);
result<std::unique_ptr<const column_converter>> make_time_converter(const field& from, const field& to,
                                                                    const conversion_context& context);

}  // namespace sluice::convert
