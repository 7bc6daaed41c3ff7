#include "jobspec/loose_json.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "jobspec/json_path.h"
#include "jobspec/loose_text.h"
#include "jobspec/secrets.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// Reads bytes for the JSON library and tells where it is: all copies count in one place.
class counting_iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* at, const char* begin, std::size_t* consumed)
      : at_(at), begin_(begin), consumed_(consumed) {}
  reference operator*() const { return *at_; }
  counting_iterator& operator++() {
    ++at_;
    *consumed_ = static_cast<std::size_t>(at_ - begin_);
    return *this;
  }
  counting_iterator operator++(int) {
    auto old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const counting_iterator& a, const counting_iterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char* begin_;
  std::size_t* consumed_;
};

/// Line and column of offsets that only grow: one walk over the text in all.
class line_counter {
 public:
  explicit line_counter(std::string_view text) : text_(text) {}
  std::pair<std::uint32_t, std::uint32_t> at(std::size_t offset) {
    for (; offset_ < offset; ++offset_) {
      const auto c = static_cast<unsigned char>(text_[offset_]);
      if (c == '\n') {
        ++line_;
        column_ = 1;
      } else {
        column_ += (c & 0xC0) != 0x80 ? 1 : 0;
      }
    }
    return {line_, column_};
  }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
};

/// Whether a key that stands before `offset` in the same line, or in the one before where only blanks are
/// between, names a secret: then what stands at `offset` may be one whose quotes were forgotten.
bool behind_secret_key(std::string_view text, std::size_t offset) {
  std::string_view before = text.substr(0, offset);
  const std::size_t last = before.find_last_not_of(" \t\r\n'\"");
  const std::size_t line = last == std::string_view::npos ? last : before.rfind('\n', last);
  before.remove_prefix(line == std::string_view::npos ? 0 : line + 1);
  while (!before.empty()) {
    const std::size_t end = std::min(before.find_first_of("\" \t:,{}[]'"), before.size());
    if (looks_secret(before.substr(0, end))) {
      return true;
    }
    before.remove_prefix(std::min(end + 1, before.size()));
  }
  return false;
}

/// Says in plain words what the JSON library's message says in a parser's.
std::string syntax_message(std::string_view what, std::string_view token, bool at_end, bool hide) {
  const auto says = [&](std::string_view part) { return what.find(part) != std::string_view::npos; };
  if (at_end) {
    return "the file ends here, but its JSON does not; is it cut short?";
  }
  if (says("must be escaped to")) {
    return "found a line break or control character inside a text; write it as \\n or \\t, or close the "
           "text's quote";
  }
  if (says("ill-formed UTF-8")) {
    return "found bytes that are not UTF-8; save the file as UTF-8";
  }
  if (says("surrogate")) {
    return "found half of a pair of \\u escapes; a character beyond U+FFFF is written as two, such as "
           "\\ud83d\\ude00, or as itself";
  }
  if (says("invalid string")) {
    return fmt::format("found the escape \\{}, which JSON does not have; a backslash itself is written \\\\",
                       escaped(token));
  }
  std::string found = hide            ? "something that is not shown, because it may be a secret"
                      : token.empty() ? "an unknown character"
                                      : in_quotes(token);
  if (hide && (says("number overflow") || says("invalid number"))) {
    return fmt::format("found {}, which is not a number as JSON writes it", found);
  }
  if (says("number overflow")) {
    return fmt::format("the number {} is too large", escaped(token));
  }
  if (says("invalid number")) {
    return fmt::format("found {}, which is not a number as JSON writes it", in_quotes(token));
  }
  if (says("parsing object key")) {
    return fmt::format("found {}, expected a key in double quotes", found);
  }
  if (says("parsing object separator")) {
    return fmt::format("found {}, expected \":\" behind the key", found);
  }
  if (says("parsing object")) {
    return fmt::format("found {}, expected \",\" or \"}}\"; is a comma or a closing brace missing?", found);
  }
  if (says("parsing array")) {
    return fmt::format("found {}, expected \",\" or \"]\"; is a comma or a closing bracket missing?", found);
  }
  if (says("expected end of input")) {
    return fmt::format("found {} behind the end of the document; one file holds one JSON object", found);
  }
  return fmt::format(
      "found {}, expected a value: a text in double quotes, a number, true, false, null, {{ or [", found);
}

/// Builds the document from the library's events and notes where each value begins.
class document_builder {
 public:
  /// `text` is `written` without its loose parts; `bare` says where in both the words with variables stand.
  document_builder(const std::string& file, std::string_view text, std::string_view written,
                   std::vector<bare_word> bare, const std::size_t* consumed)
      : file_(file),
        text_(text),
        written_(written),
        bare_(std::move(bare)),
        consumed_(consumed),
        lines_(text) {
    out_.places = std::make_shared<json_places>();
  }

  // The events of nlohmann::json's SAX interface; false ends the parse.
  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(std::int64_t value) { return number(value); }
  bool number_unsigned(std::uint64_t value) { return number(value); }
  bool number_float(double value, const std::string&) { return number(value); }
  bool string(std::string& value) {
    const bare_word* bare = bare_at(token_begin());
    if (bare != nullptr) {
      value = written_.substr(bare->offset, bare->bytes);
    }
    const std::size_t begin = token_begin();
    if (place(std::move(value)) == nullptr) {
      return false;
    }
    if (bare != nullptr && !out_.places->contains(path_)) {
      refuse(begin, "a variable outside a text stands too deep here; put it into quotes");
      return false;
    }
    if (bare != nullptr) {
      out_.bare.insert(path_);
    }
    path_.resize(path_bytes_before_);
    return true;
  }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) { return begin(json::object()); }
  bool end_object() { return end(); }
  bool start_array(std::size_t) { return begin(json::array()); }
  bool end_array() { return end(); }
  bool key(std::string& name) {
    auto& top = open_.back();
    if (const bare_word* bare = bare_at(token_begin())) {
      refuse(bare->offset, variable_as_key(*bare));
      return false;
    }
    top.key = std::move(name);
    const auto where = lines_.at(token_begin());
    token_end_ = *consumed_;
    if (top.value->contains(top.key)) {
      const std::string path = path_join(path_, top.key);
      const auto first = position_of(out_.places.get(), path);
      out_.warnings.push_back(
          fmt::format("{}:{}:{} {}: this key is given twice; the last one counts, not the one in line {}",
                      file_, where.first, where.second, path, first.first));
      forget(path);
    }
    return true;
  }
  template <class Exception>
  bool parse_error(std::size_t, const std::string& token, const Exception& what) {
    const std::string_view said = what.what();
    const bool structural =
        token.size() == 1 && std::string_view(",:{}[]").find(token[0]) != std::string_view::npos;
    const auto says = [&](std::string_view part) { return said.find(part) != std::string_view::npos; };
    // Inside a text the library stands on the bad character itself.
    const bool inside_text = says("invalid string: ") && !says("missing closing quote");
    const std::size_t begin =
        structural || inside_text ? std::max<std::size_t>(*consumed_, 1) - 1 : token_begin();
    const std::string_view word = inside_text ? text_.substr(begin, 1) : word_at(begin, structural);
    const bool at_end = says("unexpected end of input") || says("missing closing quote") ||
                        (says("invalid literal") && begin + word.size() == text_.size());
    const bool hide = !structural && !inside_text && behind_secret_key(text_, begin);
    if (const bare_word* bare = bare_at(begin); bare != nullptr && !hide) {
      refuse(begin, bare_word_message(written_.substr(bare->offset, bare->bytes)));
      return false;
    }
    refuse(at_end ? text_.size() : begin, syntax_message(said, word, at_end, hide));
    return false;
  }

  loose_document take() { return std::move(out_); }
  [[nodiscard]] const std::string& mistake() const { return mistake_; }

 private:
  struct open_value {
    json* value;
    std::size_t path_bytes;  ///< Length of the path of the container that holds this one.
    std::string key;
  };

  void refuse(std::size_t offset, std::string_view message) {
    mistake_ = fmt::format("{}{}", place_at(file_, text_, offset), hide_secrets(message));
  }

  /// The word with a variable that begins there; nullptr where none does.
  [[nodiscard]] const bare_word* bare_at(std::size_t offset) const {
    const auto at = std::lower_bound(bare_.begin(), bare_.end(), offset,
                                     [](const bare_word& w, std::size_t o) { return w.offset < o; });
    return at != bare_.end() && at->offset == offset ? &*at : nullptr;
  }

  [[nodiscard]] std::string variable_as_key(const bare_word& bare) const {
    return fmt::format("found the variable {} where a key is expected; variables stand in place of values",
                       escaped(written_.substr(bare.offset, bare.bytes)));
  }

  /// Where the token of the current event begins: behind the last one, blanks and separators. (A number takes
  /// one character more than it has, which is a blank, a separator or a closing bracket.)
  [[nodiscard]] std::size_t token_begin() const {
    return std::min(text_.find_first_not_of(" \t\r\n,:", token_end_), text_.size());
  }

  [[nodiscard]] std::string_view word_at(std::size_t offset, bool structural) const {
    const std::string_view rest = text_.substr(std::min(offset, text_.size()));
    if (structural || rest.starts_with('"')) {
      const std::size_t end = structural ? 1 : rest.find('"', 1);
      return structural ? rest.substr(0, end) : rest.substr(1, end == std::string_view::npos ? end : end - 1);
    }
    return rest.substr(
        0, std::max<std::size_t>(1, std::min(rest.find_first_of(" \t\r\n,:{}[]\""), rest.size())));
  }

  /// Drops the places of the value at `path` and of all below it.
  void forget(const std::string& path) {
    const auto drop = [&path](auto& paths, const auto& text_of) {
      if (const auto at = paths.find(path); at != paths.end()) {
        paths.erase(at);
      }
      for (const char* below : {".", "["}) {
        for (auto at = paths.lower_bound(path + below);
             at != paths.end() && text_of(*at).starts_with(path + below);) {
          at = paths.erase(at);
        }
      }
    };
    drop(*out_.places, [](const auto& entry) -> const std::string& { return entry.first; });
    drop(out_.bare, [](const std::string& entry) -> const std::string& { return entry; });
  }

  /// Puts the value into the container at hand and returns where it is; nullptr at a limit.
  json* place(json value) {
    if (++values_ > json_values_max) {
      refuse(token_begin(), fmt::format("a job file has at most {} values; this one has more",
                                        with_thousands(json_values_max)));
      return nullptr;
    }
    const auto where = lines_.at(token_begin());
    token_end_ = *consumed_;
    json* held = &out_.root;
    path_bytes_before_ = path_.size();
    if (!open_.empty()) {
      auto& top = open_.back();
      // A path is not built beyond its limit: deep files with long keys would take much memory.
      const bool within = path_.size() <= json_path_bytes_max;
      if (top.value->is_array()) {
        if (within) {
          path_ = path_join(path_, top.value->size());
        }
        top.value->push_back(std::move(value));
        held = &top.value->back();
      } else {
        if (within) {
          path_ = path_join(path_, top.key);
        }
        held = &(*top.value)[top.key];
        *held = std::move(value);
      }
    } else {
      *held = std::move(value);
    }
    if (path_.size() <= json_path_bytes_max) {
      out_.places->insert_or_assign(path_, where);
    }
    return held;
  }

  bool scalar(json value) {
    if (place(std::move(value)) == nullptr) {
      return false;
    }
    path_.resize(path_bytes_before_);
    return true;
  }

  /// The library has read one character behind a number, which may belong to the next token.
  bool number(json value) {
    if (!scalar(std::move(value))) {
      return false;
    }
    --token_end_;
    return true;
  }

  bool begin(json empty) {
    if (open_.size() >= json_depth_max) {
      refuse(token_begin(), fmt::format("objects and lists are nested deeper than {} here", json_depth_max));
      return false;
    }
    json* held = place(std::move(empty));
    if (held == nullptr) {
      return false;
    }
    open_.push_back({held, path_bytes_before_, {}});
    return true;
  }

  bool end() {
    path_.resize(open_.back().path_bytes);
    open_.pop_back();
    token_end_ = *consumed_;
    return true;
  }

  const std::string& file_;
  std::string_view text_;
  std::string_view written_;
  std::vector<bare_word> bare_;
  const std::size_t* consumed_;
  line_counter lines_;
  loose_document out_;
  std::vector<open_value> open_;
  std::string path_;
  std::size_t path_bytes_before_ = 0;
  std::size_t token_end_ = 0;
  std::size_t values_ = 0;
  std::string mistake_;
};

}  // namespace

result<loose_document> read_loose_json(const std::string& file, std::string_view text,
                                       bare_variables variables) {
  if (text.size() > job_bytes_max) {
    return fail(error_kind::bad_option, "{}: the file has {}, a job file has at most {}; is it a job?", file,
                bytes_text(text.size()), bytes_text(job_bytes_max));
  }
  std::vector<bare_word> bare;
  SLUICE_TRY(const std::string plain,
             blank_loose_parts(file, text, variables == bare_variables::kept ? &bare : nullptr));
  if (plain.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(error_kind::bad_option,
                "{}: the file is empty; a job is a JSON object with \"steps\" or \"job\"", file);
  }
  // The BOM was blanked; it is no column of the first line.
  const std::size_t head = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const std::string_view body = std::string_view(plain).substr(head);
  for (bare_word& word : bare) {
    word.offset -= head;
  }
  std::size_t consumed = 0;
  document_builder builder(file, body, text.substr(head), std::move(bare), &consumed);
  const char* begin = body.data();
  const char* end = begin + body.size();
  if (!json::sax_parse(counting_iterator(begin, begin, &consumed), counting_iterator(end, begin, &consumed),
                       &builder)) {
    return fail(error{error_kind::bad_option, builder.mistake(), {}});
  }
  return builder.take();
}

}  // namespace sluice
