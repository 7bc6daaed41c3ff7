#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/api/file_use.h"
#include "transport/base/result.h"

namespace sluice {

/// Whether the text has `*`, `?` or `[`: it is a pattern (glob(7)) and not the name of one file.
bool is_pattern(const std::string& path);

/// The files that one path or pattern stands for, in order of their names by bytes (independent of the
/// locale; `?` meets one character of UTF-8); folders that a pattern meets are left out. A path that is no
/// pattern is itself, whether it exists or not. `bad_option` where the folder that a pattern begins with is
/// not there, `denied` where one on the way may not be read.
result<std::vector<std::string>> files_matching(const std::string& path);

/// A pattern with the folders it looks into; nothing where `path` is no pattern.
std::optional<file_pattern> pattern_of(const std::string& path);

}  // namespace sluice
