#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "jobspec/job.h"
#include "transport/base/error.h"
#include "transport/wire/messages.h"

namespace sluice {

/// Counts the dirty records of a run and judges errorLimit on every one of them. What stands above a split's
/// mark is forgotten when the split is opened again, so that no record counts twice. Pure; used by the error
/// actor only.
class error_core {
 public:
  /// `records_exact`: how many the run will read, where known before: `percentage` is then judged as soon as
  /// it cannot be met any more.
  /// `continues`: an earlier process has counted dirty records of this run.
  error_core(error_limit limit, std::optional<std::uint64_t> records_exact, bool continues = false)
      : limit_(std::move(limit)),
        place_(limit_.place.empty() ? "errorLimit" : limit_.place),
        records_exact_(records_exact),
        continues_(continues) {}

  /// Counts the records of a report. The failure when one of them crosses the limit, the first time only; it
  /// names that record.
  std::optional<error> report(const dirty_report& m);
  void commit(const dirty_commit& m);
  void drop(const dirty_drop& m);
  /// The limits that only the end can tell: `records_read` of all splits.
  [[nodiscard]] std::optional<error> judge_at_end(std::uint64_t records_read) const;

  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// Those that marks cover.
  [[nodiscard]] std::uint64_t covered() const;
  /// Those above their marks, by code: in a run that has failed they were taken back with their batches.
  [[nodiscard]] std::map<std::string, std::uint64_t> above_marks() const;
  /// Whether the code of every dirty record that marks cover was reported here. Not so in a process that
  /// continues a run, nor where a commit is found whose answer was lost.
  [[nodiscard]] bool knows_all_codes() const;
  /// Those that marks cover, by code: what a writer has rolled back is read again, or was never moved.
  /// `published`: those of the dirty file, needed where `knows_all_codes` is false; what is not even there is
  /// `counted_before_resume`.
  [[nodiscard]] std::map<std::string, std::uint64_t> by_code(
      const std::map<std::string, std::uint64_t>& published = {}) const;
  /// The message shared by all dirty records so far; empty where there are several, or where an earlier
  /// process counted some.
  [[nodiscard]] const std::string& only_reason() const { return only_reason_; }

 private:
  struct split_state {
    std::uint64_t at_mark = 0;
    std::uint64_t above = 0;
    std::uint64_t known_at_mark = 0;  // the sum of the next
    std::map<std::string, std::uint64_t> codes_at_mark;
    std::map<std::string, std::uint64_t> codes_above;
  };
  error_limit limit_;
  std::string place_;
  std::optional<std::uint64_t> records_exact_;
  bool continues_;
  std::unordered_map<std::uint32_t, split_state> splits_;
  std::uint64_t total_ = 0;
  bool crossed_ = false;
  bool any_ = false;
  std::string only_reason_;
};

}  // namespace sluice
