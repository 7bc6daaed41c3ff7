#include "actors/plan/column_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t shown_max = 5;

std::vector<std::string> lowered(std::vector<std::string> names) {
  for (std::string& name : names) {
    name = lower(name);
  }
  return names;
}

bool same_set(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

}  // namespace

std::vector<std::string> names_of(const schema& columns) {
  std::vector<std::string> names;
  for (const field& f : columns) {
    names.push_back(f.name);
  }
  return names;
}

std::string other_order(const std::vector<std::string>& source, const std::vector<std::string>& target) {
  const auto reads = lowered(source);
  const auto writes = lowered(target);
  std::multimap<std::string_view, std::size_t> positions;
  // A position that has its own name on both sides is nobody else's.
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (i >= reads.size() || reads[i] != writes[i]) {
      positions.emplace(writes[i], i);
    }
  }
  std::string found;
  std::size_t count = 0;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const auto [first, last] = positions.equal_range(reads[i]);
    const bool here = i < writes.size() && writes[i] == reads[i];
    if (reads[i].empty() || here || first == last) {
      continue;
    }
    if (++count <= shown_max) {
      found += fmt::format("{}{} is column {} of the reader and column {} of the writer",
                           count == 1 ? "" : ", ", in_quotes(source[i]), i, first->second);
    }
  }
  if (count == 0) {
    return {};
  }
  return fmt::format("columns are mapped by position, {}: {}{}; write both lists in the same order",
                     same_set(reads, writes) ? "and both sides have the same names in another order"
                                             : "but some names stand at other positions",
                     found, count > shown_max ? fmt::format(" and {} more", count - shown_max) : "");
}

}  // namespace sluice
