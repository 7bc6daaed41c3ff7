// The JSON Lines reader against another JSON parser: what is a row and what is refused, and the text of
// member "a".
#include "tests/fuzz/text_fuzz.h"

using namespace sluice;  // NOLINT(google-build-using-namespace)

namespace {

/// What nlohmann's parser says of a line: an object or not, and member "a" where it is a text.
class line_reference : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return scalar(std::nullopt); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t& digits) override { return scalar(digits); }
  bool string(string_t& value) override { return scalar(value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    object_ = object_ || depth_ == 0;
    return enter();
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    is_a_ = depth_ == 1 && name == "a";
    twice_ = twice_ || (is_a_ && seen_);
    seen_ = seen_ || is_a_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    unclear_ = unclear_ || e.id == 406;  // a number beyond double: right for us, who keep its digits
    return false;
  }

  [[nodiscard]] bool unclear() const { return unclear_ || depth_most_ > 400; }
  [[nodiscard]] bool is_row() const { return object_ && !twice_; }
  [[nodiscard]] bool knows_a() const { return known_; }
  [[nodiscard]] const std::optional<std::string>& a() const { return a_; }

 private:
  bool scalar(std::optional<std::string> text) {
    if (is_a_ && depth_ == 1) {
      a_ = std::move(text);
    }
    return true;
  }
  bool other() {
    known_ = known_ && !(is_a_ && depth_ == 1);
    return true;
  }
  bool enter() {
    other();
    depth_most_ = std::max(depth_most_, ++depth_);
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  std::size_t depth_most_ = 0;
  bool object_ = false;
  bool is_a_ = false;
  bool seen_ = false;
  bool twice_ = false;
  bool unclear_ = false;
  bool known_ = true;
  std::optional<std::string> a_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto read_actual = text_fuzz::read(
      content, {{"fileFormat", "json"}, {"column", {{{"name", "a"}, {"type", "string"}}}}}, 100);
  if (!read_actual) {
    return 0;
  }
  const text_fuzz::outcome& actual = *read_actual;
  std::size_t row = 0;
  std::size_t dirty = 0;
  std::uint64_t number = 0;
  for (std::size_t at = content.starts_with("\xEF\xBB\xBF") ? 3 : 0; at < content.size();) {
    const std::size_t end = std::min(content.find_first_of("\r\n", at), content.size());
    const std::string_view line = content.substr(at, end - at);
    at = content.substr(end).starts_with("\r\n") ? end + 2 : end + 1;
    ++number;
    line_reference reference;
    const bool json = nlohmann::json::sax_parse(line, &reference);
    const bool is_row = row < actual.rows.size() && actual.rows[row].line == number;
    text_fuzz::require(is_row || (dirty < actual.dirty.size() && actual.dirty[dirty].first == number),
                       "each line is a row or refused");
    // The other parser passes over a byte order mark anywhere, and takes a byte 0 for the end.
    if (!reference.unclear() && !line.starts_with("\xEF\xBB\xBF") &&
        line.find('\0') == std::string_view::npos) {
      text_fuzz::require(is_row == (json && reference.is_row()), "both parsers agree on what an object is");
      text_fuzz::require(!is_row || !reference.knows_a() || actual.rows[row].values[0] == reference.a(),
                         "both parsers agree on the value");
    }
    (is_row ? row : dirty) += 1;
  }
  text_fuzz::require(row == actual.rows.size() && dirty == actual.dirty.size(), "no record more than lines");
  return 0;
}
