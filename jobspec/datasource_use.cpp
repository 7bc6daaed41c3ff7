#include "jobspec/datasource_use.h"

#include <algorithm>

#include "jobspec/json_path.h"
#include "jobspec/secrets.h"
#include "jobspec/sqlite_url.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

/// What a data source gives to the options of a plugin.
struct given_options {
  json values = json::object();                           ///< By the plugin's name for the key.
  std::vector<std::pair<std::string, std::string>> from;  ///< Plugin's key and the registry's.
};

given_options options_given_by(const datasource& source) {
  given_options out;
  for (const auto& [key, value] : source.properties.json().items()) {
    if (source.type->binding == datasource_binding::base_folder && key == "baseDir") {
      continue;
    }
    if (source.type->binding == datasource_binding::sqlite_file && key == "path") {
      out.values["jdbcUrl"] = sqlite_url_of(value.get<std::string>());
      out.from.emplace_back("jdbcUrl", key);
      continue;
    }
    out.values[key] = value;
    out.from.emplace_back(key, key);
  }
  return out;
}

std::string plugins_text(const datasource_type& type) {
  return fmt::format("{}", fmt::join(type.plugins, ", "));
}

class resolver {
 public:
  resolver(const std::string& path, std::string_view plugin, const datasource_lookup& lookup, findings& out)
      : path_(path), plugin_(plugin), lookup_(lookup), out_(out) {}

  resolved_parameter run(const json& parameter) {
    answer_.parameter = parameter;
    std::tie(env_, env_origin_) = env_of_step(parameter, path_, lookup_, out_);
    const std::string flat = name_in(parameter, path_);
    // Entries first: one without a name of its own has the step's.
    if (auto at = answer_.parameter.find("connection"); at != answer_.parameter.end()) {
      const std::string here = path_join(path_, "connection");
      if (at->is_object()) {
        entry(*at, here);
      } else if (at->is_array()) {
        for (std::size_t i = 0; i < at->size(); ++i) {
          entry((*at)[i], path_join(here, i));
        }
      }
    }
    if (const datasource* source = flat.empty() ? nullptr : put(flat, answer_.parameter, path_)) {
      for (const auto& [connection, here] : unnamed_) {
        warn_of_inline(*source, options_given_by(*source), *connection, here);
      }
    }
    answer_.parameter.erase("datasource");
    return std::move(answer_);
  }

 private:
  std::string name_in(const json& object, const std::string& path) {
    const auto at = object.find("datasource");
    if (at == object.end() || at->is_null()) {
      return {};
    }
    if (!at->is_string()) {
      out_.error(path_join(path, "datasource"), "expected a text: the name of a data source in the registry");
      return {};
    }
    return std::string(trimmed(at->get<std::string>()));
  }

  void entry(json& connection, const std::string& path) {
    if (!connection.is_object()) {
      return;
    }
    if (const std::string name = name_in(connection, path); !name.empty()) {
      put(name, connection, path);
    } else {
      unnamed_.emplace_back(&connection, path);
    }
    connection.erase("datasource");
  }

  /// Puts what `name` says into `object`, which stands at `path`. nullptr after a finding.
  const datasource* put(const std::string& name, json& object, const std::string& path) {
    const std::string place = path_join(path, "datasource");
    const datasource* source = find(name, place);
    if (source == nullptr) {
      return nullptr;
    }
    const auto known = std::find_if(answer_.sources.begin(), answer_.sources.end(),
                                    [&](const named_datasource& one) { return one.name == name; });
    if (known == answer_.sources.end()) {
      answer_.sources.push_back({name, env_, env_origin_, source->type->name, registry_->file()});
    }
    const given_options given = options_given_by(*source);
    warn_of_inline(*source, given, object, path);
    const std::string origin =
        fmt::format("{}, data source {} ({})", out_.place(place), in_quotes(name), to_string(env_));
    for (const auto& [key, from] : given.from) {
      const std::string here = path_join(path, key);
      object[key] = given.values.at(key);
      answer_.supplied.origins[here] = origin;
      take_secrets(*source, from, here);
    }
    if (source->type->binding == datasource_binding::base_folder) {
      put_below(*source, object, path, origin);
    }
    return source;
  }

  const datasource* find(const std::string& name, const std::string& place) {
    if (!registry_) {
      if (!lookup_.registry) {
        out_.error(place,
                   fmt::format("there is no registry that says what the data source {} is; write the address "
                               "into the job",
                               in_quotes(name)));
        return nullptr;
      }
      auto found = lookup_.registry();
      if (!found) {
        out_.error(place, fmt::format("the data source {} is not known: {}", in_quotes(name),
                                      found.error().message));
        return nullptr;
      }
      registry_ = std::move(*found);
    }
    const auto found = registry_->find(name, env_);
    if (!found) {
      out_.error(place, found.error().message);
      return nullptr;
    }
    const datasource* source = *found;
    for (const std::string& line : source->errors) {
      out_.error(place, fmt::format("the data source {} is wrong: {}", in_quotes(name), line));
    }
    for (const std::string& line : source->warnings) {
      out_.warning(place, line);
    }
    if (!source->errors.empty()) {
      return nullptr;
    }
    const auto& plugins = source->type->plugins;
    if (std::find(plugins.begin(), plugins.end(), plugin_) == plugins.end()) {
      out_.error(place,
                 fmt::format("the data source {} is of the type {} ({}), which serves {}; this step is {}",
                             in_quotes(name), source->type->name, source->place, plugins_text(*source->type),
                             plugin_));
      return nullptr;
    }
    return source;
  }

  /// The job's own words about the connection have no effect.
  void warn_of_inline(const datasource& source, const given_options& given, json& object,
                      const std::string& path) {
    std::vector<std::string> keys;
    for (const option& key : source.type->keys) {
      keys.push_back(key.name);
    }
    for (const auto& [key, from] : given.from) {
      keys.push_back(key);
    }
    // These would lead the data source's account to another server.
    if (option_named(source.type->keys, "address") != nullptr) {
      keys.insert(keys.end(), {"jdbcUrl", "host", "port", "readOnlyDBInstance"});
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const std::string& key : keys) {
      // `path` of a step of files is no address but what is read.
      const bool own = source.type->binding == datasource_binding::base_folder && key != "baseDir";
      const auto at = object.find(key);
      if (own || at == object.end() || at->is_null() || *at == "") {
        continue;
      }
      if (!given.values.contains(key) || given.values.at(key) != *at) {
        out_.odd(path_join(path, key),
                 fmt::format("has no effect: the connection is that of the data source {}; take this key or "
                             "\"datasource\" out",
                             in_quotes(source.name)));
      }
      object.erase(at);
    }
  }

  void take_secrets(const datasource& source, const std::string& from, const std::string& here) {
    const std::string begin = path_join(source.properties.path(), from);
    for (const auto& [at, text] : source.properties.secrets_by_path()) {
      if (at == begin || (at.starts_with(begin) && (at[begin.size()] == '.' || at[begin.size()] == '['))) {
        answer_.supplied.secrets.emplace(here + at.substr(begin.size()), text);
      }
    }
  }

  /// Relative paths of the step are below the data source's folder.
  void put_below(const datasource& source, json& object, const std::string& path, const std::string& origin) {
    const auto base = source.properties.text("baseDir");
    auto at = object.find("path");
    if (!base || !*base || at == object.end()) {
      return;
    }
    const auto complete = [&](json& value, const std::string& here) {
      if (value.is_string() && !trimmed(value.get<std::string>()).empty() &&
          !value.get<std::string>().starts_with('/')) {
        value = path_below(value.get<std::string>(), **base);
        answer_.supplied.origins[here] = origin;
      }
    };
    const std::string here = path_join(path, "path");
    if (at->is_array()) {
      for (std::size_t i = 0; i < at->size(); ++i) {
        complete((*at)[i], path_join(here, i));
      }
    } else {
      complete(*at, here);
    }
  }

  const std::string& path_;
  std::string_view plugin_;
  const datasource_lookup& lookup_;
  findings& out_;
  std::shared_ptr<const datasource_registry> registry_;
  datasource_env env_ = datasource_env::production;
  std::string env_origin_;
  resolved_parameter answer_;
  std::vector<std::pair<json*, std::string>>
      unnamed_;  ///< Entries of `connection` without a name of their own.
};

}  // namespace

std::pair<datasource_env, std::string> env_of_step(const json& parameter, const std::string& path,
                                                   const datasource_lookup& lookup, findings& out) {
  if (lookup.env) {
    return {*lookup.env, "--env"};
  }
  const auto given = parameter.find("envType");
  if (given == parameter.end() || given->is_null() || *given == "") {
    return {datasource_env::production, "default"};
  }
  const std::string word = given->is_string() ? given->get<std::string>() : given->dump();
  if (const auto env = datasource_env_of(word)) {
    return {*env, "envType"};
  }
  out.error(path_join(path, "envType"),
            fmt::format("found {}, expected 0 (production) or 1 (development)", in_quotes(word)));
  return {datasource_env::production, "default"};
}

resolved_parameter resolve_datasources(const json& parameter, const std::string& path,
                                       std::string_view plugin, const std::vector<option>& described,
                                       const datasource_lookup& lookup, findings& out) {
  // A plugin that has no such option has no data sources; the key is then unknown like any other.
  if (option_named(described, "datasource") == nullptr || !parameter.is_object()) {
    return {parameter, {}, {}};
  }
  return resolver(path, plugin, lookup, out).run(parameter);
}

resolved_parameter options_of_datasource(const datasource& source) {
  resolved_parameter out;
  const given_options given = options_given_by(source);
  out.parameter = given.values;
  const std::string root = source.properties.path();
  for (const auto& [key, from] : given.from) {
    out.supplied.origins[path_join(root, key)] = source.properties.place(from);
  }
  for (const auto& [at, text] : source.properties.secrets_by_path()) {
    out.supplied.secrets.emplace(at, text);
  }
  return out;
}

}  // namespace sluice
