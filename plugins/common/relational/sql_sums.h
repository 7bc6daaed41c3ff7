#pragma once

#include <string>
#include <vector>

#include "plugins/api/sums_in_database.h"
#include "plugins/common/relational/sql_session.h"

namespace sluice::relational {

/// The text of NULL in `sql/1`, with which no value begins.
inline constexpr const char* sql_null = "~";

/// What a SELECT has found: the number of records, of those with a sum, and the sums of the two halves of
/// their MD5, signed or not. `not_supported` where a record has no sum.
result<database_sums> sums_of(const sql_row& found, const std::string& place);

// Ranges of a column (`sums_in_database::sum_ranges`). Places of a row, behind those of `sums_of`: the range,
// and the least and the greatest value in it.
inline constexpr std::size_t range_place = 4;
inline constexpr std::size_t least_place = 5;
inline constexpr std::size_t greatest_place = 6;

/// The bounds of ranges, rising, each once. The number of them that are not greater than a value is the range
/// that `sums_of_ranges` expects of it; NULL, or less than 0, of NULL.
std::vector<int128> bounds_of(const std::vector<key_range>& ranges);
/// `5, 17`
std::string bounds_text(const std::vector<int128>& bounds);

/// One a range, of a SELECT that groups by it.
result<std::vector<range_sums>> sums_of_ranges(const std::vector<sql_row>& found,
                                               const std::vector<key_range>& ranges,
                                               const std::string& place);

/// `(id >= 5 AND id < 17) OR id IS NULL`, ranges that touch being one; empty where they are all that there
/// is. `column`: in SQL.
std::string condition_sql(const std::string& column, const std::vector<key_range>& ranges);

/// The values of two texts, as `key_span` has them.
key_span span_of(const std::optional<std::string>& least, const std::optional<std::string>& greatest);

/// A decimal number modulo 2^64; `internal` where the text is none.
result<std::uint64_t> modulo_64(const std::string& text);

}  // namespace sluice::relational
