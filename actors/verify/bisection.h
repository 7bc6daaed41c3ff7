#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "plugins/api/sums_in_database.h"

/// Where two tables differ, by sums of ranges of their key that their databases compute.
namespace sluice {

/// What two databases have of the same ranges, one a range each.
struct sums_of_both {
  std::vector<range_sums> source, destination;
};
/// Asks both.
using ask_both = std::function<result<sums_of_both>(const std::vector<key_range>& ranges)>;

/// A range that has other records at one end than at the other.
struct differing_range {
  key_range range;
  std::uint64_t source = 0, destination = 0;  ///< So many records are there.
};

struct bisection {
  database_sums source, destination;  ///< Of all records, at the moment of the first question.
  bool equal = false;                 ///< Each range was.
  std::size_t compared = 0;           ///< Ranges, of all questions.
  /// What is to be read, rising; none and not `equal`: all.
  std::vector<differing_range> differ;
};

/// Ranges of the first question, with that of NULL.
inline constexpr std::uint32_t ranges_first = 128;
/// Where no more records differ, no further question is worth it.
inline constexpr std::uint64_t records_read_at_once = 10'000;
/// A range of no more records is not divided further: many of these are what few differences leave.
inline constexpr std::uint64_t range_records_few = 1'000;
/// Of a later question, if as many ranges differ as are left.
inline constexpr std::uint32_t ranges_later = 1'024;
/// Each costs the databases a reading of what differs.
inline constexpr unsigned questions_max = 4;
/// More conditions cost a server more than the records that they leave out.
inline constexpr std::size_t ranges_read_max = 500;

/// `all`: of both ends. Each record is in one range, whatever comes beyond them meanwhile. Those that differ
/// are divided further until they hold few records. All is to be read where more than half of it differs, or
/// more ranges than `ranges_read_max`, and where what had differed no longer does: the ends are at work.
result<bisection> bisect(const key_span& all, const ask_both& ask);

/// The least that covers both; a side without values says nothing.
key_span both_spans(const key_span& a, const key_span& b);

/// A range in `parts` of equal width at most, by what it holds: the first and the last keep its own bounds.
/// Itself where it cannot be divided.
std::vector<key_range> divided(const key_range& range, const key_span& holds, std::uint32_t parts);

}  // namespace sluice
