#include "transport/flow/budget.h"

#include <algorithm>

namespace sluice {

memory_plan divide_memory(std::uint64_t memory_bytes, std::uint32_t pipelines,
                          std::optional<std::uint64_t> bytes_per_second) {
  const std::uint64_t share = memory_bytes / std::max<std::uint32_t>(pipelines, 1);
  memory_plan plan;
  plan.batch_bytes_max = std::clamp(share / memory_plan::units_per_pipeline, memory_plan::batch_bytes_least,
                                    memory_plan::batch_bytes_most);
  plan.window_bytes = 4 * plan.batch_bytes_max;
  plan.dirty_bytes_max = plan.batch_bytes_max;
  plan.end_bytes = plan.batch_bytes_max;
  plan.cache_bytes_max = 2 * plan.batch_bytes_max * std::max<std::uint32_t>(pipelines, 1);
  // Half: the last record of a batch may double it before the reader must ask.
  plan.batch_bytes_target = plan.batch_bytes_max / 2;
  if (bytes_per_second) {
    const std::uint64_t fifty_ms = *bytes_per_second / 20 / std::max<std::uint32_t>(pipelines, 1);
    plan.batch_bytes_target = std::clamp<std::uint64_t>(fifty_ms, 1024, plan.batch_bytes_target);
  }
  return plan;
}

}  // namespace sluice
