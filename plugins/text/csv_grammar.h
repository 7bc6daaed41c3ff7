#pragma once

#include <array>
#include <optional>
#include <string>

namespace sluice {

/// How a text file falls into records and fields; RFC 4180 by default. Where the RFC is silent or files break
/// it, these are the rules:
///  - CR LF, LF and a lone CR each end a record; at the end of the file the terminator may be missing.
///  - A quote opens a quoted field only as the field's first character; elsewhere in an unquoted field it is
///    an ordinary character. In a quoted field a doubled quote is one quote, and only the closing quote ends
///    the field: delimiters and line ends are ordinary characters.
///  - Text between a closing quote and the next delimiter or line end makes the record dirty; the record
///  still
///    ends at the next line end. A quoted field without closing quote reaches to the end of the file.
///  - An empty line is a record with one empty field.
struct csv_grammar {
  std::string delimiter = ",";  ///< One or more bytes in the file's encoding; empty: the record is one field.
  bool quoting = true;
  char quote = '"';
  std::optional<char>
      record_end;  ///< Only this byte ends a record (and counts as a line); nothing: CR LF, LF, CR.
  std::optional<char> comment;  ///< A line that begins with it is no record.
  bool backslash = false;       ///< A backslash makes the next character ordinary (`escapeMode` 2).
  bool trim = false;            ///< Spaces and tabs around fields do not count.
  /// In encodings such as GBK, Big5 and Shift_JIS the second byte of a character may look like a delimiter:
  /// such a byte behind one of `lead_bytes` is passed over. Set only where the grammar has a byte of 0x30 or
  /// above.
  bool wide_characters = false;
  std::array<bool, 256> lead_bytes{};

  /// Whether the vector code knows all of it.
  [[nodiscard]] bool plain() const {
    return delimiter.size() <= 1 && !comment && !backslash && !trim && !wide_characters;
  }
};

}  // namespace sluice
