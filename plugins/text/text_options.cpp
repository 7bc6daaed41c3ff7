#include "plugins/text/text_options.h"

#include <fmt/format.h>

#include "jobspec/escapes.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {
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
  return options.bad("fileFormat",
                     fmt::format("fileFormat is {}; write \"csv\", \"text\" or \"json\".", in_quotes(name)));
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
                              in_quotes(name)));
}

result<bytes_form> bytes_format_of(const option_values& options) {
  SLUICE_TRY(const auto given, options.text("bytesFormat"));
  const std::string name = given.value_or("text");
  if (const auto form = bytes_form_of(name)) {
    return *form;
  }
  return options.bad(
      "bytesFormat",
      fmt::format("bytesFormat is {}; write \"text\", \"hex\", \"pgHex\" or \"base64\".", in_quotes(name)));
}

std::string unescaped_characters(std::string_view text) {
  return decode_escapes(text);
}

result<std::string> delimiter_of(const option_values& options, std::string_view name, std::size_t bytes_max) {
  SLUICE_TRY(const auto given, options.text(name));
  std::string value = unescaped_characters(given.value_or(""));
  if (options.has(name) && (value.empty() || value.size() > bytes_max)) {
    return options.bad(name, fmt::format("{} is {}; write one character, or at most {} bytes of text.", name,
                                         in_quotes(*given), bytes_max));
  }
  return value;
}

}  // namespace sluice
