#pragma once

#include <cstdint>
#include <cstring>

#include "transport/base/int128.h"

/// Random numbers by counter: the value of (column, record) is a pure function of the seed, so that a reader
/// can begin at any record and make the same ones again. The engines of <random> can only be run forward.
namespace sluice::stream_random {

inline constexpr std::uint64_t step = 0xa0761d6478bd642f;

/// 64 random bits for a counter (the mixing of wyrand, which passes BigCrush and PractRand).
inline std::uint64_t bits(std::uint64_t counter) {
  const uint128 product = static_cast<uint128>(counter) * (counter ^ 0xe7037ed1a0b428db);
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

/// Where the counters of a column of a slice begin.
inline std::uint64_t key(std::uint64_t seed, std::uint64_t slice, std::uint64_t column) {
  return bits(bits(bits(seed + step) + slice * step + 1) + column * step + 2);
}

/// The bits of a record.
inline std::uint64_t bits_of(std::uint64_t key, std::uint64_t record) {
  return bits(key + (record + 1) * step);
}

/// 0 to span - 1, each as likely as the next to within span / 2^64. A span of 0 stands for 2^64.
inline std::uint64_t below(std::uint64_t random, std::uint64_t span) {
  return span == 0 ? random : static_cast<std::uint64_t>(static_cast<uint128>(random) * span >> 64);
}

/// 0 up to, not including, 1, in steps of 2^-53.
inline double unit(std::uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1p-53;
}

/// Eight characters of 0-9, A-Z, a-z from 64 random bits, all eight at once in the bytes of a word. A
/// character is 4 or 5 of 256 likely: even enough for test data.
inline std::uint64_t eight_alphanumerics(std::uint64_t random) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t even = 0x00FF00FF00FF00FF;
  // Each byte b becomes b * 62 / 256, which is 0 to 61.
  const std::uint64_t low = ((random & even) * 62 >> 8) & even;
  const std::uint64_t high = ((random >> 8 & even) * 62) & ~even;
  const std::uint64_t index = low | high;
  const std::uint64_t from_10 = (index + ones * (128 - 10)) >> 7 & ones;
  const std::uint64_t from_36 = (index + ones * (128 - 36)) >> 7 & ones;
  return index + ones * '0' + from_10 * ('A' - '9' - 1) + from_36 * ('a' - 'Z' - 1);
}

/// `count` alphanumeric characters for the random bits of a record. Writes up to 7 bytes behind them.
inline void write_alphanumerics(std::uint64_t random, char* to, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 8) {
    random += step;
    const std::uint64_t characters = eight_alphanumerics(bits(random));
    std::memcpy(to + i, &characters, 8);
  }
}

}  // namespace sluice::stream_random
