#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/verify/bisection.h"
#include "actors/verify/row_readings.h"
#include "plugins/api/source.h"
#include "plugins/api/sums_in_database.h"

namespace sluice {

/// The two ends of a comparison, whose databases compute the sums of the same columns in the same forms.
/// Holds both open, with what they hold at their servers. One thread; both ends are asked at a time, so that
/// neither's snapshot and connection wait for the other's table.
class summed_ends {
 public:
  struct end {
    std::shared_ptr<source> open;
    sums_in_database* by = nullptr;  ///< The same object.
    std::vector<summed_column> columns;
    std::size_t key = 0;  ///< Of its columns: that by whose ranges they are compared, where there is one.
  };

  /// Both are open. `of_source`: of the source's columns those that are written, in their order; `of`: how
  /// these are compared, and by which key; of `counts` the number alone. Fails with the reason for people
  /// where they have no sums in common.
  static result<summed_ends> make(std::shared_ptr<source> from, std::shared_ptr<source> back,
                                  const std::vector<std::size_t>& of_source, const compared_columns& of,
                                  bool counts);

  /// Whether a difference can be looked for by ranges of the key's first column; else why not, for people.
  [[nodiscard]] const std::string& why_no_ranges() const { return why_no_ranges_; }

  /// Sums all: by ranges (`bisect`), or as a whole: then nothing but `equal` and what both have is told. An
  /// end that fails says that nothing is known of them.
  result<bisection> compare(bool by_ranges, const stop_signal& stop);

  /// The conditions that choose these ranges, at the source and at the destination.
  [[nodiscard]] std::pair<std::string, std::string> conditions_of(const std::vector<key_range>& ranges) const;

 private:
  result<bisection> compare_whole(const stop_signal& stop);

  end source_, destination_;
  std::string why_no_ranges_;
};

}  // namespace sluice
