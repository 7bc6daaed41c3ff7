#include "plugins/text/value_parser.h"

#include <algorithm>
#include <limits>

#include "jobspec/words.h"
#include "transport/base/text.h"
#include "transport/record/calendar.h"
#include "transport/record/compat.h"
#include "transport/record/datax_time.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

/// The number of S outside of quotes.
unsigned fraction_letters(std::string_view pattern) {
  unsigned count = 0;
  bool quoted_text = false;
  for (const char c : pattern) {
    quoted_text = quoted_text != (c == '\'');
    count += c == 'S' && !quoted_text ? 1 : 0;
  }
  return count;
}

time_unit unit_for(unsigned digits) {
  return digits == 0   ? time_unit::second
         : digits <= 3 ? time_unit::milli
         : digits <= 6 ? time_unit::micro
                       : time_unit::nano;
}

/// `007`, `-0` and `+1` are none.
bool is_own_long(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
         (digits[0] != '0' || text == "0") && parse_int64(text).ok();
}

bool is_own_decimal(std::string_view text, std::string& scratch) {
  if (text.empty() || text.find_first_not_of("0123456789.-") != std::string_view::npos ||
      text.back() == '.' || text.back() == '-') {
    return false;
  }
  const bool minus = text[0] == '-';
  const std::string_view digits = text.substr(minus ? 1 : 0);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && digits[1] != '.';
  const bool minus_zero = minus && digits.find_first_not_of("0.") == std::string_view::npos;
  const auto value = parse_decimal_text(text, scratch);
  return !leading_zero && !minus_zero && digits[0] != '.' && value.ok() && value.value == text;
}

bool reads_back(const date_pattern& pattern, std::string_view text) {
  const auto time = pattern.parse(text);
  if (!time.ok()) {
    return false;
  }
  std::string written(pattern.chars_max(), '\0');
  char* end = written.data();
  return pattern.write(time.value, 0, end) == dirty_code::none &&
         std::string_view(written.data(), static_cast<std::size_t>(end - written.data())) == text;
}

}  // namespace

std::string_view to_string(declared_type type) {
  switch (type) {
    case declared_type::string_text:
      return "STRING";
    case declared_type::long_number:
      return "LONG";
    case declared_type::double_number:
      return "DOUBLE";
    case declared_type::boolean:
      return "BOOLEAN";
    case declared_type::date:
      return "DATE";
    case declared_type::bytes:
      return "BYTES";
  }
  return "";
}

std::optional<declared_type> declared_type_of(std::string_view word) {
  for (const auto type :
       {declared_type::string_text, declared_type::long_number, declared_type::double_number,
        declared_type::boolean, declared_type::date, declared_type::bytes}) {
    if (same_word(word, to_string(type))) {
      return type;
    }
  }
  return std::nullopt;
}

result<value_parser> value_parser::make(declared_type type, const std::optional<std::string>& format,
                                        const conversion_context& formats) {
  switch (type) {
    case declared_type::string_text:
      return value_parser(type, type_of(type_id::utf8));
    case declared_type::long_number: {
      value_parser parser(type, type_of(type_id::int64));
      parser.as_datax_ = formats.as_datax;
      return parser;
    }
    case declared_type::double_number:
      return value_parser(type, type_of(type_id::decimal_text));
    case declared_type::boolean:
      return value_parser(type, type_of(type_id::boolean));
    case declared_type::bytes: {
      value_parser parser(type, type_of(type_id::binary));
      const auto form = bytes_form_of(format.value_or("text"));
      if (!form) {
        return fail(error_kind::bad_option,
                    "the format of a column of BYTES is {}; write text, hex, pgHex or base64.",
                    in_quotes(*format));
      }
      parser.form_ = *form;
      return parser;
    }
    case declared_type::date:
      break;
  }
  std::vector<std::string> texts;
  if (format) {
    texts.push_back(*format);
  } else {
    texts = {formats.datetime_format, formats.date_format};
    texts.insert(texts.end(), formats.extra_formats.begin(), formats.extra_formats.end());
  }
  std::vector<date_pattern> patterns;
  unsigned digits = 0;
  bool offsets = false;
  for (const std::string& text : texts) {
    SLUICE_TRY(auto pattern, date_pattern::make(text));
    if (!pattern.has_date()) {
      if (format) {
        return fail(error_kind::bad_option,
                    "the format {} has no date, and a time of day alone is no point in time; declare the "
                    "column STRING.",
                    in_quotes(text));
      }
      continue;  // for times of day only, which no column here is
    }
    offsets = offsets || pattern.has_offset();
    digits = std::max(digits, std::min(fraction_letters(text), 9U));
    patterns.push_back(std::move(pattern));
  }
  if (patterns.empty()) {
    return fail(error_kind::bad_option,
                "none of the formats of common.column has a date; give the column a format of its own.");
  }
  if (offsets &&
      !std::all_of(patterns.begin(), patterns.end(), [](const auto& p) { return p.has_offset(); })) {
    return fail(
        error_kind::bad_option,
        "some of the formats of common.column have an offset from UTC and some have none; give the column a "
        "format of its own.");
  }
  data_type t = time_type(offsets ? type_id::instant : type_id::timestamp, unit_for(digits));
  t.fraction_digits = static_cast<std::uint8_t>(digits);
  value_parser parser(type, t);
  parser.as_datax_ = formats.as_datax;
  parser.patterns_ = std::move(patterns);
  return parser;
}

bool value_parser::is_own_spelling(std::string_view text) {
  switch (declared_) {
    case declared_type::string_text:
      return true;
    case declared_type::long_number:
      return is_own_long(text);
    case declared_type::double_number:
      return is_own_decimal(text, scratch_);
    case declared_type::boolean:
      return text == "true" || text == "false";
    case declared_type::bytes: {
      std::string written;
      if (!read_bytes_as(form_, text, scratch_)) {
        return false;
      }
      append_bytes_as(form_, scratch_, written);
      return written == text;
    }
    case declared_type::date:
      break;
  }
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const date_pattern& pattern) { return reads_back(pattern, text); });
}

dirty_code value_parser::code_of_other_spelling() const {
  switch (declared_) {
    case declared_type::boolean:
      return dirty_code::not_a_boolean;
    case declared_type::bytes:
      return dirty_code::invalid_encoding;
    case declared_type::date:
      return dirty_code::not_a_date;
    default:
      return dirty_code::not_a_number;
  }
}

dirty_code value_parser::append(std::string_view text, column_builder& to) {
  const std::uint32_t before = to.size();
  const dirty_code code = append_any_spelling(text, to);
  if (own_spelling_only_ && code == dirty_code::none && !is_own_spelling(text)) {
    to.truncate(before);
    return code_of_other_spelling();
  }
  return code;
}

dirty_code value_parser::append_any_spelling(std::string_view text, column_builder& to) {
  switch (declared_) {
    case declared_type::string_text:
      to.append_bytes(text);
      return dirty_code::none;
    case declared_type::long_number: {
      const auto value = parse_int64(text);
      if (value.ok()) {
        to.append(value.value);
      }
      return value.code;
    }
    case declared_type::double_number: {
      const auto value = parse_decimal_text(text, scratch_);
      if (value.ok()) {
        to.append_bytes(value.value);
      }
      return value.code;
    }
    case declared_type::boolean: {
      const auto value = parse_bool(text);
      if (value.ok()) {
        to.append_bool(value.value);
      }
      return value.code;
    }
    case declared_type::bytes:
      if (!read_bytes_as(form_, text, scratch_)) {
        return dirty_code::invalid_encoding;
      }
      to.append_bytes(scratch_);
      return dirty_code::none;
    case declared_type::date:
      break;
  }
  return append_date(text, to);
}

dirty_code value_parser::append_date(std::string_view text, column_builder& to) const {
  dirty_code first = dirty_code::none;
  for (const date_pattern& pattern : patterns_) {
    const auto wall = pattern.parse(text, {.fraction = true, .end_of_day = false});
    if (wall.ok()) {
      return append_time(wall.value, to);
    }
    first = first == dirty_code::none ? wall.code : first;
  }
  return first;
}

dirty_code value_parser::append_time(const wall_time& wall, column_builder& to) const {
  std::int64_t kept_nanos = nanos_per_second;
  for (unsigned digit = 0; digit < type_.fraction_digits; ++digit) {
    kept_nanos /= 10;
  }
  if (wall.nanos_of_day % kept_nanos != 0) {
    return dirty_code::too_precise;
  }
  const std::int64_t per = units_per_second(type_.unit);
  const int128 seconds = int128{wall.days} * seconds_per_day - wall.offset_s;
  const int128 units = seconds * per + wall.nanos_of_day / (nanos_per_second / per);
  // The extreme values are the infinities.
  if (units <= std::numeric_limits<std::int64_t>::min() ||
      units >= std::numeric_limits<std::int64_t>::max()) {
    return dirty_code::out_of_range;
  }
  to.append(static_cast<std::int64_t>(units));
  return dirty_code::none;
}

std::optional<change_rule> value_parser::append_changed(std::string_view text, column_builder& to) const {
  if (!as_datax_ || own_spelling_only_) {
    return std::nullopt;
  }
  if (declared_ == declared_type::long_number) {
    const auto whole = whole_part(text);
    if (!whole || *whole < std::numeric_limits<std::int64_t>::min() ||
        *whole > std::numeric_limits<std::int64_t>::max()) {
      return std::nullopt;
    }
    to.append(static_cast<std::int64_t>(*whole));
    return change_rule::fraction_cut;
  }
  const auto read = read_as_datax(patterns_, text);
  if (!read || append_time(read->at, to) != dirty_code::none) {
    return std::nullopt;
  }
  return read->rule;
}

std::vector<change_rule> value_parser::changes() const {
  if (!as_datax_ || own_spelling_only_) {
    return {};
  }
  return declared_ == declared_type::long_number ? std::vector{change_rule::fraction_cut}
                                                 : possible_changes(patterns_);
}

bool value_parser::refuses_spelling(std::string_view text) const {
  value_parser any = *this;
  column_builder scratch(type_, buffer_pool::make(0));
  return own_spelling_only_ && any.append_any_spelling(text, scratch) == dirty_code::none;
}

std::string value_parser::expected() const {
  switch (declared_) {
    case declared_type::string_text:
      return "a text";
    case declared_type::long_number:
      return "a whole number from -9223372036854775808 to 9223372036854775807";
    case declared_type::double_number:
      return "a number";
    case declared_type::boolean:
      return "true or false";
    case declared_type::bytes:
      return std::string(expected_of(form_));
    case declared_type::date:
      break;
  }
  std::string words = "a date like ";
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    words += (i == 0 ? "" : " or ") + in_quotes(patterns_[i].text());
  }
  return words;
}

}  // namespace sluice
