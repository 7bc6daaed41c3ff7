#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Numbers in network order, as PostgreSQL's binary formats have them.
namespace sluice::postgresql {

template <std::unsigned_integral T>
constexpr T swapped(T v) {
  if constexpr (sizeof(T) == 1) {
    return v;
  } else if constexpr (sizeof(T) == 2) {
    return __builtin_bswap16(v);
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(v);
  } else {
    return __builtin_bswap64(v);
  }
}

/// The number at `from`, which has sizeof(T) bytes.
template <std::unsigned_integral T>
T read_big(const void* from) {
  T v;
  std::memcpy(&v, from, sizeof v);
  return std::endian::native == std::endian::little ? swapped(v) : v;
}

/// Puts the number down and returns the end.
template <std::unsigned_integral T>
std::byte* write_big(T v, std::byte* to) {
  if constexpr (std::endian::native == std::endian::little) {
    v = swapped(v);
  }
  std::memcpy(to, &v, sizeof v);
  return to + sizeof v;
}

/// What the binary form of COPY begins with: its signature, flags and an extension, of which there are none;
/// and what it ends with (https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format").
inline constexpr std::string_view copy_signature("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
inline constexpr std::string_view copy_trailer("\377\377", 2);

/// What stands in front of a field's bytes in the binary form of COPY: their number, or that it is NULL.
inline constexpr std::size_t field_length_bytes = 4;
inline constexpr std::uint32_t null_field = 0xFFFFFFFF;
/// What the text of a jsonb begins with.
inline constexpr char jsonb_version = 1;

/// Puts the number down as a field and returns the end.
template <std::unsigned_integral T>
std::byte* write_field(T v, std::byte* to) {
  return write_big(v, write_big(std::uint32_t{sizeof v}, to));
}

}  // namespace sluice::postgresql
