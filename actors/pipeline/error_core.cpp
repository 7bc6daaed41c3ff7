#include "actors/pipeline/error_core.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/text.h"

namespace sluice {
namespace {

/// `orders.csv line 7`, `table t key id=5`, `split 3 record 12`.
std::string where(const dirty_record& d, split_index split) {
  std::string text = escaped(d.source);
  if (d.line) {
    text += fmt::format("{}line {}", text.empty() ? "" : " ", *d.line);
  } else if (!d.key.empty()) {
    text += fmt::format("{}key {}", text.empty() ? "" : " ", escaped(d.key));
  } else {
    text += fmt::format("{}split {} record {}", text.empty() ? "" : " ", split.value, d.position);
  }
  return text;
}

}  // namespace

std::optional<error> error_core::report(const dirty_report& m) {
  split_state& s = splits_[m.split.value];
  std::optional<error> failure;
  for (const dirty_record& d : m.records) {
    ++s.above;
    ++s.codes_above[d.code];
    ++total_;
    const std::string reason =
        d.column.empty() ? d.message : fmt::format("column {}: {}", escaped(d.column), d.message);
    if (!any_) {
      any_ = true;
      only_reason_ = reason;
    } else if (only_reason_ != reason) {
      only_reason_.clear();
    }
    if (crossed_) {
      continue;
    }
    const bool too_many = limit_.records && total_ > *limit_.records;
    const bool too_large_a_share =
        !limit_.records && limit_.ratio && records_exact_ &&
        static_cast<double>(total_) > *limit_.ratio * static_cast<double>(*records_exact_);
    if (too_many || too_large_a_share) {
      crossed_ = true;
      const std::string bound =
          too_many ? fmt::format("{}: the limit is {} dirty records", place_, *limit_.records)
                   : fmt::format("{}: the limit is {} of {} records", place_, *limit_.ratio, *records_exact_);
      failure =
          error{error_kind::over_limit,
                fmt::format("{}; dirty record {} crossed it: {}{}: {}", bound, total_, where(d, m.split),
                            d.column.empty() ? "" : fmt::format(" column {}", escaped(d.column)), d.message),
                "errorLimit", false};
    }
  }
  return failure;
}

void error_core::commit(const dirty_commit& m) {
  split_state& s = splits_[m.split.value];
  // A commit covers all that was reported: the writer reports a batch before it can commit it.
  total_ = total_ - s.at_mark - s.above + m.dirty_total;
  s.at_mark = m.dirty_total;
  s.above = 0;
  for (const auto& [code, n] : s.codes_above) {
    s.codes_at_mark[code] += n;
    s.known_at_mark += n;
  }
  s.codes_above.clear();
}

void error_core::drop(const dirty_drop& m) {
  split_state& s = splits_[m.split.value];
  total_ -= s.at_mark + s.above;
  s.at_mark = m.counts.dirty;
  s.above = 0;
  s.codes_above.clear();
  total_ += s.at_mark;
  if (s.at_mark > s.known_at_mark) {
    // Counted by an earlier process, whose reasons are not known here.
    any_ = true;
    only_reason_.clear();
  }
}

std::optional<error> error_core::judge_at_end(std::uint64_t records_read) const {
  if (limit_.records) {
    if (total_ > *limit_.records) {
      return error{error_kind::over_limit,
                   fmt::format("{}: the limit is {} dirty records, but {} are dirty, with those that earlier "
                               "processes of the run have counted",
                               place_, *limit_.records, with_thousands(total_)),
                   "errorLimit", false};
    }
    return std::nullopt;
  }
  if (limit_.ratio && records_read != 0 &&
      static_cast<double>(total_) / static_cast<double>(records_read) > *limit_.ratio) {
    return error{error_kind::over_limit,
                 fmt::format("{}: the limit is {}, but {} of {} records are dirty", place_, *limit_.ratio,
                             with_thousands(total_), with_thousands(records_read)),
                 "errorLimit", false};
  }
  return std::nullopt;
}

std::uint64_t error_core::covered() const {
  std::uint64_t sum = 0;
  for (const auto& [split, s] : splits_) {
    sum += s.at_mark;
  }
  return sum;
}

std::map<std::string, std::uint64_t> error_core::above_marks() const {
  std::map<std::string, std::uint64_t> all;
  for (const auto& [split, s] : splits_) {
    for (const auto& [code, n] : s.codes_above) {
      all[code] += n;
    }
  }
  return all;
}

bool error_core::knows_all_codes() const {
  return !continues_ && std::all_of(splits_.begin(), splits_.end(),
                                    [](const auto& s) { return s.second.at_mark <= s.second.known_at_mark; });
}

std::map<std::string, std::uint64_t> error_core::by_code(
    const std::map<std::string, std::uint64_t>& published) const {
  const bool own = knows_all_codes();
  std::map<std::string, std::uint64_t> all = own ? std::map<std::string, std::uint64_t>() : published;
  if (own) {
    for (const auto& [split, s] : splits_) {
      for (const auto& [code, n] : s.codes_at_mark) {
        all[code] += n;
      }
    }
  }
  std::uint64_t known = 0;
  for (const auto& [code, n] : all) {
    known += n;
  }
  if (covered() > known) {
    all["counted_before_resume"] = covered() - known;
  }
  return all;
}

}  // namespace sluice
