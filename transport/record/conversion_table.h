#pragma once

#include <array>
#include <string>
#include <string_view>

#include "transport/record/convert.h"

namespace sluice {

/// A cell of the conversion table: what is done with a value of type `from` for a column of type `to`, whose
/// modifiers are wide enough. Modifiers that are not make `exact` to `checked` (see `lookup_conversion`).
struct conversion_rule {
  type_id from;
  type_id to;
  conversion_kind kind;
  std::string_view rule;
  bool needs_zone;
};

inline constexpr std::array all_types = {
    type_id::boolean,     type_id::int64,        type_id::uint64,    type_id::float32, type_id::float64,
    type_id::decimal,     type_id::decimal_text, type_id::utf8,      type_id::binary,  type_id::date,
    type_id::time_of_day, type_id::duration,     type_id::timestamp, type_id::instant};

/// The cell of a pair: there is one for every pair.
conversion_rule rule_of(type_id from, type_id to);

/// `same`, `exact`, `checked`, `refused`.
std::string_view to_string(conversion_kind kind);

/// Whether both hold the same values in the same bytes; modifiers that a type does not use do not count.
bool is_same_type(const data_type& a, const data_type& b);

/// The table as it stands in docs/conversions.md.
std::string conversion_table_page();

}  // namespace sluice
