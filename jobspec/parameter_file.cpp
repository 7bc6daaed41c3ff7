#include "jobspec/parameter_file.h"

#include <fmt/format.h>

#include "jobspec/json_path.h"
#include "jobspec/loose_json.h"
#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using nlohmann::json;

namespace {

tl::unexpected<error> no_name(const std::string& place, std::string_view name) {
  const std::string_view plain = trimmed(name);
  if (plain != name && is_parameter_name(plain)) {
    return fail(error_kind::bad_option,
                "{}: blanks stand around {}; write {}= and the value behind it at once", place,
                in_quotes(name), plain);
  }
  return fail(error_kind::bad_option,
              "{}: {} is no name; a name has letters, digits, _ and dots, and no digit first", place,
              in_quotes(name));
}

result<given_parameters> read_object(const std::string& file, std::string_view text) {
  SLUICE_TRY(const auto document, read_loose_json(file, text));
  if (!document.warnings.empty()) {
    return fail(error_kind::bad_option, "{}; give each parameter once", document.warnings.front());
  }
  given_parameters given;
  for (const auto& [name, value] : document.root.items()) {
    const std::string path = path_join("", name);
    const std::string place = place_text(file, document.places.get(), path);
    if (!is_parameter_name(name)) {
      return no_name(place, name);
    }
    if (value.is_null() || value.is_structured()) {
      return fail(error_kind::bad_option, "{}: expected a text, a number, true or false", place);
    }
    const std::uint32_t line = position_of(document.places.get(), path).first;
    given[name] = {value.is_string() ? value.get<std::string>() : value.dump(),
                   fmt::format("{}:{}", file, line), false};
  }
  return given;
}

result<given_parameters> read_lines(const std::string& file, std::string_view text) {
  given_parameters given;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (trimmed(line).empty() || trimmed(line).starts_with('#')) {
      continue;
    }
    const std::string place = fmt::format("{}:{}", file, number);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return fail(error_kind::bad_option, "{}: expected name=value; this line has no =", place);
    }
    const std::string_view name = line.substr(0, equals);
    if (!is_parameter_name(name)) {
      return no_name(place, name);
    }
    const given_parameter one{std::string(line.substr(equals + 1)), place, false};
    const auto [at, fresh] = given.emplace(name, one);
    if (!fresh && at->second.text != one.text) {
      return fail(error_kind::bad_option, "{}: the parameter {} has another value at {}; give it once", place,
                  in_quotes(name), at->second.origin);
    }
  }
  return given;
}

}  // namespace

result<given_parameters> read_parameter_file(const std::string& file, std::string_view text) {
  const std::string shown = escaped(file);
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  return trimmed(text).starts_with('{') ? read_object(shown, text) : read_lines(shown, text);
}

}  // namespace sluice
