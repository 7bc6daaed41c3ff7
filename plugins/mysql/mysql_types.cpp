#include "plugins/mysql/mysql_types.h"

#include <fmt/format.h>
#include <mysql.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::mysql {
namespace {

struct type_row {
  std::string_view name;
  held_as holds;
  std::uint8_t bits = 64;
};
/// DATA_TYPE of information_schema; names that are not here are text (UUID, INET4, INET6, JSON and what is
/// to come).
constexpr auto type_rows = std::to_array<type_row>({
    {"tinyint", held_as::integer, 8},
    {"smallint", held_as::integer, 16},
    {"mediumint", held_as::integer, 24},
    {"int", held_as::integer, 32},
    {"bigint", held_as::integer, 64},
    {"year", held_as::year},
    {"bit", held_as::bits},
    {"float", held_as::real},
    {"double", held_as::real},
    {"decimal", held_as::decimal},
    {"date", held_as::date},
    {"datetime", held_as::timestamp},
    {"timestamp", held_as::instant},
    {"time", held_as::duration},
    {"enum", held_as::members},
    {"set", held_as::members},
    {"binary", held_as::bytes},
    {"varbinary", held_as::bytes},
    {"tinyblob", held_as::bytes},
    {"blob", held_as::bytes},
    {"mediumblob", held_as::bytes},
    {"longblob", held_as::bytes},
    {"geometry", held_as::bytes},
    {"point", held_as::bytes},
    {"linestring", held_as::bytes},
    {"polygon", held_as::bytes},
    {"multipoint", held_as::bytes},
    {"multilinestring", held_as::bytes},
    {"multipolygon", held_as::bytes},
    {"geometrycollection", held_as::bytes},
    {"geomcollection", held_as::bytes},
});

struct charset_row {
  std::string_view name;
  charset holds;
};
/// Character sets that lack some of Unicode and whose repertoire a type can say; of the others (latin1 is
/// Windows-1252, gbk, sjis, ...) the server refuses what it cannot hold.
constexpr auto charset_rows = std::to_array<charset_row>({
    {"utf8", charset::unicode_bmp},
    {"utf8mb3", charset::unicode_bmp},
    {"ucs2", charset::unicode_bmp},
    {"ascii", charset::ascii},
});

struct result_row {
  int type;
  held_as holds;
  std::uint8_t bits = 64;
};
constexpr auto result_rows = std::to_array<result_row>({
    {MYSQL_TYPE_TINY, held_as::integer, 8},
    {MYSQL_TYPE_SHORT, held_as::integer, 16},
    {MYSQL_TYPE_INT24, held_as::integer, 24},
    {MYSQL_TYPE_LONG, held_as::integer, 32},
    {MYSQL_TYPE_LONGLONG, held_as::integer, 64},
    {MYSQL_TYPE_YEAR, held_as::year},
    {MYSQL_TYPE_BIT, held_as::bits},
    {MYSQL_TYPE_FLOAT, held_as::real},
    {MYSQL_TYPE_DOUBLE, held_as::real},
    {MYSQL_TYPE_DECIMAL, held_as::decimal},
    {MYSQL_TYPE_NEWDECIMAL, held_as::decimal},
    {MYSQL_TYPE_DATE, held_as::date},
    {MYSQL_TYPE_NEWDATE, held_as::date},
    {MYSQL_TYPE_DATETIME, held_as::timestamp},
    {MYSQL_TYPE_TIMESTAMP, held_as::instant},
    {MYSQL_TYPE_TIME, held_as::duration},
    {MYSQL_TYPE_GEOMETRY, held_as::bytes},
});

constexpr unsigned binary_charset = 63;
constexpr unsigned seconds_digits_max = 6;

/// The numbers between the first parentheses: 12 and 2 of `decimal(12,2)`.
std::vector<unsigned> numbers_of(std::string_view column_type) {
  std::vector<unsigned> out;
  std::size_t at = column_type.find('(');
  while (at != std::string_view::npos && at < column_type.size() && column_type[at] != ')') {
    ++at;
    unsigned n = 0;
    const auto [end, failure] =
        std::from_chars(column_type.data() + at, column_type.data() + column_type.size(), n);
    if (failure != std::errc()) {
      break;
    }
    out.push_back(n);
    at = static_cast<std::size_t>(end - column_type.data());
  }
  return out;
}

time_unit unit_for(unsigned digits) {
  return digits == 0 ? time_unit::second : digits <= 3 ? time_unit::milli : time_unit::micro;
}

data_type timed(type_id id, unsigned digits) {
  data_type t = time_type(id, unit_for(digits));
  t.fraction_digits = static_cast<std::uint8_t>(digits);
  return t;
}

data_type number_type(const column_kind& kind) {
  data_type t = type_of(kind.is_unsigned ? type_id::uint64 : type_id::int64);
  t.integer_bits = kind.bits == 64 ? std::uint8_t{0} : kind.bits;
  return t;
}

data_type decimal_of(const column_kind& kind) {
  constexpr unsigned digits_max = 38;
  if (kind.precision <= digits_max && kind.precision != 0) {
    return decimal_type(kind.precision, kind.scale);
  }
  data_type t = type_of(type_id::decimal_text);
  t.precision = kind.precision;
  t.scale = kind.scale;
  return t;
}

data_type sized(type_id id, const column_kind& kind) {
  data_type t = type_of(id);
  t.length_max = kind.length_max;
  t.length_unit = id == type_id::binary ? length_in::bytes : kind.length_unit;
  if (id == type_id::utf8) {
    t.characters = kind.characters;
  }
  return t;
}

/// Whether each text that the server lets into a column of the set has an equal in Unicode. Of the others
/// both servers were seen to send `?`, or U+FFFD, for some bytes.
bool defines_all_bytes(std::string_view charset) {
  static constexpr std::string_view sets[] = {"",        "utf8",  "utf8mb3",  "utf8mb4", "utf16",  "utf16le",
                                              "utf32",   "ucs2",  "gb18030",  "latin1",  "latin2", "latin5",
                                              "latin7",  "cp850", "cp852",    "cp866",   "koi8r",  "koi8u",
                                              "keybcs2", "macce", "macroman", "armscii8"};
  return std::find(std::begin(sets), std::end(sets), charset) != std::end(sets);
}

/// The column as UTF-8, or a byte that UTF-8 never has before its own bytes where it has fewer question marks
/// of its own than in UTF-8. A result that is too large for `max_allowed_packet` is NULL, and that byte
/// alone.
std::string told_from_question_marks(const std::string& column) {
  const std::string text = fmt::format("CONVERT({} USING utf8mb4) COLLATE utf8mb4_bin", column);
  const auto count = [](const std::string& sql) {
    return fmt::format("CHAR_LENGTH({0}) - CHAR_LENGTH(REPLACE({0}, '?', ''))", sql);
  };
  return fmt::format(
      "IF({0} IS NULL, NULL, COALESCE(IF(INSTR({1}, _utf8mb4 x'EFBFBD') = 0 AND (INSTR({1}, '?') = 0 OR {2} "
      "= "
      "{3}), CAST({1} AS BINARY), CONCAT(_binary x'FF', CAST({0} AS BINARY))), _binary x'FF'))",
      column, text, count(column), count(text));
}

}  // namespace

std::vector<std::string> members_of(std::string_view column_type) {
  std::vector<std::string> out;
  std::size_t at = column_type.find('\'');
  while (at != std::string_view::npos) {
    std::string member;
    for (++at; at < column_type.size(); ++at) {
      const char next = at + 1 < column_type.size() ? column_type[at + 1] : '\0';
      if (column_type[at] == '\'') {
        if (next != '\'') {
          break;
        }
        ++at;
      } else if (column_type[at] == '\\') {
        ++at;
        member += next == '0' ? '\0' : next == 'n' ? '\n' : next == 'r' ? '\r' : next;
        continue;
      }
      member += column_type[at];
    }
    out.push_back(std::move(member));
    at = at + 1 < column_type.size() ? column_type.find('\'', at + 1) : std::string_view::npos;
  }
  return out;
}

bool same_type(const result_column& a, const result_column& b) {
  return a.type == b.type && (a.flags & UNSIGNED_FLAG) == (b.flags & UNSIGNED_FLAG) &&
         a.decimals == b.decimals && a.charset == b.charset && a.special == b.special;
}

declared_type declared_as(std::string_view type) {
  struct size_row {
    std::string_view name;
    std::uint64_t bytes_max;
  };
  static constexpr size_row sizes[] = {
      {"tinytext", 0xFF},       {"tinyblob", 0xFF},       {"text", 0xFFFF},         {"blob", 0xFFFF},
      {"mediumtext", 0xFFFFFF}, {"mediumblob", 0xFFFFFF}, {"longtext", 0xFFFFFFFF}, {"longblob", 0xFFFFFFFF}};
  constexpr std::string_view set = " CHARACTER SET ";
  declared_type out;
  const std::size_t named = type.find(set);
  const std::string_view bare = type.substr(0, std::min(named, type.find(" COLLATE ")));
  bool quoted = false;
  for (const char c : bare) {
    quoted = quoted != (c == '\'');
    out.column_type += !quoted && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  out.data_type = out.column_type.substr(0, out.column_type.find_first_of("( "));
  const std::string_view behind =
      named == std::string_view::npos ? "utf8mb4" : type.substr(named + set.size());
  out.charset_name = behind.substr(0, behind.find(' '));
  if (const auto numbers = numbers_of(out.column_type); !numbers.empty()) {
    out.characters_max = out.bytes_max = numbers[0];
  }
  for (const size_row& row : sizes) {
    out.bytes_max = row.name == out.data_type ? row.bytes_max : out.bytes_max;
  }
  return out;
}

column_kind kind_of(const declared_type& declared) {
  column_kind k;
  k.name = declared.column_type;
  const auto found = std::find_if(type_rows.begin(), type_rows.end(),
                                  [&](const type_row& r) { return r.name == declared.data_type; });
  k.holds = found == type_rows.end() ? held_as::text : found->holds;
  k.bits = found == type_rows.end() ? std::uint8_t{64} : found->bits;
  k.is_unsigned = declared.column_type.find(" unsigned") != std::string::npos ||
                  declared.column_type.find(" zerofill") != std::string::npos;
  const std::vector<unsigned> numbers = numbers_of(declared.column_type);
  const auto number = [&](std::size_t i) {
    return i < numbers.size() ? static_cast<std::uint8_t>(numbers[i]) : std::uint8_t{0};
  };
  switch (k.holds) {
    case held_as::bits:
      k.bits = numbers.empty() ? std::uint8_t{1} : number(0);
      break;
    case held_as::real:
      k.single = declared.data_type == "float";
      k.fixed_digits = numbers.size() == 2;
      k.scale = number(1);
      break;
    case held_as::decimal:
      k.precision = number(0);
      k.scale = number(1);
      break;
    case held_as::timestamp:
    case held_as::instant:
    case held_as::duration:
      k.scale = number(0);
      break;
    case held_as::members:
      k.is_set = declared.data_type == "set";
      k.members = members_of(declared.column_type);
      break;
    case held_as::text: {
      const bool counts_characters = declared.data_type == "char" || declared.data_type == "varchar";
      const auto set = std::find_if(charset_rows.begin(), charset_rows.end(),
                                    [&](const charset_row& r) { return r.name == declared.charset_name; });
      k.characters = set == charset_rows.end() ? charset::unicode : set->holds;
      k.drops_blanks = declared.data_type == "char";
      k.rewrites_json = declared.data_type == "json";  // MariaDB says longtext
      // A TEXT is limited by its bytes in its own character set; for most of them only the server can count.
      if (counts_characters) {
        k.length_max = declared.characters_max;
      } else if (declared.charset_name == "utf8mb4" || declared.charset_name == "ascii") {
        k.length_max = declared.bytes_max;
        k.length_unit = length_in::bytes;
      }
      break;
    }
    case held_as::bytes:
      k.length_max = declared.bytes_max;
      k.length_unit = length_in::bytes;
      k.pads_zeros = declared.data_type == "binary";
      break;
    case held_as::integer:
    case held_as::year:
    case held_as::date:
      break;
  }
  constexpr std::uint64_t no_limit = 0xFFFFFFFF;  // LONGTEXT and LONGBLOB
  if (k.length_max == no_limit) {
    k.length_max = 0;
  }
  return k;
}

column_kind kind_of(const result_column& column) {
  column_kind k;
  const auto found = std::find_if(result_rows.begin(), result_rows.end(),
                                  [&](const result_row& r) { return r.type == column.type; });
  if (found == result_rows.end()) {
    const bool json = column.type == MYSQL_TYPE_JSON || column.special == "json";
    const bool named = !column.special.empty();  // UUID, INET6: their text, whatever the character set says
    k.holds = column.charset == binary_charset && !json && !named && column.type != MYSQL_TYPE_NULL
                  ? held_as::bytes
                  : held_as::text;
    k.name = json ? "json" : named ? column.special : k.holds == held_as::bytes ? "blob" : "text";
    return k;
  }
  k.holds = found->holds;
  k.bits = found->bits;
  k.is_unsigned = (column.flags & UNSIGNED_FLAG) != 0;
  const auto digits = static_cast<std::uint8_t>(std::min(column.decimals, seconds_digits_max));
  switch (k.holds) {
    case held_as::integer: {
      constexpr std::array<std::string_view, 5> names = {"tinyint", "smallint", "mediumint", "int", "bigint"};
      const std::size_t i = k.bits == 64 ? 4 : static_cast<std::size_t>(k.bits / 8 - 1);
      k.name = fmt::format("{}{}", names[i], k.is_unsigned ? " unsigned" : "");
      break;
    }
    case held_as::bits:
      k.bits = static_cast<std::uint8_t>(std::clamp<unsigned long>(column.length, 1, 64));
      k.name = fmt::format("bit({})", k.bits);
      break;
    case held_as::real:
      k.single = column.type == MYSQL_TYPE_FLOAT;
      k.fixed_digits = column.decimals < 31;
      k.name = k.single ? "float" : "double";
      break;
    case held_as::decimal: {
      k.scale = static_cast<std::uint8_t>(std::min(column.decimals, 38U));
      const unsigned long others = (k.is_unsigned ? 0 : 1) + (k.scale != 0 ? 1 : 0);
      k.precision = static_cast<std::uint8_t>(std::clamp<unsigned long>(
          column.length > others ? column.length - others : 1, std::max<unsigned>(k.scale, 1), 65));
      k.name = fmt::format("decimal({},{})", k.precision, k.scale);
      break;
    }
    case held_as::timestamp:
    case held_as::instant:
    case held_as::duration: {
      k.scale = digits;
      const std::string_view name = k.holds == held_as::timestamp ? "datetime"
                                    : k.holds == held_as::instant ? "timestamp"
                                                                  : "time";
      k.name = digits == 0 ? std::string(name) : fmt::format("{}({})", name, digits);
      break;
    }
    case held_as::year:
      k.name = "year";
      break;
    case held_as::date:
      k.name = "date";
      break;
    case held_as::bytes:
      k.name = "geometry";
      break;
    case held_as::text:
    case held_as::members:
      break;
  }
  return k;
}

namespace {

column_kind wider_text(const column_kind& a, const column_kind& b) {
  const auto sized = [](const column_kind& k) {
    return k.name.starts_with("char(") || k.name.starts_with("varchar(") || k.name.starts_with("binary(") ||
           k.name.starts_with("varbinary(");
  };
  column_kind k = b.length_max > a.length_max ? b : a;
  if (a.name != b.name && !(sized(a) && sized(b))) {
    k.name = a.holds == held_as::bytes ? "longblob" : "longtext";
    k.holds = a.holds == held_as::bytes ? held_as::bytes : held_as::text;
    k.rewrites_json = false;
    k.members.clear();
  }
  if (a.length_max == 0 || b.length_max == 0 || a.length_unit != b.length_unit) {
    k.length_max = 0;
  }
  const auto varies = [](const column_kind& one) { return one.name.starts_with("var"); };
  if (sized(k) && !varies(k) && (varies(a) || varies(b))) {
    // A type of a fixed length would not hold the other's values as they are.
    k.name = "var" + k.name;
    k.pads_zeros = false;
    k.drops_blanks = false;
  }
  k.characters = a.characters == b.characters ? a.characters : charset::unicode;
  k.marks_undefined = a.marks_undefined || b.marks_undefined;
  return k;
}

std::optional<column_kind> wider_decimal(const column_kind& a, const column_kind& b) {
  constexpr int digits_max = 65;  // of a DECIMAL
  column_kind k = a;
  k.scale = std::max(a.scale, b.scale);
  const int digits = std::max(a.precision - a.scale, b.precision - b.scale) + k.scale;
  if (digits > digits_max) {
    return std::nullopt;
  }
  k.precision = static_cast<std::uint8_t>(digits);
  k.is_unsigned = a.is_unsigned && b.is_unsigned;
  k.name = fmt::format("decimal({},{}){}", k.precision, k.scale, k.is_unsigned ? " unsigned" : "");
  return k;
}

}  // namespace

std::optional<column_kind> wider_kind(const column_kind& a, const column_kind& b) {
  if (a.holds != b.holds || a.bits_as_number != b.bits_as_number) {
    return std::nullopt;
  }
  switch (a.holds) {
    case held_as::integer:
      return a.is_unsigned == b.is_unsigned ? std::optional(b.bits > a.bits ? b : a) : std::nullopt;
    case held_as::bits:
      // One bit is a boolean.
      return (a.bits == 1) == (b.bits == 1) ? std::optional(b.bits > a.bits ? b : a) : std::nullopt;
    case held_as::real:
      return a.single ? b : a;
    case held_as::decimal:
      return a.name == b.name ? a : wider_decimal(a, b);
    case held_as::timestamp:
    case held_as::instant:
    case held_as::duration:
      return b.scale > a.scale ? b : a;
    case held_as::text:
    case held_as::members:
    case held_as::bytes:
      return wider_text(a, b);
    case held_as::year:
    case held_as::date:
      break;
  }
  return a;
}

bool may_be_zero_date(const column_kind& kind) {
  return kind.holds == held_as::date || kind.holds == held_as::timestamp || kind.holds == held_as::instant;
}

data_type read_type(const column_kind& kind, bool times_as_text) {
  if (times_as_text && may_be_zero_date(kind)) {
    return type_of(type_id::utf8);
  }
  switch (kind.holds) {
    case held_as::integer:
      return number_type(kind);
    case held_as::year:
      return type_of(type_id::int64);
    case held_as::bits:
      return type_of(kind.bits == 1 ? type_id::boolean : type_id::uint64);
    case held_as::real:
      return type_of(kind.single ? type_id::float32 : type_id::float64);
    case held_as::decimal:
      return decimal_of(kind);
    case held_as::bytes:
      return sized(type_id::binary, kind);
    case held_as::date:
      return type_of(type_id::date);
    case held_as::timestamp:
      return timed(type_id::timestamp, kind.scale);
    case held_as::instant:
      return timed(type_id::instant, kind.scale);
    case held_as::duration:
      return timed(type_id::duration, kind.scale);
    case held_as::text:
    case held_as::members:
      break;
  }
  return sized(type_id::utf8, kind);
}

bool takes_empty_text(const column_kind& kind) {
  return kind.name != "json" && kind.name != "uuid" && kind.name != "inet4" && kind.name != "inet6";
}

data_type write_type(const column_kind& kind, const data_type& source) {
  if (kind.holds == held_as::bits && kind.bits == 1 && source.id != type_id::boolean) {
    return type_of(type_id::uint64);  // numbers other than 0 and 1 are refused by their size
  }
  // A character set's own conversion and all else are checked on the way by what the type says.
  return read_type(kind);
}

std::string created_type(const data_type& type) {
  const unsigned digits = std::min<unsigned>(type.fraction_digits, seconds_digits_max);
  const auto timed_name = [&](std::string_view name) {
    return digits == 0 ? std::string(name) : fmt::format("{}({})", name, digits);
  };
  switch (type.id) {
    case type_id::boolean:
      return "BIT(1)";
    case type_id::int64:
    case type_id::uint64: {
      const std::string_view name = type.integer_bits == 8    ? "TINYINT"
                                    : type.integer_bits == 16 ? "SMALLINT"
                                    : type.integer_bits == 24 ? "MEDIUMINT"
                                    : type.integer_bits == 32 ? "INT"
                                                              : "BIGINT";
      return fmt::format("{}{}", name, type.id == type_id::uint64 ? " UNSIGNED" : "");
    }
    case type_id::float32:
      return "FLOAT";
    case type_id::float64:
      return "DOUBLE";
    case type_id::decimal:
      return type.scale <= 30 ? fmt::format("DECIMAL({},{})", type.precision, type.scale) : "LONGTEXT";
    case type_id::decimal_text:
      return type.precision != 0 && type.precision <= 65 && type.scale <= 30
                 ? fmt::format("DECIMAL({},{})", type.precision, type.scale)
                 : "LONGTEXT";
    case type_id::utf8: {
      // 191 characters and fewer can be a key of every row format; beyond 16,383 a VARCHAR of utf8mb4 cannot
      // be declared.
      constexpr std::uint64_t varchar_max = 16'383;
      return type.length_max != 0 && type.length_max <= varchar_max
                 ? fmt::format("VARCHAR({})", type.length_max)
                 : "LONGTEXT";
    }
    case type_id::binary:
      return type.length_max != 0 && type.length_max <= 65'000 ? fmt::format("VARBINARY({})", type.length_max)
                                                               : "LONGBLOB";
    case type_id::date:
      return "DATE";
    case type_id::time_of_day:
    case type_id::duration:
      return timed_name("TIME");
    case type_id::timestamp:
      return timed_name("DATETIME");
    case type_id::instant:
      return timed_name("TIMESTAMP");
  }
  return "LONGTEXT";
}

std::string sent_as(const std::string& sql, column_kind& kind, const std::string* charset) {
  if (kind.holds == held_as::real && (kind.single || kind.fixed_digits)) {
    return sql + " * 1e0";
  }
  if (kind.holds == held_as::bits && charset == nullptr) {
    kind.bits_as_number = true;
    return sql + " + 0";
  }
  if (kind.holds == held_as::text && charset != nullptr && !defines_all_bytes(*charset)) {
    kind.marks_undefined = true;
    return told_from_question_marks(sql);
  }
  return sql;
}

bool orders_as_read(const column_kind& kind) {
  switch (kind.holds) {
    case held_as::integer:
    case held_as::year:
    case held_as::decimal:
    case held_as::text:
    case held_as::bytes:
    case held_as::date:
    case held_as::timestamp:
    case held_as::instant:
    case held_as::duration:
      return true;
    case held_as::bits:     // a literal is no bit value
    case held_as::real:     // equal digits are not equal numbers
    case held_as::members:  // ordered by place, compared by text
      break;
  }
  return false;
}

const std::vector<type_page_row>& type_page() {
  static const std::vector<type_page_row> rows = {
      {"TINYINT, SMALLINT, MEDIUMINT, INT, BIGINT", "int64",
       "TINYINT(1) too: `BOOLEAN` is only another name for it. UNSIGNED: uint64."},
      {"YEAR", "int64", "0 and 1901 to 2155; two-digit years, which the server would complete, are dirty."},
      {"BIT(1)", "boolean", ""},
      {"BIT(n)", "uint64", "A number with more than n bits is dirty."},
      {"FLOAT", "float32", "Read as `x * 1e0`, because its own text has six digits only."},
      {"DOUBLE", "float64", "NaN and infinities are dirty. DOUBLE(M,D): what would be rounded is dirty."},
      {"DECIMAL(p,s)", "decimal(p,s)", "Beyond 38 digits the exact text. More digits than s are dirty."},
      {"CHAR(n), VARCHAR(n), TEXT types", "utf8",
       "Of every character set. Bytes that the column's set leaves undefined, for which the server would "
       "send a "
       "question mark, are dirty (a querySql gets the question mark). Into CHAR(n) a text that ends with a "
       "blank is dirty, because the server drops it; PostgreSQL's char(n) arrives without its padding."},
      {"ENUM, SET", "utf8",
       "Written only as a member is spelled, the members of a set in their declared order; the server would "
       "take a number for a place in the list and another spelling for the declared one."},
      {"JSON", "utf8",
       "The server's text. Of MariaDB it is what was written. MySQL keeps values, not texts: a document is "
       "looked at before it is sent, and is dirty where it would read back as another one: with a number "
       "that "
       "MySQL would round (`not_exact`: integers beyond 64 bits, and what is not the shortest text of the "
       "double that MySQL makes of it, which for some texts of 16 digits and more is not the nearest one), "
       "or "
       "with a key twice in an object (`duplicate_key`). Blanks, the order of keys and how a number is "
       "written may change: 1.10 reads back as 1.1, the same number."},
      {"UUID, INET4, INET6", "utf8", "The server's text."},
      {"BINARY(n), VARBINARY(n), BLOB types", "binary",
       "Into BINARY(n) other lengths than n are dirty, because the server pads them."},
      {"GEOMETRY and its kin", "binary", "The server's own form: SRID and WKB."},
      {"DATE, DATETIME(f)", "date, timestamp", "Zero dates and those with a zero month or day: `zeroDate`."},
      {"TIMESTAMP(f)", "instant",
       "The session's zone is UTC, for `where`, `querySql` and expressions too, which is warned of where "
       "they "
       "compute with such a column and the server's own zone is another."},
      {"TIME(f)", "duration", "-838:59:59 to 838:59:59."},
  };
  return rows;
}

}  // namespace sluice::mysql
