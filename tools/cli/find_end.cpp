#include "tools/cli/find_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "jobspec/catalogue.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "tools/cli/draft_job.h"
#include "tools/cli/plugin_names.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

std::string_view side_word(bool reader) {
  return reader ? "reader" : "writer";
}

bool has_side(const plugin& p, bool reader) {
  return (reader ? p.reads : p.writes) != nullptr;
}

/// Whether the plugin looks at real ends of that side.
bool looks(const plugin& p, bool reader) {
  return reader ? p.sketch_source != nullptr : p.sketch_target != nullptr;
}

std::string names_text(const std::vector<plugin>& plugins, bool reader) {
  std::vector<std::string> names;
  for (const plugin& p : plugins) {
    if (has_side(p, reader)) {
      names.push_back(p.name);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The types of data sources whose ends can be looked at.
std::string types_text(const std::vector<plugin>& plugins, bool reader) {
  std::vector<std::string> names;
  for (const datasource_type& type : datasource_types()) {
    const bool any = std::any_of(type.plugins.begin(), type.plugins.end(), [&](const std::string& name) {
      const plugin* p = find_plugin(plugins, name);
      return p != nullptr && looks(*p, reader);
    });
    if (any) {
      names.push_back(type.name);
    }
  }
  return names.empty() ? "no type" : fmt::format("{}", fmt::join(names, ", "));
}

/// The text before and behind the first colon; nothing without one.
std::optional<std::pair<std::string, std::string>> cut_at_colon(const std::string& text) {
  const std::size_t colon = text.find(':');
  return colon == std::string::npos ? std::nullopt
                                    : std::optional(std::pair(text.substr(0, colon), text.substr(colon + 1)));
}

/// `.parquet`, as it is written; empty where the name has no ending that looks like one.
std::string ending_of(const std::string& text) {
  const std::string ending = std::filesystem::path(text).extension().string();
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  constexpr std::size_t chars_max = 10;
  return ending.size() <= chars_max && std::any_of(ending.begin(), ending.end(), is_letter) ? ending : "";
}

/// What is wrong with a text that is meant as a file, most likely, and is none that can be an end: then a
/// word on plugins and data sources would not help. Nothing where it may be meant as something else.
std::optional<error> no_such_file_end(const std::string& text, bool reader) {
  if (text == "-") {
    return error{error_kind::bad_option,
                 fmt::format("\"-\": standard {} cannot be an end here; name a file, such as {}",
                             reader ? "input" : "output", reader ? "orders.csv" : "out.csv"),
                 {}};
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(text, ignored)) {
    const std::string example = (std::filesystem::path(text) / (reader ? "*.csv" : "out.csv")).string();
    return error{error_kind::bad_option,
                 fmt::format("{} is a folder; name {}, such as {}", in_quotes(text),
                             reader ? "its files" : "a file in it", in_quotes(example)),
                 found_by_looking};
  }
  const std::string ending = ending_of(text);
  if (ending.empty() || text.find(':') != std::string::npos) {
    return std::nullopt;
  }
  return error{
      error_kind::bad_option,
      fmt::format(
          "{}: files that end in {} are not supported; there are text files (.csv, .tsv, .txt, "
          ".json, .jsonl, .ndjson, each also with .gz, .zst, .bz2 or .zip behind it) tables "
          "of SQLite files (FILE.db:TABLE) and of servers. If it is text all the same, say its form: csv:{}",
          in_quotes(text), escaped(ending), escaped(text)),
      {}};
}

bool among(std::string_view name, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return same_word(n, name); });
}

}  // namespace

result<found_end> end_finder::find(const std::string& text, bool reader) {
  auto recognised = by_plugin(text, reader);
  if (recognised && !recognised->where->form.empty()) {
    return std::move(*recognised);
  }
  SLUICE_TRY(auto named, by_datasource(text, reader, recognised.has_value()));
  if (named) {
    return std::move(*named);
  }
  if (recognised) {
    return std::move(*recognised);
  }
  if (find_plugin(*parts_.plugins, text) != nullptr) {
    return by_name(text, reader);
  }
  return refuse(text, reader);
}

std::optional<found_end> end_finder::by_plugin(const std::string& text, bool reader) const {
  for (const plugin& p : *parts_.plugins) {
    auto where = p.recognise == nullptr ? std::nullopt : p.recognise(text);
    if (where && looks(p, reader)) {
      return found_end{&p, std::move(where), {}};
    }
  }
  return std::nullopt;
}

result<std::optional<found_end>> end_finder::by_datasource(const std::string& text, bool reader,
                                                           bool is_path) {
  if (text.find(':') == std::string::npos || !has_registry()) {
    return std::optional<found_end>();
  }
  if (!registry()) {
    if (!is_path) {
      return refuse(text, reader);
    }
    warnings_.push_back(
        fmt::format("{} is taken as a path, because the registry of data sources cannot be "
                    "read: {}",
                    in_quotes(text), registry().error().message));
    return std::optional<found_end>();
  }
  const datasource_registry& known = *registry()->registry;
  // A name may hold colons: the longest that fits is meant.
  std::string name;
  for (const datasource& one : known.all()) {
    if (one.name.size() > name.size() && text.starts_with(one.name + ":")) {
      name = one.name;
    }
  }
  if (name.empty()) {
    return std::optional<found_end>();
  }
  const datasource_env env = arguments_.env.value_or(datasource_env::production);
  SLUICE_TRY(const datasource* source, known.find(name, env));
  SLUICE_TRY(auto found, in_datasource(*source, env, std::string_view(text).substr(name.size() + 1), reader));
  for (const auto* lines : {&source->warnings, &registry()->warnings}) {
    for (const std::string& line : *lines) {
      if (std::find(warnings_.begin(), warnings_.end(), line) == warnings_.end()) {
        warnings_.push_back(line);
      }
    }
  }
  return std::optional<found_end>(std::move(found));
}

result<found_end> end_finder::in_datasource(const datasource& source, datasource_env env,
                                            std::string_view rest, bool reader) const {
  if (!source.errors.empty()) {
    return fail(error_kind::bad_option, "the data source {} is wrong: {}", in_quotes(source.name),
                fmt::join(source.errors, "\n"));
  }
  const plugin* p = nullptr;
  for (const std::string& name : source.type->plugins) {
    p = p == nullptr ? find_plugin(*parts_.plugins, name) : p;
  }
  const std::string of = fmt::format("the data source {} ({})", in_quotes(source.name), source.place);
  if (p == nullptr) {
    return fail(error_kind::bad_option,
                "{} is of the type {}, which is not supported yet: there is no plugin that connects to it. "
                "Data sources of these types can be named here: {}",
                of, source.type->name, types_text(*parts_.plugins, reader));
  }
  if (!has_side(*p, reader)) {
    return fail(error_kind::bad_option, "{} is of the type {}, whose plugin {} has no {}", of,
                source.type->name, p->name, side_word(reader));
  }
  if (!looks(*p, reader)) {
    return fail(error_kind::bad_option,
                "{} is of the type {}, whose plugin {} does not look at real ends; write a template by the "
                "plugin's name (sluice template) and put \"datasource\": {} into it",
                of, source.type->name, p->name, nlohmann::json(source.name).dump());
  }
  const side_description* side = reader ? p->reads : p->writes;
  resolved_parameter given = options_of_datasource(source);
  end_datasource connects;
  connects.name = source.name;
  connects.options =
      option_values(source.properties.place(""), source.properties.path(), std::move(given.parameter),
                    nullptr, side->options, dialect::script2, nullptr, given.supplied);
  if (source.type->binding == datasource_binding::base_folder) {
    SLUICE_TRY(const auto base, source.properties.text("baseDir"));
    connects.base_folder = base.value_or("");
  }
  found_end found{p, std::nullopt, env};
  if (p->place_in != nullptr) {
    SLUICE_TRY(found.where, p->place_in(std::move(connects), rest));
  } else {
    found.where = end_place{"", std::string(rest), "", std::move(connects)};
  }
  return found;
}

result<found_end> end_finder::by_name(const std::string& text, bool reader) const {
  const plugin& p = *find_plugin(*parts_.plugins, text);
  if (!has_side(p, reader)) {
    return fail(error_kind::bad_option, "the plugin {} has no {}", in_quotes(text), side_word(reader));
  }
  const auto& wrong_names = reader ? p.datax_writers : p.datax_readers;
  const auto& names = reader ? p.datax_readers : p.datax_writers;
  if (among(text, wrong_names) && !among(text, names) && !among(text, p.aliases) &&
      !same_word(text, p.name)) {
    return fail(error_kind::bad_option, "{} is a {}, expected a {}; did you mean {}?", in_quotes(text),
                side_word(!reader), side_word(reader), names.empty() ? p.name : names.front());
  }
  return found_end{&p, std::nullopt, {}};
}

tl::unexpected<error> end_finder::refuse(const std::string& text, bool reader) {
  if (auto why = no_such_file_end(text, reader)) {
    return fail(std::move(*why));
  }
  const std::string shown = hide_secrets(text);
  const auto parts = cut_at_colon(shown);
  const std::string word = parts ? parts->first : shown;
  const std::string rest = parts ? parts->second : "";
  if (const known_system* system = find_system(lower(word)); system != nullptr && system->has_side(reader)) {
    const plugin* p = find_plugin(*parts_.plugins, system->name);
    if (p == nullptr || !has_side(*p, reader)) {
      return fail(error_kind::bad_option, "The {} {} ({}) is not supported yet; there are {}.{}",
                  side_word(reader), in_quotes(word), system->title, names_text(*parts_.plugins, reader),
                  parts ? " " + about_registry(word, rest) : "");
    }
    if (parts && looks(*p, reader)) {
      return fail(error_kind::bad_option,
                  "{} names no {}. A table of a server is named by its address, "
                  "{}://USER@HOST:PORT/DATABASE:TABLE, or in a data source. {}",
                  in_quotes(shown), side_word(reader), p->name, about_registry(word, rest));
    }
  }
  const std::string near(nearest(word, names_in(*parts_.plugins)));
  std::string first = fmt::format(
      "Give a file such as orders.csv or csv:orders.data, a table such as shop.db:orders, "
      "sqlite:FILE:TABLE or postgresql://USER@HOST/DATABASE:TABLE, what a data source has as NAME:TABLE or "
      "NAME:FILE, or a plugin: {}.",
      names_text(*parts_.plugins, reader));
  std::string then = about_registry(word, rest);
  if (parts) {
    // Behind a colon somebody meant a data source, most likely.
    std::swap(first, then);
  }
  return fail(error_kind::bad_option, "{} names no {}{}. {} {}", in_quotes(shown), side_word(reader),
              near.empty() ? "" : fmt::format(" (did you mean {}?)", parts ? near + ":" + rest : near), first,
              then);
}

std::string end_finder::about_registry(std::string_view name, std::string_view rest) {
  if (!has_registry()) {
    return fmt::format("There is no registry of data sources; {}. \"sluice datasource add\" makes it.",
                       looked_at_text(places_));
  }
  if (!registry()) {
    return fmt::format("The registry of data sources cannot be read: {}.", registry().error().message);
  }
  std::vector<std::string> names;
  for (const datasource& one : registry()->registry->all()) {
    names.push_back(one.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::string in = fmt::format("the registry {} ({})", in_quotes(registry()->registry->file()),
                                     chosen_place(places_).origin);
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    return fmt::format("{} is a data source in {}: say what in it is meant, {}:TABLE or {}:FILE.",
                       in_quotes(name), in, escaped(name), escaped(name));
  }
  const auto near = nearest(name, names);
  if (!near.empty()) {
    return fmt::format("There is no data source {} in {}: did you mean {}:{}?", in_quotes(name), in, near,
                       rest.empty() ? "TABLE" : rest);
  }
  return fmt::format("There is no data source {} in {}, which has {}; \"sluice datasource add {}\" adds it.",
                     in_quotes(name), in, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
                     escaped(name));
}

const result<loaded_registry>& end_finder::registry() {
  if (!registry_) {
    registry_ = load_registry(places_);
  }
  return *registry_;
}

bool end_finder::has_registry() const {
  std::error_code failure;
  // A folder that may not be entered is not the same as a file that is not there.
  return std::filesystem::exists(chosen_place(places_).path, failure) || failure.value() == EACCES;
}

}  // namespace sluice
