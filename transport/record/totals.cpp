#include "transport/record/totals.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view code_prefix = "code:";
constexpr std::size_t codes_max = 200;
constexpr std::size_t code_bytes_max = 100;
constexpr std::size_t changes_bytes_max = std::size_t{32} << 10;

/// Where a number of the totals stands under its name.
template <class Totals>
auto numbers_of(Totals& t) {
  std::vector<std::pair<std::string_view, decltype(&t.splits)>> all = {
      {"read", &t.counts.read},
      {"written", &t.counts.written},
      {"ignored", &t.counts.ignored},
      {"dirty", &t.counts.dirty},
      {"filtered", &t.counts.filtered},
      {"bytes", &t.counts.bytes},
      {"dirty_bytes", &t.counts.dirty_bytes},
      {"filtered_bytes", &t.counts.filtered_bytes},
      {"splits", &t.splits},
      {"dirty_missing", &t.dirty_missing}};
  for (const written_part& part : written_part_list) {
    all.emplace_back(part.name, &(t.parts.*part.count));
  }
  return all;
}
template <class Totals>
auto sums_of(Totals& t) {
  return std::vector<std::pair<std::string_view, decltype(&t.sums.read)>>{
      {"read_sum", &t.sums.read}, {"written_sum", &t.sums.written}, {"dirty_sum", &t.sums.dirty}};
}

}  // namespace

scalar_list to_scalars(const run_totals& totals) {
  scalar_list list;
  for (const auto& [name, number] : numbers_of(totals)) {
    list.push_back({std::string(name), {*number}});
  }
  for (const auto& [name, sum] : sums_of(totals)) {
    list.push_back({std::string(name), {to_string(*sum)}});
  }
  list.push_back({"changed", {totals.sums.changed}});
  if (std::string changes = to_text(totals.changes);
      !changes.empty() && changes.size() <= changes_bytes_max) {
    list.push_back({"changes", {std::move(changes)}});
  }
  std::vector<std::pair<std::string, std::uint64_t>> codes(totals.dirty_by_code.begin(),
                                                           totals.dirty_by_code.end());
  std::stable_sort(codes.begin(), codes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::uint64_t others = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto& [code, records] = codes[i];
    if (i < codes_max && code.size() <= code_bytes_max) {
      list.push_back({std::string(code_prefix) + code, {records}});
    } else {
      others += records;
    }
  }
  if (others != 0) {
    list.push_back({std::string(code_prefix) + "other", {others}});
  }
  return list;
}

result<run_totals> totals_from(const scalar_list& list) {
  run_totals totals;
  const auto wrong = [](std::string_view name) {
    return fail(error_kind::internal, "the totals of a run have a {} that is not of its type",
                in_quotes(name));
  };
  for (const auto& [name, number] : numbers_of(totals)) {
    if (const scalar* found = find(list, name)) {
      const auto* value = std::get_if<std::uint64_t>(&found->value);
      if (value == nullptr) {
        return wrong(name);
      }
      *number = *value;
    }
  }
  for (const auto& [name, sum] : sums_of(totals)) {
    if (const scalar* found = find(list, name)) {
      const auto* value = std::get_if<std::string>(&found->value);
      if (value == nullptr) {
        return wrong(name);
      }
      SLUICE_TRY(*sum, row_sum_from(*value));
    }
  }
  if (const scalar* found = find(list, "changed")) {
    const auto* value = std::get_if<bool>(&found->value);
    if (value == nullptr) {
      return wrong("changed");
    }
    totals.sums.changed = *value;
  }
  if (const scalar* found = find(list, "changes")) {
    const auto* value = std::get_if<std::string>(&found->value);
    if (value == nullptr) {
      return wrong("changes");
    }
    SLUICE_TRY(totals.changes, change_counts_from(*value));
  }
  for (const named_scalar& one : list) {
    if (one.name.starts_with(code_prefix)) {
      const auto* value = std::get_if<std::uint64_t>(&one.value.value);
      if (value == nullptr) {
        return wrong(one.name);
      }
      totals.dirty_by_code[one.name.substr(code_prefix.size())] += *value;
    }
  }
  return totals;
}

}  // namespace sluice
