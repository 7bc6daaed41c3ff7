#include "transport/base/units.h"

#include <cctype>
#include <charconv>
#include <string>
#include <utility>

#include "transport/base/text.h"

namespace sluice {
namespace {

/// A number at the beginning and the lower-case rest behind blanks; the number is negative where there is
/// none.
std::pair<double, std::string> number_and_unit(std::string_view text) {
  double number = -1;
  const auto [end, problem] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (problem != std::errc()) {
    return {-1, {}};
  }
  std::string unit;
  for (const char* at = end; at != text.data() + text.size(); ++at) {
    if (*at != ' ') {
      unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
    }
  }
  return {number, unit};
}

}  // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr double milliseconds_max = 1000.0 * 3600 * 24 * 3650;
  const auto [number, unit] = number_and_unit(text);
  double factor = 0;
  if (unit == "ms") {
    factor = 1;
  } else if (unit.empty() || unit == "s" || unit == "sec") {
    factor = 1000;
  } else if (unit == "m" || unit == "min") {
    factor = 60'000;
  } else if (unit == "h") {
    factor = 3'600'000;
  } else if (unit == "d") {
    factor = 86'400'000;
  }
  const double milliseconds = number * factor;
  if (factor == 0 || !(number >= 0) || milliseconds > milliseconds_max) {
    return fail(error_kind::bad_option,
                "{} is not a time: write seconds (90), or a number with ms, s, min, h or d", in_quotes(text));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds + 0.5));
}

result<std::uint64_t> parse_size(std::string_view text) {
  static constexpr double bytes_max = 1152921504606846976.0;  // 2^60
  const auto [number, unit] = number_and_unit(text);
  double factor = 0;
  if (unit.empty() || unit == "b") {
    factor = 1;
  } else if (unit == "k" || unit == "kb" || unit == "kib") {
    factor = 1024;
  } else if (unit == "m" || unit == "mb" || unit == "mib") {
    factor = 1024.0 * 1024;
  } else if (unit == "g" || unit == "gb" || unit == "gib") {
    factor = 1024.0 * 1024 * 1024;
  } else if (unit == "t" || unit == "tb" || unit == "tib") {
    factor = 1024.0 * 1024 * 1024 * 1024;
  }
  const double bytes = number * factor;
  if (factor == 0 || !(number >= 0) || bytes > bytes_max) {
    return fail(error_kind::bad_option,
                "{} is not a size: write bytes, or a number with K, M or G, such as 160M", in_quotes(text));
  }
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace sluice
