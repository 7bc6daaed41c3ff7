#include "tools/cli/plugin_names.h"

#include <strings.h>

#include <algorithm>

#include "tools/cli/text_check.h"

namespace sluice {
namespace {

bool same(std::string_view a, const std::string& b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool among(std::string_view name, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return same(name, n); });
}

/// What the name sets of the plugin's options; nullptr where it is a mere name.
const std::vector<option_default>* defaults_of(const plugin& p, std::string_view name) {
  for (const alias_defaults& one : p.named_defaults) {
    if (same(name, one.alias)) {
      return &one.defaults;
    }
  }
  return nullptr;
}

}  // namespace

const plugin* plugin_of(const std::vector<plugin>& plugins, const datasource& source) {
  for (const std::string& name : source.type == nullptr ? std::vector<std::string>() : source.type->plugins) {
    if (const plugin* p = find_plugin(plugins, name)) {
      return p;
    }
  }
  return nullptr;
}

std::vector<std::string> names_of(const plugin& p, bool reader, dialect d) {
  if ((reader ? p.reads : p.writes) == nullptr) {
    return {};
  }
  if (d == dialect::datax) {
    return reader ? p.datax_readers : p.datax_writers;
  }
  std::vector<std::string> names = p.aliases;
  names.insert(names.begin(), p.name);
  return names;
}

plugin_lookup lookup_in(const std::vector<plugin>& plugins) {
  const std::vector<plugin>* all = &plugins;
  plugin_lookup lookup;
  lookup.find = [all](std::string_view type, bool reader, dialect d) -> std::optional<known_side> {
    for (const plugin& p : *all) {
      if (among(type, names_of(p, reader, d))) {
        return known_side{p.name, reader ? &p.reads->options : &p.writes->options, defaults_of(p, type)};
      }
    }
    return std::nullopt;
  };
  lookup.names = [all](bool reader, dialect d) {
    std::vector<std::string> names;
    for (const plugin& p : *all) {
      for (std::string& name : names_of(p, reader, d)) {
        names.push_back(std::move(name));
      }
    }
    return names;
  };
  lookup.check = [all](const job& what) { return check_text(what, *all); };
  return lookup;
}

const plugin* find_plugin(const std::vector<plugin>& plugins, std::string_view name) {
  for (const plugin& p : plugins) {
    if (same(name, p.name) || among(name, p.aliases) || among(name, p.datax_readers) ||
        among(name, p.datax_writers)) {
      return &p;
    }
  }
  return nullptr;
}

std::vector<std::string> names_in(const std::vector<plugin>& plugins) {
  std::vector<std::string> names;
  for (const plugin& p : plugins) {
    names.push_back(p.name);
    for (const auto* more : {&p.aliases, &p.datax_readers, &p.datax_writers}) {
      names.insert(names.end(), more->begin(), more->end());
    }
  }
  return names;
}

}  // namespace sluice
