#include "plugins/common/relational/text_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/base/utf8.h"

namespace sluice::relational {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

option rule_option(std::string name, std::string what) {
  return {
      .name = std::move(name),
      .meaning = fmt::format("What becomes of a text with {}: `dirty`, its record is; `remove` leaves them "
                             "out and `replace` puts U+FFFD in their place, each such value counted.",
                             what),
      .default_text = "dirty",
      .allowed = {"dirty", "remove", "replace"}};
}

/// What a character begins with: its length, and the range of its second byte (Unicode table 3-7).
struct lead {
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};
lead lead_of(unsigned char c) {
  if (c < 0x80) {
    return {1};
  }
  if (c < 0xC2 || c > 0xF4) {
    return {};
  }
  if (c < 0xE0) {
    return {2};
  }
  if (c < 0xF0) {
    return {3, c == 0xE0 ? std::uint8_t{0xA0} : std::uint8_t{0x80},
            c == 0xED ? std::uint8_t{0x9F} : std::uint8_t{0xBF}};
  }
  return {4, c == 0xF0 ? std::uint8_t{0x90} : std::uint8_t{0x80},
          c == 0xF4 ? std::uint8_t{0x8F} : std::uint8_t{0xBF}};
}

/// How many bytes at the start of `text` are a character, or, with `whole` false, the start of one.
std::size_t bytes_of_one(std::string_view text, bool& whole) {
  const lead l = lead_of(static_cast<unsigned char>(text[0]));
  std::size_t n = 1;
  while (n < l.length && n < text.size()) {
    const auto c = static_cast<unsigned char>(text[n]);
    if (c < (n == 1 ? l.low : 0x80) || c > (n == 1 ? l.high : 0xBF)) {
      break;
    }
    ++n;
  }
  whole = n == l.length;
  return n;
}

}  // namespace

option invalid_text_option() {
  return rule_option("invalidText", "bytes that are no UTF-8");
}

option nul_character_option(std::string_view product) {
  return rule_option("nulCharacter", fmt::format("NUL characters, which {} cannot hold", product));
}

result<text_rule> read_text_rule(const option_values& values, const std::string& name) {
  SLUICE_TRY(const auto word, values.text(name));
  return word == "remove" ? text_rule::remove : word == "replace" ? text_rule::replace : text_rule::dirty;
}

std::optional<change_rule> mend_utf8(std::string_view text, text_rule rule, std::string& out) {
  if (rule == text_rule::dirty || is_utf8(text)) {
    return std::nullopt;
  }
  out.clear();
  while (!text.empty()) {
    bool whole = false;
    const std::size_t n = bytes_of_one(text, whole);
    if (whole) {
      out += text.substr(0, n);
    } else if (rule == text_rule::replace) {
      out += replacement;
    }
    text.remove_prefix(n);
  }
  return rule == text_rule::remove ? change_rule::invalid_removed : change_rule::invalid_replaced;
}

std::optional<change_rule> mend_nul(std::string_view text, text_rule rule, std::string& out) {
  if (rule == text_rule::dirty || text.find('\0') == std::string_view::npos) {
    return std::nullopt;
  }
  out.clear();
  for (const char c : text) {
    if (c != '\0') {
      out += c;
    } else if (rule == text_rule::replace) {
      out += replacement;
    }
  }
  return rule == text_rule::remove ? change_rule::nul_removed : change_rule::nul_replaced;
}

}  // namespace sluice::relational
