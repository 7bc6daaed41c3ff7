#include "transport/record/type.h"

#include <fmt/format.h>

#include "transport/record/calendar.h"

namespace sluice {
namespace {

std::string_view unit_word(length_in unit) {
  switch (unit) {
    case length_in::bytes:
      return "bytes";
    case length_in::characters:
      return "characters";
    case length_in::utf16_units:
      return "UTF-16 units";
  }
  return "?";
}

std::string_view charset_word(charset characters) {
  switch (characters) {
    case charset::unicode:
      return "";
    case charset::unicode_bmp:
      return "Unicode BMP";
    case charset::latin1:
      return "Latin-1";
    case charset::ascii:
      return "ASCII";
  }
  return "?";
}

}  // namespace

std::string_view to_string(type_id id) {
  switch (id) {
    case type_id::boolean:
      return "boolean";
    case type_id::int64:
      return "int64";
    case type_id::uint64:
      return "uint64";
    case type_id::float32:
      return "float32";
    case type_id::float64:
      return "float64";
    case type_id::decimal:
      return "decimal";
    case type_id::decimal_text:
      return "decimal_text";
    case type_id::utf8:
      return "utf8";
    case type_id::binary:
      return "binary";
    case type_id::date:
      return "date";
    case type_id::time_of_day:
      return "time_of_day";
    case type_id::duration:
      return "duration";
    case type_id::timestamp:
      return "timestamp";
    case type_id::instant:
      return "instant";
  }
  return "?";
}

std::int64_t per_second(time_unit unit) {
  return units_per_second(unit);
}

std::string to_string(const data_type& type) {
  const std::string name(to_string(type.id));
  if (has_unit(type.id)) {
    return fmt::format("{}({})", name, type.fraction_digits);
  }
  if ((type.id == type_id::decimal || type.id == type_id::decimal_text) && type.precision != 0) {
    return fmt::format("{}({},{})", name, type.precision, type.scale);
  }
  if ((type.id == type_id::int64 || type.id == type_id::uint64) && type.integer_bits != 0) {
    return fmt::format("{}({} bits)", name, type.integer_bits);
  }
  if (type.id == type_id::utf8 || type.id == type_id::binary) {
    std::string inside;
    if (type.length_max != 0) {
      inside = fmt::format("{} {}", type.length_max, unit_word(type.length_unit));
    }
    if (type.id == type_id::utf8 && type.characters != charset::unicode) {
      inside += inside.empty() ? "" : ", ";
      inside += charset_word(type.characters);
    }
    return inside.empty() ? name : fmt::format("{}({})", name, inside);
  }
  return name;
}

std::size_t fixed_width(type_id id) {
  switch (id) {
    case type_id::boolean:
    case type_id::decimal_text:
    case type_id::utf8:
    case type_id::binary:
      return 0;
    case type_id::float32:
    case type_id::date:
      return 4;
    case type_id::int64:
    case type_id::uint64:
    case type_id::float64:
    case type_id::time_of_day:
    case type_id::duration:
    case type_id::timestamp:
    case type_id::instant:
      return 8;
    case type_id::decimal:
      return 16;
  }
  return 0;
}

bool has_offsets(type_id id) {
  return id == type_id::utf8 || id == type_id::binary || id == type_id::decimal_text;
}

bool has_unit(type_id id) {
  return id == type_id::time_of_day || id == type_id::duration || id == type_id::timestamp ||
         id == type_id::instant;
}

}  // namespace sluice
