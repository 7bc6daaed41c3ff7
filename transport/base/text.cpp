#include "transport/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sluice {
namespace {

/// Length of the well-formed UTF-8 character at `at` (Unicode table 3-7), 0 where there is none.
std::size_t utf8_length(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned lead = byte(at);
  if (lead < 0x80) {
    return 1;
  }
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    low = lead == 0xE0 ? 0xA0 : 0x80;
    high = lead == 0xED ? 0x9F : 0xBF;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    low = lead == 0xF0 ? 0x90 : 0x80;
    high = lead == 0xF4 ? 0x8F : 0xBF;
  } else {
    return 0;
  }
  if (at + length > s.size() || byte(at + 1) < low || byte(at + 1) > high) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  return length;
}

char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Marks that change the direction of text or end its line, so that a log's line would not read as written:
/// U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069. The code point at `at`, 0 where it is none of these.
unsigned reordering_mark(std::string_view s, std::size_t at, std::size_t length) {
  if (length != 3 || s[at] != '\xE2') {
    return 0;
  }
  const unsigned c = 0x2000 | (static_cast<unsigned char>(s[at + 1]) & 0x3FU) << 6 |
                     (static_cast<unsigned char>(s[at + 2]) & 0x3FU);
  const bool mark =
      c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return mark ? c : 0;
}

std::string without_controls(std::string_view value, std::size_t bytes_max, bool escape_quotes) {
  std::string out;
  std::size_t at = 0;
  while (at < value.size()) {
    const std::size_t length = utf8_length(value, at);
    if (at + std::max<std::size_t>(length, 1) > bytes_max) {
      out += fmt::format("… ({} bytes)", value.size());
      return out;
    }
    const auto c = static_cast<unsigned char>(value[at]);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", c);
      at += 1;
      continue;
    }
    // C1 controls (U+0080 to U+009F) move a terminal's cursor as C0 ones do.
    const bool c1 = length == 2 && c == 0xC2 && static_cast<unsigned char>(value[at + 1]) < 0xA0;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (escape_quotes && (c == '"' || c == '\\')) {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", c);
    } else if (c1) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(value[at + 1]));
    } else if (const unsigned mark = reordering_mark(value, at, length); mark != 0) {
      out += fmt::format("\\u{:04x}", mark);
    } else {
      out.append(value.substr(at, length));
    }
    at += length;
  }
  return out;
}

}  // namespace

std::string escaped(std::string_view value, std::size_t bytes_max) {
  return without_controls(value, bytes_max, true);
}

std::string statement_text(std::string_view statement) {
  std::string line(statement);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return without_controls(line, line.size(), false);
}

std::string in_quotes(std::string_view value) {
  return '"' + escaped(value) + '"';
}

std::string with_thousands(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) {
    digits.insert(at - 3, ",");
  }
  return digits;
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0 || value >= 100 || value == static_cast<double>(static_cast<std::uint64_t>(value))) {
    return fmt::format("{:.0f} {}", value, units[unit]);
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string duration_text(double seconds) {
  if (seconds < 10) {
    return fmt::format("{:.1f} s", seconds);
  }
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    previous[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + change});
      if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1])) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace sluice
