#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "plugins/text/record_window.h"
#include "transport/record/batch_builder.h"
#include "transport/record/dirty_codes.h"

namespace sluice {

/// Why a record cannot be a row.
struct row_refusal {
  dirty_code code = dirty_code::none;
  std::optional<std::size_t> column;  ///< In the job's columns; nothing: the whole record is to blame.
  std::optional<std::string> value;   ///< The text refused.
  std::string detail;  ///< A clause for the message, such as a parser's own words; may be empty.
};

/// Turns records of a window into rows of a batch. Used by one thread.
class row_appender {
 public:
  virtual ~row_appender() = default;

  /// Appends records [first, last), whole rows, up to the first that is refused; returns the index behind the
  /// last one appended. Where that is below `last`, `refusal` says what is wrong with the next record.
  virtual std::size_t append(const record_window& window, std::size_t first, std::size_t last,
                             batch_builder& to, row_refusal& refusal) = 0;

  /// Whether a quote of the record's last field is not closed, so that its other fields may be missing.
  virtual bool is_unclosed(const record_window& window, std::size_t r) {
    (void)window, (void)r;
    return false;
  }

  /// The fields of a record as they stand in the file, for its dirty record.
  virtual std::vector<dirty_field> raw_fields(std::string_view record, const record_window& window,
                                              std::size_t r) = 0;
};

}  // namespace sluice
