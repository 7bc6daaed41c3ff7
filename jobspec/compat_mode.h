#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

/// What becomes of a value that does not fit: `exact`, its record is dirty; `datax`, it is changed as DataX
/// changes it, and counted.
enum class compat_mode : std::uint8_t { exact, datax };

constexpr std::string_view to_string(compat_mode mode) {
  return mode == compat_mode::datax ? "datax" : "exact";
}

}  // namespace sluice
