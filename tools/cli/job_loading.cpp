#include "tools/cli/job_loading.h"

#include <fmt/format.h>

#include "jobspec/loose_json.h"
#include "jobspec/mask.h"
#include "jobspec/parameter_file.h"
#include "tools/cli/files.h"
#include "tools/cli/plugin_names.h"
#include "transport/base/secret_resolver.h"
#include "transport/base/text.h"
#include "transport/record/zone.h"

namespace sluice {
namespace {

/// Warns of a password that stands in clear in a job file that others may read.
void warn_of_open_file(const std::string& file, const job_step& step, std::vector<std::string>& warnings) {
  const std::string mode = open_to_others(file);
  if (mode.empty()) {
    return;
  }
  std::optional<std::string> text;
  for (const auto& [path, written] : step.parameter.secrets_by_path()) {
    for (const secret_part& part : written.parts()) {
      if (part.origin != secret_origin::plain || !written.place().starts_with(escaped(file) + ":")) {
        continue;
      }
      // One that a parameter brought is not in the file.
      if (!text) {
        text = read_file(file, job_bytes_max).value_or("");
      }
      const std::string quoted_text = nlohmann::json(part.text).dump();
      if (text->find(part.text) != std::string::npos || text->find(quoted_text) != std::string::npos) {
        warnings.push_back(
            fmt::format("{}: a secret stands in clear in a file that others may read ({}); chmod 600 "
                        "it, or write a reference such as ${{env:NAME}}",
                        written.place(), mode));
        break;
      }
    }
  }
}

/// Adds the parameters of one file to those read so far.
result<void> add_file(given_parameters& to, const std::string& file) {
  auto text = read_file(file, parameter_file_bytes_max + 1);
  if (!text) {
    return fail(error_kind::bad_option, "--param-file: {}", text.error().message);
  }
  if (text->size() > parameter_file_bytes_max) {
    return fail(error_kind::bad_option, "--param-file: {} is larger than {}", in_quotes(file),
                bytes_text(parameter_file_bytes_max));
  }
  SLUICE_TRY(const auto read, read_parameter_file(file, *text));
  for (const auto& [name, one] : read) {
    const auto [at, fresh] = to.emplace(name, one);
    if (!fresh && at->second.text != one.text) {
      return fail(error_kind::bad_option, "{}: the parameter {} has another value at {}; give it once",
                  one.origin, in_quotes(name), at->second.origin);
    }
  }
  return {};
}

}  // namespace

tl::expected<load_options, job_errors> load_options_for(const job_arguments& arguments, const program& parts,
                                                        secret_filter& secrets,
                                                        const planned_time* continued) {
  load_options options;
  options.set = arguments.set;
  options.name = arguments.name;
  options.strict = arguments.strict;
  options.compat = arguments.compat;
  options.parameters = arguments.parameters;
  options.literal_parameters = arguments.literal_parameters;
  given_parameters of_files;
  for (const std::string& file : arguments.parameter_files) {
    if (auto added = add_file(of_files, file); !added) {
      return tl::unexpected(job_errors{{added.error().message}});
    }
  }
  for (const auto& [name, one] : of_files) {
    if (options.parameters.emplace(name, one.text).second) {
      options.parameter_origins[name] = one.origin;
    }
  }
  secrets.add_parameters(options.parameters);
  const auto kept = continued == nullptr ? arguments.planned_as : std::optional(*continued);
  options.plan = [&arguments, &parts, kept](
                     dialect form, const std::optional<std::string>& zone_of_job) -> result<planned_time> {
    if (kept) {
      return *kept;
    }
    const zone_choice chosen = choose_zone(zone_of_job, arguments.time_zone, form, parts.configured,
                                           parts.variable, parts.system_root);
    const std::int64_t now = static_cast<std::int64_t>(parts.unix_ms() / 1000);
    // A zone that does not exist is refused by choose_zone_for, which knows whose mistake it is.
    const auto zone = time_zone::find(chosen.name);
    return planned_for(arguments.planned,
                       std::chrono::local_seconds(std::chrono::seconds(zone ? (*zone)->to_wall(now) : now)),
                       chosen.name);
  };
  return options;
}

tl::expected<loaded_job, job_errors> load_for_command(const std::string& file, const job_arguments& arguments,
                                                      const program& parts, secret_filter& secrets,
                                                      const planned_time* continued) {
  auto options = load_options_for(arguments, parts, secrets, continued);
  if (!options) {
    return tl::unexpected(std::move(options).error());
  }
  options->datasources.env = arguments.datasources.env;
  std::optional<loaded_registry> registry;
  options->datasources.registry = [&]() -> result<std::shared_ptr<const datasource_registry>> {
    // Both ends ask; the file is read once.
    if (!registry) {
      SLUICE_TRY(registry, load_registry(registry_places(arguments.datasources.file, parts.variable)));
    }
    return registry->registry;
  };
  auto read = parts.load(file, *options, lookup_in(*parts.plugins));
  if (!read) {
    for (const secret_text& written : read.error().secrets) {
      secrets.add(written);
    }
    return tl::unexpected(std::move(read).error());
  }
  loaded_job loaded;
  loaded.what = std::move(*read);
  loaded.reader = find_plugin(*parts.plugins, loaded.what.reader.plugin);
  loaded.writer = find_plugin(*parts.plugins, loaded.what.writer.plugin);
  for (const job_step* step : {&loaded.what.reader, &loaded.what.writer}) {
    secrets.add_options(step->parameter);
    warn_of_open_file(file, *step, loaded.what.warnings);
  }
  if (registry) {
    auto& warnings = loaded.what.warnings;
    warnings.insert(warnings.end(), registry->warnings.begin(), registry->warnings.end());
  }
  return loaded;
}

result<std::shared_ptr<guard_process>> begin_guard(const loaded_job& job) {
  std::map<std::string, guard_process::duty, std::less<>> duties;
  for (const plugin* p : {job.reader, job.writer}) {
    if (p != nullptr && p->end_left != nullptr) {
      duties[p->name] = p->end_left;
    }
  }
  if (duties.empty()) {
    return nullptr;
  }
  auto begun = guard_process::begin(std::move(duties));
  if (!begun) {
    return fail(begun.error().kind,
                "{}: where this process is killed, statements may run on at the servers until they end by "
                "themselves; raise the limit of processes (ulimit -u, pids.max)",
                begun.error().message);
  }
  return begun;
}

job_look look_at_job(const loaded_job& job, look_settings settings, const program& parts,
                     secret_filter& secrets) {
  std::vector<std::string> warnings;
  if (auto guard = begin_guard(job)) {
    settings.guard = std::move(*guard);
  } else {
    warnings.push_back(guard.error().message);
  }
  secret_resolver resolver(resolving_into(secrets, parts.variable,
                                          [&](std::string line) { warnings.push_back(std::move(line)); }));
  settings.resolve_secret = [&](const secret_text& written, const stop_signal& stop) {
    return resolver.resolve(written, stop);
  };
  job_look found = parts.look(job.what, *job.reader, *job.writer, settings, {});
  found.warnings.insert(found.warnings.begin(), warnings.begin(), warnings.end());
  return found;
}

result<void> choose_zone_for(const job& what, const job_arguments& arguments, const program& parts,
                             zone_choice& chosen) {
  chosen = choose_zone(what.time_zone, arguments.time_zone, what.form, parts.configured, parts.variable,
                       parts.system_root);
  if (auto found = time_zone::find(chosen.name); !found) {
    return fail(error_kind::bad_option, "{}: {}", what.time_zone ? what.time_zone_place : chosen.origin,
                found.error().message);
  }
  return {};
}

std::string all_lines(const job_errors& errors) {
  return fmt::format("{}", fmt::join(errors.lines, "\n"));
}

}  // namespace sluice
