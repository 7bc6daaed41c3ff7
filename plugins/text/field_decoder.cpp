#include "plugins/text/field_decoder.h"

#include "transport/record/utf8.h"

namespace sluice {
namespace {

std::string_view without_blanks(std::string_view text, bool before, bool behind) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (before && !text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (behind && !text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// What the letter behind a backslash stands for; itself where it has no meaning of its own.
char escaped_character(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case 'a':
      return '\a';
    case 'e':
      return '\x1b';
    default:
      return letter;
  }
}

}  // namespace

field_decoder::field field_decoder::decode(std::string_view raw) {
  std::string_view trimmed = grammar_.trim ? without_blanks(raw, true, false) : raw;
  field f;
  if (grammar_.quoting && !trimmed.empty() && trimmed.front() == grammar_.quote) {
    f = grammar_.backslash ? unescape(trimmed) : unquote(trimmed);
  } else if (grammar_.backslash && trimmed.find('\\') != std::string_view::npos) {
    f = unescape(trimmed);
  } else {
    f.text = grammar_.trim ? without_blanks(trimmed, false, true) : trimmed;
  }
  if (f.code != dirty_code::none) {
    return f;
  }
  if (charset_ && !is_ascii(f.text)) {
    if (!charset_->decode(f.text, decoded_)) {
      f.code = dirty_code::invalid_encoding;
      return f;
    }
    f.text = decoded_;
  }
  if (chars_max_ && f.text.size() > *chars_max_ && text_length(f.text, length_in::characters) > *chars_max_) {
    f.code = dirty_code::field_too_long;
  }
  return f;
}

field_decoder::field field_decoder::unquote(std::string_view raw) {
  const char quote = grammar_.quote;
  std::size_t end = raw.find(quote, 1);
  if (end == std::string_view::npos) {
    return {{}, true, dirty_code::unclosed_quote};
  }
  std::size_t from = 1;
  unquoted_.clear();
  while (end + 1 < raw.size() && raw[end + 1] == quote) {
    unquoted_.append(raw, from, end + 1 - from);
    from = end + 2;
    end = raw.find(quote, from);
    if (end == std::string_view::npos) {
      return {{}, true, dirty_code::unclosed_quote};
    }
  }
  const std::string_view behind = raw.substr(end + 1);
  if (!(grammar_.trim ? without_blanks(behind, true, false) : behind).empty()) {
    return {{}, true, dirty_code::text_after_quote};
  }
  if (from == 1) {
    return {raw.substr(1, end - 1), true, dirty_code::none};
  }
  unquoted_.append(raw, from, end - from);
  return {unquoted_, true, dirty_code::none};
}

/// Backslash escapes, in quotes or not; a doubled quote in quotes is one here, too.
field_decoder::field field_decoder::unescape(std::string_view raw) {
  const bool quoted = grammar_.quoting && raw.front() == grammar_.quote;
  unquoted_.clear();
  std::size_t kept = 0;  // up to here nothing may be trimmed
  std::size_t i = quoted ? 1 : 0;
  for (; i < raw.size(); ++i) {
    const char c = raw[i];
    if (grammar_.wide_characters && grammar_.lead_bytes[static_cast<unsigned char>(c)] &&
        i + 1 < raw.size() && static_cast<unsigned char>(raw[i + 1]) >= 0x30) {
      unquoted_.append(raw, i++, 2);
    } else if (c == '\\' && i + 1 < raw.size()) {
      unquoted_ += escaped_character(raw[++i]);
      kept = unquoted_.size();
    } else if (quoted && c == grammar_.quote) {
      if (i + 1 == raw.size() || raw[i + 1] != grammar_.quote) {
        break;
      }
      unquoted_ += raw[i++];
    } else {
      unquoted_ += c;
    }
  }
  if (quoted && i >= raw.size()) {
    return {{}, true, dirty_code::unclosed_quote};
  }
  if (quoted) {
    const std::string_view behind = raw.substr(i + 1);
    const bool clean = (grammar_.trim ? without_blanks(behind, true, false) : behind).empty();
    return {unquoted_, true, clean ? dirty_code::none : dirty_code::text_after_quote};
  }
  if (grammar_.trim) {
    kept = std::max(kept, without_blanks(unquoted_, false, true).size());
    unquoted_.resize(kept);
  }
  return {unquoted_, false, dirty_code::none};
}

}  // namespace sluice
