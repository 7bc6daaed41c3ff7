#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

/// Why a record is dirty, where Sluice itself refused it: the closed list. A refusal by a server keeps the
/// server's own code instead. The names (`to_string`) stand in dirty files and are never reused for another
/// meaning; the numbers stay inside the process.
enum class dirty_code : std::uint8_t {
  none,  ///< Not a refusal: the value was taken.
  empty,
  not_a_number,
  not_a_boolean,
  not_a_date,
  not_a_duration,
  out_of_range,
  has_fraction,
  has_time,
  too_precise,
  not_exact,
  not_finite,
  too_long,
  not_in_charset,
  invalid_utf8,
  wall_time_missing,
  wall_time_twice,
  null_not_allowed,
  invalid_encoding,
  too_few_fields,
  unclosed_quote,
  text_after_quote,
  field_too_long,
  record_too_large,
  not_json,
  bad_parameter,
  too_many_fields,
  duplicate_key,
  wrong_type,
  not_representable,
};

struct dirty_code_entry {
  dirty_code code;
  std::string_view name;
  std::string_view meaning;  ///< A sentence for docs/dirty-records.md.
};

/// Every code but `none`, in the order of the enumeration.
inline constexpr std::array dirty_codes = std::to_array<dirty_code_entry>({
    {dirty_code::empty, "empty", "An empty text stands where a number, a date or a boolean is wanted."},
    {dirty_code::not_a_number, "not_a_number", "The text is not a decimal number."},
    {dirty_code::not_a_boolean, "not_a_boolean",
     "The text is neither `true` nor `false`, or the number neither 0 nor 1."},
    {dirty_code::not_a_date, "not_a_date",
     "The text matches none of the date formats in force, or names a day or an hour that does not exist."},
    {dirty_code::not_a_duration, "not_a_duration",
     "The text is not of the form `[-]hours:mm:ss[.fraction]`."},
    {dirty_code::out_of_range, "out_of_range",
     "The value is beyond the smallest or largest of the target type."},
    {dirty_code::has_fraction, "has_fraction",
     "The number has a fraction and the target type is for whole numbers."},
    {dirty_code::has_time, "has_time",
     "The value has a time of day other than midnight and the target is a date."},
    {dirty_code::too_precise, "too_precise",
     "The value has more digits behind the point than the target keeps; it would be rounded."},
    {dirty_code::not_exact, "not_exact",
     "The number has no equal in the target's floating-point or integer format; it would be rounded."},
    {dirty_code::not_finite, "not_finite", "NaN or an infinity, which the target type does not have."},
    {dirty_code::too_long, "too_long",
     "The text or the bytes are longer than the target's length; they would be cut."},
    {dirty_code::not_in_charset, "not_in_charset",
     "The text has a character that the target's character set lacks."},
    {dirty_code::invalid_utf8, "invalid_utf8", "The bytes are not well-formed UTF-8."},
    {dirty_code::wall_time_missing, "wall_time_missing",
     "The wall clock time does not exist in the run's time zone (clocks were set forward)."},
    {dirty_code::wall_time_twice, "wall_time_twice",
     "The wall clock time exists twice in the run's time zone (clocks were set back)."},
    {dirty_code::null_not_allowed, "null_not_allowed", "NULL for a column that takes none."},
    {dirty_code::invalid_encoding, "invalid_encoding",
     "The bytes are not text in the file's declared encoding."},
    {dirty_code::too_few_fields, "too_few_fields",
     "The record has fewer fields than the job's columns need."},
    {dirty_code::unclosed_quote, "unclosed_quote",
     "A quoted field has no closing quote before the end of the file."},
    {dirty_code::text_after_quote, "text_after_quote",
     "Text stands between a closing quote and the next delimiter."},
    {dirty_code::field_too_long, "field_too_long",
     "A field is longer than `safetySwitch` allows (100,000 characters)."},
    {dirty_code::record_too_large, "record_too_large",
     "The record is larger than the largest that is moved (64 MB)."},
    {dirty_code::not_json, "not_json", "The line is not a JSON object."},
    {dirty_code::bad_parameter, "bad_parameter",
     "A transformer's parameter does not fit the record's value."},
    {dirty_code::too_many_fields, "too_many_fields",
     "The record has more fields than the file's first one, or more than 65,536."},
    {dirty_code::duplicate_key, "duplicate_key",
     "The JSON object has the same key twice, so that its value is not clear."},
    {dirty_code::wrong_type, "wrong_type",
     "A value of another type than its column declares stands in a table whose columns do not enforce "
     "theirs."},
    {dirty_code::not_representable, "not_representable",
     "The destination's format cannot hold the value: a delimiter or a line break in joined text."},
});

/// The name that dirty records carry; empty for `none`. A literal.
constexpr std::string_view to_string(dirty_code code) {
  return code == dirty_code::none ? std::string_view() : dirty_codes[static_cast<std::size_t>(code) - 1].name;
}

static_assert([] {
  for (std::size_t i = 0; i < dirty_codes.size(); ++i) {
    if (static_cast<std::size_t>(dirty_codes[i].code) != i + 1) {
      return false;
    }
  }
  return static_cast<std::size_t>(dirty_code::not_representable) == dirty_codes.size();
}());

}  // namespace sluice
