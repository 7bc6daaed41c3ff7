#include "jobspec/datasource.h"

#include <algorithm>
#include <array>

#include "jobspec/check_options.h"
#include "jobspec/findings.h"
#include "jobspec/json_path.h"
#include "jobspec/loose_json.h"
#include "jobspec/secrets.h"
#include "jobspec/sqlite_url.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

constexpr int registry_version = 1;

/// The keys of an entry. Their forms with a capital are those of the cloud's own API, whose answers people
/// paste.
const std::vector<option>& entry_options() {
  static const std::vector<option> options = {
      {.name = "name", .meaning = "The name that jobs give.", .required = true, .aliases = {"Name"}},
      {.name = "type", .meaning = "Its type, such as mysql.", .required = true, .aliases = {"Type"}},
      {.name = "envType", .meaning = "`Prod` or `Dev`; without it the entry serves both."},
      {.name = "description", .meaning = "For people.", .aliases = {"Description"}},
      {.name = "connectionPropertiesMode",
       .meaning = "How it is defined.",
       .allowed = {"UrlMode", "InstanceMode"},
       .aliases = {"ConnectionPropertiesMode"}},
      {.name = "connectionProperties",
       .type = option_type::object,
       .meaning = "How to connect: the keys of the type.",
       .required = true,
       .aliases = {"ConnectionProperties"}}};
  return options;
}

/// Makes one entry of its JSON.
class entry_reader {
 public:
  entry_reader(const std::string& file, std::shared_ptr<const json_places> places, std::string folder)
      : file_(file), places_(std::move(places)), folder_(std::move(folder)) {}

  datasource read(json entry, const std::string& path) {
    datasource out;
    out.place = place_text(file_, places_.get(), path);
    findings wrong(file_, places_, false);
    if (!entry.is_object()) {
      wrong.error(path, "expected an object with \"name\", \"type\" and \"connectionProperties\"");
    } else {
      // The cloud's API delivers them as JSON in a text.
      for (const char* key : {"connectionProperties", "ConnectionProperties"}) {
        if (entry.contains(key) && entry[key].is_string()) {
          json inner = json::parse(entry[key].get_ref<const std::string&>(), nullptr, false);
          entry[key] = inner.is_object() ? std::move(inner) : std::move(entry[key]);
        }
      }
      // Properties are checked by their own description.
      json head = entry;
      for (const char* key : {"connectionProperties", "ConnectionProperties"}) {
        if (head.contains(key) && head[key].is_object()) {
          head[key] = json{{"", true}};
        }
      }
      const option_values values(file_, path, head, places_, entry_options(), dialect::script2);
      check_options(values, entry_options(), path, wrong);
      read_head(values, out);
      read_env(entry, values, path, out, wrong);
      read_properties(entry, values, path, out, wrong);
    }
    out.errors = wrong.take_errors();
    out.warnings = wrong.take_warnings();
    return out;
  }

 private:
  static void read_head(const option_values& values, datasource& out) {
    const auto text_of = [&](const char* key) {
      const auto text = values.text(key);
      return text && *text ? std::string(trimmed(**text)) : std::string();
    };
    out.name = text_of("name");
    out.type_text = text_of("type");
    out.description = text_of("description");
    out.type = find_datasource_type(out.type_text);
  }

  /// `envType` stands in the entry or, as in the cloud's API, among the properties.
  static void read_env(const json& entry, const option_values& values, const std::string& path,
                       datasource& out, findings& wrong) {
    std::string at = path_join(path, "envType");
    json found = entry.value("envType", json());
    for (const char* key : {"connectionProperties", "ConnectionProperties"}) {
      if (found.is_null() && entry.contains(key) && entry[key].is_object()) {
        found = entry[key].value("envType", json());
        at = path_join(path_join(path, key), "envType");
      }
    }
    const auto* text = found.get_ptr<const json::string_t*>();
    if (found.is_null() || (text != nullptr && text->empty())) {
      return;
    }
    out.env = datasource_env_of(text != nullptr ? *text : found.dump());
    if (!out.env) {
      wrong.error(at, fmt::format("found {}, expected \"Prod\" or \"Dev\"",
                                  text != nullptr ? in_quotes(*text) : found.dump()));
    }
    (void)values;
  }

  void read_properties(const json& entry, const option_values& values, const std::string& path,
                       datasource& out, findings& wrong) {
    if (out.type == nullptr) {
      if (!out.type_text.empty()) {
        std::vector<std::string> names;
        for (const datasource_type& type : datasource_types()) {
          names.push_back(type.name);
        }
        const auto near = nearest(out.type_text, names);
        wrong.error(path_join(path, "type"),
                    fmt::format("there is no type {}{}", in_quotes(out.type_text),
                                near.empty() ? fmt::format("; there are {}", fmt::join(names, ", "))
                                             : fmt::format("; did you mean {}?", in_quotes(near))));
      }
      return;
    }
    const auto mode = values.text("connectionPropertiesMode");
    if (mode && *mode && same_word(**mode, "InstanceMode") && !out.type->instance_mode) {
      wrong.error(
          path_join(path, "connectionPropertiesMode"),
          "found \"InstanceMode\": only the cloud knows where its instances are; give the address with "
          "\"UrlMode\"");
    }
    const char* key =
        entry.contains("connectionProperties") ? "connectionProperties" : "ConnectionProperties";
    json given = entry.value(key, json());
    if (!given.is_object()) {
      return;
    }
    given.erase("envType");
    const std::string here = path_join(path, key);
    supplied_values supplied;
    for (const std::string& name : out.type->paths) {
      if (given.contains(name) && given[name].is_string() &&
          !trimmed(given[name].get<std::string>()).empty()) {
        given[name] = path_below(trimmed(given[name].get<std::string>()), folder_);
      }
    }
    complete_url(given);
    out.properties = option_values(file_, here, given, places_, out.type->keys, dialect::script2, nullptr,
                                   supplied, folder_);
    check_options(out.properties, out.type->keys, here, wrong);
    check_references(out.properties.json(), here, wrong);
    check_rules(out, here, wrong);
  }

  /// The file of `jdbc:sqlite:shop.db` is below the folder, too.
  void complete_url(json& given) const {
    if (given.contains("jdbcUrl") && given["jdbcUrl"].is_string()) {
      given["jdbcUrl"] = sqlite_url_below(trimmed(given["jdbcUrl"].get<std::string>()), folder_);
    }
  }

  static void check_rules(const datasource& source, const std::string& path, findings& wrong) {
    for (const datasource_rule& rule : source.type->rules) {
      const auto is_set = [&](const std::string& key) { return source.properties.has(key); };
      if (rule.what == datasource_rule::kind::one_of) {
        const auto count = std::count_if(rule.keys.begin(), rule.keys.end(), is_set);
        if (count != 1) {
          wrong.error(path, fmt::format("{} of \"{}\"; give one of them",
                                        count == 0 ? "has none" : "has more than one",
                                        fmt::join(rule.keys, "\" and \"")));
        }
        continue;
      }
      const auto chosen = source.properties.text(rule.when);
      if (!chosen || !*chosen ||
          std::find(rule.values.begin(), rule.values.end(), **chosen) == rule.values.end()) {
        continue;
      }
      for (const std::string& key : rule.keys) {
        if (!is_set(key)) {
          wrong.error(path, fmt::format("\"{}\" is missing: it is needed where \"{}\" is \"{}\"", key,
                                        rule.when, **chosen));
        }
      }
    }
  }

  const std::string& file_;
  std::shared_ptr<const json_places> places_;
  std::string folder_;
};

/// Names and variants that stand twice make the later entry unusable.
void refuse_repeated(std::vector<datasource>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!all[i].name.empty() && all[i].name == all[j].name && all[i].env == all[j].env) {
        all[i].errors.push_back(fmt::format(
            "{}: the name {} {} stands at {} already; a name may stand once for each of Prod and Dev",
            all[i].place, in_quotes(all[i].name),
            all[i].env ? fmt::format("for {}", to_string(*all[i].env)) : "without envType", all[j].place));
      }
    }
  }
}

std::string variant_text(const datasource& source) {
  return fmt::format("{} ({})", source.env ? to_string(*source.env) : "without envType", source.place);
}

}  // namespace

std::string_view to_string(datasource_env env) {
  return env == datasource_env::production ? "production" : "development";
}

std::optional<datasource_env> datasource_env_of(std::string_view word) {
  const std::string plain = lower(trimmed(word));
  if (plain == "0" || plain == "prod" || plain == "production") {
    return datasource_env::production;
  }
  if (plain == "1" || plain == "dev" || plain == "development") {
    return datasource_env::development;
  }
  return std::nullopt;
}

std::string path_below(std::string_view path, const std::string& folder) {
  if (folder.empty() || path.starts_with('/')) {
    return std::string(path);
  }
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", path);
}

result<datasource_registry> datasource_registry::parse(const std::string& file, std::string_view text,
                                                       const std::string& folder) {
  if (trimmed(text).empty()) {
    return fail(
        error_kind::bad_option,
        "{}: the file is empty; a registry of data sources is {{\"version\": 1, \"datasources\": []}}",
        escaped(file));
  }
  SLUICE_TRY(const loose_document read, read_loose_json(file, text));
  findings wrong(file, read.places, false);
  const auto list = read.root.is_object() ? read.root.find("datasources") : read.root.end();
  if (list == read.root.end() || !list->is_array()) {
    wrong.error("", "this is no registry of data sources: expected an object with the list \"datasources\"");
  } else {
    static constexpr std::array<std::string_view, 2> keys = {"version", "datasources"};
    check_keys(read.root, "", keys, wrong);
    const auto version = read.root.find("version");
    if (version != read.root.end() && *version != registry_version) {
      wrong.error("version",
                  fmt::format("found {}, expected {}: it was written for a newer release of Sluice",
                              escaped(version->dump()), registry_version));
    }
  }
  if (wrong.any_error()) {
    return fail(error{error_kind::bad_option, wrong.take_errors().front(), {}});
  }
  datasource_registry registry;
  registry.file_ = file;
  entry_reader reader(file, read.places, folder);
  for (std::size_t i = 0; i < list->size(); ++i) {
    registry.all_.push_back(reader.read((*list)[i], path_join("datasources", i)));
  }
  refuse_repeated(registry.all_);
  return registry;
}

result<const datasource*> datasource_registry::find(std::string_view name, datasource_env env) const {
  const datasource* both = nullptr;
  std::vector<std::string> names;
  std::vector<std::string> variants;
  for (const datasource& one : all_) {
    if (one.name != name) {
      if (std::find(names.begin(), names.end(), one.name) == names.end()) {
        names.push_back(one.name);
      }
      continue;
    }
    if (one.env == env) {
      return &one;
    }
    both = one.env ? both : &one;
    variants.push_back(variant_text(one));
  }
  if (both != nullptr) {
    return both;
  }
  if (!variants.empty()) {
    return fail(
        error_kind::bad_option,
        "the data source {} has no variant for {}; it has {}. Add one with \"envType\": \"{}\", or choose "
        "with --env",
        in_quotes(name), to_string(env), fmt::join(variants, ", "),
        env == datasource_env::production ? "Prod" : "Dev");
  }
  const auto near = nearest(name, names);
  return fail(error_kind::bad_option, "there is no data source {} in {}{}", in_quotes(name), in_quotes(file_),
              !near.empty()   ? fmt::format("; did you mean {}?", in_quotes(near))
              : names.empty() ? "; it has none"
                              : fmt::format("; it has {}", fmt::join(names, ", ")));
}

}  // namespace sluice
