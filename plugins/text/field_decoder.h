#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugins/text/charset_decoder.h"
#include "plugins/text/csv_grammar.h"
#include "transport/record/dirty_codes.h"

namespace sluice {

/// The text a raw field stands for: blanks trimmed, quotes and escapes taken off, decoded to UTF-8, all as
/// the grammar and the encoding say. Used by one thread.
class field_decoder {
 public:
  /// `charset`: only where its handling is `by_field`; `chars_max`: the longest field in characters.
  field_decoder(const csv_grammar& grammar, std::optional<charset_decoder> charset,
                std::optional<std::uint64_t> chars_max)
      : grammar_(grammar), charset_(std::move(charset)), chars_max_(chars_max) {}

  struct field {
    std::string_view text;  ///< Valid until the next call or as long as the raw field.
    bool quoted = false;
    dirty_code code = dirty_code::none;
  };
  field decode(std::string_view raw);

 private:
  field unquote(std::string_view raw);
  field unescape(std::string_view raw);

  const csv_grammar& grammar_;
  std::optional<charset_decoder> charset_;
  std::optional<std::uint64_t> chars_max_;
  std::string unquoted_;
  std::string decoded_;
};

}  // namespace sluice
