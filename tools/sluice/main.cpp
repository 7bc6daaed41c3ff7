// The program `sluice`: puts the real engine, plugins and process into what tools/cli does.

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tools/cli/check_command.h"
#include "tools/cli/command_line.h"
#include "tools/cli/configuration.h"
#include "tools/cli/copy_command.h"
#include "tools/cli/datasource_command.h"
#include "tools/cli/ddl_command.h"
#include "tools/cli/job_list.h"
#include "tools/cli/job_schema.h"
#include "tools/cli/job_source.h"
#include "tools/cli/params_command.h"
#include "tools/cli/plan_command.h"
#include "tools/cli/plugin_names.h"
#include "tools/cli/plugins_text.h"
#include "tools/cli/run_command.h"
#include "tools/cli/runs_command.h"
#include "tools/cli/several_command.h"
#include "tools/cli/verify_command.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

program real_program() {
  program parts;
  parts.variable = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  parts.plugins = &all_plugins();
  parts.load = [source = std::make_shared<job_source>(STDIN_FILENO)](
                   const std::string& file, const load_options& options, const plugin_lookup& plugins) {
    return source->load(file, options, plugins);
  };
  parts.execute = execute_run;
  parts.look = look_at;
  parts.unix_ms = [] {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  };
  parts.exit_now = [] { ::_exit(exit_stopped); };
  parts.in_is_terminal = ::isatty(STDIN_FILENO) == 1;
  parts.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  return parts;
}

/// The exit code of a command that is there for what it prints.
int code_of_print(const program& parts, int code) {
  return code == exit_success && *parts.out_failed ? exit_failed : code;
}

int print(const std::string& text) {
  const program parts = real_program();
  print_out(parts, text);
  return code_of_print(parts, exit_success);
}

int complain(const std::string& message) {
  fmt::print(stderr, "sluice: {}\n", message);
  return exit_wrong_use;
}

int carry_out(const plugins_arguments& arguments) {
  const auto& plugins = all_plugins();
  if (!arguments.name) {
    return print(arguments.json ? plugins_json(plugins) : plugins_text(plugins));
  }
  if (const plugin* p = find_plugin(plugins, *arguments.name)) {
    return print(arguments.json ? plugin_json(*p) : plugin_text(*p));
  }
  const auto names = names_in(plugins);
  const std::string near(nearest(*arguments.name, names));
  return complain(fmt::format("there is no plugin {}{}", in_quotes(*arguments.name),
                              near.empty() ? "; sluice plugins lists them" : "; did you mean " + near + "?"));
}

int carry_out(const datasource_list_arguments& arguments) {
  const program parts = real_program();
  return code_of_print(parts, datasource_list(arguments, parts));
}
int carry_out(const datasource_test_arguments& arguments) {
  const program parts = real_program();
  return code_of_print(parts, datasource_test(arguments, parts));
}
int carry_out(const datasource_add_arguments& arguments) {
  return datasource_add(arguments, real_program());
}
int carry_out(const datasource_remove_arguments& arguments) {
  return datasource_remove(arguments, real_program());
}

int carry_out(const version_arguments& arguments) {
  return print(arguments.json ? "{\"version\":1,\"name\":\"sluice\",\"release\":\"" SLUICE_VERSION "\"}\n"
                              : "sluice " SLUICE_VERSION "\n");
}

int carry_out(const help_arguments& arguments) {
  return print(arguments.text);
}

/// Hands the real program with its configuration to `command`, which returns an exit code.
template <class Command>
int with_program(Command&& command) {
  program parts = real_program();
  auto configured = load_configuration(parts.variable);
  if (!configured) {
    return complain(configured.error().message);
  }
  parts.configured = std::move(*configured);
  return command(parts);
}

/// As `with_program`, of a command that is there for what it prints.
template <class Command>
int printing(Command&& command) {
  return with_program([&](const program& parts) { return code_of_print(parts, command(parts)); });
}

int carry_out(const run_arguments& arguments) {
  return with_program([&](const program& parts) {
    return names_several(arguments.jobs) || !arguments.range.empty() ? several_command(arguments, parts)
                                                                     : run_command(arguments, parts);
  });
}

int carry_out(const runs_list_arguments& arguments) {
  return printing([&](const program& parts) { return runs_list(arguments, parts); });
}

int carry_out(const runs_show_arguments& arguments) {
  return printing([&](const program& parts) { return runs_show(arguments, parts); });
}

int carry_out(const runs_resume_arguments& arguments) {
  return with_program([&](const program& parts) { return runs_resume(arguments, parts); });
}

int carry_out(const runs_clean_arguments& arguments) {
  return printing([&](const program& parts) { return runs_clean(arguments, parts); });
}

int carry_out(const params_arguments& arguments) {
  return printing([&](const program& parts) { return params_command(arguments, parts); });
}

int carry_out(const check_arguments& arguments) {
  return printing([&](const program& parts) { return check_command(arguments, parts); });
}

int carry_out(const plan_arguments& arguments) {
  return printing([&](const program& parts) { return plan_command(arguments, parts); });
}

int carry_out(const verify_arguments& arguments) {
  return printing([&](const program& parts) { return verify_command(arguments, parts); });
}

int carry_out(const ddl_arguments& arguments) {
  return printing([&](const program& parts) { return ddl_command(arguments, parts); });
}

int carry_out(const template_arguments& arguments) {
  return printing([&](const program& parts) { return template_command(arguments, parts); });
}

int carry_out(const copy_arguments& arguments) {
  return with_program([&](const program& parts) { return copy_command(arguments, parts); });
}

int carry_out(const schema_arguments& arguments) {
  return print(job_schema(all_plugins(), arguments.which).dump(2) + "\n");
}

int run_program(const std::vector<std::string>& arguments) {
  const auto asked = parse_command_line(arguments);
  if (!asked) {
    return complain(asked.error().message);
  }
  return std::visit([](const auto& given) { return carry_out(given); }, *asked);
}

}  // namespace
}  // namespace sluice

namespace {

/// What the process holds shall follow what its data needs (docs/status.md, bounded memory).
void set_up_allocator() {
#ifdef __GLIBC__
  // The blocks of a record larger than a batch go back to the system at once; left alone, glibc keeps blocks
  // of up to 32 MiB after the first is freed, in a heap for each thread.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  ::mallopt(M_ARENA_MAX, 4);
#endif
}

}  // namespace

int main(int count, char** values) {
  set_up_allocator();
  int code = 1;
  try {
    code = sluice::run_program({values + 1, values + count});
  } catch (const std::exception& broken) {
    std::fprintf(stderr, "sluice: internal error: %s; please report it, with the job and the log\n",
                 broken.what());
  }
  // A call of a plugin that did not return at a stop may still run on its thread: nothing is destroyed under
  // it.
  std::fflush(nullptr);
  ::_exit(code);
}
