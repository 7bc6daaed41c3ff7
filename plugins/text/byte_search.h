#pragma once

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

/// Which bytes a text format must treat specially, and the search for them 16 at a time. Highway gives the
/// vectors of the machine that is compiled for; sixteen bytes are one register on all of them.
namespace sluice {

struct special_bytes {
  char a, b, c, d, e;    ///< The bytes sought; repeat one where there are fewer.
  bool control = false;  ///< Also all bytes below 0x20.
};

namespace byte_search {

namespace hn = hwy::HWY_NAMESPACE;
using vector_tag = hn::FixedTag<std::uint8_t, 16>;
using vector = hn::Vec<vector_tag>;

/// The wanted bytes spread over vectors: made once for many searches, from `special_bytes` without a word.
struct wanted {
  wanted(const special_bytes& s)
      : a(hn::Set(vector_tag(), static_cast<std::uint8_t>(s.a))),
        b(hn::Set(vector_tag(), static_cast<std::uint8_t>(s.b))),
        c(hn::Set(vector_tag(), static_cast<std::uint8_t>(s.c))),
        d(hn::Set(vector_tag(), static_cast<std::uint8_t>(s.d))),
        e(hn::Set(vector_tag(), static_cast<std::uint8_t>(s.e))),
        below(hn::Set(vector_tag(), s.control ? 0x20 : 0x00)) {}
  vector a, b, c, d, e, below;
};

/// A bit for each of the 16 bytes that is wanted, the first in the lowest.
inline unsigned matches(vector v, const wanted& w) {
  const auto found = hn::Or(
      hn::Or(hn::Or(hn::Eq(v, w.a), hn::Eq(v, w.b)), hn::Or(hn::Eq(v, w.c), hn::Eq(v, w.d))), hn::Eq(v, w.e));
  // v < below, for unsigned bytes: v differs from max(v, below).
  const auto low = hn::Ne(hn::Max(v, w.below), v);
  std::uint8_t bits[8] = {};
  hn::StoreMaskBits(vector_tag(), hn::Or(found, low), bits);
  return static_cast<unsigned>(bits[0]) | static_cast<unsigned>(bits[1]) << 8;
}

inline vector load(const char* from) {
  return hn::LoadU(vector_tag(), reinterpret_cast<const std::uint8_t*>(from));
}

/// Index of the first wanted byte of [from, from + size), or `size`. Reads nothing beyond.
inline std::size_t find(const char* from, std::size_t size, const wanted& w) {
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    if (const unsigned bits = matches(load(from + i), w); bits != 0) {
      return i + static_cast<std::size_t>(__builtin_ctz(bits));
    }
  }
  if (i < size) {
    char tail[16] = {};
    std::memcpy(tail, from + i, size - i);
    const unsigned bits = matches(load(tail), w) & ((1U << (size - i)) - 1);
    return bits == 0 ? size : i + static_cast<std::size_t>(__builtin_ctz(bits));
  }
  return size;
}

}  // namespace byte_search
}  // namespace sluice
