#include "plugins/postgresql/postgresql_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace sluice::postgresql {
namespace {

struct type_row {
  std::uint32_t oid;  ///< pg_type.dat; the numbers of these never change.
  std::string_view name;
  wire_form form;
  type_id id;
  std::uint8_t integer_bits = 0;
};

constexpr auto type_rows = std::to_array<type_row>({
    {16, "boolean", wire_form::boolean, type_id::boolean},
    {17, "bytea", wire_form::bytes, type_id::binary},
    {18, "\"char\"", wire_form::as_text, type_id::utf8},
    {19, "name", wire_form::text, type_id::utf8},
    {20, "bigint", wire_form::int8, type_id::int64},
    {21, "smallint", wire_form::int2, type_id::int64, 16},
    {23, "integer", wire_form::int4, type_id::int64, 32},
    {25, "text", wire_form::text, type_id::utf8},
    {26, "oid", wire_form::oid, type_id::uint64, 32},
    {114, "json", wire_form::text, type_id::utf8},
    {700, "real", wire_form::float4, type_id::float32},
    {701, "double precision", wire_form::float8, type_id::float64},
    {790, "money", wire_form::money, type_id::decimal},
    {1042, "character", wire_form::text, type_id::utf8},
    {1043, "character varying", wire_form::text, type_id::utf8},
    {1082, "date", wire_form::date, type_id::date},
    {1083, "time without time zone", wire_form::time, type_id::time_of_day},
    {1114, "timestamp without time zone", wire_form::timestamp, type_id::timestamp},
    {1184, "timestamp with time zone", wire_form::timestamp, type_id::instant},
    {1186, "interval", wire_form::as_text, type_id::utf8},
    {1266, "time with time zone", wire_form::as_text, type_id::utf8},
    {1700, "numeric", wire_form::numeric, type_id::decimal_text},
    {2950, "uuid", wire_form::uuid, type_id::utf8},
    {3802, "jsonb", wire_form::jsonb, type_id::utf8},
});

constexpr std::uint32_t oid_char = 18;
constexpr std::uint32_t oid_name = 19;
constexpr std::uint32_t oid_inet = 869;
constexpr std::uint32_t oid_float8_array = 1022;
constexpr std::uint32_t oid_bit = 1560;
constexpr std::uint32_t oid_varbit = 1562;
constexpr std::uint32_t oid_character = 1042;
constexpr std::uint32_t oid_varying = 1043;
constexpr std::uint32_t oid_interval = 1186;
constexpr std::uint32_t oid_time_tz = 1266;
constexpr std::uint32_t oid_time = 1083;
constexpr std::uint32_t oid_timestamp = 1114;
constexpr std::uint32_t oid_instant = 1184;
constexpr std::uint32_t oid_numeric = 1700;

constexpr std::int32_t modifier_header = 4;  // VARHDRSZ, which typmods of texts and numerics begin with
constexpr std::uint64_t name_bytes_max = 63;
constexpr std::uint8_t micro_digits = 6;
constexpr std::uint8_t decimal_digits_max = 38;

/// make_numeric_typmod, and since 15 the scale has eleven bits and a sign.
numeric_limits numeric_modifier(std::int32_t modifier) {
  if (modifier < modifier_header) {
    return {};
  }
  const std::int32_t m = modifier - modifier_header;
  return {m >> 16 & 0xFFFF, ((m & 0x7FF) ^ 1024) - 1024};
}

struct holder_row {
  std::uint32_t oid;
  times_inside times;
  bool has_seconds;  ///< The server rounds them, as in a time alone.
};

// An array; a range, its array, its multirange and that one's array.
constexpr auto holder_rows = std::to_array<holder_row>({
    // date
    {1182, times_inside::plain, false},
    {3912, times_inside::plain, false},
    {3913, times_inside::plain, false},
    {4535, times_inside::plain, false},
    {6155, times_inside::plain, false},
    // time
    {1183, times_inside::plain, true},
    // timestamp
    {1115, times_inside::plain, true},
    {3908, times_inside::plain, true},
    {3909, times_inside::plain, true},
    {4533, times_inside::plain, true},
    {6152, times_inside::plain, true},
    // timetz
    {1270, times_inside::with_offset, true},
    // timestamptz
    {1185, times_inside::with_offset, true},
    {3910, times_inside::with_offset, true},
    {3911, times_inside::with_offset, true},
    {4534, times_inside::with_offset, true},
    {6153, times_inside::with_offset, true},
    // interval, whose units are words
    {1187, times_inside::none, true},
});

constexpr std::uint32_t oid_xid = 28;
constexpr std::uint32_t oid_cid = 29;
constexpr std::uint32_t oid_xid8 = 5069;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::string_view word_guessed =
    "words and names in dates stand for what the server makes of them (today, Jan, PM, a zone's name); write "
    "dates and times as 2025-07-20 10:30:00";
constexpr std::string_view order_guessed =
    "the server would guess which number is the month and which the day; write dates as 2025-07-20";
constexpr std::string_view zone_guessed =
    "a time in it has no offset, and the server would add that of its session's time zone; write one behind "
    "it, such as +01:00";

/// `what_is_guessed` of one date or time.
std::string_view guessed_in_one(std::string_view text, bool needs_offset) {
  bool is_value = false;  // Else it is NULL, an infinity, or there is nothing.
  for (std::size_t at = 0; at < text.size();) {
    if (!is_letter(text[at])) {
      is_value = is_value || (text[at] >= '0' && text[at] <= '9');
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_letter(text[end])) {
      ++end;
    }
    std::string word(text.substr(at, end - at));
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char c) { return static_cast<char>(c | 0x20); });
    if (word != "infinity" && word != "bc" && word != "null" && word != "empty" && word != "t" &&
        word != "z") {
      return word_guessed;
    }
    at = end;
  }
  if (!is_value) {
    return {};
  }
  const std::size_t first_mark = text.find_first_of("-/.:");
  const std::size_t first_digit = text.find_first_of("0123456789");
  constexpr std::size_t year_digits = 4;
  const bool begins_with_date = first_mark != std::string_view::npos && text[first_mark] != ':';
  if (text.find('/') != std::string_view::npos ||
      (begins_with_date && (first_mark < first_digit || first_mark - first_digit < year_digits))) {
    return order_guessed;
  }
  const std::size_t time = text.find(':');
  if (needs_offset &&
      (time == std::string_view::npos || text.find_first_of("+-Zz", time) == std::string_view::npos)) {
    return zone_guessed;
  }
  return {};
}

/// The digits of a second that a time type keeps.
std::uint8_t second_digits(std::int32_t modifier) {
  return modifier < 0 || modifier > micro_digits ? micro_digits : static_cast<std::uint8_t>(modifier);
}

data_type numeric_type(const numeric_limits& limits) {
  if (limits.precision == 0 || limits.scale < 0 || limits.scale > limits.precision) {
    return type_of(type_id::decimal_text);
  }
  if (limits.precision <= decimal_digits_max) {
    return decimal_type(static_cast<std::uint8_t>(limits.precision), static_cast<std::uint8_t>(limits.scale));
  }
  data_type t = type_of(type_id::decimal_text);
  constexpr int held = 255;  // beyond what the type can say, the writer's own check stands
  if (limits.precision <= held) {
    t.precision = static_cast<std::uint8_t>(limits.precision);
    t.scale = static_cast<std::uint8_t>(limits.scale);
  }
  return t;
}

}  // namespace

column_type kind_of(const server_type& type, unsigned money_digits) {
  column_type out;
  if (type.is_enum) {
    out.form = wire_form::text;  // enum_send and enum_recv carry the label
    return out;
  }
  const auto* row =
      std::find_if(type_rows.begin(), type_rows.end(), [&](const type_row& r) { return r.oid == type.oid; });
  if (row == type_rows.end()) {
    const auto* holder = std::find_if(holder_rows.begin(), holder_rows.end(),
                                      [&](const holder_row& r) { return r.oid == type.oid; });
    if (holder != holder_rows.end()) {
      out.times = holder->times;
      out.fraction_digits = holder->has_seconds ? micro_digits : -1;
    }
    if (type.oid == oid_xid || type.oid == oid_cid) {
      out.number_max = std::numeric_limits<std::uint32_t>::max();
    } else if (type.oid == oid_xid8) {
      out.number_max = std::numeric_limits<std::uint64_t>::max();
    }
    return out;
  }
  out.form = row->form;
  out.type = type_of(row->id);
  out.type.integer_bits = row->integer_bits;
  if (row->form == wire_form::numeric) {
    out.limits = numeric_modifier(type.modifier);
    out.type = numeric_type(out.limits);
  } else if (row->form == wire_form::money) {
    constexpr std::uint8_t int8_digits = 19;
    out.type = decimal_type(int8_digits, static_cast<std::uint8_t>(money_digits));
  } else if (has_unit(row->id)) {
    out.type = time_type(row->id, time_unit::micro);
    out.type.fraction_digits = second_digits(type.modifier);
  } else if (row->oid == oid_name || row->oid == oid_char) {
    out.type.length_max = row->oid == oid_name ? name_bytes_max : 1;
  } else if ((row->oid == oid_character || row->oid == oid_varying) && type.modifier > modifier_header) {
    out.type.length_unit = length_in::characters;
    out.type.length_max = static_cast<std::uint64_t>(type.modifier - modifier_header);
    out.padded = row->oid == oid_character ? type.modifier - modifier_header : 0;
  } else if (row->oid == oid_time_tz) {
    out.fraction_digits = second_digits(type.modifier);
    out.needs_offset = true;
  } else if (row->oid == oid_interval) {
    // INTERVAL_PRECISION; 0xFFFF where none is given.
    out.fraction_digits = type.modifier < 0 ? micro_digits : second_digits(type.modifier & 0xFFFF);
  }
  return out;
}

std::string_view what_is_guessed(std::string_view text, times_inside times) {
  if (times == times_inside::none) {
    return {};
  }
  // An array with bounds of its own: [2:3]={…}.
  if (const std::size_t bounds = text.find("={"); text.starts_with('[') && bounds != std::string_view::npos) {
    text.remove_prefix(bounds + 1);
  }
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("{}[](),\"");
    const std::string_view why = guessed_in_one(text.substr(0, end), times == times_inside::with_offset);
    if (!why.empty()) {
      return why;
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return {};
}

std::string text_sql(const std::string& sql, const server_type& type) {
  // The cast writes a mask that the value does not have (`::1/128`).
  return type.oid == oid_inet ? fmt::format("pg_catalog.textin(pg_catalog.inet_out({}))", sql)
                              : sql + "::text";
}

std::optional<std::int32_t> wider_modifier(std::uint32_t oid, std::int32_t a, std::int32_t b) {
  constexpr auto sized = std::to_array<std::uint32_t>({oid_character, oid_varying, oid_numeric, oid_varbit,
                                                       oid_time, oid_timestamp, oid_instant, oid_time_tz});
  if (std::find(sized.begin(), sized.end(), oid) == sized.end()) {
    return std::nullopt;
  }
  if (a < 0 || b < 0) {
    // Of character none is another type, without blanks behind the text.
    return oid == oid_character ? std::nullopt : std::optional(-1);
  }
  if (oid != oid_numeric) {
    return std::max(a, b);
  }
  const numeric_limits x = numeric_modifier(a);
  const numeric_limits y = numeric_modifier(b);
  const std::int32_t scale = std::max(x.scale, y.scale);
  const std::int32_t precision = std::max(x.precision - x.scale, y.precision - y.scale) + scale;
  constexpr std::int32_t precision_max = 1000;  // NUMERIC_MAX_PRECISION
  if (scale < 0 || precision < 1 || precision > precision_max) {
    return -1;
  }
  return modifier_header + (precision << 16 | scale);
}

data_type write_type(const column_type& column, const data_type& source) {
  if (column.form != wire_form::numeric || column.limits.precision != 0) {
    return column.type;
  }
  // A numeric without limits takes every number as it is; decimals and integers need no text on the way.
  constexpr std::uint8_t int64_digits = 19;
  constexpr std::uint8_t uint64_digits = 20;
  switch (source.id) {
    case type_id::decimal:
      return source;
    case type_id::int64:
      return decimal_type(int64_digits, 0);
    case type_id::uint64:
      return decimal_type(uint64_digits, 0);
    default:
      return column.type;
  }
}

std::string_view what_changes(const server_type& to, const field& from) {
  const bool text = from.type.id == type_id::utf8 || from.type.id == type_id::binary;
  if ((to.oid == oid_bit || to.oid == oid_varbit) && !text) {
    return "its decimal digits would be taken for bits; read it as text, such as LPAD(BIN(column + 0), 8, "
           "'0')";
  }
  if (to.oid == oid_time_tz && !text) {
    return "the server would add the offset of its session's time zone; read it as text with an offset";
  }
  const std::string_view name = from.source_type_name;
  if (to.oid == oid_float8_array && name.ends_with("[]") && name != to.name && name != "smallint[]" &&
      name != "integer[]") {
    return "the server would round its numbers; cast it so in the reader's \"column\"";
  }
  return {};
}

std::string created_type(const data_type& type) {
  const auto with_digits = [&](std::string_view name, std::string_view behind) {
    const unsigned digits = std::min<unsigned>(type.fraction_digits, micro_digits);
    return digits == micro_digits ? fmt::format("{}{}", name, behind)
                                  : fmt::format("{}({}){}", name, digits, behind);
  };
  switch (type.id) {
    case type_id::boolean:
      return "boolean";
    case type_id::int64:
      return type.integer_bits == 0 || type.integer_bits > 32 ? "bigint"
             : type.integer_bits > 16                         ? "integer"
                                                              : "smallint";
    case type_id::uint64:
      return type.integer_bits == 0 || type.integer_bits > 32 ? "numeric(20)"
             : type.integer_bits == 32                        ? "bigint"
                                                              : "integer";
    case type_id::float32:
      return "real";
    case type_id::float64:
      return "double precision";
    case type_id::decimal:
      return fmt::format("numeric({},{})", type.precision, type.scale);
    case type_id::decimal_text:
      return type.precision == 0 ? "numeric" : fmt::format("numeric({},{})", type.precision, type.scale);
    case type_id::utf8: {
      constexpr std::uint64_t varying_max = 10'485'760;
      const bool counts =
          type.length_max != 0 && type.length_max <= varying_max && type.length_unit == length_in::characters;
      return counts ? fmt::format("varchar({})", type.length_max) : "text";
    }
    case type_id::binary:
      return "bytea";
    case type_id::date:
      return "date";
    case type_id::time_of_day:
      return with_digits("time", "");
    case type_id::duration:
      return with_digits("interval", "");
    case type_id::timestamp:
      return with_digits("timestamp", "");
    case type_id::instant:
      return with_digits("timestamptz", "");
  }
  return "text";
}

}  // namespace sluice::postgresql
