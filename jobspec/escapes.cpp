#include "jobspec/escapes.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace sluice {
namespace {

constexpr std::string_view simple_escapes = "tnrfb0\\\"'/";
constexpr std::string_view simple_values{"\t\n\r\f\b\0\\\"'/", 10};

/// The number of `digits` hexadecimal digits at `at`.
std::optional<std::uint32_t> hexadecimal(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const char* end = text.data() + at + digits;
  const auto parsed = std::from_chars(text.data() + at, end, value, 16);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return std::nullopt;
  }
  return value;
}

/// The character that `\uXXXX` (or a pair of them) at `at` stands for, and its length in the text.
std::optional<std::pair<std::string, std::size_t>> unicode_escape(std::string_view text, std::size_t at) {
  auto code = hexadecimal(text, at + 2, 4);
  std::size_t length = 6;
  if (code && *code >= 0xD800 && *code < 0xDC00 && text.substr(at + 6, 2) == "\\u") {
    const auto low = hexadecimal(text, at + 8, 4);
    if (low && *low >= 0xDC00 && *low < 0xE000) {
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
      length = 12;
    }
  }
  auto character = code ? utf8_of(*code) : std::nullopt;
  if (!character) {
    return std::nullopt;
  }
  return std::pair{std::move(*character), length};
}

}  // namespace

std::optional<std::string> utf8_of(std::uint32_t code_point) {
  const auto byte = [](std::uint32_t b) { return static_cast<char>(static_cast<unsigned char>(b)); };
  const auto tail = [&](std::uint32_t shift) { return byte(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) {
    return std::nullopt;
  }
  if (code_point < 0x80) {
    return std::string{byte(code_point)};
  }
  if (code_point < 0x800) {
    return std::string{byte(0xC0 | code_point >> 6), tail(0)};
  }
  if (code_point < 0x10000) {
    return std::string{byte(0xE0 | code_point >> 12), tail(6), tail(0)};
  }
  return std::string{byte(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)};
}

std::string decode_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at++];
      continue;
    }
    const char kind = text[at + 1];
    // Three octal digits, as in C and Java.
    if (at + 4 <= text.size() && kind >= '0' && kind <= '3' &&
        text.substr(at + 2, 2).find_first_not_of("01234567") == std::string_view::npos) {
      out += *utf8_of(
          static_cast<std::uint32_t>((kind - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0')));
      at += 4;
      continue;
    }
    if (const std::size_t simple = simple_escapes.find(kind); simple != std::string_view::npos) {
      out += simple_values[simple];
      at += 2;
      continue;
    }
    if (kind == 'u') {
      if (const auto decoded = unicode_escape(text, at)) {
        out += decoded->first;
        at += decoded->second;
        continue;
      }
    }
    if (kind == 'x') {
      if (const auto code = hexadecimal(text, at + 2, 2)) {
        out += *utf8_of(*code);
        at += 4;
        continue;
      }
    }
    out += text[at++];
  }
  return out;
}

std::size_t characters_of(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  }
  return count;
}

}  // namespace sluice
