#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/int128.h"
#include "transport/base/result.h"
#include "transport/base/stop.h"
#include "transport/record/sum.h"

namespace sluice {

/// The form of records that a database can sum by itself (docs/canonical.md, `sql/1`).
inline constexpr std::string_view sql_form_name = "sql/1";

/// How `sql/1` writes a value: in one form equal texts are equal values, whatever product has written them.
enum class sql_form : std::uint8_t {
  number,         ///< `-12.5`: no zeros behind the last digit that counts, no plus, no exponent.
  text,           ///< Its length in bytes, then its bytes in UTF-8.
  unpadded_text,  ///< The same without the blanks at its end.
  bytes,          ///< In hexadecimal digits.
  float_bits,     ///< The bits of a float64.
  date,           ///< `2025-01-31`; so the next three.
  time,           ///< `10:00:00.500000`
  timestamp,      ///< `2025-01-31 10:00:00.500000`
  instant,        ///< The same in UTC.
};

/// What a database can do with a column of its.
struct sql_column {
  std::vector<sql_form> forms;  ///< In which it can write the values; none: it cannot.
  std::string type;             ///< As the server names it; `an expression` of what is no column.
  /// Records may be told apart by ranges of it: a number, which is in the same order at every product.
  bool has_ranges = false;
};

/// A column that is summed.
struct summed_column {
  std::size_t column = 0;  ///< Of the source's columns.
  sql_form form = sql_form::number;
};

struct database_sums {
  std::uint64_t records = 0;
  row_sum sum;  ///< In `sql/1`: of each record the two halves of its MD5, each summed modulo 2^64.
};

/// Records by the value of one column: `low` <= value < `high`, nothing being no bound.
struct key_range {
  std::optional<int128> low = {};
  std::optional<int128> high = {};
  bool null = false;  ///< Those that have no value there; without bounds.
  friend bool operator==(const key_range&, const key_range&) = default;
};

/// The least and the greatest value of a column, without what stands behind the point; nothing where there
/// is no value, or one beyond 64 bits.
struct key_span {
  std::optional<int128> least = {};
  std::optional<int128> greatest = {};
};

/// What a database has of a range.
struct range_sums {
  database_sums sums = {};
  key_span span = {};
};

/// What a `source` implements besides, whose server can sum its records by one SELECT: nothing but the sums
/// crosses the network. Threads and calls as `source`; after `open`.
class sums_in_database {
 public:
  virtual ~sums_in_database() = default;

  /// One a column; `not_supported` with the reason (`because a querySql is read`) where nothing can be
  /// summed.
  [[nodiscard]] virtual result<std::vector<sql_column>> summable_columns() const = 0;

  /// The records that the source has, under the snapshot that its readers have where they share one. Any
  /// failure says that nothing is known of them: of a value that has no text in `sql/1`, of a server that
  /// refuses the functions needed, of a table that was altered meanwhile.
  virtual result<database_sums> sum_records(const std::vector<summed_column>& columns,
                                            const stop_signal& stop) = 0;

  // Of a column with `has_ranges`, by its place among the source's columns.

  /// Of the records that `sum_records` sums.
  virtual result<key_span> span_of(std::size_t column, const stop_signal& stop) = 0;

  /// The same of ranges of them, one a range, by one SELECT that reads these alone. The ranges rise and do
  /// not overlap; that of NULL may be anywhere.
  virtual result<std::vector<range_sums>> sum_ranges(const std::vector<summed_column>& columns,
                                                     std::size_t column, const std::vector<key_range>& ranges,
                                                     const stop_signal& stop) = 0;

  /// The condition that chooses such ranges, as the reader's `where` takes it.
  [[nodiscard]] virtual std::string condition_of(std::size_t column,
                                                 const std::vector<key_range>& ranges) const = 0;
};

}  // namespace sluice
