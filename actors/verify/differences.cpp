#include "actors/verify/differences.h"

#include <algorithm>

namespace sluice {
namespace {

using rows_of_key = gather_reading::rows_of_key;

std::uint64_t times_of(const rows_of_key& rows, row_sum row) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.first == row; });
  return at == rows.end() ? 0 : at->second;
}

/// What `left` has more of than `right`.
rows_of_key beyond(const rows_of_key& left, const rows_of_key& right) {
  rows_of_key out;
  for (const auto& [row, times] : left) {
    if (const std::uint64_t there = times_of(right, row); times > there) {
      out.emplace_back(row, times - there);
    }
  }
  return out;
}

std::uint64_t sum_of(const rows_of_key& rows) {
  std::uint64_t sum = 0;
  for (const auto& [row, times] : rows) {
    sum += times;
  }
  return sum;
}

const rows_of_key& rows_at(const gather_reading::rows_by_key& all, row_sum key) {
  static const rows_of_key none;
  const auto at = all.find(key);
  return at == all.end() ? none : at->second;
}

/// Nothing of either side where the write mode leaves just that.
key_difference difference_of(row_sum key, const rows_of_key& source, const rows_of_key& destination,
                             read_back::standing stands) {
  key_difference out{key, {}, {}};
  const bool one_a_key = stands != read_back::standing::every_record && !source.empty();
  if (!one_a_key) {
    out.source = beyond(source, destination);
    out.destination = beyond(destination, source);
    return out;
  }
  if (destination.empty()) {
    out.source = {{source.back().first, 1}};
    return out;
  }
  if (stands == read_back::standing::any_a_key) {
    return out;
  }
  // Which of the source's records came last is not known here: it must be one of them.
  for (const auto& [row, times] : destination) {
    if (times_of(source, row) == 0) {
      out.destination.emplace_back(row, times);
    }
  }
  if (!out.destination.empty()) {
    out.source = {{source.back().first, 1}};
  }
  return out;
}

}  // namespace

std::uint64_t key_difference::missing() const {
  return sum_of(source);
}

std::uint64_t key_difference::extra() const {
  return sum_of(destination);
}

std::vector<key_difference> differences_between(const gather_reading::rows_by_key& source,
                                                const gather_reading::rows_by_key& destination,
                                                read_back::standing stands) {
  std::vector<key_difference> out;
  const auto look = [&](row_sum key) {
    key_difference one = difference_of(key, rows_at(source, key), rows_at(destination, key), stands);
    if (!one.source.empty() || !one.destination.empty()) {
      out.push_back(std::move(one));
    }
  };
  for (const auto& [key, rows] : source) {
    look(key);
  }
  for (const auto& [key, rows] : destination) {
    if (!source.contains(key)) {
      look(key);
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.key.value < b.key.value; });
  return out;
}

}  // namespace sluice
