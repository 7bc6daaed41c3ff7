#pragma once

#include <string_view>

namespace sluice {

/// Whether a key is known to stand in files without a meaning for a run (job-formats 1.4 to 1.6, 6.1): editor
/// state, comments. An option of the same name goes before.
bool is_noise_key(std::string_view key);

/// Whether a blank text under this key is a value and not "unset" (job-formats 8.1 row 2): an empty
/// `nullFormat` is the text of NULL, an empty `quoteChar` is no quoting, an empty `suffix` is none.
bool is_blank_value_key(std::string_view key);

/// What a key of many plugins does where a plugin has it: for a sentence where a plugin has not. Empty: the
/// key is not known.
std::string_view purpose_elsewhere(std::string_view key);

/// Whether an option does not decide what data arrive (sizes, timeouts, accounts, postSql): left out of the
/// job key.
bool is_no_data_option(std::string_view key);

}  // namespace sluice
