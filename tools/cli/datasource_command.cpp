#include "tools/cli/datasource_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "jobspec/secrets.h"
#include "tools/cli/end_report.h"
#include "tools/cli/network_probe.h"
#include "tools/cli/plugin_names.h"
#include "tools/cli/secret_filter.h"
#include "transport/base/secret_resolver.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

/// A name server or a host that has not answered by then will not.
constexpr std::chrono::seconds network_step_max{10};

int complain(const program& parts, const error& why) {
  write_out(parts.err_fd, "sluice: " + why.message + "\n");
  return why.kind == error_kind::bad_option ? exit_wrong_use : exit_failed;
}

/// Where it leads: the address, path or URL.
std::string where_text(const datasource& source) {
  const auto text = [&](const char* key) {
    const auto found = source.properties.text(key);
    return found && *found ? **found : std::string();
  };
  std::string out;
  if (const auto addresses = source.properties.object_list("address"); addresses) {
    for (const option_values& one : *addresses) {
      const auto host = one.text("host");
      const auto port = one.integer("port");
      out += fmt::format("{}{}{}", out.empty() ? "" : ",", host ? host->value_or("") : "",
                         port && *port ? fmt::format(":{}", **port) : "");
    }
  }
  for (const char* key :
       {"path", "jdbcUrl", "baseDir", "url", "urlPrefix", "endpoint", "host", "defaultFS", "project"}) {
    out = out.empty() ? text(key) : out;
  }
  const std::string database = text("database");
  return hide_secrets(out + (database.empty() ? "" : "/" + database));
}

/// `password ${env:SHOP_PW}`, `password in clear`.
std::string secrets_text(const datasource& source) {
  std::string out;
  for (const auto& [path, text] : source.properties.secrets_by_path()) {
    const std::string name = path.substr(source.properties.path().size() + 1);
    out +=
        fmt::format("{}{} {}", out.empty() ? "" : ", ", name, text.has_plain() ? "in clear" : text.shown());
  }
  return out;
}

std::string env_text(const datasource& source) {
  return source.env ? std::string(to_string(*source.env)) : "both";
}

std::string state_text(const datasource& source, const program& parts) {
  if (!source.errors.empty()) {
    return "wrong";
  }
  return plugin_of(*parts.plugins, source) != nullptr ? "ready" : "not supported yet";
}

std::string list_json(const loaded_registry& loaded, const program& parts) {
  json list = json::array();
  for (const datasource& source : loaded.registry->all()) {
    json secrets = json::object();
    for (const auto& [path, text] : source.properties.secrets_by_path()) {
      secrets[path.substr(source.properties.path().size() + 1)] = text.has_plain() ? "***" : text.shown();
    }
    list.push_back({{"name", source.name},
                    {"type", source.type_text},
                    {"environment", env_text(source)},
                    {"where", where_text(source)},
                    {"secrets", std::move(secrets)},
                    {"state", state_text(source, parts)},
                    {"description", source.description},
                    {"errors", source.errors}});
  }
  return json{{"version", 1}, {"file", loaded.registry->file()}, {"datasources", std::move(list)}}.dump(
             2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

std::string_view outcome_text(connection_step::outcome what) {
  constexpr std::array<std::string_view, 4> names = {"ok", "limited", "none", "FAILED"};
  return names[static_cast<std::size_t>(what)];
}

/// What a test came to.
struct test_report {
  const datasource* source = nullptr;
  datasource_env env = datasource_env::production;
  std::vector<std::pair<std::string, std::string>> secrets;  ///< Name, and what became of its look-up.
  bool secrets_found = true;
  std::vector<connection_step> steps;
  std::string not_tested;  ///< Why there are no steps, or no more.

  [[nodiscard]] const connection_step* failed_step() const {
    const auto at = std::find_if(steps.begin(), steps.end(), [](const connection_step& step) {
      return step.what == connection_step::outcome::failed;
    });
    return at == steps.end() ? nullptr : &*at;
  }
  [[nodiscard]] bool passed() const {
    return secrets_found && not_tested.empty() && failed_step() == nullptr;
  }
};

/// Looks each secret up, as the connection's code will.
void look_up_secrets(test_report& report, secret_resolver& resolver) {
  for (const auto& [path, text] : report.source->properties.secrets_by_path()) {
    const std::string name = path.substr(report.source->properties.path().size() + 1);
    if (text.has_plain() && text.parts().size() == 1) {
      report.secrets.emplace_back(name, "in clear in the registry");
      continue;
    }
    const auto found = resolver.resolve(text, {});
    report.secrets_found = report.secrets_found && found.has_value();
    report.secrets.emplace_back(name, found ? text.shown() + ": found" : "FAILED: " + found.error().message);
  }
}

/// Looks at the folder of a data source of files.
std::vector<connection_step> test_folder(const std::string& folder) {
  using outcome = connection_step::outcome;
  std::error_code failure;
  const std::string shown = in_quotes(folder);
  if (!std::filesystem::exists(folder, failure)) {
    return {{connection_stage::database, outcome::failed, fmt::format("there is no folder {}", shown),
             "make it, or correct \"baseDir\""}};
  }
  if (!std::filesystem::is_directory(folder, failure)) {
    return {{connection_stage::database, outcome::failed, fmt::format("{} is no folder", shown),
             "give the folder of the files in \"baseDir\""}};
  }
  std::vector<connection_step> steps = {
      {connection_stage::database, outcome::passed, fmt::format("the folder {} is there", shown), ""}};
  const bool reads = ::access(folder.c_str(), R_OK | X_OK) == 0;
  const bool writes = ::access(folder.c_str(), W_OK | X_OK) == 0;
  if (reads && writes) {
    steps.push_back({connection_stage::rights, outcome::passed, "it can be read and written", ""});
  } else if (reads || writes) {
    steps.push_back({connection_stage::rights, outcome::limited,
                     reads ? "it can be read, not written" : "it can be written, not read",
                     reads ? "only readers can use it" : "only writers can use it"});
  } else {
    steps.push_back({connection_stage::rights, outcome::failed, "it can be neither read nor written",
                     "give this account the rights"});
  }
  return steps;
}

test_report run_test(const datasource& source, datasource_env env, const program& parts,
                     secret_filter& filter, std::vector<std::string>& warnings) {
  test_report report;
  report.source = &source;
  report.env = env;
  secret_resolver resolver(
      resolving_into(filter, parts.variable, [&](std::string line) { warnings.push_back(std::move(line)); }));
  filter.add_options(source.properties);
  look_up_secrets(report, resolver);
  const plugin* p = plugin_of(*parts.plugins, source);
  if (p == nullptr) {
    if (const auto places = network_places_of(source); !places.empty()) {
      report.steps = probe_network(places, network_step_max, {});
    }
    const bool reached = !report.steps.empty() && !report.failed_step();
    report.not_tested =
        fmt::format("{}the type {} is not supported yet: there is no plugin that connects to it",
                    reached ? "login and what follows: " : "", source.type->name);
  } else if (source.type->binding == datasource_binding::base_folder) {
    const auto folder = source.properties.text("baseDir");
    report.steps = test_folder(folder && *folder ? **folder : "");
  } else if (p->test_connection == nullptr) {
    report.not_tested = fmt::format("the plugin {} has no test of its connection", p->name);
  } else if (report.secrets_found) {
    const side_description* side = p->reads != nullptr ? p->reads : p->writes;
    resolved_parameter given = options_of_datasource(source);
    const option_values options(source.properties.place(""), source.properties.path(),
                                std::move(given.parameter), nullptr, side->options, dialect::script2, nullptr,
                                given.supplied);
    plugin_context context;
    context.resolve_secret = [&](const secret_text& written, const stop_signal& stop) {
      return resolver.resolve(written, stop);
    };
    context.warn = [&](std::string line) { warnings.push_back(std::move(line)); };
    report.steps = p->test_connection(options, context, {});
  }
  return report;
}

std::string report_text(const test_report& report, const std::string& file) {
  std::string out = fmt::format("data source {} ({}, {}) of {}\n", in_quotes(report.source->name),
                                report.source->type->name, to_string(report.env), in_quotes(file));
  for (const auto& [name, what] : report.secrets) {
    out += fmt::format("  {:<15}  {}\n", name, what);
  }
  for (const connection_step& step : report.steps) {
    out += fmt::format("  {:<15}  {}: {}{}\n", to_string(step.stage), outcome_text(step.what), step.found,
                       step.advice.empty() ? "" : "; " + step.advice);
  }
  if (!report.not_tested.empty()) {
    out += fmt::format("  not tested: {}\n", report.not_tested);
  }
  return out;
}

/// The last line: what fails, or that nothing does.
std::string verdict_text(const test_report& report) {
  if (!report.secrets_found) {
    return "its secrets cannot be looked up";
  }
  if (const connection_step* step = report.failed_step()) {
    return fmt::format("{} fails: {}{}", to_string(step->stage), step->found,
                       step->advice.empty() ? "" : "; " + step->advice);
  }
  return report.not_tested.empty() ? "ok" : "not tested: " + report.not_tested;
}

std::string report_json(const test_report& report) {
  json secrets = json::object();
  for (const auto& [name, what] : report.secrets) {
    secrets[name] = what;
  }
  json steps = json::array();
  for (const connection_step& step : report.steps) {
    steps.push_back(
        {{"step", to_string(step.stage)},
         {"outcome", step.what == connection_step::outcome::failed ? "failed" : outcome_text(step.what)},
         {"found", step.found},
         {"advice", step.advice}});
  }
  return json{{"version", 1},
              {"name", report.source->name},
              {"type", report.source->type->name},
              {"environment", to_string(report.env)},
              {"passed", report.passed()},
              {"verdict", verdict_text(report)},
              {"secrets", std::move(secrets)},
              {"steps", std::move(steps)}}
             .dump(2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

}  // namespace

int datasource_list(const datasource_list_arguments& arguments, const program& parts) {
  const auto loaded = load_registry(registry_places(arguments.registry.file, parts.variable));
  if (!loaded) {
    return complain(parts, loaded.error());
  }
  bool wrong = false;
  if (arguments.json) {
    print_out(parts, list_json(*loaded, parts));
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "TYPE", "ENVIRONMENT", "STATE", "WHERE", "SECRETS"}};
  for (const datasource& source : loaded->registry->all()) {
    if (arguments.registry.env && source.env && *source.env != *arguments.registry.env) {
      continue;
    }
    rows.push_back({escaped(source.name), escaped(source.type_text), env_text(source),
                    state_text(source, parts), escaped(where_text(source)), secrets_text(source)});
  }
  if (!arguments.json) {
    print_out(parts,
              fmt::format("{}\n", fmt::join(aligned(rows, std::vector<bool>(rows.front().size())), "\n")));
  }
  for (const datasource& source : loaded->registry->all()) {
    for (const std::string& line : source.errors) {
      wrong = true;
      write_out(parts.err_fd, "sluice: " + line + "\n");
    }
    for (const std::string& line : source.warnings) {
      write_out(parts.err_fd, "warning: " + line + "\n");
    }
  }
  for (const std::string& line : loaded->warnings) {
    write_out(parts.err_fd, "warning: " + line + "\n");
  }
  return wrong ? exit_failed : exit_success;
}

int datasource_test(const datasource_test_arguments& arguments, const program& parts) {
  auto loaded = load_registry(registry_places(arguments.registry.file, parts.variable));
  if (!loaded) {
    return complain(parts, loaded.error());
  }
  const datasource_env env = arguments.registry.env.value_or(datasource_env::production);
  const auto found = loaded->registry->find(arguments.name, env);
  if (!found) {
    return complain(parts, found.error());
  }
  if (!(*found)->errors.empty()) {
    for (const std::string& line : (*found)->errors) {
      write_out(parts.err_fd, "sluice: " + line + "\n");
    }
    return exit_wrong_use;
  }
  secret_filter filter;
  std::vector<std::string> warnings = std::move(loaded->warnings);
  const test_report report = run_test(**found, env, parts, filter, warnings);
  print_out(parts, filter.apply(arguments.json ? report_json(report)
                                               : report_text(report, loaded->registry->file())));
  for (const std::string& line : warnings) {
    write_out(parts.err_fd, filter.apply("warning: " + line + "\n"));
  }
  if (!report.passed() && !arguments.json) {
    write_out(parts.err_fd, filter.apply(fmt::format("sluice: the data source {}: {}\n",
                                                     in_quotes(arguments.name), verdict_text(report))));
  }
  return report.passed() ? exit_success : exit_failed;
}

}  // namespace sluice
