#pragma once

#include <string>

namespace sluice::testing {

/// Path of a file of the source tree, such as `tests/data/wire/x.bin`, for tests that read it.
std::string in_source_tree(const std::string& relative);

}  // namespace sluice::testing
