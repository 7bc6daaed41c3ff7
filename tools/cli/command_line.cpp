#include "tools/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "tools/cli/units.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// The least budget in which a window still holds four batches (flow.md).
constexpr std::uint64_t memory_bytes_min = std::uint64_t{4} << 20;

/// What CLI11 fills in: texts, which are then checked one by one with messages of ours.
struct raw_arguments {
  std::string job_file;
  std::vector<std::string> parameters, set;
  std::string name, memory, time_zone, summary, metrics, on_end, state_dir;
  std::string report_interval = "10s", stall_timeout = "60s", stop_timeout = "20s", duration_max;
  std::string on_unfinished, log_format = "text", log_level = "info";
  bool fail_on_dirty = false, strict = false, json = false, no_progress = false;
  std::string plugin;
};

struct parser {
  raw_arguments raw;
  CLI::App app{"Sluice moves data between systems in batches.", "sluice"};
  CLI::App* run = nullptr;
  CLI::App* plugins = nullptr;
  CLI::App* version = nullptr;
  bool version_flag = false;

  parser();
};

void describe_run(CLI::App& run, raw_arguments& raw) {
  run.add_option("JOB", raw.job_file, "Job file: script-mode 2.0 JSON or a DataX job");
  run.add_option(
         "-p,--param", raw.parameters,
         "Parameter name=value, put in for ${name}; may be repeated. DataX's form -p \"-Dname=value\" too")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  run.add_option("--set", raw.set, "Value at a path of the job, after parameters; may be repeated")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  run.add_option("--name", raw.name, "Name of the job; default: the file's name without .json");
  run.add_option(
      "--memory", raw.memory,
      "Budget for everything sized by data, such as 160M; default: 160M, or half of the cgroup's limit if "
      "that is less");
  run.add_option("--timezone", raw.time_zone,
                 "Time zone of the run where the job sets none, such as Europe/Berlin");
  run.add_option("--summary", raw.summary, "Write the summary as JSON to this file")->type_name("FILE");
  run.add_option("--metrics-file", raw.metrics,
                 "Write metrics as Prometheus text to this file, as a whole each time")
      ->type_name("FILE");
  run.add_option("--report-interval", raw.report_interval, "Time between two progress lines; default: 10s")
      ->type_name("TIME");
  run.add_option("--stall-timeout", raw.stall_timeout, "Name who has stood still for this long; default: 60s")
      ->type_name("TIME");
  run.add_option("--stop-timeout", raw.stop_timeout,
                 "Time for writers to commit after a stop was asked for; default: 20s")
      ->type_name("TIME");
  run.add_option("--max-duration", raw.duration_max, "Stop the run in an orderly way after this time")
      ->type_name("TIME");
  run.add_flag("--fail-on-dirty", raw.fail_on_dirty,
               "Exit with 1 where there are dirty records inside the limit");
  run.add_option("--on-end", raw.on_end,
                 "Shell command run at every end, with the summary on its standard input; ended after 60 s")
      ->type_name("CMD");
  run.add_option(
         "--on-unfinished", raw.on_unfinished,
         "What to do with an unfinished run of the same job: resume, fail or fresh; default: resume where "
         "exactly-once holds, else fail")
      ->type_name("WHAT");
  run.add_option(
         "--state-dir", raw.state_dir,
         "Where run folders are kept; default: $SLUICE_STATE, the user's state directory, /var/lib/sluice")
      ->type_name("DIR");
  run.add_option("--log-format", raw.log_format, "Format of log lines: text or json; default: text")
      ->type_name("FORMAT");
  run.add_option("--log-level", raw.log_level,
                 "Least level shown: debug, info, warning or error; default: info")
      ->type_name("LEVEL");
  run.add_flag("--strict", raw.strict, "Refuse a job with unknown keys");
  run.add_flag("--json", raw.json, "Print the summary as JSON to standard output, and nothing else there");
  run.add_flag("--no-progress", raw.no_progress, "Show neither live area nor progress lines");
  run.footer(
      "Exit codes: 0 success (also with dirty records inside the limit), 1 failed run,\n"
      "2 wrong command line or job, 143 stopped by a signal.");
}

parser::parser() {
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_flag("--version", version_flag, "Print the version and exit");
  app.allow_extras();
  run = app.add_subcommand("run", "Run a job to its end on this machine");
  plugins = app.add_subcommand("plugins", "List the plugins, or describe one");
  version = app.add_subcommand("version", "Print the version");
  describe_run(*run, raw);
  plugins->add_option("NAME", raw.plugin, "Name of a plugin, or a stepType or DataX name it goes by");
  plugins->add_flag("--json", raw.json, "Print JSON");
  version->add_flag("--json", raw.json, "Print JSON");
  for (CLI::App* sub : {run, plugins, version}) {
    sub->allow_extras();
    sub->set_help_flag("-h,--help", "Print this help and exit");
  }
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags.push_back("--" + name);
    }
    for (const std::string& name : option->get_snames()) {
      flags.push_back("-" + name);
    }
  }
  return flags;
}

tl::unexpected<error> usage(std::string message, const std::string& near = {}) {
  if (!near.empty()) {
    message += fmt::format("; did you mean {}?", near);
  }
  return fail(error{error_kind::bad_option, std::move(message), {}});
}

/// An argument nobody took: a mistyped flag, or one too many.
tl::unexpected<error> unexpected_argument(const CLI::App& app, const std::vector<std::string>& extras) {
  const auto flag = std::find_if(extras.begin(), extras.end(),
                                 [](const std::string& text) { return text.size() > 1 && text[0] == '-'; });
  if (flag == extras.end()) {
    return usage(fmt::format("unexpected argument {}; see sluice {} --help", sluice::quoted(extras.front()),
                             app.get_name()));
  }
  const std::string name = flag->substr(0, flag->find('='));
  const auto known = flags_of(app);
  const std::string near(nearest(name, known));
  return usage(fmt::format("unknown flag {} of sluice {}{}", sluice::quoted(name), app.get_name(),
                           near.empty() ? fmt::format("; see sluice {} --help", app.get_name()) : ""),
               near);
}

/// No command was recognised.
tl::unexpected<error> unknown_command(const CLI::App& app, const std::vector<std::string>& extras) {
  if (extras.empty()) {
    return usage("a command is missing: run, plugins or version; see sluice --help");
  }
  const std::string& word = extras.front();
  if (word.size() > 1 && word[0] == '-') {
    return unexpected_argument(app, extras);
  }
  if (word.ends_with(".json")) {
    return usage(fmt::format("unknown command {}", sluice::quoted(word)), "sluice run " + escaped(word));
  }
  static constexpr std::string_view commands[] = {"run", "plugins", "version"};
  const std::string near(nearest(word, commands));
  return usage(fmt::format("unknown command {}{}", sluice::quoted(word),
                           near.empty() ? ": there are run, plugins and version" : ""),
               near);
}

result<void> put_parameter(std::map<std::string, std::string>& to, const std::string& name,
                           const std::string& value) {
  if (name.empty()) {
    return fail(error_kind::bad_option, "-p needs name=value; the name is missing");
  }
  const auto [at, fresh] = to.emplace(name, value);
  if (!fresh && at->second != value) {
    return fail(error_kind::bad_option, "-p gives the parameter {} twice with different values; give it once",
                sluice::quoted(name));
  }
  return {};
}

/// `-Da=1 -Db=x y`: a value ends before the next ` -D`, and a pair of quotes around it is a shell's.
result<void> put_datax_parameters(std::map<std::string, std::string>& to, std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(2);
    const std::size_t end = text.find(" -D");
    std::string_view one = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    while (!one.empty() && one.back() == ' ') {
      one.remove_suffix(1);
    }
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) {
      return fail(error_kind::bad_option, "-p \"-D…\" needs -Dname=value; {} has no =", sluice::quoted(one));
    }
    std::string_view value = one.substr(equals + 1);
    if (value.size() >= 2 && value.front() == value.back() &&
        (value.front() == '"' || value.front() == '\'')) {
      value = value.substr(1, value.size() - 2);
    }
    SLUICE_CHECK(put_parameter(to, std::string(one.substr(0, equals)), std::string(value)));
  }
  return {};
}

result<void> put_parameters(std::map<std::string, std::string>& to, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (text.starts_with("-D")) {
      SLUICE_CHECK(put_datax_parameters(to, text));
      continue;
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      // The text may be a secret whose name was forgotten: it is not shown.
      return fail(error_kind::bad_option, "-p needs name=value; what was given has no =");
    }
    SLUICE_CHECK(put_parameter(to, text.substr(0, equals), text.substr(equals + 1)));
  }
  return {};
}

result<std::chrono::milliseconds> time_of(const char* flag, const std::string& text) {
  auto time = parse_duration(text);
  if (!time) {
    return fail(error_kind::bad_option, "{}: {}", flag, time.error().message);
  }
  if (time->count() == 0) {
    return fail(error_kind::bad_option, "{}: the time must be more than 0", flag);
  }
  return *time;
}

/// The value of a flag that takes one of a few words.
template <class T>
result<T> one_of(const char* flag, const std::string& text,
                 const std::vector<std::pair<std::string_view, T>>& words) {
  std::vector<std::string_view> names;
  for (const auto& [word, value] : words) {
    if (word == text) {
      return value;
    }
    names.push_back(word);
  }
  const std::string near(nearest(text, names));
  return usage(fmt::format("{} takes {}; found {}", flag, fmt::join(names, ", "), sluice::quoted(text)),
               near);
}

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

result<command> run_command_of(const raw_arguments& raw) {
  run_arguments run;
  if (raw.job_file.empty()) {
    return usage("the job file is missing: sluice run JOB");
  }
  run.job_file = raw.job_file;
  SLUICE_CHECK(put_parameters(run.parameters, raw.parameters));
  for (const std::string& text : raw.set) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return usage("--set needs path=value, such as setting.speed.concurrent=4");
    }
    run.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (!raw.memory.empty()) {
    const auto bytes = parse_size(raw.memory);
    if (!bytes) {
      return fail(error_kind::bad_option, "--memory: {}", bytes.error().message);
    }
    if (*bytes < memory_bytes_min) {
      return fail(error_kind::bad_option, "--memory: {} is too little; the least is {}",
                  sluice::quoted(raw.memory), bytes_text(memory_bytes_min));
    }
    run.memory_bytes = *bytes;
  }
  SLUICE_TRY(run.report_interval, time_of("--report-interval", raw.report_interval));
  SLUICE_TRY(run.stall_timeout, time_of("--stall-timeout", raw.stall_timeout));
  SLUICE_TRY(run.stop_timeout, time_of("--stop-timeout", raw.stop_timeout));
  if (!raw.duration_max.empty()) {
    SLUICE_TRY(run.duration_max, time_of("--max-duration", raw.duration_max));
  }
  using unfinished = run_settings::unfinished;
  if (!raw.on_unfinished.empty()) {
    SLUICE_TRY(run.on_unfinished, one_of<unfinished>("--on-unfinished", raw.on_unfinished,
                                                     {{"resume", unfinished::resume},
                                                      {"fail", unfinished::fail},
                                                      {"fresh", unfinished::fresh}}));
  }
  SLUICE_TRY(run.format, one_of<log_format>("--log-format", raw.log_format,
                                            {{"text", log_format::text}, {"json", log_format::json}}));
  SLUICE_TRY(run.level, one_of<log_level>("--log-level", raw.log_level,
                                          {{"debug", log_level::debug},
                                           {"info", log_level::info},
                                           {"warning", log_level::warning},
                                           {"error", log_level::error}}));
  run.name = given(raw.name);
  run.time_zone = given(raw.time_zone);
  run.summary_file = given(raw.summary);
  run.metrics_file = given(raw.metrics);
  run.on_end = given(raw.on_end);
  run.state_dir = given(raw.state_dir);
  run.fail_on_dirty = raw.fail_on_dirty;
  run.strict = raw.strict;
  run.json = raw.json;
  run.no_progress = raw.no_progress;
  return run;
}

result<command> command_of(const parser& p) {
  if (p.version_flag) {
    return version_arguments{};
  }
  for (const CLI::App* sub : {p.run, p.plugins, p.version}) {
    if (sub->parsed()) {
      const auto extras = p.app.remaining(true);
      if (!extras.empty()) {
        return unexpected_argument(*sub, extras);
      }
    }
  }
  if (p.run->parsed()) {
    return run_command_of(p.raw);
  }
  if (p.plugins->parsed()) {
    return plugins_arguments{given(p.raw.plugin), p.raw.json};
  }
  if (p.version->parsed()) {
    return version_arguments{p.raw.json};
  }
  return unknown_command(p.app, p.app.remaining());
}

}  // namespace

result<command> parse_command_line(const std::vector<std::string>& arguments) {
  parser p;
  try {
    // CLI11 takes its arguments last first.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    p.app.parse(reversed);
    return command_of(p);
  } catch (const CLI::CallForHelp&) {
    for (const CLI::App* sub : {p.run, p.plugins, p.version}) {
      if (sub->parsed()) {
        return help_arguments{sub->help()};
      }
    }
    return help_arguments{p.app.help()};
  } catch (const CLI::ParseError& e) {
    return usage(std::string(e.what()) + "; see sluice --help");
  } catch (const std::exception& e) {
    return fail(error_kind::internal, "the command line could not be read: {}", e.what());
  }
}

std::map<std::string, std::vector<std::string>> all_flags() {
  const parser p;
  std::map<std::string, std::vector<std::string>> flags;
  flags[""] = flags_of(p.app);
  for (const CLI::App* sub : {p.run, p.plugins, p.version}) {
    flags[sub->get_name()] = flags_of(*sub);
  }
  return flags;
}

}  // namespace sluice
