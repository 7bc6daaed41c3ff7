#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Decimal digits in text, eight at a time: without a branch that depends on a digit, or on how many there
/// are.
namespace sluice::digits {

static_assert(std::endian::native == std::endian::little);

/// "00000000"
inline constexpr std::uint64_t zeros = 0x3030303030303030;

/// The eight characters at `at`; the first is the lowest byte.
inline std::uint64_t load_eight(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The 1 to 8 characters at `at` with as many '0' in front as make eight.
inline std::uint64_t load(const char* at, std::size_t size) {
  const auto in_front = static_cast<unsigned>(8 * (8 - size));
  std::uint64_t word;
  if (size >= 4) {
    // Two loads that overlap: what both hold is the same.
    std::uint32_t first;
    std::uint32_t last;
    std::memcpy(&first, at, sizeof first);
    std::memcpy(&last, at + size - sizeof last, sizeof last);
    word = std::uint64_t{last} << 32 | std::uint64_t{first} << in_front;
  } else {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * (8 - size + i));
    };
    word = byte(0) | byte(size / 2) | byte(size - 1);
  }
  return word | ((zeros >> 8) >> (8 * (size - 1)));
}

inline bool are_digits(std::uint64_t word) {
  return ((word & 0xF0F0F0F0F0F0F0F0U) | (((word + 0x0606060606060606U) & 0xF0F0F0F0F0F0F0F0U) >> 4)) ==
         0x3333333333333333U;
}

/// Two digits in each 16 bits, the first ones lowest.
inline std::uint64_t pairs_of(std::uint64_t word) {
  return (word & 0x0F0F0F0F0F0F0F0FU) * 2561 >> 8 & 0x00FF00FF00FF00FFU;
}

/// The number of eight digits: each step joins neighbours.
inline std::uint64_t number_of(std::uint64_t word) {
  const std::uint64_t fours = pairs_of(word) * 6'553'601 >> 16;
  return (fours & 0x0000FFFF0000FFFFU) * 42'949'672'960'001U >> 32;
}

/// The highest bit of each byte that is `c`, and of no other.
inline std::uint64_t bytes_equal(std::uint64_t word, char c) {
  constexpr std::uint64_t low_bits = 0x7F7F7F7F7F7F7F7FU;
  const std::uint64_t other = word ^ static_cast<unsigned char>(c) * std::uint64_t{0x0101010101010101};
  return ~(((other & low_bits) + low_bits) | other | low_bits);
}

}  // namespace sluice::digits
