#include "plugins/common/relational/sql_sums.h"

#include "transport/base/text.h"

namespace sluice::relational {

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
  if (summed != out.records) {
    return fail(error_kind::not_supported,
                "{}: {} of {} records have a value without a text in {}, such as a date of zeros, NaN in a "
                "numeric, or more bytes than the server takes together",
                place, with_thousands(out.records - summed), with_thousands(out.records), sql_form_name);
  }
  SLUICE_TRY(const std::uint64_t high, number(2));
  SLUICE_TRY(const std::uint64_t low, number(3));
  constexpr unsigned half = 64;
  out.sum.value = static_cast<uint128>(high) << half | low;
  return out;
}

}  // namespace sluice::relational
