#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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
