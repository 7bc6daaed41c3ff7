#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option.h"

namespace sluice {

/// What must hold between the keys of one type beside what each key says of itself.
struct datasource_rule {
  enum class kind {
    one_of,  ///< One of `keys` is needed, and only one.
    needs,   ///< Where `when` has one of `values`, each of `keys` is needed.
  };
  kind what = kind::one_of;
  std::vector<std::string> keys;
  std::string when = {};
  std::vector<std::string> values = {};
};

/// How a plugin gets to know what a data source says.
enum class datasource_binding {
  options,      ///< Each key is the plugin's option of the same name.
  sqlite_file,  ///< `path` becomes `jdbcUrl`.
  base_folder,  ///< Relative `path`s of the step are below `baseDir`.
};

/// One type of data sources: job-formats 1.12 as data, and the types of our own.
struct datasource_type {
  std::string name;                  ///< As in the registry: `maxcompute`.
  std::vector<std::string> plugins;  ///< The plugins (step types) that use it: `odps`.
  std::string meaning;               ///< One line for lists and docs.
  std::vector<option> keys;          ///< Of `connectionProperties`.
  std::vector<datasource_rule> rules = {};
  std::vector<std::string> paths =
      {};  ///< Keys that name files: relative ones are below the registry's folder.
  datasource_binding binding = datasource_binding::options;
  bool instance_mode = false;             ///< Defined by an instance of the cloud only (Hologres).
  std::vector<std::string> aliases = {};  ///< Types of products that are reached the same way: `polardb`.
};

/// All types, sorted by name. Static lifetime.
const std::vector<datasource_type>& datasource_types();

/// The type of that name or alias, ignoring case; nullptr where there is none.
const datasource_type* find_datasource_type(std::string_view name);

}  // namespace sluice
