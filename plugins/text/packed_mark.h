#pragma once

#include <cstddef>
#include <string_view>

namespace sluice {

/// So many first bytes of a file tell how it is packed.
inline constexpr std::size_t packed_mark_bytes = 10;

/// `gzip`, `zstd`, `zip`, `bzip2` or `xz`, by the first bytes of a file (RFC 1952, RFC 8878, APPNOTE.TXT of
/// PKWARE, the sources of bzip2 and xz); empty where they show none of them.
inline std::string_view packed_by(std::string_view head) {
  using namespace std::string_view_literals;
  // Behind bzip2's level stands the mark of its first block, which is pi.
  const bool bzip2 = head.starts_with("BZh"sv) && head.size() >= packed_mark_bytes && head[3] >= '1' &&
                     head[3] <= '9' && head.substr(4).starts_with("\x31\x41\x59\x26\x53\x59"sv);
  return head.starts_with("\x1f\x8b\x08"sv)       ? "gzip"
         : head.starts_with("\x28\xb5\x2f\xfd"sv) ? "zstd"
         : head.starts_with("PK\x03\x04"sv)       ? "zip"
         : bzip2                                  ? "bzip2"
         : head.starts_with("\xfd\x37zXZ\0"sv)    ? "xz"
                                                  : "";
}

}  // namespace sluice
