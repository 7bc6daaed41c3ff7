#include "tools/cli/job_loading.h"

#include <fmt/format.h>

#include "tools/cli/plugin_names.h"
#include "transport/base/text.h"
#include "transport/record/zone.h"

namespace sluice {

tl::expected<loaded_job, job_errors> load_for_command(const std::string& file, const job_arguments& arguments,
                                                      const program& parts, secret_filter& secrets) {
  const load_options options{arguments.parameters, arguments.set, arguments.name, arguments.strict,
                             arguments.compat};
  auto read = parts.load(file, options, lookup_in(*parts.plugins));
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
