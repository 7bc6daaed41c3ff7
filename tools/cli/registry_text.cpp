#include "tools/cli/registry_text.h"

#include <algorithm>

#include "jobspec/json_path.h"
#include "jobspec/loose_json.h"
#include "jobspec/loose_text.h"

namespace sluice {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view bom = "\xEF\xBB\xBF";

/// The byte of a line and column as `json_places` has them: columns count characters.
std::size_t offset_of(std::string_view text, std::pair<std::uint32_t, std::uint32_t> position) {
  std::size_t at = 0;
  for (std::uint32_t line = 1; line < position.first; ++line) {
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  for (std::uint32_t column = 1; column < position.second && at < text.size(); ++column) {
    for (++at; at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; ++at) {
    }
  }
  return at;
}

/// Behind the object or list that begins at `at`, in a text without comments.
std::size_t end_of_value(std::string_view plain, std::size_t at) {
  std::size_t depth = 0;
  for (; at < plain.size(); ++at) {
    const char c = plain[at];
    if (c == '"') {
      for (++at; at < plain.size() && plain[at] != '"'; ++at) {
        at += plain[at] == '\\' ? 1 : 0;
      }
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return plain.size();
}

/// The next byte that is neither blank nor in a comment.
std::size_t skip_blanks_and_comments(std::string_view text, std::size_t at) {
  for (;;) {
    at = std::min(text.find_first_not_of(blanks, at), text.size());
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("//")) {
      at = std::min(text.find('\n', at), text.size());
    } else if (rest.starts_with("/*")) {
      at = std::min(text.find("*/", at + 2), text.size() - 2) + 2;
    } else {
      return at;
    }
  }
}

/// Takes the bytes away, and their line where nothing else is left of it.
void cut(std::string& text, std::size_t begin, std::size_t end) {
  const std::size_t line = begin == 0 ? 0 : text.rfind('\n', begin - 1) + 1;
  const std::size_t next = std::min(text.find_first_not_of(" \t\r", end), text.size());
  const bool alone = text.find_first_not_of(" \t", line) >= begin;
  if (alone && next < text.size() && text[next] == '\n') {
    text.erase(line, next + 1 - line);
  } else {
    text.erase(begin, end - begin);
  }
}

}  // namespace

result<std::string> without_entry(const std::string& file, std::string_view text, std::size_t index) {
  if (text.starts_with(bom)) {
    SLUICE_TRY(const std::string rest, without_entry(file, text.substr(bom.size()), index));
    return std::string(bom) + rest;
  }
  SLUICE_TRY(loose_document before, read_loose_json(file, text));
  SLUICE_TRY(const std::string plain, blank_loose_parts(file, text));
  const std::size_t begin =
      offset_of(plain, position_of(before.places.get(), path_join("datasources", index)));
  const std::size_t end = end_of_value(plain, begin);
  std::string out(text);
  const std::size_t next = skip_blanks_and_comments(text, end);
  if (next < text.size() && text[next] == ',') {
    // Behind the last entry, too: a comma too many is borne, and it is the writer's habit.
    out.erase(next, 1);
    cut(out, begin, end);
  } else {
    cut(out, begin, end);
    const std::size_t comma = begin == 0 ? 0 : plain.find_last_not_of(blanks, begin - 1);
    if (comma != std::string::npos && plain[comma] == ',') {
      out.erase(comma, 1);
    }
  }
  before.root["datasources"].erase(index);
  const auto after = read_loose_json(file, out);
  if (!after || after->root != before.root) {
    return fail(error_kind::internal, "{}: the entry cannot be taken out of the text; take it out by hand",
                file);
  }
  return out;
}

}  // namespace sluice
