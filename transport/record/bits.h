#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Bitmaps in Arrow's order: bit i is bit i % 8 of byte i / 8.
namespace sluice {

inline bool get_bit(const std::uint8_t* bits, std::size_t i) {
  return (bits[i / 8] >> (i % 8) & 1) != 0;
}

/// Bytes of a bitmap of `n` bits.
inline std::size_t bitmap_bytes(std::size_t n) {
  return (n + 7) / 8;
}

/// How many of the bits [first, last) are set.
std::size_t count_set(const std::uint8_t* bits, std::size_t first, std::size_t last);

/// Copies `n` bits from bit `from_first` to bit `to_first`. Bits of `to` below `to_first` stay, those behind
/// the end in its last byte become 0. The two must not overlap.
void copy_bits(std::uint8_t* to, std::size_t to_first, const std::uint8_t* from, std::size_t from_first,
               std::size_t n);

/// Sets the bits [first, first + n); those below stay, those behind the end in the last byte become 0.
void set_bits(std::uint8_t* to, std::size_t first, std::size_t n);

}  // namespace sluice
