#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace sluice {

/// How the process's budget (`--memory`) is divided, once, among the pipelines that may run at once and then
/// among the hops of one. A batch of `batch_bytes_max` is the unit; a pipeline holds at most 16 of them:
/// 1 being built, 1 of the source's own, 4 in the window to the channel, 2 as converted, 4 in the window to
/// the writer, 1 encoded, 1 of dirty records, 2 cached for reuse.
struct memory_plan {
  std::uint64_t batch_bytes_target = 0;            ///< A reader calls a batch full here.
  std::uint32_t batch_rows_max = batch_rows_most;  ///< Or here.
  std::uint64_t batch_bytes_max = 0;               ///< More needs the overdraft.
  std::uint64_t window_bytes = 0;                  ///< Of each of the two hops: four batches.
  std::uint64_t dirty_bytes_max = 0;               ///< Reported and not yet durable, a pipeline.
  std::uint64_t end_bytes = 0;                     ///< A plugin's own buffers, each end of a pipeline.
  std::uint64_t cache_bytes_max = 0;               ///< Unused buffers kept by the pool, whole process.

  static constexpr std::uint64_t units_per_pipeline = 16;
  static constexpr std::uint64_t batch_bytes_most =
      std::uint64_t{1} << 20;  ///< More does not fit the cache and gains nothing.
  static constexpr std::uint64_t batch_bytes_least = std::uint64_t{16} << 10;
  static constexpr std::uint32_t batch_rows_most = 65'536;
};

/// The job's throttle: nothing where it has none.
struct throttle_rates {
  std::optional<std::uint64_t> bytes_per_second = {};
  std::optional<std::uint64_t> records_per_second = {};
};

/// With a throttle batches are cut to 50 ms of a pipeline's share, because a batch passes as a whole.
memory_plan divide_memory(std::uint64_t memory_bytes, std::uint32_t pipelines,
                          const throttle_rates& throttle);

/// The process's single overdraft: at most one pipeline at a time may hold an oversize batch; the others that
/// need one wait in order. Pure; who lends it out makes the lease that ends in `give_back`.
class overdraft {
 public:
  /// True: it is yours. False: you are queued and `give_back` will name you.
  bool ask(std::uint32_t pipeline) {
    if (!lent_) {
      lent_ = true;
      return true;
    }
    waiting_.push_back(pipeline);
    return false;
  }
  /// The last copy of the borrower's batch is freed. Who has it next, if anybody waits.
  std::optional<std::uint32_t> give_back() {
    if (waiting_.empty()) {
      lent_ = false;
      return std::nullopt;
    }
    const std::uint32_t next = waiting_.front();
    waiting_.pop_front();
    return next;
  }

 private:
  bool lent_ = false;
  std::deque<std::uint32_t> waiting_;
};

}  // namespace sluice
