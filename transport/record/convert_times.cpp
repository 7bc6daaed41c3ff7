#include <algorithm>
#include <limits>
#include <optional>
#include <type_traits>

#include "transport/record/calendar.h"
#include "transport/record/convert_steps.h"
#include "transport/record/date_pattern.h"
#include "transport/record/format.h"

namespace sluice::convert {
namespace {

using made = std::unique_ptr<const column_converter>;
using made_or_error = result<made>;

constexpr std::int64_t nanos_per_day = seconds_per_day * nanos_per_second;

bool is_infinite(std::int64_t value) {
  return value == time_infinity || value == time_minus_infinity;
}

/// Calls `f` with the unit as a constant, so that divisions by it are cheap.
template <class F>
auto with_unit(time_unit unit, F f) {
  switch (unit) {
    case time_unit::second:
      return f(std::integral_constant<time_unit, time_unit::second>{});
    case time_unit::milli:
      return f(std::integral_constant<time_unit, time_unit::milli>{});
    case time_unit::micro:
      return f(std::integral_constant<time_unit, time_unit::micro>{});
    case time_unit::nano:
      break;
  }
  return f(std::integral_constant<time_unit, time_unit::nano>{});
}

/// Units since 1970 taken apart; `out_of_range` beyond the calendar.
template <time_unit Unit>
parsed<wall_time> split(std::int64_t value) {
  constexpr std::int64_t per_day = seconds_per_day * units_per_second(Unit);
  const floor_parts parts = floor_divide(value, per_day);
  if (parts.quotient <= date_minus_infinity || parts.quotient >= date_infinity) {
    return refuse(dirty_code::out_of_range);
  }
  return {{.days = static_cast<std::int32_t>(parts.quotient),
           .nanos_of_day = parts.remainder * (nanos_per_second / units_per_second(Unit))}};
}

/// Nanoseconds of a part of a time as units; `too_precise` where a digit that is not kept is not 0.
parsed<std::int64_t> to_units(std::int64_t nanos, const data_type& type) {
  if (nanos % static_cast<std::int64_t>(power_of_ten(9 - type.fraction_digits)) != 0) {
    return refuse(dirty_code::too_precise);
  }
  return {nanos / (nanos_per_second / units_per_second(type.unit))};
}

/// The units since 1970 of a wall clock time; the extremes are kept for the infinities.
parsed<std::int64_t> join(const wall_time& t, const data_type& type) {
  const parsed<std::int64_t> of_day = to_units(t.nanos_of_day, type);
  if (!of_day) {
    return of_day;
  }
  const int128 value =
      static_cast<int128>(t.days) * (seconds_per_day * units_per_second(type.unit)) + of_day.value;
  if (value <= time_minus_infinity || value >= time_infinity) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int64_t>(value)};
}

/// A count in another unit with the digits of `to`; no rounding. Also where a range is as wide as the number.
parsed<std::int64_t> rescale(std::int64_t value, time_unit from, const data_type& to) {
  const auto from_digits = static_cast<unsigned>(from);
  if (from_digits > to.fraction_digits &&
      value % static_cast<std::int64_t>(power_of_ten(from_digits - to.fraction_digits)) != 0) {
    return refuse(dirty_code::too_precise);
  }
  const std::int64_t from_units = units_per_second(from);
  const std::int64_t to_units = units_per_second(to.unit);
  const int128 scaled = from_units > to_units ? static_cast<int128>(value / (from_units / to_units))
                                              : static_cast<int128>(value) * (to_units / from_units);
  if (scaled < std::numeric_limits<std::int64_t>::min() ||
      scaled > std::numeric_limits<std::int64_t>::max()) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int64_t>(scaled)};
}

/// Units on the zone's wall clock to units UTC.
parsed<std::int64_t> to_instant(std::int64_t wall, time_unit unit, const time_zone& zone) {
  const floor_parts parts = floor_divide(wall, units_per_second(unit));
  const time_zone::wall_answer answer = zone.to_utc(parts.quotient);
  if (answer.kind != time_zone::wall_kind::unique) {
    return refuse(answer.kind == time_zone::wall_kind::twice ? dirty_code::wall_time_twice
                                                             : dirty_code::wall_time_missing);
  }
  const int128 value = static_cast<int128>(answer.utc_seconds) * units_per_second(unit) + parts.remainder;
  if (value <= time_minus_infinity || value >= time_infinity) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int64_t>(value)};
}

/// Units UTC to units on the zone's wall clock; `wall_time_twice` where that names another instant too,
/// unless the offset is written beside it (`offset_s` is set then).
parsed<std::int64_t> to_wall(std::int64_t utc, time_unit unit, const time_zone& zone,
                             std::int32_t* offset_s = nullptr) {
  const floor_parts parts = floor_divide(utc, units_per_second(unit));
  const std::int64_t wall = zone.to_wall(parts.quotient);
  if (offset_s != nullptr) {
    *offset_s = static_cast<std::int32_t>(wall - parts.quotient);
  } else if (zone.to_utc(wall).kind != time_zone::wall_kind::unique) {
    return refuse(dirty_code::wall_time_twice);
  }
  const int128 value = static_cast<int128>(wall) * units_per_second(unit) + parts.remainder;
  if (value <= time_minus_infinity || value >= time_infinity) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int64_t>(value)};
}

/// A step from one 64-bit count to another by `change(value)`.
template <class Change>
made by_count(const field& from, const field& to, Change change) {
  return by_step(from, to, [change](const column& c, std::uint32_t row, column_builder& out) {
    const parsed<std::int64_t> value = change(c.get<std::int64_t>(row));
    if (value) {
      out.append(value.value);
    }
    return value.code;
  });
}

// --- from text ---

parsed<wall_time> parse_any(const std::vector<date_pattern>& patterns, std::string_view text,
                            date_pattern::options how) {
  parsed<wall_time> out = refuse(text.empty() ? dirty_code::empty : dirty_code::not_a_date);
  for (std::size_t i = 0; i < patterns.size() && !out && out.code != dirty_code::empty; ++i) {
    const dirty_code code = patterns[i].parse(text, how, out.value);
    out.code = code == dirty_code::none || code == dirty_code::too_precise ? code : out.code;
  }
  return out;
}

/// The offset in seconds that ends the text, `Z`, `+08`, `+0800` or `+08:00`, which is taken off it.
std::optional<std::int32_t> take_offset(std::string_view& text) {
  if (text.ends_with('Z')) {
    text.remove_suffix(1);
    return 0;
  }
  const std::size_t sign = text.find_last_of("+-");
  if (sign == std::string_view::npos || text.find(':') > sign) {  // a year's, or a date's hyphen
    return std::nullopt;
  }
  const std::string_view offset = text.substr(sign + 1);
  const bool colon = offset.size() == 5 && offset[2] == ':';
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if ((offset.size() != 2 && offset.size() != 4 && !colon) ||
      !std::all_of(offset.begin(), offset.end(),
                   [&](const char& c) { return digit(c) || (colon && &c == &offset[2]); })) {
    return std::nullopt;
  }
  const auto two = [&](std::size_t at) { return (offset[at] - '0') * 10 + (offset[at + 1] - '0'); };
  const int minutes = offset.size() == 2 ? 0 : two(offset.size() - 2);
  const std::int32_t seconds = (two(0) * 60 + minutes) * 60;
  if (minutes > 59 || two(0) > 18) {
    return std::nullopt;
  }
  const bool west = text[sign] == '-';
  text = text.substr(0, sign);
  return west ? -seconds : seconds;
}

/// A year that no format has, as ISO 8601 writes it: with a sign, or 0000, which is 1 BC.
bool has_iso_year(std::string_view text) {
  return text.starts_with('+') || text.starts_with('-') || text.starts_with("0000-");
}

/// What no format says and ISO 8601 leaves no doubt about, so that it is read whatever the formats: a point
/// in time with its offset, and years before 1 and beyond 9999, of an instant on the zone's wall clock.
parsed<std::int64_t> parse_iso(std::string_view text, const data_type& type, const time_zone* zone) {
  if (type.id == type_id::instant) {
    const std::optional<std::int32_t> offset = take_offset(text);
    const bool read = !text.empty() && (offset || has_iso_year(text));
    const parsed<std::int64_t> wall =
        read ? parse_iso_timestamp(text, type.unit, type.fraction_digits) : refuse(dirty_code::not_a_date);
    if (!wall || is_infinite(wall.value)) {
      return refuse(wall ? dirty_code::not_a_date : wall.code);
    }
    if (!offset) {
      return to_instant(wall.value, type.unit, *zone);
    }
    const int128 utc =
        static_cast<int128>(wall.value) - static_cast<int128>(*offset) * units_per_second(type.unit);
    return utc <= time_minus_infinity || utc >= time_infinity
               ? refuse(dirty_code::out_of_range)
               : parsed<std::int64_t>{static_cast<std::int64_t>(utc)};
  }
  return has_iso_year(text) ? parse_iso_timestamp(text, type.unit, type.fraction_digits)
                            : refuse(dirty_code::not_a_date);
}

/// +1 or -1 for the two words of the extreme values, else 0.
int infinity_of(std::string_view text) {
  return text == "infinity" ? 1 : (text == "-infinity" ? -1 : 0);
}

/// Whether a date in the plain form is read as one: whether the pattern of that form is the first that takes
/// so short a text.
bool reads_plain_dates(const std::vector<date_pattern>& patterns) {
  const auto first = std::find_if(patterns.begin(), patterns.end(),
                                  [](const date_pattern& p) { return p.text() != "yyyy-MM-dd HH:mm:ss"; });
  return first != patterns.end() && first->text() == "yyyy-MM-dd";
}

made_or_error from_text(const field& from, const field& to, const conversion_context& context) {
  const data_type type = to.type;
  if (type.id == type_id::duration) {
    return by_text(from, to, context.empty_as_null, [type](std::string_view text) {
      return parse_duration(text, type.unit, type.fraction_digits);
    });
  }
  SLUICE_TRY(std::vector<date_pattern> patterns, patterns_for(type.id, context));
  const date_pattern::options how{.fraction = true, .end_of_day = type.id == type_id::time_of_day};
  const bool iso = !context.as_datax;
  if (type.id == type_id::date) {
    return by_text(from, to, context.empty_as_null,
                   [patterns, how, iso,
                    plain = reads_plain_dates(patterns)](std::string_view text) -> parsed<std::int32_t> {
                     // Without the many parts of a date that most texts do not have.
                     if (std::int32_t days = 0; plain && read_plain_date(text, days)) {
                       return {days};
                     }
                     if (const int infinity = infinity_of(text); infinity != 0) {
                       return {infinity > 0 ? date_infinity : date_minus_infinity};
                     }
                     const parsed<wall_time> t = parse_any(patterns, text, how);
                     if (!t) {
                       return iso && has_iso_year(text) ? parse_iso_date(text) : refuse(t.code);
                     }
                     return t.value.nanos_of_day == 0 ? parsed<std::int32_t>{t.value.days}
                                                      : refuse(dirty_code::has_time);
                   });
  }
  if (type.id == type_id::time_of_day) {
    return by_text(from, to, context.empty_as_null,
                   [patterns, how, type](std::string_view text) -> parsed<std::int64_t> {
                     const parsed<wall_time> t = parse_any(patterns, text, how);
                     return t ? to_units(t.value.nanos_of_day, type) : refuse(t.code);
                   });
  }
  const time_zone_ptr zone = type.id == type_id::instant ? context.zone : nullptr;
  return by_text(from, to, context.empty_as_null,
                 [patterns, how, type, zone, iso](std::string_view text) -> parsed<std::int64_t> {
                   if (const int infinity = infinity_of(text); infinity != 0) {
                     return {infinity > 0 ? time_infinity : time_minus_infinity};
                   }
                   const parsed<wall_time> t = parse_any(patterns, text, how);
                   if (!t) {
                     return iso && t.code == dirty_code::not_a_date ? parse_iso(text, type, zone.get())
                                                                    : refuse(t.code);
                   }
                   const parsed<std::int64_t> wall = join(t.value, type);
                   if (!wall || zone == nullptr) {
                     return wall;
                   }
                   if (!t.value.has_offset) {
                     return to_instant(wall.value, type.unit, *zone);
                   }
                   const int128 utc = static_cast<int128>(wall.value) -
                                      static_cast<int128>(t.value.offset_s) * units_per_second(type.unit);
                   return utc <= time_minus_infinity || utc >= time_infinity
                              ? refuse(dirty_code::out_of_range)
                              : parsed<std::int64_t>{static_cast<std::int64_t>(utc)};
                 });
}

// --- to text ---

/// How many digits a fraction is written with: those the type keeps, or all of its unit where a value has
/// more.
struct fraction_width {
  explicit fraction_width(const data_type& type)
      : kept(type.fraction_digits),
        all(static_cast<unsigned>(type.unit)),
        step(static_cast<std::int64_t>(power_of_ten(9U - kept))) {}
  unsigned kept;
  unsigned all;
  std::int64_t step;

  [[nodiscard]] unsigned of(const wall_time& t) const { return t.nanos_of_day % step == 0 ? kept : all; }
};

/// Appends the pattern's text of `t`.
dirty_code append_pattern(const date_pattern& pattern, const wall_time& t, unsigned fraction_digits,
                          std::uint64_t length_max, column_builder& out) {
  constexpr std::size_t room_max = 256;
  char small[room_max];
  std::string large;
  char* begin = small;
  if (pattern.chars_max() > room_max) {
    large.resize(pattern.chars_max());
    begin = large.data();
  }
  char* end = begin;
  const dirty_code code = pattern.write(t, fraction_digits, end);
  return code == dirty_code::none
             ? append_ascii({begin, static_cast<std::size_t>(end - begin)}, length_max, out)
             : code;
}

dirty_code append_infinity(bool positive, std::uint64_t length_max, column_builder& out) {
  return append_ascii(positive ? "infinity" : "-infinity", length_max, out);
}

/// The pattern a type is written in; `bad_option` where it has no place for the type's parts at all.
result<date_pattern> pattern_of(const field& from, const conversion_context& context) {
  const type_id id = from.type.id;
  const std::string_view key = id == type_id::date          ? "dateFormat"
                               : id == type_id::time_of_day ? "timeFormat"
                                                            : "datetimeFormat";
  const std::string& text = id == type_id::date          ? context.date_format
                            : id == type_id::time_of_day ? context.time_format
                                                         : context.datetime_format;
  SLUICE_TRY(date_pattern pattern, date_pattern::make(text));
  const bool fits = id == type_id::time_of_day
                        ? pattern.has_time() && !pattern.has_date()
                        : pattern.has_date() && (id == type_id::instant || !pattern.has_offset());
  if (!fits) {
    return fail(error_kind::bad_option, "{} {} cannot write column {} of type {}: {}.", key, in_quotes(text),
                in_quotes(from.name), to_string(from.type),
                id == type_id::time_of_day
                    ? "it must have an hour and no date"
                    : "it must have a year, and an offset only where the type is instant");
  }
  return pattern;
}

made_or_error to_text(const field& from, const field& to, const conversion_context& context) {
  const data_type type = from.type;
  const std::uint64_t length_max = to.type.length_max;
  if (type.id == type_id::duration) {
    const auto all = static_cast<unsigned>(type.unit);
    const unsigned kept = std::min<unsigned>(type.fraction_digits, all);
    const auto step = static_cast<std::int64_t>(power_of_ten(all - kept));
    return by_step(from, to, [=](const column& c, std::uint32_t row, column_builder& out) {
      char room[value_chars_max];
      const auto value = c.get<std::int64_t>(row);
      const char* const end = write_duration(value, type.unit, value % step == 0 ? kept : all, room);
      return append_ascii({room, static_cast<std::size_t>(end - room)}, length_max, out);
    });
  }
  SLUICE_TRY(date_pattern pattern, pattern_of(from, context));
  if (type.id == type_id::date) {
    return by_step(from, to, [pattern, length_max](const column& c, std::uint32_t row, column_builder& out) {
      const auto days = c.get<std::int32_t>(row);
      if (days == date_infinity || days == date_minus_infinity) {
        return append_infinity(days > 0, length_max, out);
      }
      return append_pattern(pattern, {.days = days}, 0, length_max, out);
    });
  }
  const fraction_width digits(type);
  if (type.id == type_id::time_of_day) {
    return by_step(from, to,
                   [pattern, digits, length_max, nanos = nanos_per_second / units_per_second(type.unit)](
                       const column& c, std::uint32_t row, column_builder& out) {
                     const std::int64_t value = c.get<std::int64_t>(row);
                     if (value < 0 || value > nanos_per_day / nanos) {
                       return dirty_code::out_of_range;
                     }
                     const wall_time t{.nanos_of_day = value * nanos};
                     return append_pattern(pattern, t, digits.of(t), length_max, out);
                   });
  }
  return with_unit(type.unit, [&](auto constant) -> made {
    constexpr time_unit unit = decltype(constant)::value;
    if (type.id == type_id::timestamp) {
      return by_step(
          from, to, [pattern, digits, length_max](const column& c, std::uint32_t row, column_builder& out) {
            const auto value = c.get<std::int64_t>(row);
            if (is_infinite(value)) {
              return append_infinity(value > 0, length_max, out);
            }
            const parsed<wall_time> t = split<unit>(value);
            return t ? append_pattern(pattern, t.value, digits.of(t.value), length_max, out) : t.code;
          });
    }
    return by_step(from, to,
                   [pattern, digits, length_max, zone = context.zone](const column& c, std::uint32_t row,
                                                                      column_builder& out) {
                     const auto value = c.get<std::int64_t>(row);
                     if (is_infinite(value)) {
                       return append_infinity(value > 0, length_max, out);
                     }
                     std::int32_t offset_s = 0;
                     const parsed<std::int64_t> wall =
                         to_wall(value, unit, *zone, pattern.has_offset() ? &offset_s : nullptr);
                     if (!wall) {
                       return wall.code;
                     }
                     parsed<wall_time> t = split<unit>(wall.value);
                     // The letters for an offset have no seconds, which offsets before 1900 had.
                     if (offset_s % 60 != 0) {
                       return dirty_code::too_precise;
                     }
                     t.value.offset_s = offset_s;
                     return t ? append_pattern(pattern, t.value, digits.of(t.value), length_max, out)
                              : t.code;
                   });
  });
}

// --- between times ---

made from_date(const field& from, const field& to, const conversion_context& context) {
  const data_type type = to.type;
  const time_zone_ptr zone = type.id == type_id::instant ? context.zone : nullptr;
  return by_step(from, to, [type, zone](const column& c, std::uint32_t row, column_builder& out) {
    const auto days = c.get<std::int32_t>(row);
    if (days == date_infinity || days == date_minus_infinity) {
      out.append(days > 0 ? time_infinity : time_minus_infinity);
      return dirty_code::none;
    }
    parsed<std::int64_t> value = join({.days = days}, type);
    if (value && zone != nullptr) {
      value = to_instant(value.value, type.unit, *zone);
    }
    if (value) {
      out.append(value.value);
    }
    return value.code;
  });
}

made to_date(const field& from, const field& to, const conversion_context& context) {
  const time_zone_ptr zone = from.type.id == type_id::instant ? context.zone : nullptr;
  return with_unit(from.type.unit, [&](auto constant) -> made {
    constexpr time_unit unit = decltype(constant)::value;
    return by_step(from, to, [zone](const column& c, std::uint32_t row, column_builder& out) {
      const auto value = c.get<std::int64_t>(row);
      if (is_infinite(value)) {
        out.append(value > 0 ? date_infinity : date_minus_infinity);
        return dirty_code::none;
      }
      const parsed<std::int64_t> wall =
          zone == nullptr ? parsed<std::int64_t>{value} : to_wall(value, unit, *zone);
      if (!wall) {
        return wall.code;
      }
      const parsed<wall_time> t = split<unit>(wall.value);
      if (!t) {
        return t.code;
      }
      if (t.value.nanos_of_day != 0) {
        return dirty_code::has_time;
      }
      out.append(t.value.days);
      return dirty_code::none;
    });
  });
}

/// timestamp and instant to each other and to themselves in another unit.
made between_points(const field& from, const field& to, const conversion_context& context) {
  const data_type from_type = from.type;
  const data_type to_type = to.type;
  const time_zone_ptr zone = from_type.id == to_type.id ? nullptr : context.zone;
  return by_count(from, to, [from_type, to_type, zone](std::int64_t value) -> parsed<std::int64_t> {
    if (is_infinite(value)) {
      return {value};
    }
    parsed<std::int64_t> moved{value};
    if (zone != nullptr) {
      moved = to_type.id == type_id::instant ? to_instant(value, from_type.unit, *zone)
                                             : to_wall(value, from_type.unit, *zone);
    }
    if (moved) {
      moved = rescale(moved.value, from_type.unit, to_type);
    }
    return moved && is_infinite(moved.value) ? refuse(dirty_code::out_of_range) : moved;
  });
}

/// time_of_day and duration to each other and to themselves in another unit.
made between_lengths(const field& from, const field& to) {
  const time_unit unit = from.type.unit;
  const data_type type = to.type;
  return by_count(from, to, [unit, type](std::int64_t value) -> parsed<std::int64_t> {
    if (type.id == type_id::time_of_day && (value < 0 || value > seconds_per_day * units_per_second(unit))) {
      return refuse(dirty_code::out_of_range);
    }
    return rescale(value, unit, type);
  });
}

}  // namespace

result<std::vector<date_pattern>> patterns_for(type_id to, const conversion_context& context) {
  std::vector<date_pattern> patterns;
  std::vector<std::string> texts = {context.datetime_format, context.date_format, context.time_format};
  texts.insert(texts.end(), context.extra_formats.begin(), context.extra_formats.end());
  for (const std::string& text : texts) {
    SLUICE_TRY(date_pattern pattern, date_pattern::make(text));
    const bool usable = to == type_id::time_of_day
                            ? !pattern.has_date()
                            : pattern.has_date() && (to == type_id::instant || !pattern.has_offset());
    if (usable) {
      patterns.push_back(std::move(pattern));
    }
  }
  return patterns;
}

made_or_error make_time_converter(const field& from, const field& to, const conversion_context& context) {
  if (from.type.id == type_id::utf8) {
    return from_text(from, to, context);
  }
  if (to.type.id == type_id::utf8) {
    return to_text(from, to, context);
  }
  if (from.type.id == type_id::date) {
    return from_date(from, to, context);
  }
  if (to.type.id == type_id::date) {
    return to_date(from, to, context);
  }
  if (from.type.id == type_id::time_of_day || from.type.id == type_id::duration) {
    return between_lengths(from, to);
  }
  return between_points(from, to, context);
}

}  // namespace sluice::convert
