#pragma once

#include <cstdint>
#include <string>

#include "transport/base/int128.h"
#include "transport/record/type.h"

/// Exact text of single values, the inverse of parse.h: independent of the locale, without allocation. Each
/// `write_` puts the characters at `to`, which has room for the number of bytes named beside it, and returns
/// the end. Reading the text back gives the value.
namespace sluice {

/// Room for any `write_` call.
inline constexpr std::size_t value_chars_max = 64;

char* write_int64(std::int64_t value, char* to);    ///< 20 bytes.
char* write_uint64(std::uint64_t value, char* to);  ///< 20 bytes.
/// The unscaled value with its point: `-0.05` for -5 at scale 2; always `scale` digits behind the point. 41
/// bytes.
char* write_decimal(int128 value, unsigned scale, char* to);
/// The shortest digits that read back as the value, plain from 1e-6 to below 1e21 (`100000`, `0.1`, `-0`),
/// else with an exponent (`1e21`, `1.5e-7`); `NaN`, `Infinity`, `-Infinity`: the grammar of `decimal_text`.
/// 32 bytes.
char* write_float64(double value, char* to);
char* write_float32(float value, char* to);

/// `n` in two, three, ... digits with leading zeros.
char* write_padded(std::uint64_t n, unsigned digits, char* to);

/// `2024-02-29`; years beyond 0000 to 9999 with a sign (`+12345-01-01`), `infinity`, `-infinity`. 16 bytes.
char* write_iso_date(std::int32_t days, char* to);
/// `2024-02-29`, `separator`, `23:59:59`, and a point with `digits` digits where digits is not 0 (at most the
/// unit's; those left out must be zero). 48 bytes.
char* write_iso_timestamp(std::int64_t value, time_unit unit, unsigned digits, char separator, char* to);
/// `23:59:59.250` of units since midnight. 20 bytes.
char* write_iso_time(std::int64_t value, time_unit unit, unsigned digits, char* to);
/// `-26:00:00.5`: hours in two or more digits. 32 bytes.
char* write_duration(std::int64_t value, time_unit unit, unsigned digits, char* to);

/// The text of one `write_` call: `text_of(write_int64, value)`.
template <class Write, class... Args>
std::string text_of(Write write, Args... args) {
  char room[value_chars_max];
  return {room, static_cast<std::size_t>(write(args..., room) - room)};
}

}  // namespace sluice
