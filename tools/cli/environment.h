#pragma once

#include <functional>
#include <optional>
#include <string>

namespace sluice {

/// Reads one environment variable; nothing where it is not set. Passed in so that tests need not change the
/// process's own.
using environment = std::function<std::optional<std::string>(const char* name)>;

}  // namespace sluice
