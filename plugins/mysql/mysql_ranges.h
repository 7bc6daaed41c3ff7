#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/common/relational/key_ranges.h"
#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_read_plan.h"

namespace sluice::mysql {

/// Ranges of a key, and how many rows the server thinks are in each.
struct found_ranges {
  std::vector<relational::key_bound> bounds;  ///< Rising, as the server compares them.
  std::vector<double> rows;                   ///< One more than bounds; empty: the server does not say.
};

/// Finds ranges of a key that hold about as many rows each. It cuts the values between the least and the
/// greatest one, has the server estimate the rows of each piece (EXPLAIN, which dives into the index), and
/// cuts the heavy ones further, in the key's next column where one value of the first has so many. What it
/// reads is bounded, whatever the table has: at most `dives_max` estimates of some 26 pages.
class range_finder {
 public:
  /// `index`: in SQL, begins with the key's columns. All outlive this.
  range_finder(connection& c, const std::string& table, const std::string& index,
               const std::vector<split_column>& key, const stop_signal& stop)
      : c_(c), table_(table), index_(index), key_(key), stop_(stop) {}

  static constexpr std::size_t dives_max = 36;

  /// `dives`: fewer, where each reads more (partitions); too few: pieces are only cut, and not weighed.
  result<found_ranges> find(std::uint32_t ranges, std::size_t dives = dives_max);

 private:
  /// All rows whose first columns are `equal` and whose next one is between two values.
  struct piece {
    std::vector<std::string> equal;   ///< In SQL.
    relational::key_bound equal_key;  ///< The same values.
    std::string least;                ///< In SQL; empty: open.
    std::string below;
    relational::key_bound from;  ///< Where it begins; empty for the first.
    double rows = 0;
    bool whole = false;  ///< It cannot be cut any more.
  };
  [[nodiscard]] std::string condition(const piece& p) const;
  /// The piece cut into at most so many; one where it cannot be.
  result<std::vector<piece>> cut(piece p, std::uint32_t parts);
  result<std::vector<scalar>> bounds_inside(const split_column& column, const std::string& least,
                                            const std::string& most, std::uint32_t parts);
  /// Estimates of each; false where the server's EXPLAIN is not as MySQL's.
  result<bool> weigh(std::vector<piece>& pieces);

  connection& c_;
  const std::string& table_;
  const std::string& index_;
  const std::vector<split_column>& key_;
  const stop_signal& stop_;
};

/// The rows of a statement on one table as the server estimates them; nothing where its EXPLAIN is not as
/// MySQL's.
result<std::optional<double>> estimate_rows(connection& c, const std::string& sql, const stop_signal& stop);

/// Values of a column that no index begins with, rising, from about a thousand rows all over the table;
/// `index` and `key`: of a key by which rows are found; empty: from its first rows.
result<std::vector<relational::key_bound>> sample_column(connection& c, const std::string& table,
                                                         const split_column& column, const std::string& index,
                                                         const std::vector<split_column>& key,
                                                         const stop_signal& stop);

}  // namespace sluice::mysql
