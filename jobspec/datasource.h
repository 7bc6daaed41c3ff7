#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/datasource_types.h"
#include "jobspec/option_values.h"
#include "transport/base/result.h"

namespace sluice {

/// Which of two registered variants of a data source is meant (`envType`).
enum class datasource_env { production, development };
/// `production`, `development`.
std::string_view to_string(datasource_env env);
/// `Prod`, `dev`, `production`, `0` (production), `1` and the like, ignoring case; nothing for other words.
std::optional<datasource_env> datasource_env_of(std::string_view word);

/// One entry of the registry.
struct datasource {
  std::string name;
  const datasource_type* type = nullptr;  ///< nullptr where it has none that is known (an error).
  std::string type_text;
  std::optional<datasource_env> env;  ///< Nothing: serves both where no variant of its own exists.
  std::string description;
  std::string place;                  ///< `datasources.json:5:3 datasources[0]`.
  option_values properties;           ///< `connectionProperties`; relative paths are complete.
  std::vector<std::string> errors;    ///< A line each; an entry with errors cannot be used, others can.
  std::vector<std::string> warnings;  ///< A line each.
};

/// The registry of data sources (job-formats 1.12): what `"datasource": "shop"` in a job means. Immutable.
class datasource_registry {
 public:
  /// Reads the text of the registry; `folder` is where its relative paths begin. `bad_option` where it is no
  /// registry; what is wrong with one entry is that entry's. Does no I/O.
  static result<datasource_registry> parse(const std::string& file, std::string_view text,
                                           const std::string& folder);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::vector<datasource>& all() const { return all_; }

  /// The variant of that name for `env`. `bad_option` where there is none: the message names near names, or
  /// the variants there are. Names count as written.
  [[nodiscard]] result<const datasource*> find(std::string_view name, datasource_env env) const;

 private:
  std::string file_;
  std::vector<datasource> all_;
};

/// A text that begins like a relative path below `folder`.
std::string path_below(std::string_view path, const std::string& folder);

}  // namespace sluice
