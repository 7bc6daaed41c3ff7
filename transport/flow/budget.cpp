#include "transport/flow/budget.h"

#include <algorithm>

namespace sluice {

memory_plan divide_memory(std::uint64_t memory_bytes, std::uint32_t pipelines,
                          const throttle_rates& throttle) {
  const std::uint64_t shares = std::max<std::uint32_t>(pipelines, 1);
  const std::uint64_t share = memory_bytes / shares;
  memory_plan plan;
  plan.batch_bytes_max = std::clamp(share / memory_plan::units_per_pipeline, memory_plan::batch_bytes_least,
                                    memory_plan::batch_bytes_most);
  plan.window_bytes = 4 * plan.batch_bytes_max;
  plan.dirty_bytes_max = plan.batch_bytes_max;
  plan.end_bytes = plan.batch_bytes_max;
  plan.cache_bytes_max = 2 * plan.batch_bytes_max * shares;
  // Half: the last record of a batch may double it before the reader must ask.
  plan.batch_bytes_target = plan.batch_bytes_max / 2;
  if (throttle.bytes_per_second) {
    const std::uint64_t fifty_ms = *throttle.bytes_per_second / 20 / shares;
    plan.batch_bytes_target = std::clamp<std::uint64_t>(fifty_ms, 1024, plan.batch_bytes_target);
  }
  if (throttle.records_per_second) {
    const std::uint64_t fifty_ms = *throttle.records_per_second / 20 / shares;
    plan.batch_rows_max =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fifty_ms, 1, memory_plan::batch_rows_most));
  }
  return plan;
}

}  // namespace sluice
