#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/cli/datasource_files.h"

namespace sluice {

/// `sluice datasource list`.
struct datasource_list_arguments {
  registry_arguments registry;
  bool json = false;
};

/// `sluice datasource test NAME`.
struct datasource_test_arguments {
  registry_arguments registry;
  std::string name;
  bool json = false;
};

/// `sluice datasource add [NAME]`.
struct datasource_add_arguments {
  registry_arguments registry;
  std::string name;  ///< Empty: asked for.
  std::string type;  ///< Empty: asked for, or in the JSON.
  std::string description;
  std::vector<std::pair<std::string, std::string>> set;  ///< Keys and values of `connectionProperties`.
  std::optional<std::string> properties_file;            ///< `-` is standard input.
  bool replace = false;
  bool drop_comments = false;
};

/// `sluice datasource remove NAME`.
struct datasource_remove_arguments {
  registry_arguments registry;  ///< `env`: which variant; nothing: the only one.
  std::string name;
  bool both = false;  ///< `--env both`: the entry without an environment.
  bool yes = false;   ///< Do not ask.
};

}  // namespace sluice
