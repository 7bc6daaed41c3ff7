#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// `90`, `90s`, `500ms`, `2min`, `1h`, `7d`, `1.5h`: a plain number is seconds. `bad_option` where it is none
/// of them, negative, or longer than ten years. The message names the text, not the flag.
result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// `1048576`, `160M`, `160MB`, `160MiB`, `1.5G`: units are binary in every spelling, as in `mbps`.
/// `bad_option` where it is none of them or more than 2^60.
result<std::uint64_t> parse_size(std::string_view text);

}  // namespace sluice
