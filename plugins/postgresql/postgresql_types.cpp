#include "plugins/postgresql/postgresql_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

/// Arrays, ranges and multiranges of times, in which the server rounds seconds as in a time alone: of time,
/// timestamp, timestamptz, interval, timetz; tsrange, its array and multirange, and those of tstzrange.
constexpr auto time_holders = std::to_array<std::uint32_t>(
    {1183, 1115, 1185, 1187, 1270, 3908, 3909, 4533, 6152, 3910, 3911, 4534, 6153});

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
    const bool of_times = std::find(time_holders.begin(), time_holders.end(), type.oid) != time_holders.end();
    out.fraction_digits = of_times ? micro_digits : -1;
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

std::string text_sql(const std::string& sql, const server_type& type) {
  // The cast writes a mask that the value does not have (`::1/128`).
  return type.oid == oid_inet ? fmt::format("pg_catalog.textin(pg_catalog.inet_out({}))", sql)
                              : sql + "::text";
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
