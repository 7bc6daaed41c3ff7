#include "plugins/text/bytes_form.h"

#include <array>
#include <utility>

#include "transport/base/base64.h"

namespace sluice {
namespace {

constexpr std::string_view pg_prefix = "\\x";

constexpr auto all_forms =
    std::to_array<bytes_form>({bytes_form::text, bytes_form::hex, bytes_form::pg_hex, bytes_form::base64});

/// -1 where it is no hex digit.
int digit_of(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

bool read_hex(std::string_view text, std::string& to) {
  if (text.size() % 2 != 0) {
    return false;
  }
  to.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_of(text[i]);
    const int low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    to += static_cast<char>(high * 16 + low);
  }
  return true;
}

}  // namespace

std::string_view to_string(bytes_form form) {
  switch (form) {
    case bytes_form::text:
      return "text";
    case bytes_form::hex:
      return "hex";
    case bytes_form::pg_hex:
      return "pgHex";
    case bytes_form::base64:
      return "base64";
  }
  return "";
}

std::optional<bytes_form> bytes_form_of(std::string_view word) {
  for (const bytes_form form : all_forms) {
    if (word == to_string(form)) {
      return form;
    }
  }
  return std::nullopt;
}

void append_bytes_as(bytes_form form, std::string_view bytes, std::string& to) {
  if (form == bytes_form::text) {
    to += bytes;
    return;
  }
  if (form == bytes_form::base64) {
    to += base64(bytes);
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  to += form == bytes_form::pg_hex ? pg_prefix : "";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    to += digits[byte / 16];
    to += digits[byte % 16];
  }
}

bool read_bytes_as(bytes_form form, std::string_view text, std::string& to) {
  to.clear();
  switch (form) {
    case bytes_form::text:
      to = text;
      return true;
    case bytes_form::hex:
      return read_hex(text, to);
    case bytes_form::pg_hex:
      return text.starts_with(pg_prefix) && read_hex(text.substr(pg_prefix.size()), to);
    case bytes_form::base64:
      break;
  }
  auto bytes = base64_decoded(text);
  if (bytes) {
    to = std::move(*bytes);
  }
  return bytes.has_value();
}

std::size_t bytes_chars_max(std::size_t bytes) {
  return 2 * bytes + pg_prefix.size() + 2;  // base64 of one byte is four characters
}

std::string_view expected_of(bytes_form form) {
  switch (form) {
    case bytes_form::text:
      return "a text";
    case bytes_form::hex:
      return "bytes as pairs of hex digits";
    case bytes_form::pg_hex:
      return "bytes as \\x and pairs of hex digits";
    case bytes_form::base64:
      return "bytes in base64";
  }
  return "";
}

}  // namespace sluice
