#include "tools/cli/ddl_command.h"

#include <fmt/format.h>

#include <filesystem>

#include "tools/cli/job_loading.h"
#include "tools/cli/memory_limit.h"
#include "tools/cli/plugin_names.h"
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

/// The statements of the tables of marks in a data source. Opens nothing: they are the same for every job.
result<std::vector<std::string>> marks_of_datasource(const ddl_arguments& arguments, const program& parts) {
  SLUICE_TRY(const loaded_registry loaded,
             load_registry(registry_places(arguments.datasources.file, parts.variable)));
  SLUICE_TRY(const datasource* source,
             loaded.registry->find(arguments.job_file,
                                   arguments.datasources.env.value_or(datasource_env::production)));
  if (!source->errors.empty()) {
    return fail(error_kind::bad_option, "the data source {} is wrong: {}", in_quotes(source->name),
                fmt::join(source->errors, "\n"));
  }
  const std::string of = fmt::format("the data source {} ({})", in_quotes(source->name), source->place);
  const plugin* p = plugin_of(*parts.plugins, *source);
  if (p == nullptr || p->writes == nullptr) {
    return fail(error_kind::bad_option, "{} is of the type {}, which has no writer yet", of,
                source->type->name);
  }
  if (!p->writes->can.marks_named) {
    return fail(
        error_kind::bad_option, "{} is of the type {}, for which no statement makes tables of marks{}", of,
        source->type->name, p->writes->can.marks.empty() ? "" : ": they stand in " + p->writes->can.marks);
  }
  resolved_parameter given = options_of_datasource(*source);
  given.parameter["table"] = "t";  // of any table: where it stands is not asked here
  given.parameter["column"] = {"*"};
  const option_values options(source->properties.place(""), source->properties.path(),
                              std::move(given.parameter), nullptr, p->writes->options, dialect::script2,
                              nullptr, given.supplied);
  plugin_context context;
  context.warn = [](const std::string&) {};
  context.marks = {false, arguments.progress_table.value_or(""), "--progress-table"};
  SLUICE_TRY(const auto to, p->make_target(options, context));
  progress_store* store = to->progress();
  return store == nullptr ? std::vector<std::string>() : store->tables_sql();
}

/// The statements of a job's tables of marks where its ends could not be looked at, or do not fit yet (the
/// schema is not there): they are the same. Empty where no statement makes them.
std::vector<std::string> marks_of_job(const loaded_job& loaded) {
  const job& what = loaded.what;
  if (loaded.writer == nullptr || loaded.writer->writes == nullptr ||
      !loaded.writer->writes->can.marks_named) {
    return {};
  }
  plugin_context context;
  context.job_dialect = what.form;
  context.warn = [](const std::string&) {};
  context.marks = {what.delivery.no_marks, what.delivery.progress_table, what.delivery.progress_table_place};
  const auto to = loaded.writer->make_target(what.writer.parameter, context);
  progress_store* store = to ? (*to)->progress() : nullptr;
  return store == nullptr ? std::vector<std::string>() : store->tables_sql();
}

}  // namespace

int ddl_command(const ddl_arguments& arguments, const program& parts) {
  std::error_code ignored;
  if (arguments.progress && !std::filesystem::exists(arguments.job_file, ignored)) {
    secret_filter none;
    const auto statements = marks_of_datasource(arguments, parts);
    if (!statements) {
      const error& why = statements.error();
      return complain(
          parts, none,
          fmt::format("{} is no file; as a data source: {}", in_quotes(arguments.job_file), why.message),
          why.kind == error_kind::bad_option ? exit_wrong_use : exit_failed);
    }
    print_out(parts, script_of(*statements, {}));
    return exit_success;
  }
  if (arguments.progress_table) {
    return complain(
        parts, secret_filter(),
        "--progress-table is for data sources; a job says it in its setting (\"progressTable\", or "
        "--set)",
        exit_wrong_use);
  }
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
  if (found.failure && arguments.progress && !found.wrong_job) {
    if (const auto unseen = marks_of_job(*loaded); !unseen.empty()) {
      print_out(parts, secrets.apply(script_of(unseen, {})));
      return complain(parts, secrets, "warning: " + found.failure->message, exit_success);
    }
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
