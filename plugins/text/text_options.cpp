#include "plugins/text/text_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "transport/base/text.h"

namespace sluice {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

void append_utf8(std::string& to, unsigned code_point) {
  if (code_point < 0x80) {
    to += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    to += static_cast<char>(0xC0 | code_point >> 6);
    to += static_cast<char>(0x80 | (code_point & 0x3F));
  } else {
    to += static_cast<char>(0xE0 | code_point >> 12);
    to += static_cast<char>(0x80 | (code_point >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (code_point & 0x3F));
  }
}

std::optional<unsigned> hexadecimal(std::string_view digits, std::size_t count) {
  if (digits.size() < count) {
    return std::nullopt;
  }
  unsigned value = 0;
  const char* end = digits.data() + count;
  const auto [stop, failed] = std::from_chars(digits.data(), end, value, 16);
  return failed == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string_view to_string(file_format format) {
  switch (format) {
    case file_format::csv:
      return "csv";
    case file_format::text:
      return "text";
    case file_format::json:
      return "json";
  }
  return "";
}

std::string_view to_string(compression c) {
  switch (c) {
    case compression::none:
      return "none";
    case compression::gzip:
      return "gzip";
    case compression::zstd:
      return "zstd";
    case compression::zip:
      return "zip";
    case compression::bzip2:
      return "bzip2";
  }
  return "";
}

result<file_format> file_format_of(const option_values& options) {
  SLUICE_TRY(const auto given, options.text("fileFormat"));
  const std::string name = lower(given.value_or("csv"));
  if (name == "csv") {
    return file_format::csv;
  }
  if (name == "text") {
    return file_format::text;
  }
  if (name == "json" || name == "jsonl") {
    return file_format::json;
  }
  return options.bad("fileFormat", fmt::format("fileFormat is {}; write \"csv\", \"text\" or \"json\".",
                                               sluice::quoted(name)));
}

result<compression> compression_of(const option_values& options) {
  SLUICE_TRY(const auto given, options.text("compress"));
  const std::string name = lower(given.value_or(""));
  if (name.empty() || name == "none") {
    return compression::none;
  }
  if (name == "gzip" || name == "gz") {
    return compression::gzip;
  }
  if (name == "zstd" || name == "zst") {
    return compression::zstd;
  }
  if (name == "zip") {
    return compression::zip;
  }
  if (name == "bzip2" || name == "bz2" || name == "bzip") {
    return compression::bzip2;
  }
  return options.bad(
      "compress", fmt::format("compress is {}; write \"gzip\", \"zstd\", \"zip\", \"bzip2\" or leave it out.",
                              sluice::quoted(name)));
}

std::string unescaped_characters(std::string_view text) {
  std::string to;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      to += text[i];
      continue;
    }
    const char letter = text[i + 1];
    const std::string_view rest = text.substr(i + 2);
    const auto code_point = letter == 'u'   ? hexadecimal(rest, 4)
                            : letter == 'x' ? hexadecimal(rest, 2)
                                            : std::nullopt;
    if (code_point) {
      append_utf8(to, *code_point);
      i += letter == 'u' ? 5 : 3;
      continue;
    }
    constexpr std::string_view letters = "tnr0\\";
    constexpr std::string_view meanings("\t\n\r\0\\", 5);
    if (const auto at = letters.find(letter); at != std::string_view::npos) {
      to += meanings[at];
      ++i;
    } else {
      to += '\\';
    }
  }
  return to;
}

result<std::string> delimiter_of(const option_values& options, std::string_view name, std::size_t bytes_max) {
  SLUICE_TRY(const auto given, options.text(name));
  std::string value = unescaped_characters(given.value_or(""));
  if (given && (value.empty() || value.size() > bytes_max)) {
    return options.bad(name, fmt::format("{} is {}; write one character, or at most {} bytes of text.", name,
                                         sluice::quoted(*given), bytes_max));
  }
  return value;
}

}  // namespace sluice
