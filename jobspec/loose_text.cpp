#include "jobspec/loose_text.h"

#include <algorithm>
#include <array>

#include "jobspec/escapes.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view bom = "\xEF\xBB\xBF";

/// A character that looks like JSON's own in copied text, and what to write instead.
struct look_alike {
  std::string_view character;
  std::string_view code_point;
  std::string_view name;
  std::string_view instead;
};

constexpr std::array<look_alike, 18> look_alikes = {{
    {"，", "U+FF0C", "full-width comma", "a plain \",\""},
    {"、", "U+3001", "ideographic comma", "a plain \",\""},
    {"；", "U+FF1B", "full-width semicolon", "a plain \",\""},
    {"：", "U+FF1A", "full-width colon", "a plain \":\""},
    {"　", "U+3000", "full-width space", "a plain space"},
    {"\xC2\xA0", "U+00A0", "no-break space", "a plain space"},
    {"\xE2\x80\x8B", "U+200B", "zero-width space", "nothing"},
    {"\xEF\xBB\xBF", "U+FEFF", "byte order mark", "nothing"},
    {"“", "U+201C", "curly quote", "a plain double quote"},
    {"”", "U+201D", "curly quote", "a plain double quote"},
    {"‘", "U+2018", "curly quote", "a plain double quote"},
    {"’", "U+2019", "curly quote", "a plain double quote"},
    {"＂", "U+FF02", "full-width quote", "a plain double quote"},
    {"｛", "U+FF5B", "full-width brace", "a plain \"{\""},
    {"｝", "U+FF5D", "full-width brace", "a plain \"}\""},
    {"［", "U+FF3B", "full-width bracket", "a plain \"[\""},
    {"］", "U+FF3D", "full-width bracket", "a plain \"]\""},
    {"【", "U+3010", "lenticular bracket", "a plain \"[\""},
}};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/// Walks over the text once, blanking as it goes.
class blanker {
 public:
  blanker(const std::string& file, std::string_view text, std::vector<bare_word>* bare)
      : file_(file), text_(text), out_(text), bare_(bare) {}

  result<std::string> run() {
    if (text_.starts_with(bom)) {
      blank(0, bom.size());
      at_ = bom.size();
    }
    while (at_ < text_.size()) {
      SLUICE_CHECK(step());
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] tl::unexpected<error> bad(std::size_t offset, std::string_view message) const {
    return fail(error_kind::bad_option, "{}{}", place_at(file_, text_, offset), message);
  }

  void blank(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      if (out_[i] != '\n') {
        out_[i] = ' ';
      }
    }
  }

  result<void> step() {
    const char c = text_[at_];
    if (is_blank(c)) {
      ++at_;
      return {};
    }
    if (c == '"') {
      skip_text();
      remember('"', at_ - 1);
      return {};
    }
    if (c == '/') {
      return comment();
    }
    if (c == '$') {
      return variable();
    }
    if (c == '\0') {
      return bad(at_, "found a NUL byte, which no job file has; is this a text file in UTF-8?");
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      for (const auto& other : look_alikes) {
        if (text_.substr(at_).starts_with(other.character)) {
          return bad(at_, fmt::format("found a {} ({}) outside a text; write {} there", other.name,
                                      other.code_point, other.instead));
        }
      }
    }
    // A comma behind a value and before a closing bracket is one too many.
    if ((c == ']' || c == '}') && last_ == ',' && before_ != '[' && before_ != '{' && before_ != ',' &&
        before_ != ':' && before_ != '\0') {
      blank(last_at_, last_at_ + 1);
    }
    remember(c, at_);
    ++at_;
    return {};
  }

  void remember(char c, std::size_t at) {
    before_ = last_;
    last_ = c;
    last_at_ = at;
  }

  /// Goes behind the text that begins here, or to the end of the file where it has no end.
  void skip_text() {
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  result<void> comment() {
    const std::size_t begin = at_;
    if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      blank(begin, at_);
      return {};
    }
    if (text_.substr(at_).starts_with("/*")) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) {
        return bad(at_, "this comment has no end; close it with */");
      }
      at_ = end + 2;
      blank(begin, at_);
      return {};
    }
    return bad(at_, "found \"/\", expected a value; a comment begins with // or /*");
  }

  /// Where the variable that begins at `at` ends.
  [[nodiscard]] std::size_t variable_end(std::size_t at) const {
    std::size_t end = at + 1;
    if (end < text_.size() && (text_[end] == '{' || text_[end] == '[')) {
      const std::size_t close = text_.find_first_of("]}\r\n", end);
      return close == std::string_view::npos ? text_.size() : close + 1;
    }
    while (end < text_.size() && is_word(text_[end])) {
      ++end;
    }
    return end;
  }

  /// A word with a variable that stands where a value may.
  result<void> variable() {
    const auto joins = [](char c) { return is_word(c) || c == '-' || c == '+'; };
    std::size_t begin = at_;
    while (begin > 0 && joins(out_[begin - 1])) {
      --begin;
    }
    std::size_t end = variable_end(at_);
    const char last = text_[end - 1];
    if (bare_ == nullptr || end - at_ < 2 || last == '\n' || last == '\r' ||
        (!is_word(last) && last != '}' && last != ']')) {
      return bad(at_, bare_word_message(text_.substr(at_, end - at_)));
    }
    while (end < text_.size() && (joins(text_[end]) || text_[end] == '$')) {
      end = text_[end] == '$' ? variable_end(end) : end + 1;
    }
    for (std::size_t i = begin + 1; i + 1 < end; ++i) {
      const char c = text_[i];
      out_[i] = c == '"' || c == '\\' || (c >= 0 && c < ' ') ? '_' : c;
    }
    out_[begin] = '"';
    out_[end - 1] = '"';
    bare_->push_back({begin, end - begin});
    remember('"', end - 1);
    at_ = end;
    return {};
  }

  const std::string& file_;
  std::string_view text_;
  std::string out_;
  std::vector<bare_word>* bare_;
  std::size_t at_ = 0;
  // The last two characters that are neither blank nor comment, outside of texts.
  char last_ = '\0';
  char before_ = '\0';
  std::size_t last_at_ = 0;
};

}  // namespace

std::string place_at(const std::string& file, std::string_view text, std::size_t offset) {
  std::string_view head = text.substr(0, offset);
  const std::size_t skipped = head.starts_with(bom) ? bom.size() : 0;
  head.remove_prefix(skipped);
  const auto lines = std::count(head.begin(), head.end(), '\n');
  const std::size_t line_begin = head.rfind('\n') == std::string_view::npos ? 0 : head.rfind('\n') + 1;
  return fmt::format("{}:{}:{}: ", file, lines + 1, characters_of(head.substr(line_begin)) + 1);
}

std::string bare_word_message(std::string_view word) {
  const std::string shown = escaped(word);
  return fmt::format(
      "found the variable {} outside a text; put it into quotes, as in \"{}\" (a number may be written so "
      "too)",
      shown, shown);
}

result<std::string> blank_loose_parts(const std::string& file, std::string_view text,
                                      std::vector<bare_word>* bare) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(error_kind::bad_option, "{}: the file is in UTF-16; save it as UTF-8", file);
  }
  return blanker(file, text, bare).run();
}

}  // namespace sluice
