#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.h"
#include "transport/record/parse.h"

namespace sluice {

/// A point on a calendar and a clock, with the offset from UTC where the text gave one.
struct wall_time {
  std::int32_t days = 0;          ///< Since 1970-01-01, proleptic Gregorian.
  std::int64_t nanos_of_day = 0;  ///< 86,400 x 10^9 for 24:00:00.
  std::int32_t offset_s = 0;
  bool has_offset = false;
  friend bool operator==(const wall_time&, const wall_time&) = default;
};

/// The date `yyyy-MM-dd`, all of the text, as the pattern of these letters reads it; false where it is none.
bool read_plain_date(std::string_view text, std::int32_t& days);

/// A letter of a pattern, for docs and tests.
struct pattern_letter {
  char letter;
  std::string_view meaning;  ///< Of a supported letter; of another one what to do instead.
  bool supported;
};
/// Every letter that java.text.SimpleDateFormat or java.time.format.DateTimeFormatter knows.
std::span<const pattern_letter> pattern_letters();

/// A date pattern in Java's letters, compiled once; immutable, for any thread. Names of months and days are
/// English, in any case. Strict: the whole text must match, a number has the width its letters say (one
/// letter: up to the longest value; more: exactly that many digits), and no field may be out of range.
/// Differs from SimpleDateFormat in that: it never carries over (no 30 February), S are digits of a fraction,
/// `yy` is 2000 to 2099, and the calendar is Gregorian throughout.
class date_pattern {
 public:
  enum class use : std::uint8_t {
    exact,    ///< To read, and to write only what reads back as the same value.
    display,  ///< To write only; fields the pattern does not have are left out, as the job asked.
  };
  /// `bad_option` naming the place in the pattern: an unknown or unsupported letter, an open quote; with
  /// `exact` also a field without the ones above it (`dd` without `MM`), twice, or without a width of its
  /// own.
  static result<date_pattern> make(std::string_view pattern, use u = use::exact);

  struct options {
    bool fraction = false;    ///< Behind a pattern that ends with seconds `.` and digits may follow.
    bool end_of_day = false;  ///< 24:00:00 is the end of the day.
  };
  /// Fields the pattern does not have: month and day 1, midnight; days are 0 where it has no date.
  /// `not_a_date`, `empty`, `too_precise` (more than 9 digits of a fraction). Only of an `exact` pattern.
  [[nodiscard]] parsed<wall_time> parse(std::string_view text, options o) const {
    parsed<wall_time> out;
    out.code = parse(text, o, out.value);
    return out;
  }
  /// The same into `to`, for loops over every value; `to` means nothing where it fails.
  [[nodiscard]] dirty_code parse(std::string_view text, options o, wall_time& to) const;
  [[nodiscard]] parsed<wall_time> parse(std::string_view text) const { return parse(text, options{}); }

  /// What Java's lenient parsers make of a text that `parse` refuses.
  struct loose_reading {
    wall_time at;
    bool carried = false;       ///< A field is beyond its range and was counted on: 30 February is 2 March.
    bool other_digits = false;  ///< A number has other digits than its letters say.
    std::string_view rest;      ///< What stands behind the pattern's end.
  };
  /// The beginning of the text as SimpleDateFormat reads it, with carrying over and with as many digits as
  /// there are. Nothing where it does not match, lies before the year 1, or the pattern has no date; nor
  /// where S would not be digits of a fraction, blanks or signs stand before a number, or the day of the week
  /// is another. Only of an `exact` pattern.
  [[nodiscard]] std::optional<loose_reading> parse_as_java(std::string_view text) const;

  /// Writes at `to`, which has room for `chars_max()`, and moves it to the end. Where `fraction_digits` is
  /// not 0, the pattern ends with seconds and the fraction is not 0, that many digits are added. With `exact`
  /// `too_precise` where the pattern has no place for a part that is not 0; `out_of_range` where a year has
  /// more digits than its letters. Nothing is written then.
  [[nodiscard]] dirty_code write(const wall_time& t, unsigned fraction_digits, char*& to) const;
  [[nodiscard]] std::size_t chars_max() const { return chars_max_; }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool has_date() const { return has_date_; }
  [[nodiscard]] bool has_time() const { return has_time_; }
  [[nodiscard]] bool has_offset() const { return has_offset_; }
  [[nodiscard]] bool ends_with_seconds() const { return ends_with_seconds_; }

  /// One element of the compiled pattern; for the implementation.
  struct item {
    char letter = 0;  ///< 0: literal text.
    std::uint8_t width = 0;
    std::uint32_t place = 0;  ///< Character in the pattern, from 1.
    std::string literal = {};
  };

 private:
  enum class shape : std::uint8_t { general, datetime, date, compact_date };
  date_pattern() = default;
  result<void> compile();
  [[nodiscard]] result<void> check_fields() const;
  void note_fields();
  [[nodiscard]] dirty_code parse_general(std::string_view text, options o, wall_time& to) const;
  [[nodiscard]] dirty_code write_general(const wall_time& t, char*& to) const;

  std::string text_;
  std::vector<item> items_;
  use use_ = use::exact;
  shape shape_ = shape::general;
  bool has_date_ = false;
  bool has_time_ = false;
  bool has_offset_ = false;
  bool has_month_ = false;
  bool has_day_ = false;
  bool ends_with_seconds_ = false;
  bool writes_hour_24_ = false;        ///< H alone tells 24:00:00 from 00:00:00.
  std::int64_t resolution_nanos_ = 0;  ///< The finest part of a day that has a place.
  std::size_t chars_max_ = 0;
};

}  // namespace sluice
