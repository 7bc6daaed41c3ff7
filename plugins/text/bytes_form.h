#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How bytes stand in files of text: `bytesFormat` of the writer and of the reader.
namespace sluice {

enum class bytes_form : std::uint8_t {
  text,    ///< As they are, where they are UTF-8.
  hex,     ///< Two digits a byte, small letters; read in any case.
  pg_hex,  ///< The same behind `\x`, as PostgreSQL writes its bytea.
  base64,  ///< RFC 4648 section 4, with padding.
};

/// `text`, `hex`, `pgHex`, `base64`.
std::string_view to_string(bytes_form form);
std::optional<bytes_form> bytes_form_of(std::string_view word);

/// Appends the bytes in that form.
void append_bytes_as(bytes_form form, std::string_view bytes, std::string& to);
/// The inverse, into `to`, which is made empty first. False where the text is not of that form.
bool read_bytes_as(bytes_form form, std::string_view text, std::string& to);
/// Most characters that so many bytes take.
std::size_t bytes_chars_max(std::size_t bytes);

/// `bytes as pairs of hex digits`: what the texts should look like, for messages.
std::string_view expected_of(bytes_form form);

}  // namespace sluice
