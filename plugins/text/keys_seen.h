#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Which of the keys that the columns of JSON Lines name were met at all: one that no record has is a slip of
/// the pen more often than not, and its column would be NULL without a word. Shared by the readers of a run;
/// all calls are thread-safe.
class keys_seen {
 public:
  explicit keys_seen(std::size_t columns)
      : columns_(columns), seen_(std::make_unique<std::atomic<bool>[]>(columns)) {}

  void see(std::size_t column) { seen_[column].store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool has(std::size_t column) const { return seen_[column].load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t columns() const { return columns_; }

  void add_records(std::uint64_t records) { records_.fetch_add(records, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t records() const { return records_.load(std::memory_order_relaxed); }

  /// Of keys that no column names a hundred are kept.
  void see_other(std::string_view key) {
    const std::lock_guard lock(mutex_);
    if (others_.size() < others_max && !others_.contains(key)) {
      others_.emplace(key);
    }
  }
  [[nodiscard]] std::vector<std::string> others() const {
    const std::lock_guard lock(mutex_);
    return {others_.begin(), others_.end()};
  }

 private:
  static constexpr std::size_t others_max = 100;
  std::size_t columns_;
  std::unique_ptr<std::atomic<bool>[]> seen_;
  std::atomic<std::uint64_t> records_ = 0;
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> others_;
};

}  // namespace sluice
