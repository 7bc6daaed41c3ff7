#include "transport/record/conversion_table.h"

#include <fmt/format.h>

namespace sluice {
namespace {

struct cell {
  conversion_kind kind;
  std::string_view rule;
  bool needs_zone = false;
};

constexpr cell exact(std::string_view rule) {
  return {conversion_kind::exact, rule};
}
constexpr cell check(std::string_view rule) {
  return {conversion_kind::checked, rule};
}
constexpr cell zoned(std::string_view rule) {
  return {conversion_kind::checked, rule, true};
}
constexpr cell no(std::string_view rule) {
  return {conversion_kind::refused, rule};
}

constexpr cell same = exact("as it is");
constexpr cell one_or_zero = exact("true is 1, false is 0");
constexpr cell words = exact("`true` or `false`");
constexpr cell to_bool = check("0 is false, 1 is true, any other number is dirty");
constexpr cell no_bool = no("a number with a fraction is no boolean");
constexpr cell to_signed = check("in the range, or dirty");
constexpr cell whole = check("if whole, in the range and equal, or dirty");
constexpr cell floats = check("if the floating-point number is equal and reads back so, or dirty");
constexpr cell digits = exact("the digits; in the precision");
constexpr cell text_digits = exact("the digits");
constexpr cell shortest = exact("the shortest digits that read back");
constexpr cell shortest_decimal = check("the shortest digits, if they fit precision and scale, or dirty");
constexpr cell fits = check("if it fits precision and scale, or dirty");
constexpr cell reads_back = check("if the shortest digits of the floating-point number are equal, or dirty");
constexpr cell text_number = check("text to number (007 is 7), exact or dirty");
constexpr cell no_bytes = no("a value has no bytes of its own; convert to utf8 first");
constexpr cell bytes_no = no("bytes are no value; only well-formed text is read from them");
constexpr cell no_time = no("a number has no unit of time; read it as text or select a time at the source");
constexpr cell time_no = no("a time has no unit as a number; select the number wanted at the source");
constexpr cell bool_no = no("a boolean is no time");
constexpr cell no_truth = no("a time is no boolean");
constexpr cell clock_no = no("a time of day has no date");
constexpr cell drops_date = no("the date would be lost");
constexpr cell not_a_length = no("a point in time is no duration");
constexpr cell no_point = no("a duration is no point in time");
constexpr cell date_text = check("by the date format; years 1 to 9999, or dirty");
constexpr cell time_text = check("by the time format, with the fraction behind the seconds if there is one");
constexpr cell stamp_text =
    check("by the datetime format, with the fraction behind the seconds if there is one");
constexpr cell length_text = exact("`[-]hours:mm:ss` and the fraction");
constexpr cell text_time = check("by the formats in force, strictly, or dirty");

// Columns: boolean, int64, uint64, float32, float64, decimal, decimal_text, utf8, binary, date, time_of_day,
// duration, timestamp, instant.
constexpr cell table[all_types.size()][all_types.size()] = {
    /* boolean */
    {same, one_or_zero, one_or_zero, one_or_zero, one_or_zero, one_or_zero, one_or_zero, words, no_bytes,
     bool_no, bool_no, bool_no, bool_no, bool_no},
    /* int64 */
    {to_bool, same, to_signed, floats, floats, digits, text_digits, text_digits, no_bytes, no_time, no_time,
     no_time, no_time, no_time},
    /* uint64 */
    {to_bool, to_signed, same, floats, floats, digits, text_digits, text_digits, no_bytes, no_time, no_time,
     no_time, no_time, no_time},
    /* float32 */
    {no_bool, whole, whole, same, exact("every float is a double"), shortest_decimal, shortest, shortest,
     no_bytes, no_time, no_time, no_time, no_time, no_time},
    /* float64 */
    {no_bool, whole, whole, floats, same, shortest_decimal, shortest, shortest, no_bytes, no_time, no_time,
     no_time, no_time, no_time},
    /* decimal */
    {no_bool, whole, whole, reads_back, reads_back, same, text_digits, text_digits, no_bytes, no_time,
     no_time, no_time, no_time, no_time},
    /* decimal_text */
    {no_bool, whole, whole, reads_back, reads_back, fits, same, exact("the text"), no_bytes, no_time, no_time,
     no_time, no_time, no_time},
    /* utf8 */
    {check("`true` or `false` in any case, or dirty"), text_number, text_number, text_number, text_number,
     text_number, text_number, same, exact("the bytes"), text_time, text_time,
     check("`[-]hours:mm:ss[.fraction]`, or dirty"), text_time,
     zoned("by the formats in force on the zone's wall clock, or dirty")},
    /* binary */
    {bytes_no, bytes_no, bytes_no, bytes_no, bytes_no, bytes_no, bytes_no,
     check("if well-formed UTF-8, or dirty"), same, bytes_no, bytes_no, bytes_no, bytes_no, bytes_no},
    /* date */
    {no_truth, time_no, time_no, time_no, time_no, time_no, time_no, date_text, no_bytes, same, drops_date,
     not_a_length, exact("midnight"),
     zoned("midnight on the zone's wall clock, or dirty where it is missing or exists twice")},
    /* time_of_day */
    {no_truth, time_no, time_no, time_no, time_no, time_no, time_no, time_text, no_bytes, clock_no, same,
     exact("since midnight"), clock_no, clock_no},
    /* duration */
    {no_truth, time_no, time_no, time_no, time_no, time_no, time_no, length_text, no_bytes, no_point,
     check("from 0 to 24 hours, or dirty"), same, no_point, no_point},
    /* timestamp */
    {no_truth, time_no, time_no, time_no, time_no, time_no, time_no, stamp_text, no_bytes,
     check("at midnight, or dirty"), drops_date, not_a_length, same,
     zoned("on the zone's wall clock, or dirty where it is missing or exists twice")},
    /* instant */
    {no_truth, time_no, time_no, time_no, time_no, time_no, time_no,
     zoned("by the datetime format on the zone's wall clock, or dirty where that exists twice"), no_bytes,
     zoned("at midnight on the zone's wall clock, or dirty"), drops_date, not_a_length,
     zoned("to the zone's wall clock, or dirty where that exists twice"), same},
};

std::size_t index_of(type_id id) {
  return static_cast<std::size_t>(id) - 1;
}

/// Decimal digits that any value of the type may have before the point.
unsigned integer_digits(const data_type& t) {
  switch (t.id) {
    case type_id::boolean:
      return 1;
    case type_id::decimal:
      return t.precision - t.scale;
    default:
      break;
  }
  switch (t.integer_bits) {
    case 8:
      return 3;
    case 16:
      return 5;
    case 24:
      return 8;
    case 32:
      return 10;
    default:
      return t.id == type_id::int64 ? 19 : 20;
  }
}

bool is_integer(type_id id) {
  return id == type_id::int64 || id == type_id::uint64;
}

/// Whether every value of `from` passes all limits of `to`, given that the pair's rule is exact.
bool holds_all(const data_type& from, const data_type& to) {
  switch (to.id) {
    case type_id::int64:
    case type_id::uint64:
      return from.id == type_id::boolean || to.integer_bits == 0 ||
             (from.id == to.id && from.integer_bits != 0 && from.integer_bits <= to.integer_bits);
    case type_id::decimal:
      return integer_digits(from) + to.scale <= to.precision &&
             (from.id != type_id::decimal || from.scale <= to.scale);
    case type_id::decimal_text:
      if (to.precision == 0) {
        return true;
      }
      if (from.id == type_id::decimal || (from.id == type_id::decimal_text && from.precision != 0)) {
        return from.scale <= to.scale && from.precision - from.scale + to.scale <= to.precision;
      }
      return (is_integer(from.id) || from.id == type_id::boolean) &&
             integer_digits(from) + to.scale <= to.precision;
    case type_id::utf8:
      return (to.length_max == 0 ||
              (from.id == to.id && from.length_max != 0 && from.length_unit == to.length_unit &&
               from.length_max <= to.length_max)) &&
             (from.id != to.id || from.characters >= to.characters);
    case type_id::binary:
      return to.length_max == 0 || (from.length_max != 0 && from.length_max <= to.length_max &&
                                    (from.id == to.id || from.length_unit == length_in::bytes));
    case type_id::time_of_day:
    case type_id::duration:
    case type_id::timestamp:
    case type_id::instant:
      if (from.id == type_id::date) {
        // Every day of the calendar times 86,400,000 is below 2^63; times 1,000 more it is not.
        return to.unit <= time_unit::milli;
      }
      return from.fraction_digits <= to.fraction_digits &&
             (from.unit >= to.unit || from.id == type_id::time_of_day);
    default:
      return true;
  }
}

bool has_same_bytes(const data_type& from, const data_type& to) {
  if (from.id != to.id) {
    return false;
  }
  return (!has_unit(from.id) || from.unit == to.unit) &&
         (from.id != type_id::decimal || from.scale == to.scale);
}

}  // namespace

conversion_rule rule_of(type_id from, type_id to) {
  const cell& c = table[index_of(from)][index_of(to)];
  return {from, to, c.kind, c.rule, c.needs_zone};
}

std::string_view to_string(conversion_kind kind) {
  switch (kind) {
    case conversion_kind::same:
      return "same";
    case conversion_kind::exact:
      return "exact";
    case conversion_kind::checked:
      return "checked";
    case conversion_kind::refused:
      return "refused";
  }
  return "?";
}

bool is_same_type(const data_type& a, const data_type& b) {
  return has_same_bytes(a, b) && holds_all(a, b) && holds_all(b, a);
}

conversion lookup_conversion(const data_type& from, const data_type& to) {
  const conversion_rule rule = rule_of(from.id, to.id);
  conversion out{rule.kind, std::string(rule.rule), rule.needs_zone};
  if (rule.kind == conversion_kind::exact) {
    if (!holds_all(from, to)) {
      out.kind = conversion_kind::checked;
      out.rule += ", if it fits " + to_string(to) + ", or dirty";
    } else if (has_same_bytes(from, to)) {
      out.kind = conversion_kind::same;
    }
  }
  return out;
}

std::string conversion_table_page() {
  std::string out;
  for (const type_id from : all_types) {
    out += fmt::format("### From `{}`\n\n| To | | Rule |\n|---|---|---|\n", to_string(from));
    for (const type_id to : all_types) {
      const conversion_rule rule = rule_of(from, to);
      if (from == to) {
        continue;
      }
      out += fmt::format("| `{}` | {} | {}{} |\n", to_string(to), to_string(rule.kind), rule.rule,
                         rule.needs_zone ? " (needs the run's time zone)" : "");
    }
    out += '\n';
  }
  return out;
}

}  // namespace sluice
