#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/cli/command_line.h"
#include "transport/base/result.h"
#include "transport/base/text.h"

/// What the files of the commands share. CLI11 fills plain texts in; each command then checks them one by one
/// with messages of ours.
namespace sluice {

/// The flags and arguments of one command. Made for one parse of a command line, and gone with it.
class command_syntax {
 public:
  virtual ~command_syntax() = default;
  /// Tells CLI11 the flags. `app` keeps references into this object.
  virtual void describe(CLI::App& app) = 0;
  /// What was given, once `app` has parsed it; `bad_option` where a value is wrong.
  [[nodiscard]] virtual result<command> given() const = 0;
};

/// One command of the program: a line of the list in command_line.cpp.
struct command_entry {
  const char* name;
  const char* meaning;  ///< One line for `sluice --help`.
  std::unique_ptr<command_syntax> (*make)();
};

// One a file `<name>_syntax.cpp`.
std::unique_ptr<command_syntax> run_syntax();
std::unique_ptr<command_syntax> runs_syntax();
std::unique_ptr<command_syntax> check_syntax();
std::unique_ptr<command_syntax> plan_syntax();
std::unique_ptr<command_syntax> verify_syntax();
std::unique_ptr<command_syntax> ddl_syntax();
std::unique_ptr<command_syntax> template_syntax();
std::unique_ptr<command_syntax> copy_syntax();
std::unique_ptr<command_syntax> schema_syntax();
std::unique_ptr<command_syntax> params_syntax();
std::unique_ptr<command_syntax> datasource_syntax();
std::unique_ptr<command_syntax> plugins_syntax();
std::unique_ptr<command_syntax> version_syntax();

/// `bad_option` with a message that ends in "did you mean …?" where `near` is not empty.
tl::unexpected<error> usage(std::string message, const std::string& near = {});

/// What `app` was given: arguments, then flags, each by its long name and with its value in one word
/// (`--set=path=value`).
std::vector<std::string> given_words(const CLI::App& app);

/// Values of `-p`: `name=value`, or DataX's `-Dname=value -Dother=value` in one text, whose names are added
/// to `literal`.
result<void> put_parameters(std::map<std::string, std::string>& to, std::set<std::string>& literal,
                            const std::vector<std::string>& texts);

/// Pairs of `--set path=value`.
result<std::vector<std::pair<std::string, std::string>>> paths_and_values(
    const std::vector<std::string>& texts);

/// A whole number from 0 on.
result<std::uint64_t> limit_of(const char* flag, const std::string& text);

/// A number from 1 to 1,000.
result<std::uint32_t> count_of(const char* flag, const std::string& text);

/// The value of `--memory`, nothing for an empty text; `bad_option` below the least.
result<std::optional<std::uint64_t>> memory_of(const std::string& text);

/// The value of `--on-unfinished`; an empty text is `automatic`.
result<run_settings::unfinished> on_unfinished_of(const std::string& text);

/// The name of a dialect: `di`, `datax`.
result<dialect> dialect_of(const char* flag, const std::string& text);

/// A time above 0.
result<std::chrono::milliseconds> time_of(const char* flag, const std::string& text);

/// Nothing for an empty text: the flag was not given.
inline std::optional<std::string> given_text(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
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
  return usage(fmt::format("{} takes {}; found {}", flag, fmt::join(names, ", "), in_quotes(text)), near);
}

}  // namespace sluice
