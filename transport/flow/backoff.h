#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "transport/base/error.h"
#include "transport/base/ids.h"

namespace sluice {

/// `run_settings::retries_max` where nobody says otherwise: with the waits below 77 to 128 s of a lost
/// connection, which a server's restart of a minute fits into.
inline constexpr std::uint32_t retries_max_default = 15;

/// The next try of something that failed in passing.
struct retry_try {
  std::uint32_t number = 0;  ///< From 1, in a row without a commit between; 0: at once, and not counted.
  std::uint32_t of = 0;      ///< How many there are.
  std::chrono::milliseconds wait{0};
};

/// Tells the waits of two runs, and of a run's splits, apart: those that were lost together must not all come
/// back at one moment.
inline std::uint64_t retry_salt(const run_id& run, std::uint32_t split) {
  std::uint64_t salt = split;
  for (const std::uint8_t byte : run.bytes) {
    salt = salt * 257 + byte;
  }
  return salt;
}

/// How long after a failure that passes the next try begins, where `tries` were made again already: 0.2 s,
/// doubling up to 2 s where something is busy (whoever holds the lock is gone soon) and up to 10 s where a
/// connection is lost (its server may be starting), a quarter more or less, as `salt` has it.
inline std::chrono::milliseconds retry_wait(error_kind kind, std::uint32_t tries, std::uint64_t salt) {
  constexpr std::int64_t first_ms = 200;
  const std::int64_t most_ms = kind == error_kind::busy ? 2'000 : 10'000;
  const std::int64_t wait = std::min(most_ms, first_ms << std::min<std::uint32_t>(tries, 12));
  // splitmix64's last steps: neighbouring numbers give unlike ones.
  std::uint64_t mixed = salt + (tries + 1) * 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  mixed ^= mixed >> 31;
  const auto permille = static_cast<std::int64_t>(750 + mixed % 501);
  return std::chrono::milliseconds(wait * permille / 1000);
}

/// The failure that ended the tries, with their number where there were any.
inline error after_tries(error why, std::uint32_t tries) {
  if (tries != 0) {
    why.message +=
        fmt::format("; it was tried again {} time{} in a row (--retries)", tries, tries == 1 ? "" : "s");
  }
  return why;
}

}  // namespace sluice
