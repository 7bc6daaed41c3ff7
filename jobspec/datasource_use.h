#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/datasource.h"
#include "jobspec/findings.h"

namespace sluice {

/// Where the data sources of a job come from. Filled in by the program; the parser itself does no I/O.
struct datasource_lookup {
  /// The registry, asked for when the first step names a data source; `bad_option` says where it was looked
  /// for. May be empty: then there is none.
  std::function<result<std::shared_ptr<const datasource_registry>>()> registry;
  /// `--env`; nothing: each step's `envType`, else production.
  std::optional<datasource_env> env;
};

/// A data source that one end of a job names.
struct named_datasource {
  std::string name;
  datasource_env env = datasource_env::production;
  std::string env_origin;  ///< `--env`, `envType` or `default`.
  std::string type;
  std::string file;  ///< The registry's.
};

/// What became of the `parameter` of a step that names data sources.
struct resolved_parameter {
  nlohmann::json parameter;  ///< With what the data sources say, in the plugin's words; secrets as `***`.
  supplied_values supplied;
  std::vector<named_datasource> sources;  ///< Each once.
};

/// The variant that a step's `envType` chooses, and who said so. A finding where the value is none.
std::pair<datasource_env, std::string> env_of_step(const nlohmann::json& parameter, const std::string& path,
                                                   const datasource_lookup& lookup, findings& out);

/// Puts what the registry says in place of each `"datasource": NAME` of the step: its own, and that of each
/// entry of `connection`. What belongs to a connection is taken from the registry alone: the same key given
/// in the job, too, has no effect and draws a warning (`--strict`: an error), so that an address in a job
/// never gets the registry's password. Every failure is a finding; the rest of the parameter stays as it is.
///
/// `plugin` is the step's plugin; `described` its options.
resolved_parameter resolve_datasources(const nlohmann::json& parameter, const std::string& path,
                                       std::string_view plugin, const std::vector<option>& described,
                                       const datasource_lookup& lookup, findings& out);

/// The options, in the words of its plugin, that connect to `source`; for a test of the connection. `secrets`
/// of the answer are by key.
resolved_parameter options_of_datasource(const datasource& source);

}  // namespace sluice
