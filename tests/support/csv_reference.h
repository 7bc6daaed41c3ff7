#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A CSV reader that is slow and plain to see through, for comparing the real one with.
namespace sluice::csv_reference {

struct dialect {
  char delimiter = ',';
  bool quoting = true;
  char quote = '"';
  std::optional<std::string> null_text = std::nullopt;
};

struct record {
  std::vector<std::optional<std::string>> fields;
  std::vector<std::string> codes;  ///< One a field: what is wrong with it, empty where nothing is.
  std::size_t offset = 0;
  std::size_t size = 0;  ///< Without the line end.
  std::size_t line = 1;
};

/// All records of a text by the rules of plugins/text/csv_grammar.h, one character after the other.
inline std::vector<record> read(std::string_view text, const dialect& d) {
  std::vector<record> records;
  std::size_t i = 0;
  std::size_t line = 1;
  const auto at_line_end = [&] { return i < text.size() && (text[i] == '\n' || text[i] == '\r'); };
  const auto pass_line_end = [&](std::string* to) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (to != nullptr) {
      to->append(text.substr(i, pair ? 2 : 1));
    }
    i += pair ? 2 : 1;
    ++line;
  };
  while (i < text.size()) {
    record r;
    r.offset = i;
    r.line = line;
    bool more = true;
    while (more) {
      std::string field;
      bool quoted = false;
      std::string code;
      if (d.quoting && i < text.size() && text[i] == d.quote) {
        quoted = true;
        ++i;
        bool closed = false;
        while (!closed && i < text.size()) {
          if (at_line_end()) {
            pass_line_end(&field);
          } else if (text[i] != d.quote) {
            field += text[i++];
          } else if (i + 1 < text.size() && text[i + 1] == d.quote) {
            field += d.quote;
            i += 2;
          } else {
            closed = true;
            ++i;
          }
        }
        code = closed ? "" : "unclosed_quote";
      }
      std::string behind;
      while (i < text.size() && !at_line_end() && text[i] != d.delimiter) {
        behind += text[i++];
      }
      if (quoted && code.empty() && !behind.empty()) {
        code = "text_after_quote";
      }
      if (!quoted) {
        field = behind;
      }
      const bool null = !quoted && d.null_text && field == *d.null_text;
      r.fields.push_back(null ? std::nullopt : std::optional(field));
      r.codes.push_back(code);
      more = i < text.size() && text[i] == d.delimiter;
      i += more ? 1 : 0;
    }
    r.size = i - r.offset;
    if (at_line_end()) {
      pass_line_end(nullptr);
    }
    records.push_back(std::move(r));
  }
  return records;
}

/// Why the record is none of `fields` text columns; empty where it is.
inline std::string refusal(const record& r, std::size_t fields) {
  if (r.fields.size() < fields) {
    // An open quote may have taken the others into its field.
    return r.codes.back() == "unclosed_quote" ? r.codes.back() : "too_few_fields";
  }
  for (std::size_t f = 0; f < fields; ++f) {
    if (!r.codes[f].empty()) {
      return r.codes[f];
    }
  }
  return "";
}

}  // namespace sluice::csv_reference
