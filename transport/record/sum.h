#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "transport/base/int128.h"
#include "transport/base/result.h"

namespace sluice {

/// A sum of 128-bit row hashes modulo 2^128: equal for equal multisets of rows, whatever their order.
/// Which rows' form was hashed is named beside it (`canonical/1`); sums of two names are never compared.
struct row_sum {
  uint128 value = 0;

  row_sum& operator+=(row_sum other) {
    value += other.value;
    return *this;
  }
  row_sum& operator-=(row_sum other) {
    value -= other.value;
    return *this;
  }
  friend row_sum operator+(row_sum a, row_sum b) { return a += b; }
  friend bool operator==(const row_sum&, const row_sum&) = default;
};

/// 32 lower-case hexadecimal digits, most significant first.
std::string to_string(row_sum sum);
/// Inverse of `to_string`; `internal` where the text is not of that form.
result<row_sum> row_sum_from(std::string_view text);

}  // namespace sluice
