#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jobspec/option_values.h"
#include "transport/base/result.h"

namespace sluice {

/// `path` with a member behind it: `steps[0]` and `name` give `steps[0].name`. The key is escaped as in
/// messages, so that a path can be shown.
std::string path_join(std::string_view path, std::string_view key);
/// `path` with an index behind it: `steps[0]`.
std::string path_join(std::string_view path, std::size_t index);
/// The path one step up: `steps[0].name` gives `steps[0]`, `steps` gives the empty path of the root.
std::string_view path_parent(std::string_view path);

/// `steps[].parameter.column[].type` for `steps[0].parameter.column[7].type`.
std::string path_without_indices(std::string_view path);

/// A member's name or an array's index.
using path_step = std::variant<std::string, std::size_t>;
/// Takes `steps[0].parameter.where` apart; `bad_option` where it is no such path.
result<std::vector<path_step>> parse_path(std::string_view path);

/// The position of the value at `path`, or of its nearest parent; 0, 0 where that was set by `--set` or
/// nothing is known.
std::pair<std::uint32_t, std::uint32_t> position_of(const json_places* places, std::string_view path);
/// `orders.json:14:22 steps[0].name`, for the beginning of a message; `--set steps[0].name` where it was set
/// so.
std::string place_text(std::string_view file, const json_places* places, std::string_view path);

}  // namespace sluice
