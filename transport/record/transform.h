#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transport/record/convert.h"

namespace sluice {

/// Decides by one column which records go on. Immutable, for any thread.
class record_filter {
 public:
  virtual ~record_filter() = default;
  /// For the rows [first, last) of its column: clears bit `row - first` in `keep` where the record is
  /// dropped; a row whose bit is clear already is not looked at.
  virtual void apply(const column& from, std::uint32_t first, std::uint32_t last,
                     std::vector<std::uint8_t>& keep) const = 0;
};

/// A step on the records between reader and conversion (job-formats 6.11): it drops records by a column, or
/// puts a text in the place of a column's value. Made once a run.
struct transform_step {
  std::uint32_t column_index = 0;
  std::unique_ptr<const record_filter> filter;
  std::unique_ptr<const column_converter> change;  ///< Set where `filter` is not.
  field becomes;                                   ///< The column behind a `change`.
  std::uint64_t growth_bytes_max = 0;              ///< By how much a `change` may lengthen a value.
};

/// The step of one entry of the job. `bad_option`, naming `place`, for an unknown name, a column that is not
/// there, paras of the wrong number or form, an operator or a value that does not fit the column. `context`
/// is the run's: its zone reads a number beside a date as milliseconds since 1970 UTC, and its formats make a
/// column text before a function changes it.
result<transform_step> make_step(const std::string& name, std::uint32_t column_index,
                                 const std::vector<std::string>& paras, const std::string& place,
                                 const schema& s, const conversion_context& context);

/// Rows [first, last) of a batch as they are behind the steps.
struct transformed_rows {
  /// For each column where it stands now, and which row of it is the first.
  std::vector<std::pair<const column*, std::uint32_t>> columns;
  std::vector<std::uint8_t> keep;  ///< Bit `row - first`: the record goes on.
  std::uint64_t dropped = 0;       ///< By filters.
  struct failure {
    std::uint32_t column_index;
    conversion_failure why;  ///< Its row is the batch's.
  };
  std::vector<failure> failures;  ///< Of records that a step refused; their bits are clear. In no order.
  std::deque<column> made;        ///< What `columns` may point to beside the batch's own.

  [[nodiscard]] bool kept(std::uint32_t row_from_first) const {
    return (keep[row_from_first / 8] >> (row_from_first % 8) & 1) != 0;
  }
};

/// Takes rows [first, last) of `b` through the steps in order. What is refused or dropped by one step is
/// nothing to the later ones.
transformed_rows run_steps(const std::vector<transform_step>& steps, const batch& b, std::uint32_t first,
                           std::uint32_t last, const std::shared_ptr<buffer_pool>& pool);

/// The columns behind the steps.
schema_ptr columns_behind(const std::vector<transform_step>& steps, const schema_ptr& columns);

}  // namespace sluice
