#include "tools/cli/job_loading.h"

#include <fmt/format.h>

#include "jobspec/parameter_file.h"
#include "tools/cli/files.h"
#include "tools/cli/plugin_names.h"
#include "transport/base/text.h"
#include "transport/record/zone.h"

namespace sluice {

namespace {

/// Adds the parameters of one file to those read so far.
result<void> add_file(given_parameters& to, const std::string& file) {
  auto text = read_file(file, parameter_file_bytes_max + 1);
  if (!text) {
    return fail(error_kind::bad_option, "--param-file: {}", text.error().message);
  }
  if (text->size() > parameter_file_bytes_max) {
    return fail(error_kind::bad_option, "--param-file: {} is larger than {}", sluice::quoted(file),
                bytes_text(parameter_file_bytes_max));
  }
  SLUICE_TRY(const auto read, read_parameter_file(file, *text));
  for (const auto& [name, one] : read) {
    const auto [at, fresh] = to.emplace(name, one);
    if (!fresh && at->second.text != one.text) {
      return fail(error_kind::bad_option, "{}: the parameter {} has another value at {}; give it once",
                  one.origin, sluice::quoted(name), at->second.origin);
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
  const auto kept = continued == nullptr ? std::nullopt : std::optional(*continued);
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
  auto read = parts.load(file, *options, lookup_in(*parts.plugins));
  if (!read) {
    return tl::unexpected(std::move(read).error());
  }
  loaded_job loaded;
  loaded.what = std::move(*read);
  loaded.reader = find_plugin(*parts.plugins, loaded.what.reader.plugin);
  loaded.writer = find_plugin(*parts.plugins, loaded.what.writer.plugin);
  const auto learn = [&](const job_step& step, const plugin* p, const side_description* side) {
    if (p != nullptr && side != nullptr) {
      secrets.add_options(step.parameter, side->options);
    }
  };
  learn(loaded.what.reader, loaded.reader, loaded.reader == nullptr ? nullptr : loaded.reader->reads);
  learn(loaded.what.writer, loaded.writer, loaded.writer == nullptr ? nullptr : loaded.writer->writes);
  return loaded;
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
