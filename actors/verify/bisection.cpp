#include "actors/verify/bisection.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

bool is_equal(const database_sums& a, const database_sums& b) {
  return a.records == b.records && a.sum == b.sum;
}

std::uint64_t records_of(const differing_range& r) {
  return std::max(r.source, r.destination);
}

std::uint64_t records_of(const std::vector<differing_range>& ranges) {
  std::uint64_t n = 0;
  for (const differing_range& r : ranges) {
    n += records_of(r);
  }
  return n;
}

void add_all(database_sums& to, const std::vector<range_sums>& ranges) {
  for (const range_sums& r : ranges) {
    to.records += r.sums.records;
    to.sum += r.sums.sum;
  }
}

bool is_most(std::uint64_t records, const bisection& of) {
  return records > std::max(of.source.records, of.destination.records) / 2;
}

bool is_divisible(const key_range& range, const key_span& holds) {
  return !range.null && holds.least && holds.greatest && *holds.least < *holds.greatest;
}

}  // namespace

key_span both_spans(const key_span& a, const key_span& b) {
  return {a.least && b.least ? std::min(a.least, b.least) : (a.least ? a.least : b.least),
          std::max(a.greatest, b.greatest)};  // nothing is less than any value
}

std::vector<key_range> divided(const key_range& range, const key_span& holds, std::uint32_t parts) {
  if (!is_divisible(range, holds)) {
    return {range};
  }
  std::vector<key_range> out;
  key_range next = range;
  const int128 width = *holds.greatest - *holds.least + 1;  // of 64 bits each: no overflow
  for (std::uint32_t i = 1; i < parts; ++i) {
    const int128 bound = *holds.least + width * i / parts;
    if (bound > *holds.least && (!next.low || bound > *next.low) && (!range.high || bound < *range.high)) {
      next.high = bound;
      out.push_back(next);
      next.low = bound;
      next.high = range.high;
    }
  }
  out.push_back(next);
  return out;
}

result<bisection> bisect(const key_span& all, const ask_both& ask) {
  bisection out;
  std::vector<key_range> ranges = divided({}, all, ranges_first - 1);
  ranges.push_back({.null = true});
  for (unsigned question = 1;; ++question) {
    SLUICE_TRY(const sums_of_both found, ask(ranges));
    out.compared += ranges.size();
    if (question == 1) {
      add_all(out.source, found.source);
      add_all(out.destination, found.destination);
    }
    std::vector<std::pair<differing_range, key_span>> large;
    std::uint64_t records = records_of(out.differ);
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const range_sums& a = found.source[i];
      const range_sums& b = found.destination[i];
      if (is_equal(a.sums, b.sums)) {
        continue;
      }
      const differing_range one{ranges[i], a.sums.records, b.sums.records};
      const key_span holds = both_spans(a.span, b.span);
      records += records_of(one);
      if (records_of(one) > range_records_few && is_divisible(one.range, holds)) {
        large.emplace_back(one, holds);
      } else {
        out.differ.push_back(one);
      }
    }
    out.equal = question == 1 && large.empty() && out.differ.empty();
    const bool reads_all = question > 1 && is_most(records, out);
    if (large.empty() || records <= records_read_at_once || question == questions_max || reads_all ||
        large.size() + out.differ.size() > ranges_read_max) {
      for (const auto& [one, holds] : large) {
        out.differ.push_back(one);
      }
      break;
    }
    ranges.clear();
    const auto parts = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(ranges_later / large.size(), 2, std::size_t{ranges_first}));
    for (const auto& [one, holds] : large) {
      const std::vector<key_range> more = divided(one.range, holds, parts);
      ranges.insert(ranges.end(), more.begin(), more.end());
    }
  }
  if (out.differ.size() > ranges_read_max || is_most(records_of(out.differ), out)) {
    out.differ.clear();
  }
  std::sort(out.differ.begin(), out.differ.end(), [](const differing_range& a, const differing_range& b) {
    return a.range.null != b.range.null ? b.range.null : a.range.low < b.range.low;
  });
  return out;
}

}  // namespace sluice
