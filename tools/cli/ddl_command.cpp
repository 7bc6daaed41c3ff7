#include "tools/cli/ddl_command.h"

#include <fmt/format.h>

#include "tools/cli/job_loading.h"
#include "tools/cli/memory_limit.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

int complain(const program& parts, const secret_filter& secrets, const std::string& message, int code) {
  write_out(parts.err_fd, fmt::format("sluice: {}\n", secrets.apply(message)));
  return code;
}

std::string script_of(const std::vector<std::string>& statements, const std::vector<std::string>& not_made) {
  std::string script;
  for (const std::string& sql : statements) {
    script += sql + ";\n";
  }
  for (const std::string& what : not_made) {
    script += fmt::format("-- Not made: {}\n", statement_text(what));
  }
  return script;
}

}  // namespace

int ddl_command(const ddl_arguments& arguments, const program& parts) {
  secret_filter secrets(arguments.parameters);
  const auto loaded = load_for_command(arguments.job_file, arguments, parts, secrets);
  if (!loaded) {
    return complain(parts, secrets, all_lines(loaded.error()), exit_wrong_use);
  }
  zone_choice zone;
  if (auto chosen = choose_zone_for(loaded->what, arguments, parts, zone); !chosen) {
    return complain(parts, secrets, chosen.error().message, zone.text_only ? exit_wrong_use : exit_failed);
  }
  look_settings settings;
  settings.time_zone = zone.name;
  settings.memory_bytes =
      choose_memory(std::nullopt, parts.configured, cgroup_memory_limit(parts.system_root)).bytes;
  settings.plan_splits = false;
  settings.makes_table = true;
  const job_look found = look_at_job(*loaded, settings, parts, secrets);
  const auto& statements = arguments.progress ? found.target.tables_sql : found.target.what.ddl;
  if (!statements.empty()) {
    const std::vector<std::string> nothing;
    print_out(parts, secrets.apply(
                         script_of(statements, arguments.progress ? nothing : found.target.what.not_made)));
    return exit_success;
  }
  if (found.failure) {
    return complain(parts, secrets, found.failure->message, found.wrong_job ? exit_wrong_use : exit_failed);
  }
  return complain(
      parts, secrets,
      fmt::format("{}: this writer makes no table{}; nothing is to be printed", loaded->what.writer.place,
                  arguments.progress ? " of marks" : " that a statement makes"),
      exit_failed);
}

}  // namespace sluice
