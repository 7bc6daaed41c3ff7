#pragma once

#include <string>
#include <string_view>

#include "jobspec/parameter_scope.h"

namespace sluice {

/// A parameter file is read into memory; a larger one is none.
inline constexpr std::size_t parameter_file_bytes_max = std::size_t{1} << 20;

/// Reads a parameter file:
///
///     file = JSON object of names and texts, numbers or booleans, loose as a job file
///          | lines, each blank, "#" and a comment, or name "=" value
///
/// A value is all that stands behind the first "=" of its line, blanks and quotes included. Each parameter's
/// origin is `file:line`. `bad_option` at the first mistake, with its place and without any value, because
/// values may be secrets. Does no I/O.
result<given_parameters> read_parameter_file(const std::string& file, std::string_view text);

}  // namespace sluice
