#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/postgresql/postgresql_bytes.h"
#include "transport/base/int128.h"
#include "transport/record/parse.h"

/// The binary form of `numeric` (numeric_send in src/backend/utils/adt/numeric.c): four 16-bit numbers, big
/// endian (count of digits, weight of the first one, sign, digits shown behind the point), then digits of
/// base 10000. Pure; malformed bytes are a failure, never read past.
namespace sluice::postgresql {

/// The most bytes `write_numeric` puts down.
inline constexpr std::size_t numeric_bytes_max = 8 + 2 * 12;

/// The unscaled value at `scale` (at most 38) of a number of at most 38 digits. `not_finite`, `out_of_range`,
/// `too_precise`; `wrong_type` where the bytes are no numeric.
parsed<int128> read_numeric(std::string_view bytes, unsigned scale);

/// 10^0 to 10^18.
inline constexpr auto powers_of_ten = [] {
  std::array<std::uint64_t, 19> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) {
    powers[i] = powers[i - 1] * 10;
  }
  return powers;
}();

/// The same of the numbers that most are: finite, of at most four groups, and of at most 18 digits at
/// `scale`. False: `read_numeric` says what it is.
inline bool read_small_numeric(std::string_view bytes, unsigned scale, std::int64_t& unscaled) {
  constexpr std::size_t head_bytes = 8;
  constexpr std::uint64_t group_base = 10'000;
  if (bytes.size() < head_bytes) {
    return false;
  }
  const auto head = read_big<std::uint64_t>(bytes.data());  // groups, weight, sign, digits shown
  const auto groups = static_cast<unsigned>(head >> 48);
  const auto sign = static_cast<std::uint16_t>(head >> 16);
  if (groups > 4 || bytes.size() != head_bytes + std::size_t{2} * groups || (sign & 0xBFFFU) != 0 ||
      (head & 0xC000U) != 0) {
    return false;
  }
  if (groups == 0) {
    unscaled = 0;
    return true;
  }
  // The last eight bytes end with the groups; what of the head stands before them goes.
  constexpr unsigned bits = 16;
  const std::uint64_t all = read_big<std::uint64_t>(bytes.data() + bytes.size() - sizeof(std::uint64_t)) &
                            ~std::uint64_t{0} >> bits * (4 - groups);
  constexpr std::uint64_t each = 0x0001000100010001;
  if (((all | (all + each * (0x7FFF - (group_base - 1)))) & each * 0x8000) != 0) {
    return false;  // a group of 10,000 or more
  }
  const auto group = [all](unsigned i) { return all >> bits * i & 0xFFFF; };
  std::uint64_t v =
      (group(3) * group_base + group(2)) * (group_base * group_base) + group(1) * group_base + group(0);
  // What v has to be multiplied by: ten to this.
  const int weight = static_cast<std::int16_t>(head >> 32);
  const int exponent = 4 * (weight - static_cast<int>(groups) + 1) + static_cast<int>(scale);
  constexpr int digits_max = 18;
  if (exponent < -3 || exponent + 4 * static_cast<int>(groups) > digits_max) {
    return false;
  }
  if (exponent < 0) {
    // Divisors that are known cost a multiplication.
    const std::uint64_t one = exponent == -1 ? v / 10 : exponent == -2 ? v / 100 : v / 1000;
    if (one * (exponent == -1 ? 10U : exponent == -2 ? 100U : 1000U) != v) {
      return false;
    }
    v = one;
  } else {
    v *= powers_of_ten[static_cast<unsigned>(exponent)];
  }
  unscaled = sign == 0 ? static_cast<std::int64_t>(v) : -static_cast<std::int64_t>(v);
  return true;
}

/// Appends the number's text in the grammar of `type_id::decimal_text` with the digits that the server shows.
/// False where the bytes are no numeric; `to` is then as it was.
bool append_numeric_text(std::string_view bytes, std::string& to);

/// unscaled / 10^scale, shown with `scale` digits (at most 38) behind the point. Returns the end.
std::byte* write_numeric(int128 unscaled, unsigned scale, std::byte* to);

/// What a numeric column takes without rounding.
struct numeric_limits {
  int precision = 0;  ///< All digits; 0 = any number.
  int scale = 0;      ///< Digits behind the point; may be negative or above the precision (15 and later).
};

/// Appends the binary form of a text in the grammar of `decimal_text`. `too_precise` and `out_of_range` where
/// the server would round or refuse it, `not_a_number` where it is none; `to` is then as it was.
dirty_code append_numeric(std::string_view text, const numeric_limits& limits, std::string& to);

}  // namespace sluice::postgresql
