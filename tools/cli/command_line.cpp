#include "tools/cli/command_line.h"

#include <algorithm>

#include "tools/cli/command_syntax.h"

namespace sluice {
namespace {

/// The program's commands, in the order of `sluice --help`.
constexpr command_entry entries[] = {
    {"run", "Run a job to its end on this machine", run_syntax},
    {"runs", "List, show, continue or clean up runs", runs_syntax},
    {"check", "Check jobs without changing anything", check_syntax},
    {"plan", "Show what a run of a job would do", plan_syntax},
    {"verify", "Compare what a job reads with what stands at its destination", verify_syntax},
    {"ddl", "Print the statements that make a job's table", ddl_syntax},
    {"template", "Write a job for two ends", template_syntax},
    {"copy", "Make a job for two ends and run it", copy_syntax},
    {"schema", "Print the JSON Schema of job files", schema_syntax},
    {"params", "Show the variables of a job and their values", params_syntax},
    {"datasource", "List, test or add data sources", datasource_syntax},
    {"plugins", "List the plugins, or describe one", plugins_syntax},
    {"version", "Print the version", version_syntax},
};

struct parsed_command {
  CLI::App* app = nullptr;
  std::unique_ptr<command_syntax> syntax;
};

struct parser {
  CLI::App app{"Sluice moves data between systems in batches.", "sluice"};
  std::vector<parsed_command> commands;
  bool version_flag = false;

  parser();
  /// The command that was named; nullptr where none was.
  [[nodiscard]] const parsed_command* named() const;
};

parser::parser() {
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_flag("--version", version_flag, "Print the version and exit");
  app.allow_extras();
  for (const command_entry& entry : entries) {
    parsed_command& one = commands.emplace_back();
    one.app = app.add_subcommand(entry.name, entry.meaning);
    one.syntax = entry.make();
    one.app->allow_extras();
    one.app->set_help_flag("-h,--help", "Print this help and exit");
    one.syntax->describe(*one.app);
  }
}

const parsed_command* parser::named() const {
  const auto at =
      std::find_if(commands.begin(), commands.end(), [](const auto& one) { return one.app->parsed(); });
  return at == commands.end() ? nullptr : &*at;
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  // A command may have commands of its own.
  for (const CLI::App* inner : app.get_name().empty() || app.get_parent() == nullptr
                                   ? std::vector<const CLI::App*>()
                                   : app.get_subcommands([](const CLI::App*) { return true; })) {
    const auto more = flags_of(*inner);
    flags.insert(flags.end(), more.begin(), more.end());
  }
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

/// An argument nobody took: a mistyped flag, or one too many.
tl::unexpected<error> unexpected_argument(const CLI::App& app, const std::vector<std::string>& extras) {
  const auto flag = std::find_if(extras.begin(), extras.end(),
                                 [](const std::string& text) { return text.size() > 1 && text[0] == '-'; });
  if (flag == extras.end()) {
    return usage(fmt::format("unexpected argument {}; see sluice {} --help", in_quotes(extras.front()),
                             app.get_name()));
  }
  std::string program = app.get_parent() == nullptr ? "sluice" : "sluice " + app.get_name();
  // Of `datasource add` only the flags of `add` are meant.
  const CLI::App* meant = &app;
  while (meant->get_parent() != nullptr && !meant->get_subcommands().empty()) {
    meant = meant->get_subcommands().front();
    program += " " + meant->get_name();
  }
  const std::string name = flag->substr(0, flag->find('='));
  const auto known = flags_of(*meant);
  const std::string near(nearest(name, known));
  return usage(fmt::format("unknown flag {} of {}{}", in_quotes(name), program,
                           near.empty() ? fmt::format("; see {} --help", program) : ""),
               near);
}

/// No command was recognised.
tl::unexpected<error> unknown_command(const CLI::App& app, const std::vector<std::string>& extras) {
  std::vector<std::string_view> names;
  for (const command_entry& entry : entries) {
    names.emplace_back(entry.name);
  }
  if (extras.empty()) {
    return usage(fmt::format("a command is missing: {}; see sluice --help", fmt::join(names, ", ")));
  }
  const std::string& word = extras.front();
  if (word.size() > 1 && word[0] == '-') {
    return unexpected_argument(app, extras);
  }
  if (word.ends_with(".json")) {
    return usage(fmt::format("unknown command {}", in_quotes(word)), "sluice run " + escaped(word));
  }
  const std::string near(nearest(word, names));
  return usage(fmt::format("unknown command {}{}", in_quotes(word),
                           near.empty() ? fmt::format(": there are {}", fmt::join(names, ", ")) : ""),
               near);
}

result<command> command_of(const parser& p) {
  if (p.version_flag) {
    return version_arguments{};
  }
  const parsed_command* named = p.named();
  if (named == nullptr) {
    return unknown_command(p.app, p.app.remaining());
  }
  const auto extras = p.app.remaining(true);
  if (!extras.empty()) {
    return unexpected_argument(*named->app, extras);
  }
  auto given = named->syntax->given();
  run_arguments* run = given ? std::get_if<run_arguments>(&*given) : nullptr;
  if (given && std::holds_alternative<copy_arguments>(*given)) {
    run = &std::get<copy_arguments>(*given).run;
  }
  if (run != nullptr) {
    run->words = given_words(*named->app);
    run->words.insert(run->words.begin(), named->app->get_name());
  }
  return given;
}

}  // namespace

result<command> parse_command_line(const std::vector<std::string>& arguments) {
  parser p;
  try {
    // CLI11 takes its arguments last first.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    // `sluice help run` is `sluice run --help`.
    if (!reversed.empty() && reversed.back() == "help") {
      reversed.pop_back();
      reversed.insert(reversed.begin(), "--help");
    }
    p.app.parse(reversed);
    return command_of(p);
  } catch (const CLI::CallForHelp&) {
    return help_arguments{p.app.help()};
  } catch (const CLI::ArgumentMismatch& e) {
    // CLI11 begins with the flag, and tells the two cases apart in words only.
    const std::string said = e.what();
    const std::string flag = said.substr(0, said.find(':'));
    return usage(said.find("missing") != std::string::npos
                     ? fmt::format("{} needs a value; see sluice --help", flag)
                     : fmt::format("{} is given more than once; give it once", flag));
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
  for (const parsed_command& one : p.commands) {
    flags[one.app->get_name()] = flags_of(*one.app);
  }
  return flags;
}

}  // namespace sluice
