#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/common/output/value_printer.h"
#include "plugins/text/text_writer_options.h"
#include "transport/record/buffer.h"
#include "transport/record/zone.h"

namespace sluice {

/// Writes the records of batches as text in UTF-8, one at a time into a buffer. Used by one thread. A record
/// is written so that it reads back the same, or refused.
class record_formatter {
 public:
  virtual ~record_formatter() = default;

  /// Looks over a batch before its rows; it must live until the next.
  virtual void begin(const batch& b) = 0;
  /// Appends a row with its line delimiter. False, with the reason in `refused` and an unknown end of `to`,
  /// where the format cannot hold it; the caller then cuts `to` back.
  virtual bool append(std::uint32_t row, growing_buffer& to, refused_row& refused) = 0;
  /// The first line of a file; empty where there is none.
  [[nodiscard]] virtual std::string header() const = 0;
};

/// Why bytes are refused as text, and what to do.
inline constexpr std::string_view no_text_in_bytes =
    "The bytes are not text in UTF-8; set bytesFormat to hex, pgHex or base64.";

/// For `csv` and `text`: fields joined by the delimiter, in CSV quoted where they must be (RFC 4180).
result<std::unique_ptr<record_formatter>> make_delimited_formatter(const text_writer_options& options,
                                                                   schema_ptr columns,
                                                                   const time_zone_ptr& zone);

/// For `json`: one object a line. `bad_option` where a column has no name.
result<std::unique_ptr<record_formatter>> make_json_formatter(const text_writer_options& options,
                                                              schema_ptr columns, const time_zone_ptr& zone);

/// The message of a value that has no text in a file.
inline std::string without_text(dirty_code code) {
  return fmt::format("{}{}.", value_printer::reason(code),
                     code == dirty_code::wall_time_twice
                         ? ", or write the offset, with a dateFormat such as \"yyyy-MM-dd HH:mm:ssXXX\""
                         : "");
}

}  // namespace sluice
