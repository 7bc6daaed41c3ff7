#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "jobspec/job.h"
#include "plugins/api/source.h"
#include "plugins/api/target.h"

namespace sluice {

/// How a split is committed whose reader makes no cursors, so that no mark can fall inside of it.
enum class whole_splits : std::uint8_t {
  one_transaction,  ///< However large it is.
  /// In one transaction as long as it is within the destination's bound; from there on in parts. What stands
  /// of a split that was committed in parts is written once more when the split is read again.
  up_to_bound,
  in_parts,  ///< At each interval of marks.
};

/// How large transactions with a mark become (flow.md).
struct commit_limits {
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::chrono::milliseconds interval{0};
};

/// What is known of a split's size beforehand.
struct split_size {
  std::string label;
  std::optional<std::uint64_t> records_exact;
  std::optional<std::uint64_t> bytes_estimate;
};

/// What a run promises and does for it. A value.
struct delivery_choice {
  std::string promise;  ///< `exactly once`, or `at least once, because …`: plan, first line and summary.
  bool exactly_once = false;  ///< Whatever the sizes of the splits.
  whole_splits whole = whole_splits::one_transaction;
  transaction_bound bound = {};
  bool may_repeat = false;  ///< The function below.
  /// No marks are kept, and what is committed stays: `writer_core::config::remembers`.
  bool remembers = false;
  std::string transaction;  ///< The largest one, for the plan.
};

/// `bad_option` where the job asks for `exactly_once` and an end cannot keep it: which one, why, and what to
/// do. Known once both are open.
std::optional<error> delivery_failure(const job& what, const source_description& from,
                                      const target_description& to);

/// Rows that stand may be written once more unasked: the job says so, or it changes nothing.
bool may_repeat(const delivery_settings& asked, const target_description& to);

/// The choice for these splits; the same for plan and run, and again behind the steps before the data.
delivery_choice choose_delivery(const delivery_settings& asked, const source_description& from,
                                const target_description& to, const std::vector<split_size>& splits,
                                const commit_limits& marks);

}  // namespace sluice
