#pragma once

#include <memory>

#include "plugins/text/field_decoder.h"
#include "plugins/text/row_appender.h"
#include "plugins/text/text_layout.h"

namespace sluice {

/// Rows of delimited records, column by column: each column's loop runs over many records with its place in
/// the output in registers.
class csv_rows final : public row_appender {
 public:
  csv_rows(const text_layout& layout, const bound_columns& bound, std::optional<charset_decoder> charset);

  std::size_t append(const record_window& window, std::size_t first, std::size_t last, batch_builder& to,
                     row_refusal& refusal) override;
  bool is_unclosed(const record_window& window, std::size_t r) override;
  std::vector<dirty_field> raw_fields(std::string_view record, const record_window& window,
                                      std::size_t r) override;

 private:
  struct span;
  std::size_t fill_constant(std::size_t column, const span& rows, column_builder& to);
  std::size_t fill_values(std::size_t column, const span& rows, column_builder& to, row_refusal& refusal);
  template <bool Quoting, bool Nulls>
  std::size_t fill_text(std::size_t column, const span& rows, column_builder& to, row_refusal& refusal);
  std::size_t fill(std::size_t column, const span& rows, column_builder& to, row_refusal& refusal);
  [[nodiscard]] bool is_null(std::string_view text, bool quoted) const {
    return !quoted && layout_.null_text && text == *layout_.null_text;
  }

  const text_layout& layout_;
  const bound_columns& bound_;
  std::vector<value_parser> parsers_;
  field_decoder decoder_;
  bool bytes_are_text_;  ///< Fields need no decoding, trimming or unescaping: only quotes come off.
  std::vector<std::size_t> order_;  ///< Columns that may refuse come first: less is taken back then.
  std::vector<std::uint32_t> nulls_;
  std::vector<changed_value> changed_;  ///< Of the rows at hand, which may still be taken back.
};

}  // namespace sluice
