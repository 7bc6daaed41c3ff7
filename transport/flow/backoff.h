#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace sluice {

/// How long after a failure that passes the next try begins, where `tries` were made again already: 0.2 s
/// doubling to 30 s.
inline std::chrono::milliseconds retry_wait(std::uint32_t tries) {
  return std::chrono::milliseconds(
      std::min<std::int64_t>(30'000, std::int64_t{200} << std::min<std::uint32_t>(tries, 12)));
}

}  // namespace sluice
