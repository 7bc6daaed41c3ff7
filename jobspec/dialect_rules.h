#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "jobspec/option_values.h"

namespace sluice {

/// What differs between the two formats for every plugin (job-formats 8.3): one table. Defaults of a plugin's
/// options that differ stand in its description (`datax_default_text`).
struct dialect_rules {
  std::string_view name;                            ///< For messages.
  std::string_view setting_path;                    ///< Where the settings stand.
  std::optional<std::uint32_t> concurrent_default;  ///< Nothing: a file that says nothing is wrong.
  std::string_view time_zone_default;               ///< Empty: the configuration's.
  /// Whether a `splitPk` that cannot split fails the run; else the table is read as one split, with a
  /// warning.
  bool unfit_split_key_fails;
};

inline constexpr dialect_rules script2_rules{"script mode 2.0", "setting", 3, "", false};
inline constexpr dialect_rules datax_rules{"DataX", "job.setting", std::nullopt, "GMT+8", true};

inline constexpr const dialect_rules& rules_of(dialect d) {
  return d == dialect::datax ? datax_rules : script2_rules;
}

}  // namespace sluice
