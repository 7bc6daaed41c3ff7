#include "transport/record/bits.h"

namespace sluice {
namespace {

/// The low `n` bits, n below 8.
constexpr std::uint8_t low_bits(std::size_t n) {
  return static_cast<std::uint8_t>((1U << n) - 1U);
}

/// Up to 8 bits from bit `first` on; reads only bytes that hold one of them.
std::uint8_t load_bits(const std::uint8_t* bits, std::size_t first, std::size_t n) {
  const std::size_t shift = first % 8;
  unsigned value = static_cast<unsigned>(bits[first / 8]) >> shift;
  if (shift + n > 8) {
    value |= static_cast<unsigned>(bits[first / 8 + 1]) << (8 - shift);
  }
  return static_cast<std::uint8_t>(n == 8 ? value : value & low_bits(n));
}

}  // namespace

std::size_t count_set(const std::uint8_t* bits, std::size_t first, std::size_t last) {
  std::size_t count = 0;
  std::size_t i = first;
  for (; i < last && i % 8 != 0; ++i) {
    count += get_bit(bits, i) ? 1 : 0;
  }
  for (; i + 64 <= last; i += 64) {
    std::uint64_t word;
    std::memcpy(&word, bits + i / 8, sizeof word);
    count += static_cast<std::size_t>(std::popcount(word));
  }
  for (; i < last; ++i) {
    count += get_bit(bits, i) ? 1 : 0;
  }
  return count;
}

void copy_bits(std::uint8_t* to, std::size_t to_first, const std::uint8_t* from, std::size_t from_first,
               std::size_t n) {
  if (n == 0) {
    return;
  }
  // Up to the first whole byte of `to`.
  if (const std::size_t used = to_first % 8; used != 0) {
    const std::size_t head = n < 8 - used ? n : 8 - used;
    std::uint8_t& byte = to[to_first / 8];
    byte = static_cast<std::uint8_t>((byte & low_bits(used)) | (load_bits(from, from_first, head) << used));
    to_first += head;
    from_first += head;
    n -= head;
  }
  std::uint8_t* out = to + to_first / 8;
  if (from_first % 8 == 0 && n >= 8) {
    std::memcpy(out, from + from_first / 8, n / 8);
    out += n / 8;
    from_first += n / 8 * 8;
    n %= 8;
  }
  for (; n >= 8; n -= 8, from_first += 8) {
    *out++ = load_bits(from, from_first, 8);
  }
  if (n != 0) {
    *out = load_bits(from, from_first, n);
  }
}

void set_bits(std::uint8_t* to, std::size_t first, std::size_t n) {
  if (n == 0) {
    return;
  }
  std::size_t i = first;
  const std::size_t end = first + n;
  if (i % 8 != 0) {
    to[i / 8] = static_cast<std::uint8_t>((to[i / 8] & low_bits(i % 8)) | (0xFFU << (i % 8)));
    i = (i / 8 + 1) * 8;
  }
  if (end > i) {
    std::memset(to + i / 8, 0xFF, bitmap_bytes(end) - i / 8);
  }
  if (end % 8 != 0) {
    to[end / 8] &= low_bits(end % 8);
  }
}

}  // namespace sluice
