#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// XXH3-128 of the bytes in its canonical (big-endian) form: 32 hexadecimal digits. The only use of xxhash
/// here.
std::string digest_text(std::string_view bytes);

}  // namespace sluice
