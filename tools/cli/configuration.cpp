#include "tools/cli/configuration.h"

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "tools/cli/files.h"
#include "transport/base/text.h"
#include "transport/base/units.h"

namespace sluice {
namespace {

std::string place(const std::string& file, const toml::source_region& at) {
  return fmt::format("{}:{}:{}", file, at.begin.line, at.begin.column);
}

result<std::string> text_of(const std::string& where, std::string_view key, const toml::node& value) {
  const auto text = value.value_exact<std::string>();
  if (!text || text->empty()) {
    return fail(error_kind::bad_option, "{}: {} takes a text in quotes that is not empty", where, key);
  }
  return *text;
}

/// One key of the file. The table below is all that a configuration may hold.
struct configuration_key {
  std::string_view name;
  result<void> (*put)(configuration& to, const std::string& where, std::string_view key,
                      const toml::node& value);
};

result<void> put_zone(configuration& to, const std::string& where, std::string_view key,
                      const toml::node& value) {
  SLUICE_TRY(to.time_zone, text_of(where, key, value));
  return {};
}

result<void> put_state_dir(configuration& to, const std::string& where, std::string_view key,
                           const toml::node& value) {
  SLUICE_TRY(const std::string path, text_of(where, key, value));
  if (!path.starts_with('/')) {
    return fail(error_kind::bad_option,
                "{}: {} must be a path from the root, because it holds wherever sluice is started; found {}",
                where, key, in_quotes(path));
  }
  to.state_dir = path;
  return {};
}

result<void> put_memory(configuration& to, const std::string& where, std::string_view key,
                        const toml::node& value) {
  SLUICE_TRY(const std::string text, text_of(where, key, value));
  const auto bytes = parse_size(text);
  if (!bytes) {
    return fail(error_kind::bad_option, "{}: {}: {}", where, key, bytes.error().message);
  }
  if (*bytes < memory_bytes_min) {
    return fail(error_kind::bad_option, "{}: {}: {} is too little; the least is {}", where, key,
                in_quotes(text), bytes_text(memory_bytes_min));
  }
  to.memory_bytes = *bytes;
  return {};
}

result<void> put_retries(configuration& to, const std::string& where, std::string_view key,
                         const toml::node& value) {
  const auto number = value.value_exact<std::int64_t>();
  if (!number || *number < 0 || *number > retries_most) {
    return fail(error_kind::bad_option, "{}: {} takes a whole number from 0 to {}, without quotes", where,
                key, retries_most);
  }
  to.retries_max = static_cast<std::uint32_t>(*number);
  return {};
}

constexpr configuration_key keys[] = {
    {"timezone", put_zone},
    {"memory", put_memory},
    {"state_dir", put_state_dir},
    {"retries", put_retries},
};

result<configuration> read_configuration(const std::string& file) {
  SLUICE_TRY(const std::string text, read_file(file));
  const toml::parse_result parsed = toml::parse(text, std::string_view(file));
  if (!parsed) {
    return fail(error_kind::bad_option, "{}: this is not TOML: {}", place(file, parsed.error().source()),
                parsed.error().description());
  }
  configuration found;
  found.file = file;
  std::vector<std::string_view> names;
  for (const configuration_key& key : keys) {
    names.push_back(key.name);
  }
  for (const auto& [name, value] : parsed.table()) {
    const std::string where = place(file, name.source());
    const auto* key = std::ranges::find(keys, name.str(), &configuration_key::name);
    if (key == std::end(keys)) {
      const std::string_view near = nearest(name.str(), names);
      return fail(error_kind::bad_option, "{}: unknown key {}; {}", where, in_quotes(name.str()),
                  near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                               : fmt::format("did you mean {}?", near));
    }
    SLUICE_CHECK(key->put(found, where, key->name, value));
  }
  return found;
}

}  // namespace

result<configuration> load_configuration(const environment& variable, const std::string& root) {
  if (const auto named = variable("SLUICE_CONFIG"); named && !named->empty()) {
    auto read = read_configuration(*named);
    if (!read) {
      read.error().message = "SLUICE_CONFIG: " + read.error().message;
    }
    return read;
  }
  std::vector<std::string> places;
  if (const auto xdg = variable("XDG_CONFIG_HOME"); xdg && xdg->starts_with('/')) {
    places.push_back(*xdg + "/sluice/config.toml");
  } else if (const auto home = variable("HOME"); home && home->starts_with('/')) {
    places.push_back(*home + "/.config/sluice/config.toml");
  }
  places.push_back(root + "/etc/sluice/config.toml");
  for (const std::string& file : places) {
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) {
      return read_configuration(file);
    }
  }
  return configuration{};
}

}  // namespace sluice
