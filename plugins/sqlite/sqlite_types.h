#pragma once

#include <cstdint>
#include <string_view>

#include "transport/record/type.h"

/// SQLite has affinities, not types (datatype3.html): what a declared type says of the values of its column.
namespace sluice::sqlite {

enum class affinity : std::uint8_t { integer, real, text, blob, numeric };
std::string_view to_string(affinity a);

/// What a column is taken to hold.
enum class held_as : std::uint8_t {
  integer,  ///< int64
  real,     ///< float64
  text,     ///< utf8
  blob,     ///< binary
  number,   ///< Exact numbers: DECIMAL and its kin.
  boolean,  ///< 0 and 1.
  date,     ///< These four: ISO 8601 text.
  time,
  timestamp,
  instant,
  any,  ///< Anything.
};

struct column_kind {
  affinity gives = affinity::blob;  ///< What SQLite does to a value on its way in.
  held_as holds = held_as::any;
  bool strict = false;  ///< Of a STRICT table: SQLite enforces the type.
  friend bool operator==(const column_kind&, const column_kind&) = default;
};

/// The rules of datatype3.html section 3.1, then our own table for names of NUMERIC affinity. STRICT tables
/// have six types, of which ANY holds whatever comes, unchanged.
column_kind kind_of(std::string_view declared_type, bool strict);

/// The type in which a reader delivers such a column.
data_type read_type(const column_kind& kind);

/// The type in which a writer wants values of `source` for such a column, so that nothing changes on the way.
data_type write_type(const column_kind& kind, const data_type& source);

/// Whether a text is at home in such a column: in one of dates and times it only stands for one.
bool holds_text(const column_kind& kind);

/// The declared type that `createTable` gives a column of this type.
std::string_view created_type(const data_type& type);

}  // namespace sluice::sqlite
