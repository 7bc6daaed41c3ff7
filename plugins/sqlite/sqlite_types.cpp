#include "plugins/sqlite/sqlite_types.h"

#include <array>
#include <cctype>
#include <string>

namespace sluice::sqlite {
namespace {

struct affinity_rule {
  std::string_view part;  ///< Found anywhere in the declared type, ignoring case.
  affinity gives;
};
/// datatype3.html section 3.1, in its order: the first that matches decides.
constexpr auto affinity_rules = std::to_array<affinity_rule>({
    {"INT", affinity::integer},
    {"CHAR", affinity::text},
    {"CLOB", affinity::text},
    {"TEXT", affinity::text},
    {"BLOB", affinity::blob},
    {"REAL", affinity::real},
    {"FLOA", affinity::real},
    {"DOUB", affinity::real},
});

struct numeric_name {
  std::string_view name;  ///< The declared type without what stands in parentheses.
  held_as holds;
};
/// Names whose affinity is NUMERIC and that say more than SQLite reads from them.
constexpr auto numeric_names = std::to_array<numeric_name>({
    {"NUMERIC", held_as::number},
    {"NUM", held_as::number},
    {"DECIMAL", held_as::number},
    {"DEC", held_as::number},
    {"NUMBER", held_as::number},
    {"FIXED", held_as::number},
    {"MONEY", held_as::number},
    {"SMALLMONEY", held_as::number},
    {"CURRENCY", held_as::number},
    {"BOOLEAN", held_as::boolean},
    {"BOOL", held_as::boolean},
    {"BIT", held_as::boolean},
    {"DATE", held_as::date},
    {"TIME", held_as::time},
    {"DATETIME", held_as::timestamp},
    {"TIMESTAMP", held_as::timestamp},
    {"TIMESTAMPTZ", held_as::instant},
    {"DATETIMEOFFSET", held_as::instant},
    {"TIMESTAMP WITH TIME ZONE", held_as::instant},
});

struct strict_name {
  std::string_view name;
  column_kind kind;
};
/// stricttables.html section 2.
constexpr auto strict_names = std::to_array<strict_name>({
    {"INT", {affinity::integer, held_as::integer, true}},
    {"INTEGER", {affinity::integer, held_as::integer, true}},
    {"REAL", {affinity::real, held_as::real, true}},
    {"TEXT", {affinity::text, held_as::text, true}},
    {"BLOB", {affinity::blob, held_as::blob, true}},
    {"ANY", {affinity::blob, held_as::any, true}},
});

std::string upper_name(std::string_view declared) {
  std::string out;
  for (const char c : declared.substr(0, declared.find('('))) {
    out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

held_as held_by(affinity gives) {
  switch (gives) {
    case affinity::integer:
      return held_as::integer;
    case affinity::real:
      return held_as::real;
    case affinity::text:
      return held_as::text;
    case affinity::blob:
      return held_as::blob;
    case affinity::numeric:
      break;
  }
  return held_as::any;
}

bool is_integer(type_id id) {
  return id == type_id::int64 || id == type_id::uint64;
}
bool is_float(type_id id) {
  return id == type_id::float32 || id == type_id::float64;
}

/// A value as it comes, in one of the storage classes: integers beyond int63 cannot come, floats are double.
data_type as_it_comes(const data_type& source) {
  if (is_integer(source.id)) {
    return type_of(type_id::int64);
  }
  if (is_float(source.id)) {
    return type_of(type_id::float64);
  }
  if (has_unit(source.id)) {
    return time_type(source.id, source.unit);
  }
  if (source.id == type_id::decimal) {
    return source;
  }
  return type_of(source.id);
}

data_type number_type(const data_type& source) {
  if (is_integer(source.id) || is_float(source.id) || source.id == type_id::decimal) {
    return as_it_comes(source);
  }
  return source.id == type_id::boolean ? type_of(type_id::int64) : type_of(type_id::decimal_text);
}

/// Times as ISO text in the unit they come in, and texts and bytes as they come. What has no unit of time is
/// wanted as a time, so that the table of conversions refuses it.
data_type time_type_for(const data_type& source, type_id wanted) {
  if (source.id == type_id::utf8 || source.id == type_id::binary ||
      (source.id == type_id::duration && wanted == type_id::time_of_day)) {
    return as_it_comes(source);
  }
  if (wanted == type_id::date) {
    return type_of(wanted);
  }
  return time_type(wanted, has_unit(source.id) ? source.unit : time_unit::second);
}

}  // namespace

std::string_view to_string(affinity a) {
  constexpr std::array<std::string_view, 5> names = {"INTEGER", "REAL", "TEXT", "BLOB", "NUMERIC"};
  return names[static_cast<std::size_t>(a)];
}

column_kind kind_of(std::string_view declared_type, bool strict) {
  const std::string name = upper_name(declared_type);
  if (strict) {
    for (const strict_name& s : strict_names) {
      if (s.name == name) {
        return s.kind;
      }
    }
  }
  if (name.empty()) {
    return {affinity::blob, held_as::any, strict};
  }
  for (const affinity_rule& rule : affinity_rules) {
    // SQLite looks at the whole declared type; what stands in parentheses is nearly always digits.
    if (name.find(rule.part) != std::string::npos) {
      return {rule.gives, held_by(rule.gives), strict};
    }
  }
  for (const numeric_name& n : numeric_names) {
    if (n.name == name) {
      return {affinity::numeric, n.holds, strict};
    }
  }
  return {affinity::numeric, held_as::any, strict};
}

data_type read_type(const column_kind& kind) {
  switch (kind.holds) {
    case held_as::integer:
      return type_of(type_id::int64);
    case held_as::real:
      return type_of(type_id::float64);
    case held_as::blob:
      return type_of(type_id::binary);
    case held_as::number:
      return type_of(type_id::decimal_text);
    case held_as::boolean:
      return type_of(type_id::boolean);
    case held_as::text:
    case held_as::date:
    case held_as::time:
    case held_as::timestamp:
    case held_as::instant:
    case held_as::any:
      break;
  }
  return type_of(type_id::utf8);
}

data_type write_type(const column_kind& kind, const data_type& source) {
  switch (kind.holds) {
    case held_as::integer:
      return type_of(type_id::int64);
    case held_as::real:
      return type_of(type_id::float64);
    case held_as::text:
      return type_of(type_id::utf8);
    case held_as::blob:
      return kind.strict ? type_of(type_id::binary) : as_it_comes(source);
    case held_as::number:
      return number_type(source);
    case held_as::boolean:
      return is_integer(source.id) ? type_of(type_id::int64) : type_of(type_id::boolean);
    case held_as::date:
      return time_type_for(source, type_id::date);
    case held_as::time:
      return time_type_for(source, type_id::time_of_day);
    case held_as::timestamp:
      return time_type_for(source, type_id::timestamp);
    case held_as::instant:
      return time_type_for(source, type_id::instant);
    case held_as::any:
      break;
  }
  return as_it_comes(source);
}

bool holds_text(const column_kind& kind) {
  return kind.holds != held_as::date && kind.holds != held_as::time && kind.holds != held_as::timestamp &&
         kind.holds != held_as::instant;
}

std::string_view created_type(const data_type& type) {
  switch (type.id) {
    case type_id::boolean:
      return "BOOLEAN";
    case type_id::int64:
    case type_id::uint64:
      return "INTEGER";
    case type_id::float32:
    case type_id::float64:
      return "REAL";
    case type_id::binary:
      return "BLOB";
    case type_id::date:
      return "DATE";
    case type_id::time_of_day:
      return "TIME";
    case type_id::timestamp:
      return "DATETIME";
    case type_id::instant:
      return "TIMESTAMPTZ";
    case type_id::decimal:  // exact only as text
    case type_id::decimal_text:
    case type_id::utf8:
    case type_id::duration:
      break;
  }
  return "TEXT";
}

}  // namespace sluice::sqlite
