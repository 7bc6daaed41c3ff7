#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "transport/base/text.h"

namespace sluice::relational {

/// The message of a record that a reader refuses as `record_too_large`.
inline std::string too_large_text(std::uint64_t bytes, std::uint64_t bytes_max) {
  return fmt::format(
      "the record has {} bytes, and the largest that is moved has {} ({}), all its fields together; leave a "
      "column out, or read a part of it (SUBSTRING)",
      with_thousands(bytes), with_thousands(bytes_max), bytes_text(bytes_max));
}

}  // namespace sluice::relational
