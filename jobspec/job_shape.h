#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "jobspec/findings.h"
#include "jobspec/option_values.h"

namespace sluice {

/// One end as it stands in the file.
struct step_shape {
  std::string type_text;  ///< stepType or plugin name, trimmed.
  std::string type_path;
  std::string path;  ///< `steps[0]`, `job.content[0].reader`.
  std::string parameter_path;
  nlohmann::json parameter = nlohmann::json::object();
  bool parameter_is_wrong = false;  ///< It is no object, which has been reported.
};

/// A part of the file with its path.
struct placed_json {
  std::string path;
  nlohmann::json value;  ///< Null where the file has none.
};

/// Where the parts of a job stand, the same for every shape of file.
struct job_shape {
  dialect form = dialect::script2;
  std::optional<step_shape> reader;
  std::optional<step_shape> writer;
  placed_json setting;
  placed_json common;  ///< With its member `column`.
  placed_json core;    ///< DataX only.
  /// DataX: of `content`. 2.0 has no place for them; ours is `transformer` beside `steps`.
  placed_json transformers;
};

/// Which dialect a document is in; nothing where it is neither, which `find_shape` then reports.
std::optional<dialect> recognise(const nlohmann::json& root);

/// Finds the parts. What does not fit the format is a finding; a missing end is one as well.
job_shape find_shape(const nlohmann::json& root, findings& out);

}  // namespace sluice
