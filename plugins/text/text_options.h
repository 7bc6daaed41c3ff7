#pragma once

#include <string>
#include <string_view>

#include "jobspec/option_values.h"
#include "plugins/text/bytes_form.h"
#include "transport/base/result.h"

/// What the reader and the writer of the text plugin ask of their options alike.
namespace sluice {

enum class file_format {
  csv,   ///< RFC 4180: fields may be quoted.
  text,  ///< Fields joined by the delimiter, no quotes.
  json,  ///< JSON Lines: one object a line, columns by name.
};

enum class compression { none, gzip, zstd, zip, bzip2 };

std::string_view to_string(file_format format);
std::string_view to_string(compression c);

/// `fileFormat` (`csv`, `text`, `json`, `jsonl`), its default from the description.
result<file_format> file_format_of(const option_values& options);

/// `compress` (`gzip` or `gz`, `zstd`, `zip`, `bzip2`; blank or `none` is none).
result<compression> compression_of(const option_values& options);

/// `bytesFormat` (`text`, `hex`, `pgHex`, `base64`); unset: `text`.
result<bytes_form> bytes_format_of(const option_values& options);

/// A text that stands for characters, such as a delimiter: escapes spelled out are decoded (job-formats 1.11,
/// 34; `decode_escapes` of jobspec).
std::string unescaped_characters(std::string_view text);

/// The option as `unescaped_characters`; `bad_option` where it is set and empty or longer than `bytes_max`.
result<std::string> delimiter_of(const option_values& options, std::string_view name, std::size_t bytes_max);

}  // namespace sluice
