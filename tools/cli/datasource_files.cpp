#include "tools/cli/datasource_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "jobspec/loose_json.h"
#include "tools/cli/files.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr const char* file_name = "sluice/datasources.json";

/// The names of entries with a secret in clear.
std::set<std::string> with_plain_secrets(const datasource_registry& registry) {
  std::set<std::string> names;
  for (const datasource& source : registry.all()) {
    for (const auto& [path, text] : source.properties.secrets_by_path()) {
      if (text.has_plain()) {
        names.insert(source.name);
      }
    }
  }
  return names;
}

}  // namespace

std::vector<registry_place> registry_places(const std::optional<std::string>& flag,
                                            const environment& variable) {
  std::vector<registry_place> places = {{flag.value_or(""), "--datasources"},
                                        {variable("SLUICE_DATASOURCES").value_or(""), "SLUICE_DATASOURCES"}};
  const auto config = variable("XDG_CONFIG_HOME");
  const auto home = variable("HOME");
  // The specification has relative values ignored.
  if (config && config->starts_with('/')) {
    places.push_back({(std::filesystem::path(*config) / file_name).string(), "XDG_CONFIG_HOME"});
  } else if (home && home->starts_with('/')) {
    places.push_back({(std::filesystem::path(*home) / ".config" / file_name).string(), "HOME"});
  } else {
    places.push_back({std::string("/etc/") + file_name, "default"});
  }
  return places;
}

const registry_place& chosen_place(const std::vector<registry_place>& places) {
  return *std::find_if(places.begin(), places.end(), [](const registry_place& p) { return !p.path.empty(); });
}

std::string looked_at_text(const std::vector<registry_place>& places) {
  std::string out = "looked at: ";
  bool found = false;
  for (const registry_place& place : places) {
    out += place.path.empty()
               ? fmt::format("{} ({}), ", place.origin, place.origin[0] == '-' ? "not given" : "not set")
               : fmt::format("{} ({}), ", in_quotes(place.path),
                             found ? "not needed" : place.origin + ": no such file");
    found = found || !place.path.empty();
  }
  return out.substr(0, out.size() - 2);
}

result<loaded_registry> load_registry(const std::vector<registry_place>& places) {
  const registry_place& place = chosen_place(places);
  std::error_code failure;
  if (!std::filesystem::exists(place.path, failure) && failure.value() != EACCES) {
    return fail(error_kind::bad_option,
                "there is no registry of data sources; {}. \"sluice datasource add NAME\" makes it",
                looked_at_text(places));
  }
  SLUICE_TRY(const std::string text, read_file(place.path, job_bytes_max + 1));
  const std::string folder = std::filesystem::absolute(place.path, failure).parent_path().string();
  SLUICE_TRY(datasource_registry registry, datasource_registry::parse(place.path, text, folder));
  loaded_registry loaded;
  const auto plain = with_plain_secrets(registry);
  if (const std::string mode = open_to_others(place.path); !mode.empty() && !plain.empty()) {
    loaded.warnings.push_back(fmt::format(
        "{}: the file holds passwords in clear (of {}) and others may read it ({}); chmod 600 it, or write "
        "references such as ${{env:NAME}}",
        escaped(place.path), fmt::join(plain, ", "), mode));
  }
  loaded.registry = std::make_shared<const datasource_registry>(std::move(registry));
  return loaded;
}

std::string open_to_others(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || (status.st_mode & 0077) == 0) {
    return {};
  }
  return fmt::format("mode {:03o}", status.st_mode & 0777);
}

}  // namespace sluice
