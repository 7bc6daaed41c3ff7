#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "jobspec/option.h"

namespace sluice {

/// The options as a Markdown table (name, type, whether required, default, meaning), members of objects as
/// `connection.jdbcUrl` behind their object. Ends with a newline; empty for no options.
std::string options_markdown(const std::vector<option>& options);

/// A regular expression for one of the words in any case, with blanks around.
std::string any_case_pattern(const std::vector<std::string>& words);

/// The options as a JSON Schema (draft 2020-12) of the `parameter` object: as loose as the parser, so numbers
/// and booleans may be texts and a list may be one value; other keys are allowed, as the parser only warns of
/// them.
nlohmann::json options_schema(const std::vector<option>& options);

}  // namespace sluice
