#include "plugins/common/relational/made_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::relational {
namespace {

struct meaning_row {
  std::string_view words;
  std::string_view meaning;  ///< Empty: Sluice's own type says it all.
};

constexpr auto postgresql_rows = std::to_array<meaning_row>({
    {"boolean", ""},
    {"bytea", ""},
    {"\"char\"", ""},
    {"name", ""},
    {"bigint", ""},
    {"smallint", ""},
    {"integer", ""},
    {"text", ""},
    {"oid", ""},
    {"real", ""},
    {"double precision", ""},
    {"character", ""},
    {"character varying", ""},
    {"date", ""},
    {"time without time zone", ""},
    {"timestamp without time zone", ""},
    {"timestamp with time zone", ""},
    {"numeric", ""},
    {"json", "that it is JSON"},
    {"jsonb", "that it is JSON"},
    {"uuid", "that it is a UUID"},
    {"xml", "that it is XML"},
    {"inet", "that it is a network address"},
    {"cidr", "that it is a network"},
    {"macaddr", "that it is a MAC address"},
    {"macaddr8", "that it is a MAC address"},
    {"interval", "that it is an interval"},
    {"time with time zone", "that it is a time of day with an offset"},
    {"money", "that it is an amount of money"},
    {"bit", "that it is a string of bits"},
    {"bit varying", "that it is a string of bits"},
    {"hstore", "that it is a list of keys and values"},
});

/// Of MySQL and MariaDB; what is not here has no meaning of its own.
constexpr auto mysql_rows = std::to_array<meaning_row>({
    {"json", "that it is JSON"},
    {"enum", "that it is one of the members"},
    {"set", "that it is a set of the members"},
    {"bit", "how many bits it has"},
    {"year", "that it is a year"},
    {"uuid", "that it is a UUID"},
    {"inet4", "that it is a network address"},
    {"inet6", "that it is a network address"},
    {"geometry", "that it is a geometry"},
    {"point", "that it is a point"},
    {"linestring", "that it is a line"},
    {"polygon", "that it is a polygon"},
    {"multipoint", "that these are points"},
    {"multilinestring", "that these are lines"},
    {"multipolygon", "that these are polygons"},
    {"geometrycollection", "that these are geometries"},
    {"geomcollection", "that these are geometries"},
    {"vector", "that it is a vector"},
});

template <class Rows>
const meaning_row* row_of(const Rows& rows, std::string_view words) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const meaning_row& r) { return r.words == words; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::string source_type::words() const {
  std::string_view text = name();
  if (of_mysql()) {
    text = text.substr(0, std::min(text.find(" CHARACTER SET "), text.find(" COLLATE ")));
  }
  std::string out;
  char quote = '\0';
  int depth = 0;
  for (const char c : text) {
    if (quote != '\0' || c == '\'' || c == '"') {
      quote = quote == '\0' ? c : c == quote ? '\0' : quote;
    } else if (c == '(') {
      ++depth;
    }
    if (depth == 0) {
      out += quote == '\0' && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    depth -= quote == '\0' && c == ')' ? 1 : 0;
  }
  return out;
}

source_type type_at(const schema& columns, const table_facts* facts, std::size_t index) {
  source_type out{"", "", columns[index]};
  if (facts != nullptr) {
    out.product = facts->product;
    out.own_type = index < facts->columns.size() ? std::string_view(facts->columns[index].own_type) : "";
  }
  return out;
}

std::string meaning_of(const source_type& from) {
  const std::string words = from.words();
  if (words.empty()) {
    return {};
  }
  if (from.of_mysql()) {
    if (const auto* row = row_of(mysql_rows, words)) {
      return from.column.type.id == type_id::boolean ? std::string() : std::string(row->meaning);
    }
    return words.find(" unsigned") != std::string::npos ? "that it is not negative" : "";
  }
  if (from.product != "postgresql") {
    return {};
  }
  if (const auto* row = row_of(postgresql_rows, words)) {
    return std::string(row->meaning);
  }
  constexpr std::string_view array = "[]";
  if (words.ends_with(array)) {
    return fmt::format("that it is an array of {}", words.substr(0, words.size() - array.size()));
  }
  return words.ends_with("range") ? "that it is a range" : "what it allows";
}

made_type without_meaning(const source_type& from, std::string sql) {
  const std::string meaning = meaning_of(from);
  return {std::move(sql), meaning.empty() ? "" : meaning + " is not checked any more"};
}

}  // namespace sluice::relational
