#include "tools/cli/command_syntax.h"

#include <charconv>

#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "tools/cli/configuration.h"
#include "transport/base/units.h"

namespace sluice {
namespace {

result<void> put_parameter(std::map<std::string, std::string>& to, const std::string& name,
                           const std::string& value) {
  if (name.empty()) {
    return fail(error_kind::bad_option, "-p needs name=value; the name is missing");
  }
  if (const std::string_view plain = trimmed(name); plain != name) {
    return fail(error_kind::bad_option,
                "-p: blanks stand around {}; write {}= and the value behind it at once", in_quotes(name),
                plain);
  }
  const auto [at, fresh] = to.emplace(name, value);
  if (!fresh && at->second != value) {
    return fail(error_kind::bad_option, "-p gives the parameter {} twice with different values; give it once",
                in_quotes(name));
  }
  return {};
}

/// `-Da=1 -Db=x y`: a value ends before the next ` -D`, and a pair of quotes around it is a shell's.
result<void> put_datax_parameters(std::map<std::string, std::string>& to, std::set<std::string>& literal,
                                  std::string_view text) {
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
      return fail(error_kind::bad_option, "-p \"-D…\" needs -Dname=value; {} has no =", in_quotes(one));
    }
    std::string_view value = one.substr(equals + 1);
    if (value.size() >= 2 && value.front() == value.back() &&
        (value.front() == '"' || value.front() == '\'')) {
      value = value.substr(1, value.size() - 2);
    }
    const std::string name(one.substr(0, equals));
    SLUICE_CHECK(put_parameter(to, name, std::string(value)));
    literal.insert(name);
  }
  return {};
}

}  // namespace

tl::unexpected<error> usage(std::string message, const std::string& near) {
  if (!near.empty()) {
    message += fmt::format("; did you mean {}?", near);
  }
  return fail(error{error_kind::bad_option, std::move(message), {}});
}

std::vector<std::string> given_words(const CLI::App& app) {
  std::vector<std::string> flags;
  std::vector<std::string> words;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) {
      continue;
    }
    const bool is_flag = option->get_expected_max() == 0;
    for (const std::string& value : option->results()) {
      if (option->get_lnames().empty()) {
        words.push_back(value);
      } else if (is_flag) {
        flags.push_back("--" + option->get_lnames().front());
      } else {
        flags.push_back(fmt::format("--{}={}", option->get_lnames().front(), value));
      }
    }
  }
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

result<void> put_parameters(std::map<std::string, std::string>& to, std::set<std::string>& literal,
                            const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (text.starts_with("-D")) {
      SLUICE_CHECK(put_datax_parameters(to, literal, text));
      continue;
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      // The text may be a secret whose name was forgotten: it is not shown, only which it is.
      return fail(
          error_kind::bad_option,
          "-p needs name=value; number {} of {} -p, a text of {} bytes, has no = (it is not shown: it may "
          "be a secret)",
          &text - texts.data() + 1, texts.size(), text.size());
    }
    const std::string name = text.substr(0, equals);
    if (name == trimmed(name) && name.find_first_of(" \t\r\n${}[]\"'") != std::string::npos) {
      return fail(
          error_kind::bad_option,
          "-p: {} is no name of a parameter; it has letters, digits, _ and dots, and one -p gives one "
          "parameter",
          shown_text(name));
    }
    SLUICE_CHECK(put_parameter(to, name, text.substr(equals + 1)));
  }
  return {};
}

result<std::vector<std::pair<std::string, std::string>>> paths_and_values(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return usage("--set needs path=value, such as setting.speed.concurrent=4");
    }
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

result<std::uint64_t> limit_of(const char* flag, const std::string& text) {
  std::uint64_t limit = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (problem != std::errc() || end != text.data() + text.size()) {
    return fail(error_kind::bad_option, "{} takes a whole number from 0 on; found {}", flag, in_quotes(text));
  }
  return limit;
}

result<std::uint32_t> count_of(const char* flag, const std::string& text) {
  constexpr std::uint32_t count_max = 1000;
  std::uint32_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem != std::errc() || end != text.data() + text.size() || count == 0 || count > count_max) {
    return fail(error_kind::bad_option, "{} takes a whole number from 1 to {}; found {}", flag, count_max,
                in_quotes(text));
  }
  return count;
}

result<std::optional<std::uint64_t>> memory_of(const std::string& text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const auto bytes = parse_size(text);
  if (!bytes) {
    return fail(error_kind::bad_option, "--memory: {}", bytes.error().message);
  }
  if (*bytes < memory_bytes_min) {
    return fail(error_kind::bad_option, "--memory: {} is too little; the least is {}", in_quotes(text),
                bytes_text(memory_bytes_min));
  }
  return *bytes;
}

result<run_settings::unfinished> on_unfinished_of(const std::string& text) {
  using unfinished = run_settings::unfinished;
  if (text.empty()) {
    return unfinished::automatic;
  }
  return one_of<unfinished>(
      "--on-unfinished", text,
      {{"resume", unfinished::resume}, {"fail", unfinished::fail}, {"fresh", unfinished::fresh}});
}

result<dialect> dialect_of(const char* flag, const std::string& text) {
  return one_of<dialect>(flag, text, {{"di", dialect::script2}, {"datax", dialect::datax}});
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

}  // namespace sluice
