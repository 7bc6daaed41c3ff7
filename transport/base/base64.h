#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Base64 of RFC 4648 section 4 (with padding). By hand: no Debian library does base64 alone.
namespace sluice {

std::string base64(std::string_view bytes);

/// Inverse of `base64`; nothing where the text is not of that form (other characters, wrong padding, bits
/// left over).
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace sluice
