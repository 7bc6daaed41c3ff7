#include "transport/record/sum.h"

#include "transport/base/text.h"

namespace sluice {

std::string to_string(row_sum sum) {
  return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(sum.value >> 64),
                     static_cast<std::uint64_t>(sum.value));
}

result<row_sum> row_sum_from(std::string_view text) {
  constexpr std::size_t digits = 32;
  row_sum sum;
  bool good = text.size() == digits;
  for (const char c : good ? text : std::string_view()) {
    const bool decimal = c >= '0' && c <= '9';
    const bool letter = c >= 'a' && c <= 'f';
    good = good && (decimal || letter);
    sum.value = sum.value << 4 | static_cast<unsigned>(decimal ? c - '0' : c - 'a' + 10);
  }
  if (!good) {
    return fail(error_kind::internal, "{} is not a row sum, which is 32 lower-case hexadecimal digits.",
                in_quotes(text));
  }
  return sum;
}

}  // namespace sluice
