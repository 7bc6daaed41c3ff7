#include "plugins/common/relational/sql_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "transport/base/text.h"

namespace sluice::relational {
namespace {

/// The whole part of a number; nothing where the text is none, or is beyond the numbers that have a range:
/// those of 64 bits, signed or not.
std::optional<int128> whole_part_of(const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  const bool negative = text->starts_with('-');
  const char* const begin = text->data() + (negative ? 1 : 0);
  const char* const end = text->data() + text->size();
  std::uint64_t value = 0;
  const auto [stopped, wrong] = std::from_chars(begin, end, value);
  if (wrong != std::errc() || (stopped != end && *stopped != '.')) {
    return std::nullopt;
  }
  return negative ? -static_cast<int128>(value) : static_cast<int128>(value);
}

/// In order, that of NULL last, and those that touch as one.
std::vector<key_range> joined(std::vector<key_range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const key_range& a, const key_range& b) {
    return a.null != b.null ? b.null : a.low < b.low;  // nothing is less than any bound
  });
  std::vector<key_range> out;
  for (const key_range& r : ranges) {
    if (!out.empty() && !r.null && out.back().high && out.back().high == r.low) {
      out.back().high = r.high;
    } else {
      out.push_back(r);
    }
  }
  return out;
}

result<void> all_summed(std::uint64_t summed, std::uint64_t records, const std::string& place) {
  if (summed != records) {
    return fail(error_kind::not_supported,
                "{}: {} of {} records have a value without a text in {}, such as a date of zeros, NaN in a "
                "numeric, or more bytes than the server takes together",
                place, with_thousands(records - summed), with_thousands(records), sql_form_name);
  }
  return {};
}

}  // namespace

result<std::uint64_t> modulo_64(const std::string& text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = std::string_view(text).substr(negative ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(error_kind::internal, "{} is no sum", in_quotes(text));
  }
  constexpr std::uint64_t base = 10;
  std::uint64_t value = 0;
  for (const char c : digits) {
    value = value * base + static_cast<std::uint64_t>(c - '0');  // wraps, which is the modulus
  }
  return negative ? std::uint64_t{0} - value : value;
}

result<database_sums> sums_of(const sql_row& found, const std::string& place) {
  constexpr std::size_t values = 4;
  if (found.size() < values) {
    return fail(error_kind::internal, "{}: the sums have {} values, expected {}", place, found.size(),
                values);
  }
  const auto number = [&](std::size_t i) { return modulo_64(found[i].value_or("0")); };  // NULL: no records
  database_sums out;
  SLUICE_TRY(out.records, number(0));
  SLUICE_TRY(const std::uint64_t summed, number(1));
  SLUICE_CHECK(all_summed(summed, out.records, place));
  SLUICE_TRY(const std::uint64_t high, number(2));
  SLUICE_TRY(const std::uint64_t low, number(3));
  constexpr unsigned half = 64;
  out.sum.value = static_cast<uint128>(high) << half | low;
  return out;
}

std::vector<int128> bounds_of(const std::vector<key_range>& ranges) {
  std::vector<int128> out;
  for (const key_range& r : ranges) {
    for (const auto& bound : {r.low, r.high}) {
      if (bound) {
        out.push_back(*bound);
      }
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string bounds_text(const std::vector<int128>& bounds) {
  return fmt::format("{}", fmt::join(bounds, ", "));
}

key_span span_of(const std::optional<std::string>& least, const std::optional<std::string>& greatest) {
  return {whole_part_of(least), whole_part_of(greatest)};
}

result<std::vector<range_sums>> sums_of_ranges(const std::vector<sql_row>& found,
                                               const std::vector<key_range>& ranges,
                                               const std::string& place) {
  const std::vector<int128> bounds = bounds_of(ranges);
  const std::string of_null = "-1";
  std::uint64_t records = 0;
  std::uint64_t summed = 0;
  for (const sql_row& row : found) {
    if (row.size() <= greatest_place) {
      return fail(error_kind::internal, "{}: the sums of a range have {} values", place, row.size());
    }
    SLUICE_TRY(const std::uint64_t more, modulo_64(row[0].value_or("")));
    SLUICE_TRY(const std::uint64_t of_these, modulo_64(row[1].value_or("")));
    records += more;
    summed += of_these;
  }
  SLUICE_CHECK(all_summed(summed, records, place));  // of all ranges together
  std::vector<range_sums> out(ranges.size());
  for (const sql_row& row : found) {
    const std::string number = row[range_place].value_or(of_null);
    const auto at = std::find_if(ranges.begin(), ranges.end(), [&](const key_range& r) {
      const auto below = r.low ? std::upper_bound(bounds.begin(), bounds.end(), *r.low) : bounds.begin();
      return number == (r.null ? of_null : std::to_string(below - bounds.begin()));
    });
    if (at == ranges.end()) {
      return fail(error_kind::internal, "{}: {} is none of the ranges asked for", place, in_quotes(number));
    }
    range_sums& to = out[static_cast<std::size_t>(at - ranges.begin())];
    SLUICE_TRY(to.sums, sums_of(row, place));
    to.span = span_of(row[least_place], row[greatest_place]);
  }
  return out;
}

std::string condition_sql(const std::string& column, const std::vector<key_range>& ranges) {
  const std::vector<key_range> parts = joined(ranges);
  const auto is_all = [](const key_range& r) { return !r.null && !r.low && !r.high; };
  if (parts.size() == 2 && is_all(parts[0]) && parts[1].null) {
    return {};
  }
  std::string sql;
  for (const key_range& r : parts) {
    const std::string low = r.low ? fmt::format("{} >= {}", column, *r.low) : "";
    const std::string high = r.high ? fmt::format("{} < {}", column, *r.high) : "";
    const std::string one = r.null || is_all(r) ? fmt::format("{} IS {}NULL", column, r.null ? "" : "NOT ")
                            : low.empty()       ? high
                            : high.empty()      ? low
                                                : fmt::format("({} AND {})", low, high);
    sql += fmt::format("{}{}", sql.empty() ? "" : " OR ", one);
  }
  return sql;
}

}  // namespace sluice::relational
