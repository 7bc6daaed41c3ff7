#include "plugins/common/relational/key_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "transport/base/text.h"
#include "transport/base/utf8.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"
#include "transport/record/parse.h"

namespace sluice::relational {
namespace {

constexpr unsigned decimal_digits_max = 38;
constexpr unsigned fraction_digits_max = 6;

/// `least + values * i / ranges` for i from 1 on, each once, where `values` are as many as there are from
/// least to most. No product is larger than 127 bits.
std::vector<int128> between(int128 least, int128 most, std::uint32_t ranges) {
  std::vector<int128> bounds;
  if (most <= least || ranges < 2) {
    return bounds;
  }
  const uint128 values = static_cast<uint128>(most) - static_cast<uint128>(least) + 1;
  const uint128 step = values / ranges;
  const uint128 rest = values % ranges;
  for (std::uint32_t i = 1; i < ranges; ++i) {
    // The rest is spread over the first ranges.
    const uint128 offset = step * i + rest * i / ranges;
    const auto bound = static_cast<int128>(static_cast<uint128>(least) + offset);
    if (bound > (bounds.empty() ? least : bounds.back())) {
      bounds.push_back(bound);
    }
  }
  return bounds;
}

scalar number_of(int128 n) {
  if (n > std::numeric_limits<std::int64_t>::max()) {
    return {static_cast<std::uint64_t>(n)};
  }
  return {static_cast<std::int64_t>(n)};
}

/// Digits behind the point as they stand.
unsigned scale_of(std::string_view number) {
  const std::size_t point = number.find('.');
  return point == std::string_view::npos ? 0 : static_cast<unsigned>(number.size() - point - 1);
}

bool is_plain_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("+-.0123456789") == std::string_view::npos;
}

std::vector<scalar> number_bounds(std::string_view least, std::string_view most, std::uint32_t ranges,
                                  bool whole) {
  if (!is_plain_number(least) || !is_plain_number(most)) {
    return {};
  }
  const unsigned scale = whole ? 0 : std::max(scale_of(least), scale_of(most));
  const auto from =
      scale > decimal_digits_max ? parsed<int128>{} : parse_decimal(least, decimal_digits_max, scale);
  const auto to =
      scale > decimal_digits_max ? parsed<int128>{} : parse_decimal(most, decimal_digits_max, scale);
  std::vector<scalar> bounds;
  if (!from || !to || scale > decimal_digits_max) {
    return bounds;
  }
  for (const int128 n : between(from.value, to.value, ranges)) {
    bounds.push_back(whole ? number_of(n) : scalar{text_of(write_decimal, n, scale)});
  }
  return bounds;
}

std::vector<scalar> date_bounds(std::string_view least, std::string_view most, std::uint32_t ranges) {
  const auto from = parse_iso_date(least);
  const auto to = parse_iso_date(most);
  std::vector<scalar> bounds;
  if (!from || !to || from.value == date_minus_infinity || to.value == date_infinity) {
    return bounds;
  }
  for (const int128 n : between(from.value, to.value, ranges)) {
    bounds.push_back({text_of(write_iso_date, static_cast<std::int32_t>(n))});
  }
  return bounds;
}

std::vector<scalar> timestamp_bounds(std::string_view least, std::string_view most, std::uint32_t ranges) {
  const auto from = parse_iso_timestamp(least, time_unit::micro, fraction_digits_max);
  const auto to = parse_iso_timestamp(most, time_unit::micro, fraction_digits_max);
  std::vector<scalar> bounds;
  if (!from || !to || from.value == time_minus_infinity || to.value == time_infinity) {
    return bounds;
  }
  const unsigned digits = std::min(fraction_digits_max, std::max(scale_of(least), scale_of(most)));
  // Bounds of no more digits than the values have.
  std::int64_t unit = 1;
  for (unsigned i = digits; i < fraction_digits_max; ++i) {
    unit *= 10;
  }
  for (const int128 n : between(from.value / unit, to.value / unit, ranges)) {
    bounds.push_back(
        {text_of(write_iso_timestamp, static_cast<std::int64_t>(n) * unit, time_unit::micro, digits, ' ')});
  }
  return bounds;
}

/// The Unicode number of the first character of a well-formed text; 0 of none.
std::uint32_t first_character(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(0);
  const std::size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  std::uint32_t n = more == 0 ? lead : lead & (0x3FU >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    n = n << 6U | (byte(i) & 0x3FU);
  }
  return n;
}

void append_character(std::uint32_t n, std::string& to) {
  if (n < 0x80) {
    to += static_cast<char>(n);
    return;
  }
  const unsigned more = n < 0x800 ? 1 : n < 0x10000 ? 2 : 3;
  constexpr std::array<std::uint32_t, 4> leads = {0, 0xC0, 0xE0, 0xF0};
  to += static_cast<char>(leads[more] | n >> 6 * more);
  for (unsigned i = more; i-- > 0;) {
    to += static_cast<char>(0x80U | (n >> 6 * i & 0x3FU));
  }
}

/// Characters that may not be printed or that a pattern or quote would need care for become their neighbours,
/// and what is no character the one before.
std::uint32_t tame_character(std::uint32_t n) {
  constexpr std::uint32_t surrogates_least = 0xD800;
  constexpr std::uint32_t surrogates_end = 0xE000;
  return n >= surrogates_least && n < surrogates_end ? surrogates_least - 1
         : n < '0'                                   ? '0'
         : n > '9' && n < 'A'                        ? 'A'
         : n > 'Z' && n < 'a'                        ? 'a'
         : n > 'z' && n < 0x80                       ? 'z'
                                                     : n;
}

/// Texts behind what both begin with as numbers of base 128, of which the first digit may be any character:
/// 15 of them tell as many apart as are wanted.
std::vector<std::string> texts_between(const std::string& prefix, std::string_view a, std::string_view b,
                                       std::uint32_t ranges) {
  constexpr std::size_t characters = 15;
  constexpr std::size_t characters_kept = 8;
  constexpr int128 base = 128;
  const auto number = [](std::string_view text) {
    int128 n = first_character(text);
    for (std::size_t i = 1; i < characters; ++i) {
      const char c = i < text.size() ? text[i] : '\0';
      n = n * base + (c < 0 ? base - 1 : c);
    }
    return n;
  };
  std::vector<std::string> out;
  for (int128 n : between(std::min(number(a), number(b)), std::max(number(a), number(b)), ranges)) {
    std::array<std::uint32_t, characters> digits{};
    for (std::size_t i = characters; i-- > 1; n /= base) {
      digits[i] = static_cast<std::uint32_t>(n % base);
    }
    digits[0] = static_cast<std::uint32_t>(n);
    out.push_back(prefix);
    for (std::size_t i = 0; i < characters_kept; ++i) {
      append_character(tame_character(digits[i]), out.back());
    }
  }
  return out;
}

/// As far as the texts are ASCII behind what both begin with, all between them (job-formats 6.5). Where one
/// is not, its collation may have it anywhere: all that is between ASCII, and the characters between the two.
std::vector<scalar> text_bounds(std::string_view least, std::string_view most, std::uint32_t ranges) {
  if (least == most || !is_utf8(least) || !is_utf8(most)) {
    return {};
  }
  const auto differs = std::mismatch(
      least.begin(), least.begin() + static_cast<std::ptrdiff_t>(std::min(least.size(), most.size())),
      most.begin());
  auto common = static_cast<std::size_t>(differs.first - least.begin());
  const auto inside_of_character = [&](std::string_view text) {
    return common < text.size() && (static_cast<unsigned char>(text[common]) & 0xC0U) == 0x80;
  };
  while (common > 0 && (inside_of_character(least) || inside_of_character(most))) {
    --common;
  }
  const std::string prefix(least.substr(0, common));
  const std::string_view a = least.substr(common);
  const std::string_view b = most.substr(common);
  std::vector<std::string> found = texts_between(prefix, a, b, ranges);
  if (!is_ascii(a) || !is_ascii(b)) {
    const std::vector<std::string> plain =
        texts_between(prefix, "000000000000000", "zzzzzzzzzzzzzzz", ranges);
    found.insert(found.begin(), plain.begin(), plain.end());
  }
  std::set<std::string> seen;
  std::vector<scalar> bounds;
  for (std::string& bound : found) {
    if (seen.insert(bound).second) {
      bounds.push_back({std::move(bound)});
    }
  }
  return bounds;
}

/// The first bytes as a number of base 256.
std::vector<scalar> byte_bounds(std::string_view least, std::string_view most, std::uint32_t ranges) {
  constexpr std::size_t bytes = 15;
  constexpr unsigned base = 256;
  const auto number = [](std::string_view text) {
    int128 n = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      n = n * base + (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
    }
    return n;
  };
  std::vector<scalar> bounds;
  for (int128 n : between(number(least), number(most), ranges)) {
    std::string bound(bytes, '\0');
    for (std::size_t i = bytes; i-- > 0; n /= base) {
      bound[i] = static_cast<char>(static_cast<unsigned>(n % base));
    }
    bounds.push_back({scalar::bytes{std::move(bound)}});
  }
  return bounds;
}

std::string shown(const scalar& bound) {
  if (const auto* n = std::get_if<std::int64_t>(&bound.value)) {
    return std::to_string(*n);
  }
  if (const auto* n = std::get_if<std::uint64_t>(&bound.value)) {
    return std::to_string(*n);
  }
  if (const auto* bytes = std::get_if<scalar::bytes>(&bound.value)) {
    std::string hex;
    for (const char c : bytes->value) {
      hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return hex;
  }
  const auto* text = std::get_if<std::string>(&bound.value);
  return text == nullptr ? std::string() : escaped(*text);
}

/// `from`, `from_2`, `from_3`
std::string member_name(std::string_view name, std::size_t column) {
  return column == 0 ? std::string(name) : fmt::format("{}_{}", name, column + 1);
}

/// `(a > 1 OR (a = 1 AND b >= 2))`, or with `<`.
std::string by_columns(const std::vector<std::string>& columns, const std::vector<std::string>& values,
                       bool lower) {
  std::size_t c = columns.size() - 1;
  std::string condition = fmt::format("{} {} {}", columns[c], lower ? ">=" : "<", values[c]);
  while (c-- > 0) {
    condition = fmt::format("({0} {1} {2} OR ({0} = {2} AND {3}))", columns[c], lower ? ">" : "<", values[c],
                            condition);
  }
  return condition;
}

}  // namespace

std::uint32_t ranges_wanted(std::uint32_t pipelines, std::size_t tables, std::uint32_t factor) {
  if (tables == 0) {
    return 1;
  }
  const auto each = static_cast<std::uint32_t>((pipelines + tables - 1) / tables);
  return each <= 1 ? 1 : tables == 1 ? each * std::max<std::uint32_t>(factor, 1) : each;
}

std::vector<scalar> bounds_between(key_kind kind, std::string_view least, std::string_view most,
                                   std::uint32_t ranges) {
  switch (kind) {
    case key_kind::whole_number:
      return number_bounds(least, most, ranges, true);
    case key_kind::decimal:
      return number_bounds(least, most, ranges, false);
    case key_kind::date:
      return date_bounds(least, most, ranges);
    case key_kind::timestamp:
      return timestamp_bounds(least, most, ranges);
    case key_kind::text:
      return text_bounds(least, most, ranges);
    case key_kind::bytes:
      return byte_bounds(least, most, ranges);
  }
  return {};
}

std::vector<key_bound> one_column(std::vector<scalar> values) {
  std::vector<key_bound> bounds;
  for (scalar& value : values) {
    bounds.push_back({std::move(value)});
  }
  return bounds;
}

std::vector<key_bound> bounds_among(const std::vector<key_bound>& keys, std::uint32_t ranges) {
  std::vector<key_bound> bounds;
  std::size_t last = 0;
  for (std::uint64_t i = 1; i < ranges && !keys.empty(); ++i) {
    // Behind a key that many rows have, which is a range of its own.
    std::size_t at = std::max<std::size_t>(last, i * keys.size() / ranges);
    while (at < keys.size() && keys[at] == keys[last]) {
      ++at;
    }
    if (at < keys.size()) {
      bounds.push_back(keys[at]);
      last = at;
    }
  }
  return bounds;
}

std::vector<std::uint32_t> shares_of(const std::vector<double>& works, std::uint32_t splits,
                                     double work_min) {
  const double all = std::accumulate(works.begin(), works.end(), 0.0);
  const double each = std::max(all / std::max<std::uint32_t>(splits, 1), work_min);
  std::vector<std::uint32_t> shares;
  for (const double work : works) {
    const double share = std::round(work / each);
    shares.push_back(share <= 1 ? 1 : static_cast<std::uint32_t>(std::min<double>(share, splits)));
  }
  return shares;
}

std::vector<split> splits_between(const std::vector<key_bound>& bounds, bool nullable,
                                  const scalar_list& about, const std::string& label) {
  std::vector<split> splits;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    split s;
    s.description = about;
    const auto add = [&s](const char* name, const key_bound& bound) {
      for (std::size_t c = 0; c < bound.size(); ++c) {
        s.description.push_back({member_name(name, c), bound[c]});
      }
    };
    if (i > 0) {
      add("from", bounds[i - 1]);
    }
    if (i < bounds.size()) {
      add("to", bounds[i]);
    }
    if (bounds.empty()) {
      s.description.push_back({"not_null", {true}});
    }
    s.label = label + range_text(s.description);
    splits.push_back(std::move(s));
  }
  if (nullable) {
    split s;
    s.description = about;
    s.description.push_back({"null", {true}});
    s.label = label + range_text(s.description);
    splits.push_back(std::move(s));
  }
  return splits;
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown_max = 5;
  const std::size_t shown = std::min(names.size(), shown_max);
  return fmt::format("{}{}",
                     fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                     shown == names.size() ? "" : fmt::format(" and {} more", names.size() - shown));
}

key_bound bound_in(const scalar_list& description, std::string_view name) {
  key_bound bound;
  while (const scalar* value = find(description, member_name(name, bound.size()))) {
    bound.push_back(*value);
  }
  return bound;
}

std::string range_text(const scalar_list& description) {
  if (find(description, "null") != nullptr) {
    return " NULL";
  }
  std::string text;
  for (const bool lower : {true, false}) {
    const key_bound bound = bound_in(description, lower ? "from" : "to");
    std::string values;
    for (const scalar& value : bound) {
      values += (values.empty() ? "" : ", ") + shown(value);
    }
    if (!bound.empty()) {
      text += fmt::format(fmt::runtime(bound.size() == 1 ? " {} {}" : " {} ({})"), lower ? "from" : "below",
                          values);
    }
  }
  return text;
}

std::string range_condition(const scalar_list& description, const std::vector<std::string>& columns,
                            key_comparison how,
                            const std::function<std::string(std::size_t column, const scalar&)>& literal) {
  if (find(description, "null") != nullptr) {
    return fmt::format("{} IS NULL", columns.at(0));
  }
  if (find(description, "not_null") != nullptr) {
    return fmt::format("{} IS NOT NULL", columns.at(0));
  }
  std::string condition;
  for (const bool lower : {true, false}) {
    const key_bound bound = bound_in(description, lower ? "from" : "to");
    if (bound.empty()) {
      continue;
    }
    std::vector<std::string> values;
    for (std::size_t c = 0; c < bound.size(); ++c) {
      values.push_back(literal(c, bound[c]));
    }
    const std::vector<std::string> of(columns.begin(),
                                      columns.begin() + static_cast<std::ptrdiff_t>(bound.size()));
    condition += condition.empty() ? "" : " AND ";
    condition +=
        how == key_comparison::columns || bound.size() == 1
            ? by_columns(of, values, lower)
            : fmt::format("({}) {} ({})", fmt::join(of, ", "), lower ? ">=" : "<", fmt::join(values, ", "));
  }
  return condition;
}

}  // namespace sluice::relational
