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
};

/// Ranges that a table is read by: `each` for each pipeline that may run, `factor` times as many where it is
/// the only table (job-formats 6.5); 1 where nothing is won by splitting.
std::uint32_t ranges_wanted(std::uint32_t pipelines, std::size_t tables, std::uint32_t factor);

/// Rising bounds between the least and the greatest value of a key as the database writes them: at most
/// `ranges` - 1, equally far apart. Whole numbers are numbers, all others texts for the database to read.
/// Empty where there is nothing between, or where a value is not of that kind (infinity, BC, NaN): one range.
/// Of texts they are candidates: the database must bring them into its own order (`ORDER BY`), because no
/// other order is sure to be its collation's; those outside its own least and greatest value go.
std::vector<scalar> bounds_between(key_kind kind, std::string_view least, std::string_view most,
                                   std::uint32_t ranges);

/// The splits between bounds that rise, and one for NULL where the key may be. `about` goes before each
/// description, `label` (`orders id`) before what is said of the range.
std::vector<split> splits_between(const std::vector<scalar>& bounds, bool nullable, const scalar_list& about,
                                  const std::string& label);

/// The condition of a split's range on `key`, an SQL expression; empty where the description has none.
/// `literal` writes a bound as SQL.
std::string range_condition(const scalar_list& description, std::string_view key,
                            const std::function<std::string(const scalar&)>& literal);

}  // namespace sluice::relational
