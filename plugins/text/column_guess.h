#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/text/value_parser.h"

namespace sluice {

/// A field as a sample of the file has it.
struct sampled_field {
  std::string text;
  bool quoted = false;
};

/// The type chosen for a column, and why.
struct column_guess {
  declared_type type = declared_type::string_text;
  std::optional<std::string> format;  ///< Of a date.
  data_type value_type = {};          ///< What the reader makes of it.
  std::string reason;
};

/// Chooses a type for what a sample of a column holds: another than text only where every value fits it and
/// reads back as the very same text, so that no value is changed (`007`, `+1`, `1.0e3` stay text), and where
/// only one reading fits (`03/04/2024` is text). What looks like bytes is text in quotes. Fields that are
/// NULL by `null_text` do not count. Pure.
column_guess guess_column(const std::vector<sampled_field>& fields,
                          const std::optional<std::string>& null_text);

/// The text of NULL in a sample by columns: the one that makes most columns numbers, dates or booleans that
/// would be text without it; else `\N` where it occurs more often than nothing at all; else none. Fields in
/// quotes do not count.
struct null_guess {
  std::optional<std::string> text;
  bool unsure = false;  ///< It is a word, which may be a value as well, or two texts may be that of NULL.
};
null_guess guess_null_text(const std::vector<std::vector<sampled_field>>& columns);

/// Whether a field with this text may be taken for NULL, or for bytes, by these guesses where it stands
/// without quotes. A writer puts such a text into quotes, so that a copy of its file has it as a text again.
bool is_mark_unquoted(std::string_view text);
/// Of such texts that do not begin with a backslash.
inline constexpr std::size_t mark_bytes_max = 4;
/// False where its length and first two characters show that it is none: a writer asks for each of its texts.
inline bool may_be_mark(std::string_view text) {
  switch (text.empty() ? '\0' : text.front()) {
    case '\\':
      return true;
    case '#':
    case '-':
      return text.size() <= mark_bytes_max;
    case 'N':
    case 'n':
      return text.size() >= 2 && text.size() <= mark_bytes_max &&
             std::string_view("UuA/oi").find(text[1]) != std::string_view::npos;
    default:
      return false;
  }
}

/// Whether the first row of a sample is a heading: none of its fields is a number, a date or a boolean, and a
/// column below has another type than text. Where all is text and no field comes again below itself, it may
/// be one: that is `unsure`. A heading may have fields that are empty or come twice.
struct heading_guess {
  bool is_heading = false;
  bool unsure = false;
};
heading_guess guess_heading(const std::vector<std::vector<sampled_field>>& columns);

}  // namespace sluice
