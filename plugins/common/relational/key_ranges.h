#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/source.h"
#include "transport/base/int128.h"
#include "transport/record/scalar.h"

namespace sluice::relational {

// Splitting a table by ranges of a key. The description of such a split has `from` (the key is this or more),
// `to` (it is less), `not_null` (any), or `null` (it is NULL). The outer ranges are open, so that rows added
// before they are read are not lost; whatever the bounds are, the ranges cover every row exactly once as long
// as the bounds rise in the order in which the database compares the key.

/// How a key's values are interpolated.
enum class key_kind : std::uint8_t {
  whole_number,
  decimal,    ///< Up to 38 digits.
  date,       ///< `yyyy-MM-dd`
  timestamp,  ///< `yyyy-MM-dd HH:mm:ss[.f]`, up to microseconds.
  text,
  bytes,  ///< Compared byte by byte.
};

/// Ranges that a table is read by: `each` for each pipeline that may run, `factor` times as many where it is
/// the only table (job-formats 6.5); 1 where nothing is won by splitting.
std::uint32_t ranges_wanted(std::uint32_t pipelines, std::size_t tables, std::uint32_t factor);

/// Rising bounds between the least and the greatest value of a key as the database writes them: at most
/// `ranges` - 1, equally far apart. Whole numbers are numbers, bytes are bytes, all others texts for the
/// database to read. Empty where there is nothing between, or where a value is not of that kind (infinity,
/// BC, NaN): one range. Of texts they are candidates, up to twice as many: the database must bring them into
/// its own order (`ORDER BY`), because no other order is sure to be its collation's; those outside its own
/// least and greatest value, or that its character set does not have, go.
std::vector<scalar> bounds_between(key_kind kind, std::string_view least, std::string_view most,
                                   std::uint32_t ranges);

/// A bound: a value for each of the key's first columns, at least one.
using key_bound = std::vector<scalar>;
/// Bounds of a key of one column.
std::vector<key_bound> one_column(std::vector<scalar> values);

/// So many ranges out of rising keys of rows that are spread as all rows are: every n-th of them, each once.
std::vector<key_bound> bounds_among(const std::vector<key_bound>& keys, std::uint32_t ranges);

/// What a table has of the work of all: the splits it gets, at least one. `works` in any measure, the same
/// for all; no split is made smaller than `work_min`. `splits` in all, about.
std::vector<std::uint32_t> shares_of(const std::vector<double>& works, std::uint32_t splits, double work_min);

/// The splits between bounds that rise, and one for NULL where the key may be. `about` goes before each
/// description, `label` (`orders id`) before what is said of the range. The second column of a bound is
/// `from_2`, `to_2` and so on.
std::vector<split> splits_between(const std::vector<key_bound>& bounds, bool nullable,
                                  const scalar_list& about, const std::string& label);

/// The bound `from` or `to` of a description; empty: it has none.
key_bound bound_in(const scalar_list& description, std::string_view name);

/// What a split's label says of its range: ` from 1 below 500`; empty where it has none.
std::string range_text(const scalar_list& description);
/// `a, b, c and 7 more`
std::string some_of(const std::vector<std::string>& names);

/// How a range of a key of several columns is written.
enum class key_comparison : std::uint8_t {
  rows,     ///< `(a, b) >= (1, 2)`
  columns,  ///< `(a > 1 OR (a = 1 AND b >= 2))`, for servers that find no index by the other.
};

/// The condition of a split's range on the key's columns, SQL expressions; empty where the description has
/// none. `literal` writes the value of a column as SQL.
std::string range_condition(const scalar_list& description, const std::vector<std::string>& columns,
                            key_comparison how,
                            const std::function<std::string(std::size_t column, const scalar&)>& literal);

}  // namespace sluice::relational
