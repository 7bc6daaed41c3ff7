#pragma once

#include <memory>
#include <string>

#include "plugins/text/row_appender.h"
#include "plugins/text/text_layout.h"

namespace sluice {

/// Rows of JSON Lines: each record is one object (RFC 8259), columns are its members by name. A string is its
/// text, a number its exact digits, true and false are those words, an object or array the exact text as it
/// stands (nested values are not interpreted), null or a missing member is NULL. A key that occurs twice,
/// text behind the object or anything that is not JSON makes the record dirty. The only file that knows
/// simdjson's parser.
class json_rows final : public row_appender {
 public:
  json_rows(const text_layout& layout, const bound_columns& bound);
  ~json_rows() override;

  std::size_t append(const record_window& window, std::size_t first, std::size_t last, batch_builder& to,
                     row_refusal& refusal) override;
  /// The whole line as one field.
  std::vector<dirty_field> raw_fields(std::string_view record, const record_window& window,
                                      std::size_t r) override;

 private:
  friend std::vector<std::string> json_keys(std::string_view line, dirty_code& code, std::string& why);
  struct parser;
  void note_other(std::string_view key);
  bool append_row(std::string_view line, batch_builder& to, row_refusal& refusal);

  const text_layout& layout_;
  const bound_columns& bound_;
  std::vector<value_parser> parsers_;
  std::unique_ptr<parser> parser_;
  std::vector<bool> ever_seen_;  ///< By column: told to `bound_.keys`.
  std::uint64_t records_ = 0;
};

/// The member names of one JSON object in order; `not_json` (with the reason in `why`) or `duplicate_key` in
/// `code` where it is none. 64 bytes behind the line must be readable.
std::vector<std::string> json_keys(std::string_view line, dirty_code& code, std::string& why);

}  // namespace sluice
