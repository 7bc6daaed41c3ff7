#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// A number that means one thing: two of different tags do not mix.
template <class Tag, class T>
struct strong_number {
  T value{};
  friend auto operator<=>(const strong_number&, const strong_number&) = default;
};

/// The index of a split in the frozen plan, from 0.
using split_index = strong_number<struct split_index_tag, std::uint32_t>;

/// The number of a batch within (split, epoch), from 1.
using batch_sequence = strong_number<struct batch_sequence_tag, std::uint64_t>;

/// The ordinal of a record in its split as read, from 0.
using record_position = strong_number<struct record_position_tag, std::uint64_t>;

/// The number of an ownership of a split; a newer one is greater. Term (16 bits: takeovers of the run's
/// claim), assignment (32: to a pipeline), reconnect (16: rewinds of that pipeline), most significant first.
struct epoch_number {
  std::uint64_t value = 0;

  static epoch_number make(std::uint16_t term, std::uint32_t assignment, std::uint16_t reconnect) {
    return {static_cast<std::uint64_t>(term) << 48 | static_cast<std::uint64_t>(assignment) << 16 |
            reconnect};
  }
  [[nodiscard]] std::uint16_t term() const { return static_cast<std::uint16_t>(value >> 48); }
  [[nodiscard]] std::uint32_t assignment() const { return static_cast<std::uint32_t>(value >> 16); }
  [[nodiscard]] std::uint16_t reconnect() const { return static_cast<std::uint16_t>(value); }
  /// True when `next()` would run into the assignment's bits: ask for a new assignment instead.
  [[nodiscard]] bool exhausted() const { return reconnect() == 0xFFFF; }
  /// The epoch after a rewind of the same pipeline. Must not be called on an exhausted one.
  [[nodiscard]] epoch_number next() const { return {value + 1}; }
  friend auto operator<=>(const epoch_number&, const epoch_number&) = default;
};

/// The id of a run: a UUIDv7 (RFC 9562 section 5.7), so that ids sort by the time they were made.
struct run_id {
  std::array<std::uint8_t, 16> bytes{};

  /// `unix_ms` is shown in the id, never used for a decision; `random` supplies the other 74 bits.
  static run_id make(std::uint64_t unix_ms, std::uint64_t random_high, std::uint64_t random_low);
  /// From the 36-character text; `bad_option` where it is not one.
  static result<run_id> parse(std::string_view text);
  /// `0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071`.
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const run_id&, const run_id&) = default;
};

}  // namespace sluice
