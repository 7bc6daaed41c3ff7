#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// The longest value shown in a message or log line, in bytes of UTF-8 before escaping.
inline constexpr std::size_t shown_bytes_max = 200;

/// `value` in double quotes, control characters, quotes, backslashes and invalid UTF-8 escaped (`\n`,
/// `\x1b`), cut at `shown_bytes_max` on a character border with `… (N bytes)` behind. For every value in a
/// message.
std::string in_quotes(std::string_view value);

/// Like `in_quotes` without the quotes: for a value inside other text.
std::string escaped(std::string_view value, std::size_t bytes_max = shown_bytes_max);

/// A statement whole and with its quotes, to be read or copied: line breaks and tabs as blanks, so that it is
/// one line; other control characters and invalid UTF-8 escaped.
std::string statement_text(std::string_view statement);

/// `1,234,567`.
std::string with_thousands(std::uint64_t n);

/// `512 B`, `1.5 KiB`, `64 MiB`: binary units, at most one decimal.
std::string bytes_text(std::uint64_t bytes);

/// `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
std::string duration_text(double seconds);

/// The closest of `candidates` to `word` by edit distance when it is near enough to be a slip of the
/// fingers, else empty. Case does not count. For "did you mean".
template <class Range>
std::string_view nearest(std::string_view word, const Range& candidates);

/// Levenshtein distance with transposition, ASCII case folded.
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Range>
std::string_view nearest(std::string_view word, const Range& candidates) {
  std::string_view best;
  std::size_t best_distance = 1 + word.size() / 3;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance || (distance == best_distance && best.empty())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace sluice
