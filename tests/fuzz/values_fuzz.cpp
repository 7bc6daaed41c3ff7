#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "transport/record/change_rule.h"
#include "transport/record/date_pattern.h"
#include "transport/record/format.h"
#include "transport/record/parse.h"
#include "transport/record/regex.h"
#include "transport/record/utf8.h"

// Any bytes into every parser of single values. Nothing may crash, and what was read must be written and read
// again as the same value.

namespace {

using namespace sluice;

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void numbers(std::string_view text) {
  if (const auto v = parse_int64(text)) {
    must(parse_int64(text_of(write_int64, v.value)).value == v.value);
  }
  if (const auto v = parse_uint64(text)) {
    must(parse_uint64(text_of(write_uint64, v.value)).value == v.value);
  }
  if (const auto v = parse_decimal(text, 38, 9)) {
    must(parse_decimal(text_of(write_decimal, v.value, 9U), 38, 9).value == v.value);
  }
  const auto parts = split_number(text);
  std::string scratch;
  const auto decimal = parse_decimal_text(text, scratch);
  must(parts.ok() == decimal.ok());
  if (decimal) {
    must(is_decimal_text(decimal.value));
    must(equal_numbers(parts.value, split_number(decimal.value).value));
  }
  if (const auto v = parse_float64_exact(text)) {
    const std::string back = text_of(write_float64, v.value);
    must(equal_numbers(parts.value, split_number(back).value));
  }
}

void times(std::string_view text) {
  if (const auto v = parse_iso_date(text)) {
    must(parse_iso_date(text_of(write_iso_date, v.value)).value == v.value);
  }
  if (const auto v = parse_iso_timestamp(text, time_unit::micro, 6)) {
    must(parse_iso_timestamp(text_of(write_iso_timestamp, v.value, time_unit::micro, 6U, 'T'),
                             time_unit::micro, 6)
             .value == v.value);
  }
  if (const auto v = parse_duration(text, time_unit::nano, 9)) {
    must(parse_duration(text_of(write_duration, v.value, time_unit::nano, 9U), time_unit::nano, 9).value ==
         v.value);
  }
}

/// Where nothing is carried over, cut or written otherwise, the strict reading reads the same.
void as_java(const date_pattern& pattern, std::string_view text) {
  const auto read = pattern.parse_as_java(text);
  if (!read) {
    return;
  }
  must(text.ends_with(read->rest));
  must(read->at.nanos_of_day >= 0 && read->at.nanos_of_day < 86'400'000'000'000);
  if (!read->carried && !read->other_digits && read->rest.empty()) {
    const auto strict = pattern.parse(text);
    must(strict.ok() && strict.value == read->at);
  }
}

/// The bytes up to the first newline are a pattern, the others its text.
void patterns(std::string_view input) {
  const std::size_t border = std::min(input.find('\n'), input.size());
  const auto pattern = date_pattern::make(input.substr(0, border));
  if (!pattern) {
    return;
  }
  const std::string_view text = input.substr(std::min(border + 1, input.size()));
  as_java(*pattern, text);
  const auto t = pattern->parse(text, {.fraction = true, .end_of_day = true});
  if (!t) {
    return;
  }
  std::string room(pattern->chars_max(), ' ');
  char* end = room.data();
  if (pattern->write(t.value, 9, end) == dirty_code::none) {
    const std::string_view written(room.data(), static_cast<std::size_t>(end - room.data()));
    must(written.size() <= room.size());
    const auto again = pattern->parse(written, {.fraction = true, .end_of_day = true});
    must(again.ok() && again.value == t.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  numbers(input);
  times(input);
  patterns(input);
  (void)is_utf8(input);
  if (const auto counts = change_counts_from(input)) {
    must(*change_counts_from(to_text(*counts)) == *counts);
  }
  if (const auto regex = whole_regex::make(input.substr(0, size / 2))) {
    (void)regex->matches(input.substr(size / 2));
  }
  return 0;
}
