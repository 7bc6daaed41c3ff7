#include "tools/cli/plan_command.h"

#include <fmt/format.h>

#include "tools/cli/job_loading.h"
#include "tools/cli/memory_limit.h"
#include "tools/cli/plan_text.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

int complain(const program& parts, const secret_filter& secrets, const std::string& message, int code) {
  write_out(parts.err_fd, fmt::format("sluice: {}\n", secrets.apply(message)));
  return code;
}

}  // namespace

int plan_command(const plan_arguments& arguments, const program& parts) {
  secret_filter secrets(arguments.parameters);
  auto loaded = load_for_command(arguments.job_file, arguments, parts, secrets);
  if (!loaded) {
    for (const std::string& line : loaded.error().warnings) {
      complain(parts, secrets, "warning: " + line, 0);
    }
    return complain(parts, secrets, all_lines(loaded.error()), exit_wrong_use);
  }
  const job& what = loaded->what;
  for (const std::string& line : what.warnings) {
    complain(parts, secrets, "warning: " + line, 0);
  }
  zone_choice zone;
  if (auto chosen = choose_zone_for(what, arguments, parts, zone); !chosen) {
    return complain(parts, secrets, chosen.error().message, zone.text_only ? exit_wrong_use : exit_failed);
  }
  const memory_budget memory =
      choose_memory(arguments.memory_bytes, parts.configured,
                    arguments.memory_bytes ? std::nullopt : cgroup_memory_limit(parts.system_root));
  look_settings settings;
  settings.time_zone = zone.name;
  settings.memory_bytes = memory.bytes;
  settings.on_unfinished = arguments.on_unfinished;
  const job_look found = look_at_job(*loaded, settings, parts, secrets);
  for (const std::string& line : found.warnings) {
    complain(parts, secrets, "warning: " + line, 0);
  }
  const plan_view view{what, found, fmt::format("{} ({})", escaped(zone.name), zone.origin),
                       fmt::format("{} ({})", bytes_text(memory.bytes), memory.origin)};
  print_out(parts, secrets.apply(arguments.json ? plan_json(view) : plan_text(view)));
  if (found.failure) {
    return complain(parts, secrets, found.failure->message, found.wrong_job ? exit_wrong_use : exit_failed);
  }
  return exit_success;
}

}  // namespace sluice
