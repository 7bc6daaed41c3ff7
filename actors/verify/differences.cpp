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

std::uint64_t take_changed_since(key_difference& of, const gather_reading::rows_by_key& source,
                                 const gather_reading::rows_by_key& destination, const written_rows& written,
                                 read_back::standing stands) {
  const rows_of_key& there = rows_at(destination, of.key);
  const rows_of_key& here = rows_at(source, of.key);
  const auto was_written = [&](const auto& one) { return written.times(one.first) != 0; };
  std::uint64_t came = 0;
  std::uint64_t left = 0;
  if (stands != read_back::standing::every_record && !here.empty()) {
    // One row stands for all records of the key: as one of those that were written, or none where none was.
    const bool as_written = there.empty() ? std::none_of(here.begin(), here.end(), was_written)
                                          : std::all_of(there.begin(), there.end(), was_written);
    if (as_written) {
      came = sum_of(of.source);
      left = sum_of(of.destination);
      of.source.clear();
      of.destination.clear();
    }
    return std::max(came, left);
  }
  // Of each row the destination must have those that were written, and no more.
  key_difference rest{of.key, {}, {}};
  for (const auto& [row, times] : of.source) {
    const std::uint64_t stand = times_of(there, row);
    const std::uint64_t lack = std::min(times, std::max(written.times(row), stand) - stand);
    came += times - lack;
    if (lack != 0) {
      rest.source.emplace_back(row, lack);
    }
  }
  for (const auto& [row, times] : of.destination) {
    const std::uint64_t stand = times_of(there, row);
    const std::uint64_t surplus = std::min(times, stand - std::min(written.times(row), stand));
    left += times - surplus;
    if (surplus != 0) {
      rest.destination.emplace_back(row, surplus);
    }
  }
  // Where the destination has another row under a key than was written, both are shown.
  const bool pairs = !of.source.empty() && !of.destination.empty();
  if (pairs && (!rest.source.empty() || !rest.destination.empty())) {
    return 0;
  }
  of = std::move(rest);
  return std::max(came, left);
}

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
