#include "plugins/common/output/value_printer.h"

#include <algorithm>
#include <cstring>

#include "transport/base/int128.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"

namespace sluice {
namespace {

/// Digits of the fraction to show: none where it is zero.
unsigned digits_shown(std::int64_t units, const data_type& type) {
  return floor_divide(units, per_second(type.unit)).remainder == 0 ? 0 : static_cast<unsigned>(type.unit);
}

dirty_code put(std::string_view text, char*& to) {
  std::memcpy(to, text.data(), text.size());
  to += text.size();
  return dirty_code::none;
}

}  // namespace

result<value_printer> value_printer::make(const data_type& type, const value_printer_options& options) {
  value_printer made;
  made.type_ = type;
  made.zone_ = options.zone;
  made.chars_max_ = value_chars_max;
  const bool dated = type.id == type_id::date || type.id == type_id::timestamp || type.id == type_id::instant;
  if (options.date_format && dated) {
    SLUICE_TRY(made.pattern_, date_pattern::make(*options.date_format, date_pattern::use::display));
    made.chars_max_ = std::max(made.chars_max_, made.pattern_->chars_max());
  }
  return made;
}

std::string_view value_printer::reason(dirty_code code) {
  switch (code) {
    case dirty_code::wall_time_twice:
      return "The value's wall clock time exists twice in the run's time zone (clocks were set back), and "
             "which of "
             "both it is would be lost: run with --timezone UTC, where none does";
    case dirty_code::out_of_range:
      return "The value's year has no place in the format of dates (before 1, or with more digits than it "
             "has letters); "
             "without a format it is written as ISO 8601 has it";
    default:
      return "The value has no exact text in the destination's format";
  }
}

dirty_code value_printer::write_other(const column& c, std::uint32_t row, char*& to) const {
  switch (type_.id) {
    case type_id::boolean:
      return put(c.get_bool(row) ? "true" : "false", to);
    case type_id::uint64:
      to = write_uint64(c.get<std::uint64_t>(row), to);
      return dirty_code::none;
    case type_id::float32:
      to = write_float32(c.get<float>(row), to);
      return dirty_code::none;
    case type_id::float64:
      to = write_float64(c.get<double>(row), to);
      return dirty_code::none;
    case type_id::date:
      return write_date(c.get<std::int32_t>(row), to);
    case type_id::time_of_day: {
      const auto units = c.get<std::int64_t>(row);
      to = write_iso_time(units, type_.unit, digits_shown(units, type_), to);
      return dirty_code::none;
    }
    case type_id::duration: {
      const auto units = c.get<std::int64_t>(row);
      to = write_duration(units, type_.unit, digits_shown(units, type_), to);
      return dirty_code::none;
    }
    case type_id::timestamp:
      return write_wall(c.get<std::int64_t>(row), 0, to);
    case type_id::instant:
      return write_instant(c.get<std::int64_t>(row), to);
    case type_id::decimal_text:
    case type_id::utf8:
    case type_id::binary:
      return put(c.get_bytes(row), to);
    case type_id::int64:
    case type_id::decimal:
      break;  // `write` has them
  }
  return dirty_code::none;
}

dirty_code value_printer::write_date(std::int32_t days, char*& to) const {
  if (!pattern_ || days == date_infinity || days == date_minus_infinity) {
    to = write_iso_date(days, to);
    return dirty_code::none;
  }
  return pattern_->write({.days = days}, 0, to);
}

dirty_code value_printer::write_wall(std::int64_t units, std::int64_t shift_seconds, char*& to) const {
  if (units == time_infinity || units == time_minus_infinity) {
    to = write_iso_timestamp(units, type_.unit, 0, ' ', to);
    return dirty_code::none;
  }
  std::int64_t shift_units = 0;
  if (__builtin_mul_overflow(shift_seconds, per_second(type_.unit), &shift_units) ||
      __builtin_add_overflow(units, shift_units, &units)) {
    return dirty_code::out_of_range;
  }
  if (!pattern_) {
    to = write_iso_timestamp(units, type_.unit, digits_shown(units, type_), ' ', to);
    return dirty_code::none;
  }
  const auto [seconds, fraction] = floor_divide(units, per_second(type_.unit));
  const auto [days, second_of_day] = floor_divide(seconds, seconds_per_day);
  const std::int64_t nanos_per_unit = nanos_per_second / per_second(type_.unit);
  return pattern_->write({.days = static_cast<std::int32_t>(days),
                          .nanos_of_day = second_of_day * nanos_per_second + fraction * nanos_per_unit,
                          .offset_s = static_cast<std::int32_t>(shift_seconds),
                          .has_offset = type_.id == type_id::instant},
                         0, to);
}

dirty_code value_printer::write_instant(std::int64_t units, char*& to) const {
  if (units == time_infinity || units == time_minus_infinity) {
    return write_wall(units, 0, to);
  }
  const std::int64_t utc = floor_divide(units, per_second(type_.unit)).quotient;
  const std::int64_t wall = zone_->to_wall(utc);
  const bool says_offset = pattern_ && pattern_->has_offset();
  if (!says_offset && zone_->to_utc(wall).kind != time_zone::wall_kind::unique) {
    return dirty_code::wall_time_twice;
  }
  return write_wall(units, wall - utc, to);
}

}  // namespace sluice
