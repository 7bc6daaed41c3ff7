#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "transport/record/convert.h"

namespace sluice {

/// A step on the records between reader and conversion (job-formats 6.11). Made once a run; immutable, for
/// any thread. This one decides which records go on; a function that changes a column (dx_substr and its
/// like) will be a `column_converter` from the column to utf8, which the channel runs in the same place.
class transformer {
 public:
  virtual ~transformer() = default;
  /// Clears the bit in `keep` (a bitmap of at least `b.rows` bits) of every record that is dropped; a record
  /// whose bit is clear already is not looked at. A record that the step cannot judge is named in `failures`
  /// (in order) and its bit stays.
  virtual void apply(const batch& b, std::vector<std::uint8_t>& keep,
                     std::vector<conversion_failure>& failures) const = 0;
};

/// The transformer of one entry of the job. `bad_option`, naming `place`, for an unknown name, a column that
/// is not there, paras of the wrong number, an operator or a value that does not fit the column. `zone` is
/// the run's and reads a number beside a date as milliseconds since 1970 UTC; without it such a number is
/// refused.
result<std::unique_ptr<const transformer>> make_transformer(const std::string& name,
                                                            std::uint32_t column_index,
                                                            const std::vector<std::string>& paras,
                                                            const std::string& place, const schema& s,
                                                            const time_zone_ptr& zone = nullptr);

}  // namespace sluice
