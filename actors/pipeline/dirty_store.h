#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "transport/base/ids.h"
#include "transport/base/result.h"
#include "transport/record/dirty.h"

namespace sluice {

/// Where a run's dirty records are kept: what the dirty file's actor needs of it, so that the simulation can
/// put a store that fails on purpose in the place of `dirty_file`, which documents the calls. Owned by one
/// actor; may block.
class dirty_store {
 public:
  virtual ~dirty_store() = default;
  virtual result<void> append(split_index split, epoch_number epoch,
                              std::span<const dirty_record> records) = 0;
  virtual result<void> sync(split_index split) = 0;
  virtual result<void> promote(split_index split, std::uint64_t position) = 0;
  virtual result<void> drop(split_index split, epoch_number epoch, std::uint64_t position) = 0;
  virtual result<void> seal() = 0;
  [[nodiscard]] virtual std::uint64_t missing(split_index split, std::uint64_t dirty_total) const = 0;
  [[nodiscard]] virtual std::map<std::string, std::uint64_t> published_by_code() const { return {}; }
};

}  // namespace sluice
