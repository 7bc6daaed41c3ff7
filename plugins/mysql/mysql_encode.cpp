#include "plugins/mysql/mysql_encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "plugins/mysql/mysql_json.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"

namespace sluice::mysql {
namespace {

using form = row_encoder::form;

/// `'it''s'`: with NO_BACKSLASH_ESCAPES only the quote itself means anything.
void append_quoted(std::string_view text, std::string& out) {
  out += '\'';
  for (std::size_t at = text.find('\''); at != std::string_view::npos; at = text.find('\'')) {
    out.append(text.substr(0, at + 1));
    out += '\'';
    text.remove_prefix(at + 1);
  }
  out.append(text);
  out += '\'';
}

/// Tabs, line breaks, backslashes and zero bytes behind a backslash.
void append_escaped(std::string_view text, std::string& out) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '\t' && c != '\n' && c != '\\' && c != '\0') {
      continue;
    }
    out.append(text.substr(from, i - from));
    out += '\\';
    out += c == '\0' ? '0' : c;
    from = i + 1;
  }
  out.append(text.substr(from));
}

void append_hex(std::string_view bytes, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    out += digits[u >> 4];
    out += digits[u & 15];
  }
}

void append_plain(const char* from, const char* to, std::string& out) {
  out.append(from, static_cast<std::size_t>(to - from));
}

/// Between quotes where the form has them: dates and numbers that are given as text.
void append_word(const char* from, const char* to, form f, std::string& out) {
  if (f == form::values) {
    out += '\'';
    append_plain(from, to, out);
    out += '\'';
  } else {
    append_plain(from, to, out);
  }
}

/// Zeros behind the digits that the column has are left out: the server warns of them.
void append_decimal(std::string_view text, std::size_t scale, form f, std::string& out) {
  const std::size_t point = text.find('.');
  if (point != std::string_view::npos && text.size() - point - 1 > scale &&
      text.find_first_not_of("0123456789", point + 1) == std::string_view::npos) {
    const std::size_t last = text.find_last_not_of('0');
    text =
        text.substr(0, std::max(last == point ? point : last + 1, std::min(text.size(), point + 1 + scale)));
    text = text.ends_with('.') ? text.substr(0, point) : text;
  }
  append_word(text.data(), text.data() + text.size(), f, out);
}

/// `0001-01-01` to `9999-12-31`, and the year 0 that the server takes too.
bool is_year_of_server(std::int64_t days) {
  constexpr std::int64_t first = days_from_civil(0, 1, 1);
  constexpr std::int64_t last = days_from_civil(9999, 12, 31);
  return days >= first && days <= last;
}

}  // namespace

bool is_member_text(std::string_view text, const column_kind& kind) {
  if (!kind.is_set) {
    return std::find(kind.members.begin(), kind.members.end(), text) != kind.members.end();
  }
  auto next = kind.members.begin();
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    next = std::find(next, kind.members.end(), one);
    if (next == kind.members.end() || one.size() + 1 == text.size()) {
      return false;
    }
    ++next;
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  return true;
}

row_encoder::row_encoder(schema_ptr columns, std::vector<target_column> targets)
    : columns_(std::move(columns)), targets_(std::move(targets)) {}

void row_encoder::encode(const batch& b, form f, encoded_rows& out) const {
  out.clear();
  encode_some(b, 0, f, std::numeric_limits<std::size_t>::max(), out);
}

std::uint32_t row_encoder::encode_some(const batch& b, std::uint32_t first, form f, std::size_t bytes_wanted,
                                       encoded_rows& out) const {
  std::uint32_t row = first;
  for (; row < b.rows && out.bytes.size() < bytes_wanted; ++row) {
    const std::size_t begin = out.bytes.size();
    problem wrong;
    std::size_t at = 0;
    for (; at < targets_.size(); ++at) {
      if (f == form::values) {
        out.bytes += at == 0 ? '(' : ',';
      } else if (at != 0) {
        out.bytes += '\t';
      }
      wrong = append(b.columns[at], at, row, f, out.bytes);
      if (wrong.code != dirty_code::none || !wrong.server_code.empty()) {
        break;
      }
    }
    if (at < targets_.size()) {
      out.bytes.resize(begin);
      const std::string_view code = wrong.server_code.empty() ? to_string(wrong.code) : wrong.server_code;
      out.refused.push_back({row, targets_[at].name, std::string(code), std::move(wrong.message)});
      continue;
    }
    out.bytes += f == form::values ? ")," : "\n";
    out.rows.push_back(row);
    out.ends.push_back(out.bytes.size());
  }
  return row;
}

row_encoder::problem row_encoder::append(const column& from, std::size_t at, std::uint32_t row, form f,
                                         std::string& out) const {
  const target_column& target = targets_[at];
  if (from.is_null(row) && target.skips_null) {
    out += "DEFAULT";  // such rows never go as lines
    return {};
  }
  if (from.is_null(row)) {
    if (target.refuses_null) {
      return {dirty_code::none, "ER_BAD_NULL_ERROR", "the column takes no NULL"};
    }
    out += f == form::values ? "NULL" : "\\N";
    return {};
  }
  const data_type& type = (*columns_)[at].type;
  char room[value_chars_max];
  switch (type.id) {
    case type_id::boolean:
      return append_bits(from.get_bool(row) ? 1 : 0, target.kind, out);
    case type_id::int64:
      return append_integer(from.get<std::int64_t>(row), false, target.kind, f, out);
    case type_id::uint64:
      return append_integer(from.get<std::int64_t>(row), true, target.kind, f, out);
    case type_id::float32:
      return append_real(from.get<float>(row), target.kind, out);
    case type_id::float64:
      return append_real(from.get<double>(row), target.kind, out);
    case type_id::decimal:
      append_plain(room, write_decimal(from.get<int128>(row), type.scale, room), out);
      return {};
    case type_id::decimal_text: {
      const std::string_view text = from.get_bytes(row);
      if (text.ends_with("NaN") || text.ends_with("Infinity")) {
        return {dirty_code::not_finite, {}, "DECIMAL has no NaN and no infinities"};
      }
      append_decimal(text, target.kind.scale, f, out);
      return {};
    }
    case type_id::utf8:
      return append_text(from.get_bytes(row), target, f, out);
    case type_id::binary:
      return append_bytes(from.get_bytes(row), target.kind, f, out);
    case type_id::date: {
      const auto days = from.get<std::int32_t>(row);
      if (!is_year_of_server(days)) {
        return {dirty_code::out_of_range, {}, "a date of the server has a year from 0 to 9999"};
      }
      append_word(room, write_iso_date(days, room), f, out);
      return {};
    }
    case type_id::time_of_day:
    case type_id::duration:
    case type_id::timestamp:
    case type_id::instant:
      return append_time(from.get<std::int64_t>(row), type, f, out);
  }
  return {};
}

row_encoder::problem row_encoder::append_integer(std::int64_t v, bool is_unsigned, const column_kind& kind,
                                                 form f, std::string& out) const {
  if (kind.holds == held_as::bits) {
    if (!is_unsigned && v < 0) {
      return {dirty_code::out_of_range, {}, "BIT holds no negative numbers"};
    }
    return append_bits(static_cast<std::uint64_t>(v), kind, out);
  }
  constexpr std::int64_t year_min = 1901;
  constexpr std::int64_t year_max = 2155;
  if (kind.holds == held_as::year && v != 0 && (v < year_min || v > year_max)) {
    return {dirty_code::out_of_range, {}, "YEAR holds 0 and 1901 to 2155"};
  }
  char room[value_chars_max];
  if (kind.holds == held_as::year && f == form::lines) {
    append_plain(room, write_padded(static_cast<std::uint64_t>(v), 4, room), out);  // the text 0 is 2000
    return {};
  }
  append_plain(room, is_unsigned ? write_uint64(static_cast<std::uint64_t>(v), room) : write_int64(v, room),
               out);
  return {};
}

row_encoder::problem row_encoder::append_bits(std::uint64_t v, const column_kind& kind, std::string& out) {
  if (kind.holds == held_as::bits && kind.bits < 64 && v >> kind.bits != 0) {
    return {dirty_code::out_of_range, {}, "the number has more bits than the column"};
  }
  char room[value_chars_max];
  append_plain(room, write_uint64(v, room), out);
  return {};
}

row_encoder::problem row_encoder::append_real(double v, const column_kind& kind, std::string& out) {
  if (!std::isfinite(v)) {
    return {dirty_code::not_finite, {}, "FLOAT and DOUBLE of the server have no NaN and no infinities"};
  }
  if (kind.fixed_digits) {
    const std::string rounded = fmt::format("{:.{}f}", v, kind.scale);
    const double back = std::strtod(rounded.c_str(), nullptr);
    if (kind.single ? static_cast<float>(back) != static_cast<float>(v) : back != v) {
      return {dirty_code::too_precise, {}, "the column rounds to fewer digits behind the point"};
    }
  }
  char room[value_chars_max];
  char* end = write_float64(v, room);
  append_plain(room, end, out);
  // With an exponent it is a double from the start, not a decimal that is converted.
  if (std::find(room, end, 'e') == end) {
    out += "e0";
  }
  return {};
}

row_encoder::problem row_encoder::append_text(std::string_view text, const target_column& target, form f,
                                              std::string& out) {
  const column_kind& kind = target.kind;
  if (kind.holds == held_as::members && !is_member_text(text, kind)) {
    constexpr auto four_bytes = [](char c) { return static_cast<unsigned char>(c) >= 0xF0; };
    if (std::any_of(text.begin(), text.end(), four_bytes)) {
      return {dirty_code::not_representable,
              {},
              "the text has a character beyond U+FFFF, and the server shows those of the column's members as "
              "question marks, so that it cannot be seen whether it is one; make the column VARCHAR"};
    }
    return {dirty_code::not_representable,
            {},
            kind.is_set ? "the text is no list of the column's members in their order and spelling"
                        : "the text is none of the column's members as they are spelled"};
  }
  if (kind.drops_blanks && target.blanks_pad) {
    text = text.substr(0, text.find_last_not_of(' ') + 1);
  }
  if (kind.drops_blanks && text.ends_with(' ')) {
    return {
        dirty_code::not_representable, {}, "CHAR drops blanks at the end; use VARCHAR, or trim the value"};
  }
  if (kind.rewrites_json) {
    json_problem found = check_json(text);
    if (!found.is_json) {
      return {dirty_code::none, "ER_INVALID_JSON_TEXT", std::move(found.message)};
    }
    if (found.code != dirty_code::none) {
      return {found.code, {}, std::move(found.message)};
    }
  }
  if (f == form::values) {
    append_quoted(text, out);
  } else {
    append_escaped(text, out);
  }
  return {};
}

row_encoder::problem row_encoder::append_bytes(std::string_view bytes, const column_kind& kind, form f,
                                               std::string& out) {
  if (kind.pads_zeros && bytes.size() != kind.length_max) {
    return {
        dirty_code::not_representable, {}, "BINARY fills shorter values up with zero bytes; use VARBINARY"};
  }
  if (f == form::values) {
    out += "_binary";
    append_quoted(bytes, out);
  } else {
    append_hex(bytes, out);
  }
  return {};
}

row_encoder::problem row_encoder::append_time(std::int64_t v, const data_type& type, form f,
                                              std::string& out) {
  char room[value_chars_max];
  if (type.id == type_id::duration) {
    append_word(room, write_duration(v, type.unit, type.fraction_digits, room), f, out);
    return {};
  }
  if (type.id == type_id::time_of_day) {
    append_word(room, write_iso_time(v, type.unit, type.fraction_digits, room), f, out);
    return {};
  }
  const std::int64_t units_per_day = seconds_per_day * units_per_second(type.unit);
  if (!is_year_of_server(floor_divide(v, units_per_day).quotient)) {
    return {dirty_code::out_of_range, {}, "a time of the server has a year from 0 to 9999"};
  }
  append_word(room, write_iso_timestamp(v, type.unit, type.fraction_digits, ' ', room), f, out);
  return {};
}

}  // namespace sluice::mysql
