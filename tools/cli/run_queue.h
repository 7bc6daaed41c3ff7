#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// Says which of several runs may begin: in their order, so many jobs at once, so many runs of one job at
/// once, and never two with the same claim. Pure; used by one thread.
class run_queue {
 public:
  struct entry {
    std::size_t job = 0;     ///< Runs of one job have the same number.
    std::string claim = {};  ///< Runs with the same one never go at once. Empty: none.
  };
  /// Both limits are at least 1.
  run_queue(std::vector<entry> entries, std::size_t jobs_at_once, std::size_t runs_of_a_job_at_once);

  /// The first that may begin now; it counts as at work until `ended`. Nothing where none may.
  std::optional<std::size_t> take();
  void ended(std::size_t index);
  /// From now on nothing begins.
  void begin_no_more() { closed_ = true; }

  /// Nothing is at work, and nothing will begin.
  [[nodiscard]] bool over() const;
  [[nodiscard]] std::size_t at_work() const { return at_work_.size(); }
  /// The most runs that can be at work at once.
  [[nodiscard]] std::size_t most_at_work() const;

 private:
  [[nodiscard]] bool may_begin(std::size_t index) const;

  std::vector<entry> entries_;
  std::vector<bool> begun_;
  std::size_t jobs_at_once_;
  std::size_t runs_of_a_job_at_once_;
  std::vector<std::size_t> at_work_;  ///< Indexes of entries.
  std::size_t waiting_;
  bool closed_ = false;
};

}  // namespace sluice
