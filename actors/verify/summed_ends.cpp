#include "actors/verify/summed_ends.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "transport/base/text.h"
#include "transport/base/thrown.h"

namespace sluice {
namespace {

/// What `ask` finds of both, asked at a time.
template <typename T, typename Ask>
result<std::pair<T, T>> of_both(summed_ends::end& source, summed_ends::end& destination, const Ask& ask) {
  result<T> there = fail(error_kind::internal, "not asked");
  std::thread beside([&] { there = caught([&] { return ask(destination); }); });
  result<T> from = caught([&] { return ask(source); });
  beside.join();
  if (!from) {
    return fail(std::move(from).error());
  }
  if (!there) {
    return fail(std::move(there).error());
  }
  return std::pair<T, T>(std::move(*from), std::move(*there));
}

bool is_among(const std::vector<std::uint32_t>& all, std::uint32_t one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

result<summed_ends> summed_ends::make(std::shared_ptr<source> from, std::shared_ptr<source> back,
                                      const std::vector<std::size_t>& of_source, const compared_columns& of,
                                      bool counts) {
  summed_ends out;
  out.source_ = {from, dynamic_cast<sums_in_database*>(from.get()), {}};
  out.destination_ = {back, dynamic_cast<sums_in_database*>(back.get()), {}};
  SLUICE_TRY(const auto there, out.source_.by->summable_columns());
  SLUICE_TRY(const auto here, out.destination_.by->summable_columns());
  if (of_source.size() != of.columns->size() || here.size() != of_source.size() ||
      std::any_of(of_source.begin(), of_source.end(), [&](std::size_t i) { return i >= there.size(); })) {
    return fail(error_kind::not_supported, "the ends have other columns than the job writes");
  }
  const auto named = [&](std::uint32_t i) { return in_quotes((*of.columns)[i].name); };
  for (const std::uint32_t i : of.taken) {
    if (counts) {
      break;
    }
    const bool padded = is_among(of.padded, i);
    const sql_column& a = there[of_source[i]];
    const sql_column& b = here[i];
    const auto common = std::find_if(a.forms.begin(), a.forms.end(), [&](sql_form form) {
      return std::find(b.forms.begin(), b.forms.end(), form) != b.forms.end() &&
             (form == sql_form::unpadded_text) == padded;
    });
    if (common == a.forms.end()) {
      return a.type == b.type
                 ? fail(error_kind::not_supported, "column {} is {}", named(i), a.type)
                 : fail(error_kind::not_supported, "column {} is {} at the source and {} at the destination",
                        named(i), a.type, b.type);
    }
    out.source_.columns.push_back({of_source[i], *common});
    out.destination_.columns.push_back({i, *common});
  }
  if (of.key.empty() || counts) {
    out.why_no_ranges_ = "records have no key here";
    return out;
  }
  const std::uint32_t key = of.key.front();
  if (!there[of_source[key]].has_ranges || !here[key].has_ranges) {
    out.why_no_ranges_ = fmt::format("column {} of the key is not a number at both ends", named(key));
  }
  out.source_.key = of_source[key];
  out.destination_.key = key;
  return out;
}

result<bisection> summed_ends::compare_whole(const stop_signal& stop) {
  const auto sum = [&](end& one) { return one.by->sum_records(one.columns, stop); };
  SLUICE_TRY(const auto sums, of_both<database_sums>(source_, destination_, sum));
  const bool equal = sums.first.records == sums.second.records && sums.first.sum == sums.second.sum;
  return bisection{sums.first, sums.second, equal, 0, {}};
}

result<bisection> summed_ends::compare(bool by_ranges, const stop_signal& stop) {
  const auto compared = [&]() -> result<bisection> {
    if (!by_ranges) {
      return compare_whole(stop);
    }
    const auto span = [&](end& one) { return one.by->span_of(one.key, stop); };
    SLUICE_TRY(const auto spans, of_both<key_span>(source_, destination_, span));
    return bisect(both_spans(spans.first, spans.second),
                  [&](const std::vector<key_range>& ranges) -> result<sums_of_both> {
                    const auto sums = [&](end& one) {
                      return one.by->sum_ranges(one.columns, one.key, ranges, stop);
                    };
                    SLUICE_TRY(auto found, of_both<std::vector<range_sums>>(source_, destination_, sums));
                    return sums_of_both{std::move(found.first), std::move(found.second)};
                  });
  };
  auto found = compared();
  if (found) {
    SLUICE_CHECK(source_.open->check_unchanged(stop));
    SLUICE_CHECK(destination_.open->check_unchanged(stop));
  }
  return found;
}

std::pair<std::string, std::string> summed_ends::conditions_of(const std::vector<key_range>& ranges) const {
  return {source_.by->condition_of(source_.key, ranges),
          destination_.by->condition_of(destination_.key, ranges)};
}

}  // namespace sluice
