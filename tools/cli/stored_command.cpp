#include "tools/cli/stored_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "jobspec/secrets.h"
#include "tools/cli/files.h"
#include "tools/cli/shell_word.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t command_bytes_max = std::size_t{4} << 20;

/// How a start deals with what it finds, and of several runs: not what the run itself is.
constexpr std::string_view of_the_start[] = {
    "--on-unfinished", "--if-running",   "--wait-max",        "--same-ends",     "--once",
    "--resume-window", "--rerun-presql", "--skip-presql",     "--rerun-postsql", "--skip-postsql",
    "--jobs",          "--parallel",     "--stop-on-failure", "--state-dir"};

/// What standard error and standard output look like; names and dates are the job's.
constexpr std::string_view only_shown[] = {
    "--json", "--no-progress", "--log-format", "--log-level", "--report",     "--report-interval",
    "--name", "--cyctime",     "--bizdate",    "--at",        "--param-file", "--save"};

bool is_flag(std::string_view word) {
  return word.size() > 2 && word.starts_with("--");
}

/// A parameter as DataX's launcher takes it: `-Dday=1`.
constexpr std::string_view datax_parameter = "--param=-D";

/// `--name` of `--name=value`.
std::string_view flag_of(std::string_view word) {
  return is_flag(word) ? word.substr(0, word.find('=')) : std::string_view();
}

bool takes_several(std::string_view flag) {
  return flag == "--param" || flag == "--set" || flag == "--param-file";
}

/// What a word gives a value for, so that two with the same text replace each other: `--set=PATH`,
/// `--retries`.
std::string given_by(std::string_view word) {
  const std::string_view flag = flag_of(word);
  if (!takes_several(flag)) {
    return std::string(flag);
  }
  if (flag == "--param-file") {
    return std::string(word);
  }
  const std::string_view what = word.substr(0, word.find('=', flag.size() + 1));
  return what.starts_with(datax_parameter) ? "--param=" + std::string(what.substr(datax_parameter.size()))
                                           : std::string(what);
}

/// The word as it may be kept.
std::string without_secrets(const std::string& word, const job& what, const secret_filter& secrets) {
  const std::string_view flag = flag_of(word);
  const std::size_t value = word.find('=', flag.size() + 1);
  if (takes_several(flag) && value != std::string::npos) {
    const std::string given = given_by(word);
    const std::string name = given.substr(flag.size() + 1);
    const auto parameter = flag == "--param" ? what.parameters.find(name) : what.parameters.end();
    const bool hidden = parameter != what.parameters.end() && parameter->second == secret_mask;
    // A reference says where a secret is, and is none.
    if (hidden ||
        (looks_secret(name.substr(name.find_last_of('.') + 1)) && word.compare(value + 1, 2, "${") != 0)) {
      return word.substr(0, value + 1) + std::string(secret_mask);
    }
  }
  return mask_addresses(secrets.apply(word));
}

/// `--param=-Da=1 -Db=2` as a word a parameter; any other as it is.
std::vector<std::string> one_parameter_each(const std::string& word) {
  std::vector<std::string> words;
  if (word.starts_with(datax_parameter)) {
    std::string_view text = std::string_view(word).substr(word.find('=') + 1);
    while (!text.empty()) {
      const std::size_t end = text.find(" -D");
      words.push_back("--param=" + std::string(text.substr(0, end)));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return words;
  }
  return {word};
}

/// `20250719`.
std::string day_text(std::chrono::local_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

bool decides_the_start(std::string_view word) {
  return std::find(std::begin(of_the_start), std::end(of_the_start), flag_of(word)) != std::end(of_the_start);
}

}  // namespace

stored_command command_to_keep(const run_arguments& run, const job& what, const std::string& folder,
                               const secret_filter& secrets) {
  stored_command kept;
  kept.folder = folder;
  kept.job = what.name;
  kept.planned = what.planned ? what.planned->kept_text() : "";
  const bool copies = !run.words.empty() && run.words.front() == "copy";
  for (std::size_t i = 0; i < run.words.size(); ++i) {
    std::string word = run.words[i];
    if (!copies && i > 0 && !is_flag(word)) {
      // Jobs and folders: this run is of one.
      if (kept.words.size() > 1) {
        continue;
      }
      word = run.job_file;
    } else if (flag_of(word) == "--bizdate" && run.planned.business_day) {
      word = "--bizdate=" + day_text(*run.planned.business_day);
    } else if (decides_the_start(word)) {
      continue;
    }
    for (const std::string& one : one_parameter_each(word)) {
      std::string shown = without_secrets(one, what, secrets);
      if (shown != one) {
        kept.hidden.push_back(kept.words.size());
      }
      kept.words.push_back(std::move(shown));
    }
  }
  return kept;
}

std::string stored_command_json(const stored_command& kept) {
  const json j = {{"version", 1},
                  {"job", kept.job},
                  {"run", kept.run},
                  {"folder", kept.folder},
                  {"words", kept.words},
                  {"hidden", kept.hidden},
                  {"planned", kept.planned.empty() ? json() : json(kept.planned)}};
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

result<stored_command> read_stored_command(const std::string& run_folder) {
  const std::string path = run_folder + "/command.json";
  SLUICE_TRY(const std::string text, read_file(path, command_bytes_max));
  const json j = json::parse(text, nullptr, false);
  const auto has = [&j](const char* name, bool (json::*is)() const noexcept) {
    return j.contains(name) && (j[name].*is)();
  };
  const auto only = [&j](const char* name, bool (json::*is)() const noexcept) {
    return std::all_of(j[name].begin(), j[name].end(), [is](const json& one) { return (one.*is)(); });
  };
  if (!j.is_object() || !has("version", &json::is_number) || j["version"] != 1 ||
      !has("words", &json::is_array) || !only("words", &json::is_string) || !has("hidden", &json::is_array) ||
      !only("hidden", &json::is_number_unsigned) || !has("folder", &json::is_string) ||
      !has("job", &json::is_string)) {
    return fail(error_kind::denied, "{} is not the command of a run in a form that this Sluice knows",
                in_quotes(path));
  }
  stored_command kept;
  kept.job = j["job"].get<std::string>();
  kept.folder = j["folder"].get<std::string>();
  kept.words = j["words"].get<std::vector<std::string>>();
  kept.hidden = j["hidden"].get<std::vector<std::size_t>>();
  kept.run = has("run", &json::is_string) ? j["run"].get<std::string>() : "";
  kept.planned = has("planned", &json::is_string) ? j["planned"].get<std::string>() : "";
  return kept;
}

result<std::vector<std::string>> words_again(const stored_command& kept,
                                             const std::vector<std::string>& given) {
  std::vector<std::string> changes;
  for (const std::string& word : given) {
    const auto each = one_parameter_each(word);
    changes.insert(changes.end(), each.begin(), each.end());
  }
  const auto changed = [&changes](const std::string& word) {
    const std::string what = given_by(word);
    return !what.empty() && std::any_of(changes.begin(), changes.end(),
                                        [&](const std::string& one) { return given_by(one) == what; });
  };
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kept.words.size(); ++i) {
    const std::string& word = kept.words[i];
    if (decides_the_start(word) || changed(word)) {
      continue;
    }
    if (std::find(kept.hidden.begin(), kept.hidden.end(), i) != kept.hidden.end()) {
      const std::string what = given_by(word);
      const bool one_value = takes_several(flag_of(word)) && what.size() < word.size();
      return one_value
                 ? fail(error_kind::bad_option,
                        "a secret of the command is not kept: give it again, {}=VALUE", shell_word(what))
                 : fail(error_kind::bad_option,
                        "the command has a secret in {}, which is not kept: give the whole command "
                        "again, which continues the run; a reference such as ${{env:NAME}} would be "
                        "kept",
                        in_quotes(word));
    }
    words.push_back(word);
  }
  // Last, because of two values at a path and above it the later one counts.
  words.insert(words.end(), changes.begin(), changes.end());
  return words;
}

std::vector<std::string> flag_changes(const stored_command& before, const stored_command& now) {
  const auto told = [](const stored_command& one) {
    std::map<std::string, std::string> values;
    for (const std::string& word : one.words) {
      const std::string flag(flag_of(word));
      if (!flag.empty() && !takes_several(flag) &&
          std::find(std::begin(only_shown), std::end(only_shown), flag) == std::end(only_shown)) {
        values[flag] = word == flag ? "" : word.substr(flag.size() + 1);
      }
    }
    return values;
  };
  const auto old_values = told(before);
  const auto new_values = told(now);
  std::vector<std::string> lines;
  for (const auto& [flag, value] : old_values) {
    const auto at = new_values.find(flag);
    if (at == new_values.end()) {
      lines.push_back(fmt::format("{}{}{} is gone", flag, value.empty() ? "" : " was " + in_quotes(value),
                                  value.empty() ? "" : " and"));
    } else if (at->second != value) {
      lines.push_back(fmt::format("{} was {} and is {}", flag, in_quotes(value), in_quotes(at->second)));
    }
  }
  for (const auto& [flag, value] : new_values) {
    if (old_values.count(flag) == 0) {
      lines.push_back(
          fmt::format("{} was not given{}", flag, value.empty() ? "" : " and is " + in_quotes(value)));
    }
  }
  return lines;
}

std::string command_text(const stored_command& kept) {
  std::string text = "sluice";
  for (const std::string& word : kept.words) {
    text += " " + shell_word(word);
  }
  return text;
}

}  // namespace sluice
